import type { Story } from "./wire";

/** How an image came about, with the drawing of its workflow and its JSON. */
export interface Told extends Story {
  drawing: Blob | null;
  json: Blob | null;
}
