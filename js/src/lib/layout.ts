/** How many columns a grid of pictures gets: about as wide as high, with as few empty places as can be. */
import type { Frame } from "./wire";

const MOST = 6;

export function columns({ count, width, height }: Frame): number {
  const square = Math.ceil(Math.sqrt((count * height) / width) - 0.2);
  const rows = Math.ceil(count / Math.min(square, MOST)) || 1;
  return Math.ceil(count / rows) || 1;
}

/** The aspect ratio of the whole grid. */
export function aspect(frame: Frame): number {
  const cols = columns(frame);
  return (cols * frame.width) / ((Math.ceil(frame.count / cols) || 1) * frame.height);
}
