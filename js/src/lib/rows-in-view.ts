/** Which of many rows or columns of one size are in view, and how many more on each side: only these are drawn. */
export function inView(
  scroll: number,
  size: number,
  cell: number,
  count: number,
  around = 1,
): [first: number, end: number] {
  const first = Math.max(0, Math.floor(scroll / cell) - around);
  return [first, Math.min(count, Math.ceil((scroll + size) / cell) + around)];
}
