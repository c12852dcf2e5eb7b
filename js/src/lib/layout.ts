/** How many columns a grid of images gets, and the shape of the whole. */
import type { Frame } from "./wire";

/** More images than these get as many columns as fit, and scroll. */
const FEW = 16;
const MOST = 6;
/** The gap between images, as a part of the width of the stage; the same stands in stage.css. */
const GAP = 0.014;

export function isMany({ count }: Frame): boolean {
  return count > FEW;
}

/** At most so many columns: about as wide as high, with as few empty places as can be. */
export function columns(frame: Frame): number {
  const { count, width, height } = frame;
  if (count === 0) return 1;
  const square = Math.sqrt((count * height) / width);
  if (isMany(frame)) return Math.ceil(square);
  const rows = Math.ceil(count / Math.min(Math.ceil(square - 0.2), MOST)) || 1;
  return Math.ceil(count / rows) || 1;
}

/** The least width of a tile, in pixels, at which an image can still be told from others. */
export function leastWidth({ width, height }: Frame): number {
  const ratio = width / height;
  return Math.round(Math.max(96 * Math.min(1, Math.sqrt(ratio)), 64 * ratio));
}

/** The aspect ratio of the whole grid. */
export function aspect(frame: Frame): number {
  if (isMany(frame)) return 1;
  const cols = columns(frame);
  const rows = Math.ceil(frame.count / cols) || 1;
  const tile = ((1 - (cols - 1) * GAP) / cols) * (frame.height / frame.width);
  return 1 / (rows * tile + (rows - 1) * GAP);
}
