/** Put the focus on the tile beside or over this one. */
export function moveFocus(tile: HTMLElement, key: string): boolean {
  const steps: Record<string, readonly [number, number]> = {
    ArrowLeft: [-1, 0],
    ArrowRight: [1, 0],
    ArrowUp: [0, -1],
    ArrowDown: [0, 1],
  };
  const step = steps[key];
  if (step === undefined) return false;
  const tiles = [...(tile.closest(".grid")?.querySelectorAll<HTMLElement>("button.tile") ?? [])];
  const at = tiles.indexOf(tile);
  if (step[0] !== 0) {
    tiles[at + step[0]]?.focus();
    return true;
  }
  const here = tile.getBoundingClientRect();
  const rows = step[1] > 0 ? tiles.slice(at + 1) : tiles.slice(0, at).reverse();
  rows
    .find((other) => {
      const there = other.getBoundingClientRect();
      return Math.abs(there.left - here.left) < here.width / 2 && Math.abs(there.top - here.top) > 1;
    })
    ?.focus();
  return true;
}
