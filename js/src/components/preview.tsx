import { useEffect, useRef } from "preact/hooks";
import { LatestWins } from "../lib/latest";

interface Props {
  /** The newest frame. */
  frame: Blob | null;
  onPaint?: () => void;
}

/** A canvas that shows the newest of the frames it is given, and paints nothing while nobody sees it. */
export function Preview({ frame, onPaint }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const painter = useRef<LatestWins<Blob> | null>(null);

  useEffect(() => {
    const target = canvas.current;
    if (target === null) return;
    const queue = new LatestWins<Blob>(async (blob) => {
      const bitmap = await createImageBitmap(blob);
      // Setting the size clears the canvas, so only when it changes.
      if (target.width !== bitmap.width) target.width = bitmap.width;
      if (target.height !== bitmap.height) target.height = bitmap.height;
      target.getContext("2d")?.drawImage(bitmap, 0, 0);
      bitmap.close();
      target.dataset.frames = String(Number(target.dataset.frames ?? 0) + 1);
      onPaint?.();
    });
    painter.current = queue;
    const visible = new IntersectionObserver((entries) => queue.pause(!entries.at(-1)?.isIntersecting));
    visible.observe(target);
    return () => {
      visible.disconnect();
      queue.stop();
    };
  }, []);

  useEffect(() => {
    if (frame !== null) painter.current?.put(frame);
  }, [frame]);

  return <canvas ref={canvas} class="preview" width={1} height={1} role="img" aria-label="Live preview" />;
}
