/**
 * A saved page of a sweep: the same grid as in a notebook, a table, and the workflow, without a server or a network.
 *
 * Everything is in the page: a `<script type="application/json">` holds what Python would send.
 */
import { SweepGrid } from "../components/sweep-grid";
import { SweepTable } from "../components/sweep-table";
import { mount } from "../host/mount";
import { SweepStore, sweepProps } from "../host/sweep-store";
import type { CellRow, SweepState } from "../lib/sweep";
import base from "../style/base.css?inline";
import controlsCss from "../style/controls.css?inline";
import progressCss from "../style/progress.css?inline";
import sweepCss from "../style/sweep.css?inline";
import tableCss from "../style/sweep-table.css?inline";

interface Saved {
  state: SweepState;
  rows: CellRow[];
  /** WebP in base64, or nothing where a cell has no image. */
  thumbnails: (string | null)[];
  images: Record<string, string>;
}

const saved = JSON.parse(document.getElementById("sweep")?.textContent ?? "{}") as Saved;
const store = new SweepStore();

function bytes(text: string): DataView {
  return new DataView(Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer);
}

function take(): void {
  store.state.value = saved.state;
  store.take({ kind: "cells", numbers: saved.rows.map((_, number) => number), rows: saved.rows }, []);
  const numbers = saved.thumbnails.flatMap((text, number) => (text === null ? [] : [number]));
  const images = numbers.map((number) => bytes(saved.thumbnails[number] ?? ""));
  store.take({ kind: "thumbnails", numbers, mime: "image/webp" }, images);
}

/** A larger image, where the page has one: only those that somebody looks at are decoded. */
function want(number: number): void {
  const text = saved.images[number];
  if (text !== undefined) store.take({ kind: "cell-original", number, mime: "image/webp" }, [bytes(text)]);
}

const place = document.getElementById("grid");
if (place !== null) {
  take();
  const css = base + controlsCss + progressCss + sweepCss + tableCss;
  const view = mount(place, css, () => Promise.reject(new Error("A saved page has no kernel.")));
  const draw = () =>
    view.show(
      <>
        <SweepGrid {...sweepProps(store)} onAct={undefined} onWant={want} />
        <SweepTable axes={store.state.value.axes} cells={store.cells.value} />
      </>,
    );
  draw();
  store.subscribe(draw);
}
