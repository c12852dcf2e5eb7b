import type { SweepProps } from "../components/sweep-grid";
import { toBlob } from "../lib/bytes";
import { Cell as Value } from "../lib/cell";
import type {
  CellOriginal,
  CellPreview,
  CellScores,
  RateCells,
  SelectCells,
  SweepCells,
  SweepThumbnails,
} from "../lib/schema";
import { type Cell, NO_SWEEP, type SweepState, toCell } from "../lib/sweep";

/** Messages about cells; images come as buffers. */
export type SweepMessage = SweepCells | SweepThumbnails | CellScores | CellPreview | CellOriginal;

/** A sweep as far as Python has told of it. */
export class SweepStore {
  readonly #state = new Value<SweepState>(NO_SWEEP);
  readonly #cells = new Value<readonly Cell[]>([]);
  readonly #thumbnails = new Map<number, Blob>();
  readonly #previews = new Map<number, Blob>();
  readonly #originals = new Map<number, Blob>();
  readonly #selected = new Value<ReadonlySet<number>>(new Set());
  /** Counts the images that came: the maps stay the same. */
  readonly #images = new Value(0);

  /** Listen to all of it until the returned function is called. */
  subscribe(changed: () => void): () => void {
    const stops = [this.#state, this.#cells, this.#images, this.#selected].map((value) =>
      value.subscribe(changed),
    );
    return () => {
      for (const stop of stops) stop();
    };
  }

  get state(): Value<SweepState> {
    return this.#state;
  }

  get cells(): Value<readonly Cell[]> {
    return this.#cells;
  }

  get images(): Value<number> {
    return this.#images;
  }

  get selected(): Value<ReadonlySet<number>> {
    return this.#selected;
  }

  get thumbnails(): ReadonlyMap<number, Blob> {
    return this.#thumbnails;
  }

  get previews(): ReadonlyMap<number, Blob> {
    return this.#previews;
  }

  get originals(): ReadonlyMap<number, Blob> {
    return this.#originals;
  }

  take(message: SweepMessage, buffers: readonly DataView[]): void {
    if (message.kind === "cells") {
      const cells = [...this.#cells.value];
      message.numbers.forEach((number, index) => {
        const row = message.rows[index];
        if (row !== undefined) cells[number] = toCell(number, row, cells[number]?.score ?? null);
        if (row?.[1] !== "in_progress") this.#previews.delete(number);
      });
      this.#cells.value = cells;
      return;
    }
    if (message.kind === "cell-scores") {
      const cells = [...this.#cells.value];
      message.numbers.forEach((number, index) => {
        const cell = cells[number];
        if (cell !== undefined) cells[number] = { ...cell, score: message.scores[index] ?? null };
      });
      this.#cells.value = cells;
      return;
    }
    if (message.kind === "thumbnails") {
      message.numbers.forEach((number, index) => {
        const bytes = buffers[index];
        if (bytes === undefined) return;
        this.#thumbnails.set(number, toBlob(bytes, message.mime));
        this.#originals.delete(number);
      });
    } else {
      const bytes = buffers[0];
      if (bytes === undefined) return;
      const images = message.kind === "cell-preview" ? this.#previews : this.#originals;
      images.set(message.number, toBlob(bytes, message.mime));
    }
    this.#images.value += 1;
  }

  /** What somebody has just done is shown at once; Python says the same a moment later. */
  rate(numbers: readonly number[], stars: number, rejected: boolean): void {
    const cells = [...this.#cells.value];
    for (const number of numbers) {
      const cell = cells[number];
      if (cell !== undefined) cells[number] = { ...cell, stars, rejected };
    }
    this.#cells.value = cells;
  }
}

/** What a grid shows of a sweep, and what marks its cells; `tell` hears of marks, where somebody keeps them. */
export function sweepProps(
  store: SweepStore,
  tell: (message: RateCells | SelectCells) => void = () => undefined,
): Omit<SweepProps, "onAct" | "onWant"> {
  return {
    state: store.state.value,
    cells: store.cells.value,
    thumbnails: store.thumbnails,
    previews: store.previews,
    originals: store.originals,
    selected: store.selected.value,
    onRate: (numbers, stars, rejected) => {
      store.rate(numbers, stars, rejected);
      tell({ kind: "rate", numbers, stars, rejected });
    },
    onSelect: (numbers) => {
      store.selected.value = new Set(numbers);
      tell({ kind: "select-cells", numbers });
    },
  };
}
