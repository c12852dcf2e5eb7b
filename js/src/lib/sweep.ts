/**
 * A sweep as the browser knows it: pure functions from what Python sends to what is drawn.
 *
 * The Python half of this contract is `comfy_widgets/experiments/_snapshot.py`; a saved page holds the same data.
 */

import type { CellStatus, SweepAxis, SweepCells, SweepState } from "./schema";

export type { CellStatus, SweepAxis, SweepState } from "./schema";

/** One cell, as a short list: thousands of them travel at once. */
export type CellRow = SweepCells["rows"][number];

export interface Cell {
  number: number;
  indices: number[];
  status: CellStatus;
  seconds: number | null;
  stars: number;
  rejected: boolean;
  fromCache: boolean;
  error: string;
  /** What somebody's own function says of it. */
  score: number | null;
}

export type Sort = "axes" | "rating" | "score" | "time" | "newest";
export type Filter = "all" | "kept" | "rated" | "best" | "top" | "failed";

/** How somebody looks at it. */
export interface Look {
  x: string;
  y: string;
  /** Which value of each axis that is neither; `ANY` for all of them. */
  held: Record<string, number>;
  sort: Sort;
  filter: Filter;
  /** Which value of an axis stays in view, first of all. */
  pinned: { x?: number; y?: number };
}

/** In place of one value of an axis that is neither across nor down. */
export const ANY = -1;

/** Values that can stand over columns and be looked at. */
const FEW = 24;

export const NO_SWEEP: SweepState = {
  title: "",
  status: "ready",
  axes: [],
  total: 0,
  price: "",
  error: "",
  left: "",
};

export function toCell(number: number, row: CellRow, score: number | null = null): Cell {
  const [indices, status, seconds, stars, rejected, fromCache, error] = row;
  return {
    number,
    indices,
    status,
    seconds,
    stars,
    rejected: rejected === 1,
    fromCache: fromCache === 1,
    error,
    score,
  };
}

/**
 * The look that a grid opens with. Of a sweep the longest axis goes down, for pages are scrolled that way; the files of
 * a folder come one after the other, for few of them differ in two values only.
 */
export function firstLook(axes: readonly SweepAxis[], status: SweepState["status"] = "ready"): Look {
  if (status === "found") {
    const few = placeable(axes).filter(({ labels }) => labels.length > 1 && labels.length <= FEW);
    const held = Object.fromEntries(axes.map(({ name }) => [name, ANY]));
    return { x: few[0]?.name ?? "", y: few[1]?.name ?? "", held, sort: "newest", filter: "all", pinned: {} };
  }
  const byLength = [...axes].sort((one, other) => other.labels.length - one.labels.length);
  const y = byLength.length > 1 ? byLength[0] : undefined;
  const x = byLength.find((axis) => axis !== y);
  const held = Object.fromEntries(axes.map((axis) => [axis.name, 0]));
  return { x: x?.name ?? "", y: y?.name ?? "", held, sort: "axes", filter: "all", pinned: {} };
}

/** Put an axis where another one is; the two change places. */
export function placeAxis(look: Look, at: "x" | "y", name: string): Look {
  if (look[at] === name) return look;
  const other = at === "x" ? "y" : "x";
  const { pinned } = look;
  if (look[other] === name) {
    return { ...look, [at]: name, [other]: look[at], pinned: turned(pinned) };
  }
  const { [at]: _, ...kept } = pinned;
  return { ...look, [at]: name, pinned: kept };
}

const turned = ({ x, y }: Look["pinned"]): Look["pinned"] => ({
  ...(y !== undefined && { x: y }),
  ...(x !== undefined && { y: x }),
});

/** Pin a value of an axis, or let it go. */
export function pin(look: Look, at: "x" | "y", index: number): Look {
  const { [at]: before, ...rest } = look.pinned;
  return { ...look, pinned: before === index ? rest : { ...rest, [at]: index } };
}

/** Where each value of an axis stands: the pinned one first. */
export function inPlace(count: number, pinned: number | undefined): number[] {
  const order = Array.from({ length: count }, (_, index) => index);
  return pinned === undefined || pinned >= count
    ? order
    : [pinned, ...order.filter((index) => index !== pinned)];
}

export interface Layout {
  columns: string[];
  rows: string[];
  /** Which values of the axes the columns and rows are. */
  order: { x: number[]; y: number[] };
  /** The cells by `row * columns.length + column`; a sparse sweep leaves places empty. */
  places: (Cell | undefined)[];
  /** How many cells there are for a place, where that is more than one; the last of them is shown. */
  several: Map<number, number>;
}

/** Two axes as columns and rows. */
export function byAxes(axes: readonly SweepAxis[], cells: readonly Cell[], look: Look): Layout {
  const at = (name: string) => axes.findIndex((axis) => axis.name === name);
  const [x, y] = [at(look.x), at(look.y)];
  const across = axes[x]?.labels ?? [""];
  const down = axes[y]?.labels ?? [""];
  const order = {
    x: inPlace(across.length, look.pinned.x),
    y: inPlace(down.length, look.pinned.y),
  };
  const [columnOf, rowOf] = [placesOf(order.x), placesOf(order.y)];
  const columns = order.x.map((index) => across[index] ?? "");
  const rows = order.y.map((index) => down[index] ?? "");
  const passes = passing(cells, look.filter);
  const places: (Cell | undefined)[] = Array(columns.length * rows.length).fill(undefined);
  const others = axes.flatMap((axis, index) =>
    index === x || index === y ? [] : [[index, axis.name] as const],
  );
  const several = new Map<number, number>();
  const isElsewhere = (cell: Cell) =>
    others.some(([index, name]) => {
      const held = look.held[name] ?? 0;
      return held !== ANY && cell.indices[index] !== held;
    });
  for (const cell of cells) {
    if (!passes(cell) || isElsewhere(cell)) continue;
    const [row, column] = [rowOf[cell.indices[y] ?? 0] ?? 0, columnOf[cell.indices[x] ?? 0] ?? 0];
    const place = row * columns.length + column;
    if (places[place] !== undefined) several.set(place, (several.get(place) ?? 1) + 1);
    places[place] = cell;
  }
  return { columns, rows, order, places, several };
}

function placesOf(order: readonly number[]): number[] {
  const places: number[] = [];
  order.forEach((index, place) => {
    places[index] = place;
  });
  return places;
}

/** All cells one after the other, in so many columns. */
export function inOrder(cells: readonly Cell[], look: Look, across: number): Layout {
  const chosen = cells.filter(passing(cells, look.filter)).sort(ORDERS[look.sort]);
  const rows = Math.ceil(chosen.length / across);
  return {
    columns: Array(across).fill(""),
    rows: Array(rows).fill(""),
    order: { x: [], y: [] },
    places: chosen,
    several: new Map(),
  };
}

const ORDERS: Record<Sort, (one: Cell, other: Cell) => number> = {
  axes: (one, other) => one.number - other.number,
  rating: (one, other) => worth(other) - worth(one) || one.number - other.number,
  score: (one, other) => (other.score ?? -Infinity) - (one.score ?? -Infinity) || one.number - other.number,
  time: (one, other) => (one.seconds ?? Infinity) - (other.seconds ?? Infinity) || one.number - other.number,
  newest: (one, other) => other.number - one.number,
};

const worth = (cell: Cell) => (cell.rejected ? -1 : cell.stars);

/** Whether a cell is shown. */
function passing(cells: readonly Cell[], filter: Filter): (cell: Cell) => boolean {
  if (filter === "top") {
    const scores = cells.flatMap(({ score }) => (score === null ? [] : [score])).sort((a, b) => b - a);
    const bound = scores[Math.ceil(scores.length / 4) - 1] ?? Infinity;
    return ({ score }) => score !== null && score >= bound;
  }
  return (cell) => passes(cell, filter);
}

function passes(cell: Cell, filter: Filter): boolean {
  if (filter === "kept") return !cell.rejected;
  if (filter === "rated") return cell.stars > 0;
  if (filter === "best") return cell.stars >= 4;
  return filter === "all" || cell.status === "failed" || cell.status === "lost";
}

/** The values of a cell in words: ``"seed 3 · cfg 5"``. */
export function inWords(axes: readonly SweepAxis[], cell: Cell): string {
  return axes
    .map((axis, index) => {
      const label = axis.labels[cell.indices[index] ?? 0];
      return axis.name === FILE ? label : `${axisName(axis.name)} ${label}`;
    })
    .join(" · ");
}

/** What tells a cell from the others, under its image. */
export function captionOf(axes: readonly SweepAxis[], cell: Cell): string {
  const words = axes.flatMap(({ name, labels }, index) =>
    name === FILE || labels.length < 2 ? [] : [`${axisName(name)} ${labels[cell.indices[index] ?? 0]}`],
  );
  return words.join(" · ") || inWords(axes, cell);
}

/** Pixels of a cell to begin with: a few cells are shown large, which also leaves room for the lens beside them. */
export function firstSize(axes: readonly SweepAxis[], { status, total }: SweepState): number {
  const down = firstLook(axes, status).y;
  const rows = axes.find(({ name }) => name === down)?.labels.length ?? 1;
  return (status === "found" ? total <= 8 : rows <= 2) ? 224 : 128;
}

/** The axes that can be across or down: not that of the names of files, each of which is there once. */
export function placeable(axes: readonly SweepAxis[]): SweepAxis[] {
  return axes.filter(({ name }) => name !== FILE);
}

const FILE = "file";

export function axisName(name: string): string {
  return name.replace(/_name$/, "").replaceAll("_", " ");
}

/** What differs between two cells, axis by axis. */
export function differing(axes: readonly SweepAxis[], one: Cell, other: Cell): string[] {
  return axes.flatMap((axis, index) => {
    const [from, to] = [one.indices[index] ?? 0, other.indices[index] ?? 0];
    return from === to ? [] : [`${axisName(axis.name)} ${axis.labels[from]} → ${axis.labels[to]}`];
  });
}

export function counted(
  cells: readonly Cell[],
  total: number,
): { done: number; failed: number; words: string } {
  const failed = cells.filter((cell) => cell.status === "failed" || cell.status === "lost").length;
  const done = cells.filter((cell) => cell.status === "completed").length;
  const words = `${done} of ${total}${failed > 0 ? ` · ${failed} failed` : ""}`;
  return { done, failed, words };
}
