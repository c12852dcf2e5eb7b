/** The rows of the history that the browser has, of very many that Python knows. */
import { toBlob } from "./bytes";
import type { HistoryPage, HistoryRow } from "./wire";

/** Pixels of a row. */
export const ROW = 64;
/** Rows that are drawn above and below those in view. */
export const AROUND = 4;
/** Rows that are asked for at once. */
export const PAGE = 60;
/** Pages that are kept; what is far away is asked for again. */
const KEPT = 8;

export interface Search {
  text: string;
  starred: boolean;
}

export interface Entry extends HistoryRow {
  image: Blob | undefined;
}

export interface Found extends Search {
  total: number;
  /** By their place in what was found. */
  pages: ReadonlyMap<number, readonly Entry[]>;
  error: string;
}

export const NOTHING: Found = { text: "", starred: false, total: 0, pages: new Map(), error: "" };

/** What is known after an answer. Those of another search come late, and are of no use. */
export function takePage(
  found: Found,
  search: Search,
  message: HistoryPage,
  buffers: readonly DataView[],
): Found {
  if (message.text !== search.text || message.starred !== search.starred) return found;
  let next = 0;
  const entries = message.rows.map((row) => {
    const bytes = row.cover ? buffers[next++] : undefined;
    return { ...row, image: bytes && toBlob(bytes, "image/webp") };
  });
  const isSame = found.text === message.text && found.starred === message.starred;
  const pages = new Map(isSame && found.total === message.total ? found.pages : []);
  pages.delete(message.start / PAGE);
  pages.set(message.start / PAGE, entries);
  for (const page of [...pages.keys()].slice(0, Math.max(0, pages.size - KEPT))) pages.delete(page);
  return { ...search, total: message.total, pages, error: message.error };
}

/** The row at a place; nothing where it is not here yet. */
export function entryAt({ pages }: Found, index: number): Entry | undefined {
  return pages.get(Math.floor(index / PAGE))?.[index % PAGE];
}

/** The pages that rows are on. */
export function pagesOf([first, end]: [number, number]): number[] {
  const start = Math.floor(first / PAGE);
  return Array.from({ length: Math.max(1, Math.ceil(end / PAGE) - start) }, (_, index) => start + index);
}
