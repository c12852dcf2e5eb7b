import { describe, expect, it } from "vitest";
import { SweepStore } from "../src/host/sweep-store";
import { inView } from "../src/lib/rows-in-view";
import {
  ANY,
  byAxes,
  type Cell,
  type CellRow,
  captionOf,
  counted,
  differing,
  firstLook,
  inOrder,
  inWords,
  type Look,
  placeAxis,
  placeable,
  type SweepAxis,
  toCell,
} from "../src/lib/sweep";

const AXES: SweepAxis[] = [
  { name: "seed", labels: ["0", "1", "2"] },
  { name: "cfg", labels: ["2", "5"] },
  { name: "sampler_name", labels: ["euler", "heun"] },
];

function row(indices: number[], changed: Partial<Cell> = {}): CellRow {
  const { status = "completed", seconds = 1, stars = 0, rejected = false, error = "" } = changed;
  return [indices, status, seconds, stars, rejected ? 1 : 0, 0, error];
}

/** Every combination, numbered in order. */
const CELLS = [0, 1, 2].flatMap((seed) =>
  [0, 1].flatMap((cfg) =>
    [0, 1].map((sampler, at) => toCell(seed * 4 + cfg * 2 + at, row([seed, cfg, sampler]))),
  ),
);

describe("two axes of several", () => {
  it("opens with the longest axis going down", () => {
    expect(firstLook(AXES)).toMatchObject({ x: "cfg", y: "seed", held: { sampler_name: 0 } });
    expect(firstLook(AXES.slice(0, 1))).toMatchObject({ x: "seed", y: "" });
    expect(firstLook([])).toMatchObject({ x: "", y: "" });
  });

  it("puts each cell at its place, and holds the other axes", () => {
    const look = { ...firstLook(AXES), held: { sampler_name: 1 } };
    const { columns, rows, places } = byAxes(AXES, CELLS, look);
    expect([columns, rows]).toEqual([
      ["2", "5"],
      ["0", "1", "2"],
    ]);
    expect(places.map((cell) => cell?.indices)).toEqual([
      [0, 0, 1],
      [0, 1, 1],
      [1, 0, 1],
      [1, 1, 1],
      [2, 0, 1],
      [2, 1, 1],
    ]);
  });

  it("leaves places empty where a sweep is sparse or a filter hides", () => {
    const look = { ...firstLook(AXES), filter: "rated" as const };
    const rated = CELLS.map((cell) => (cell.number === 2 ? { ...cell, stars: 4 } : cell));
    expect(byAxes(AXES, rated, look).places.map((cell) => cell?.number)).toEqual([
      undefined,
      2,
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });

  it("lets two axes change places", () => {
    const look = firstLook(AXES);
    expect(placeAxis(look, "x", "seed")).toMatchObject({ x: "seed", y: "cfg" });
    expect(placeAxis(look, "y", "sampler_name")).toMatchObject({ x: "cfg", y: "sampler_name" });
    expect(placeAxis(look, "x", "cfg")).toBe(look);
  });
});

describe("cells in an order", () => {
  const cells = [
    toCell(0, row([0, 0, 0], { seconds: 3, stars: 2 })),
    toCell(1, row([0, 0, 1], { seconds: null, status: "failed", error: "no" })),
    toCell(2, row([0, 1, 0], { seconds: 1, rejected: true })),
    toCell(3, row([0, 1, 1], { seconds: 2, stars: 5 })),
  ];
  const numbers = (sort: "rating" | "time" | "newest", filter: "all" | "kept" | "best" | "failed" = "all") =>
    inOrder(cells, { ...firstLook(AXES), sort, filter }, 2).places.map((cell) => cell?.number);

  it("sorts by rating, time and age", () => {
    expect(numbers("rating")).toEqual([3, 0, 1, 2]);
    expect(numbers("time")).toEqual([2, 3, 0, 1]);
    expect(numbers("newest")).toEqual([3, 2, 1, 0]);
  });

  it("shows what is kept, best or failed", () => {
    expect(numbers("rating", "kept")).toEqual([3, 0, 1]);
    expect(numbers("rating", "best")).toEqual([3]);
    expect(numbers("rating", "failed")).toEqual([1]);
  });

  it("counts", () => {
    expect(counted(cells, 9)).toEqual({ done: 3, failed: 1, words: "3 of 9 · 1 failed" });
  });
});

it("draws one more row and column than is in view", () => {
  expect(inView(0, 300, 100, 50)).toEqual([0, 4]);
  expect(inView(1050, 300, 100, 50)).toEqual([9, 15]);
  expect(inView(4900, 300, 100, 50)).toEqual([48, 50]);
});

it("tells values and differences in words", () => {
  const [one, other] = [CELLS[0] as Cell, CELLS[11] as Cell];
  expect(inWords(AXES, one)).toBe("seed 0 · cfg 2 · sampler euler");
  expect(differing(AXES, one, other)).toEqual(["seed 0 → 2", "cfg 2 → 5", "sampler euler → heun"]);
  expect(differing(AXES, one, one)).toEqual([]);
});

describe("the store", () => {
  it("keeps the previews of cells only while they run, and shows a rating at once", () => {
    const store = new SweepStore();
    store.take({ kind: "cells", numbers: [0, 1], rows: [row([0], { status: "in_progress" }), row([1])] }, []);
    const bytes = new DataView(new ArrayBuffer(3));
    store.take({ kind: "cell-preview", number: 0, mime: "image/jpeg" }, [bytes]);
    store.take({ kind: "thumbnails", numbers: [1], mime: "image/webp" }, [bytes]);
    expect([store.previews.has(0), store.thumbnails.has(1), store.images.value]).toEqual([true, true, 2]);
    store.take({ kind: "cells", numbers: [0], rows: [row([0])] }, []);
    expect(store.previews.has(0)).toBe(false);
    store.rate([1], 4, false);
    expect(store.cells.value.map(({ stars }) => stars)).toEqual([0, 4]);
  });

  it("forgets an original when its cell has another image", () => {
    const store = new SweepStore();
    const bytes = new DataView(new ArrayBuffer(3));
    store.take({ kind: "cell-original", number: 0, mime: "image/png" }, [bytes]);
    store.take({ kind: "thumbnails", numbers: [0], mime: "image/webp" }, [bytes]);
    expect(store.originals.has(0)).toBe(false);
  });
});

describe("the files of a folder", () => {
  const FOUND: SweepAxis[] = [
    { name: "file", labels: ["a.png", "b.png", "c.png"] },
    { name: "cfg", labels: ["2", "5"] },
    { name: "sampler", labels: ["euler", "heun"] },
    { name: "seed", labels: Array.from({ length: 40 }, (_, seed) => String(seed)) },
  ];
  const FILES = [toCell(0, row([0, 1, 0, 7])), toCell(1, row([1, 1, 0, 8])), toCell(2, row([2, 0, 1, 9]))];

  it("come one after the other, the newest first", () => {
    const look = firstLook(FOUND, "found");
    expect(look).toMatchObject({ sort: "newest", x: "cfg", y: "sampler", held: { seed: ANY } });
    expect(inOrder(FILES, look, 2).places.map((cell) => cell?.number)).toEqual([2, 1, 0]);
  });

  it("share a place where they differ in nothing that is looked at, and the newest is seen", () => {
    const look: Look = { ...firstLook(FOUND, "found"), sort: "axes" };
    const { places, several } = byAxes(FOUND, FILES, look);
    expect(places.map((cell) => cell?.number)).toEqual([undefined, 1, 2, undefined]);
    expect([...several]).toEqual([[1, 2]]);
    const held = byAxes(FOUND, FILES, { ...look, held: { ...look.held, seed: 7 } });
    expect(held.places.map((cell) => cell?.number)).toEqual([undefined, 0, undefined, undefined]);
    expect(held.several.size).toBe(0);
  });

  it("are told by name, which is no axis to choose", () => {
    const file = FILES[2];
    expect(file && inWords(FOUND, file)).toBe("c.png · cfg 2 · sampler heun · seed 9");
    expect(file && captionOf(FOUND, file)).toBe("cfg 2 · sampler heun · seed 9");
    expect(file && captionOf(FOUND.slice(0, 1), file)).toBe("c.png");
    expect(placeable(FOUND).map(({ name }) => name)).toEqual(["cfg", "sampler", "seed"]);
  });
});
