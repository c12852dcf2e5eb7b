/** Parts that are loaded only where somebody needs them. */
import type * as combobox from "../features/combobox";
import type * as comparison from "../features/comparison";
import type * as files from "../features/files";
import type * as film from "../features/film";
import type * as gallery from "../features/gallery";
import type * as history from "../features/history";
import type * as imageInput from "../features/image-input";
import type * as lightbox from "../features/lightbox";
import type * as mask from "../features/mask";
import type * as more from "../features/more";
import type * as nodes from "../features/nodes";
import type * as picks from "../features/picks";
import type * as record from "../features/record";
import type * as runs from "../features/runs";
import type * as weights from "../features/weights";

export interface Features {
  combobox: typeof combobox;
  comparison: typeof comparison;
  files: typeof files;
  film: typeof film;
  gallery: typeof gallery;
  history: typeof history;
  "image-input": typeof imageInput;
  lightbox: typeof lightbox;
  mask: typeof mask;
  more: typeof more;
  nodes: typeof nodes;
  picks: typeof picks;
  record: typeof record;
  runs: typeof runs;
  weights: typeof weights;
}

export type LoadFeature = <Name extends keyof Features>(name: Name) => Promise<Features[Name]>;
