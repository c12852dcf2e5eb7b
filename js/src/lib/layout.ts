/** How many columns a grid of pictures gets, so that it comes nearest to the shape of a stage. */
import type { Frame } from "./wire";

export function columns(frame: Frame): number {
  const { count, width, height } = frame;
  if (count <= 1) return 1;
  let best = 1;
  let least = Number.POSITIVE_INFINITY;
  for (let cols = 1; cols <= Math.min(count, 6); cols++) {
    const rows = Math.ceil(count / cols);
    // A little wider than high is what a notebook has room for; empty places are a pity.
    const shape = (cols * width) / (rows * height);
    const cost = Math.abs(Math.log(shape / 1.15)) + 0.6 * ((cols * rows) / count - 1);
    if (cost < least - 1e-9) [best, least] = [cols, cost];
  }
  return best;
}

/** The aspect ratio of the whole grid. */
export function aspect(frame: Frame): number {
  const cols = columns(frame);
  const rows = Math.ceil(Math.max(1, frame.count) / cols);
  return (cols * frame.width) / (rows * frame.height);
}
