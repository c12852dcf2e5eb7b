/** Where a drawing stands in its window: its scale, and the place of its corner. */
export interface View {
  scale: number;
  x: number;
  y: number;
}

export interface Size {
  width: number;
  height: number;
}

/** Smaller letters than those of this scale can hardly be read. */
const READABLE = 0.66;
const LEAST = 0.12;
const MOST = 2.5;

/** All of a drawing in the middle of its window; of one too wide to be read, its begin. */
export function fitted(drawing: Size, frame: Size, isWhole = false): View {
  const whole = Math.min(frame.width / drawing.width, frame.height / drawing.height, 1.1);
  const scale = Math.max(whole, isWhole ? LEAST : READABLE);
  const room = (length: number, place: number) => (length * scale < place ? (place - length * scale) / 2 : 0);
  return { scale, x: room(drawing.width, frame.width), y: (frame.height - drawing.height * scale) / 2 };
}

/** Larger or smaller, with this point of the window kept in its place. */
export function zoomed(view: View, factor: number, x: number, y: number): View {
  const scale = Math.min(MOST, Math.max(LEAST, view.scale * factor));
  const by = scale / view.scale;
  return { scale, x: x - (x - view.x) * by, y: y - (y - view.y) * by };
}

/** Moved so that a part of the drawing is seen; the same view if it is seen already. */
export function revealed(view: View, part: Size & { x: number; y: number }, frame: Size): View {
  const left = view.x + part.x * view.scale;
  const top = view.y + part.y * view.scale;
  const isSeen =
    left >= 0 &&
    top >= 0 &&
    left + part.width * view.scale <= frame.width &&
    top + part.height * view.scale <= frame.height;
  if (isSeen) return view;
  return {
    ...view,
    x: frame.width / 2 - (part.x + part.width / 2) * view.scale,
    y: frame.height / 2 - (part.y + part.height / 2) * view.scale,
  };
}

/** The height of the window that suits a drawing. */
export function heightFor(drawing: Size, width: number): number {
  const { scale } = fitted(drawing, { width, height: 460 });
  return Math.round(Math.min(460, Math.max(180, drawing.height * scale + 16)));
}
