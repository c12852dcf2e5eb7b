import type { ShownImages } from "../lib/images";
import { aspect } from "../lib/layout";
import type { Link } from "../lib/link";
import { type Field, type Frame, isBusy, type RunState } from "../lib/wire";
import { Grid } from "./grid";
import { ImageIcon } from "./icons";
import { Preview } from "./preview";

interface Props {
  run: RunState;
  preview: Blob | null;
  images: ShownImages;
  /** What the next run will make. */
  frame: Frame;
  link: Link;
  /** Fields that take an image. */
  inputs: readonly Field[];
}

/** One place for the preview and then for the images, of the same size throughout, so that nothing moves. */
export function Stage({ run, preview, images, frame, link, inputs }: Props) {
  // While Run has not reached Python, the stage shows what was there.
  const busy = isBusy(run.phase) && run.phase !== "sending";
  const arrived = images.items.length > 0 && (!busy || images.run === run.run);
  const shown = busy ? run.frame : arrived ? { ...run.frame, count: images.items.length } : frame;
  const isLive = preview !== null && !arrived;
  // Images of an earlier run are never shown as if they were of the one that the line below speaks of.
  const isStale = images.run < run.run && run.phase !== "sending";
  const isShown = images.items.length > 0 && (run.chosen || !(isStale && run.phase === "done"));
  // What gave texts alone needs no place for images.
  if (!busy && !isShown && run.phase === "done" && run.texts.length > 0) return null;
  return (
    <div class="stage" data-busy={busy} style={{ "--shape": aspect(shown) }}>
      {!isLive && isShown && (
        <div class="layer">
          <Grid {...images} frame={shown} link={link} inputs={inputs} />
          {isStale && <span class="before">{run.chosen ? "Earlier run" : "From the run before"}</span>}
        </div>
      )}
      {busy && (isLive || !isShown) && (
        <div class="layer" data-live={isLive}>
          <Preview frame={preview} />
        </div>
      )}
      {!busy && !isShown && (
        <div class="layer invitation">
          <ImageIcon />
          <span>{/idle|sending/.test(run.phase) ? "Images appear here" : "No images"}</span>
        </div>
      )}
    </div>
  );
}
