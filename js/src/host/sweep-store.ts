import { type ReadonlySignal, type Signal, signal } from "@preact/signals-core";
import { toBlob } from "../lib/bytes";
import type { CellOriginal, CellPreview, SweepCells, SweepThumbnails } from "../lib/schema";
import { type Cell, NO_SWEEP, type SweepState, toCell } from "../lib/sweep";

/** Messages about cells; images come as buffers. */
export type SweepMessage = SweepCells | SweepThumbnails | CellPreview | CellOriginal;

/** A sweep as far as Python has told of it. */
export class SweepStore {
  readonly #state = signal<SweepState>(NO_SWEEP);
  readonly #cells = signal<readonly Cell[]>([]);
  readonly #thumbnails = new Map<number, Blob>();
  readonly #previews = new Map<number, Blob>();
  readonly #originals = new Map<number, Blob>();
  readonly #selected = signal<ReadonlySet<number>>(new Set());
  /** Counts the images that came: the maps stay the same. */
  readonly #images = signal(0);

  get state(): Signal<SweepState> {
    return this.#state;
  }

  get cells(): ReadonlySignal<readonly Cell[]> {
    return this.#cells;
  }

  get images(): ReadonlySignal<number> {
    return this.#images;
  }

  get selected(): Signal<ReadonlySet<number>> {
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
        if (row !== undefined) cells[number] = toCell(number, row);
        if (row?.[1] !== "in_progress") this.#previews.delete(number);
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
