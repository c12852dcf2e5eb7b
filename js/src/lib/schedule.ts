/** The drawing of noise levels: steps from left to right, and the logarithm of the level upwards. */
export const WIDTH = 560;
export const HEIGHT = 240;
const LEFT = 52;
const RIGHT = 20;
const TOP = 18;
const BOTTOM = 24;

export function stepOf(index: number, count: number): number {
  return LEFT + (count > 1 ? (index / (count - 1)) * (WIDTH - LEFT - RIGHT) : 0);
}

export function heightOf(level: number, lowest: number, highest: number): number {
  const share = Math.log(Math.max(level, lowest) / lowest) / Math.log(highest / lowest);
  return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM);
}

export function levelAt(y: number, lowest: number, highest: number): number {
  const share = (HEIGHT - BOTTOM - y) / (HEIGHT - TOP - BOTTOM);
  return lowest * (highest / lowest) ** Math.min(1, Math.max(0, share));
}

/** Neighbours are so much apart at least: levels must fall. */
const APART = 1.01;

/** Levels with one of them elsewhere, between its neighbours. */
export function moved(
  levels: readonly number[],
  index: number,
  level: number,
  lowest: number,
  highest: number,
): readonly number[] {
  const above = index === 0 ? highest : (levels[index - 1] ?? highest) / APART;
  const next = levels[index + 1];
  const below = next === undefined || next === 0 ? lowest : next * APART;
  const bounded = Math.min(above, Math.max(below, level));
  return levels.with(index, Math.round(bounded * 1e4) / 1e4);
}
