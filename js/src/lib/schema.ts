/**
 * The messages between Python and the browser.
 *
 * Generated from `comfy_widgets/widgets/_schema.py` by `python -m scripts.schema`; change it there.
 */

export type ServerStatus = "ready" | "working" | "drained" | "no answer";

export type NodeStatus = "pending" | "running" | "cached" | "finished" | "failed" | "cancelled";

export type Phase =
  | "idle"
  | "waiting"
  | "running"
  | "cancelling"
  | "loading"
  | "done"
  | "failed"
  | "cancelled";

export type CellStatus = "pending" | "in_progress" | "completed" | "failed" | "cancelled" | "lost";

export type SweepStatus = "ready" | "running" | "paused" | "completed" | "cancelled" | "found";

export type Kind =
  | "int"
  | "float"
  | "text"
  | "string"
  | "choice"
  | "many"
  | "color"
  | "bool"
  | "seed"
  | "image"
  | "json";

export type SeedMode = "fixed" | "increment" | "decrement" | "randomize";

export type Wire = string | number | boolean | null;

/** Give a server nothing more, take it back into service, or let it go; or take another one in. */
export interface FleetAct {
  kind: "fleet";
  act: "add" | "drain" | "resume" | "remove";
  server: string;
}

/**
 * A server of a fleet; `rate` is in runs a minute, `seconds` what one takes, `trouble` what to know of it.
 */
export interface FleetRow {
  server: string;
  status: ServerStatus;
  running: number;
  waiting: number;
  strangers: number;
  model: string;
  completed: number;
  failed: number;
  lost: number;
  seconds: number | null;
  rate: number;
  version: string;
  trouble: string;
}

/**
 * The trait `_fleet`: its servers, and what they did: server, begin and end in seconds ago, outcome, whose
 * it was.
 *
 * `span` is how many seconds back that goes; `error` is why a server could not be added.
 */
export interface FleetState {
  rows: FleetRow[];
  stints: [number, number, number, string, string][];
  span: number;
  waiting: number;
  error: string;
}

/** A value that a run was started with. */
export interface Detail {
  label: string;
  value: string;
  group: string;
}

/** What differs between the workflows of two images, in words; `unknown` says why that cannot be told. */
export interface Differences {
  kind: "differences";
  a: [number, number];
  b: [number, number];
  lines: string[];
  unknown: string;
}

/** A part of a file that was dropped, and may carry values. */
export interface Dropped {
  kind: "dropped";
  page: string;
  part: number;
  parts: number;
}

/** A film as one animated file, which is the message's buffer; or why there is none. */
export interface FilmFile {
  kind: "film_file";
  run: number;
  name: string;
  mime: string;
  error: string;
}

/** Some images of a film from `start` on, each with its type; each has a buffer of its own. */
export interface FilmFrames {
  kind: "film";
  run: number;
  start: number;
  total: number;
  mimes: string[];
}

/** The trait `_film`: the run whose previews are kept, and how many images its film has; 0 for none. */
export interface FilmState {
  run: number;
  frames: number;
}

/**
 * The image that a field names, without its alpha, and its mask in grey, empty where it has none.
 *
 * `error` says why it cannot be had; the buffers are the image and the mask.
 */
export interface InputImage {
  kind: "input_image";
  field: string;
  value: string;
  mime: string;
  error: string;
}

/**
 * The trait `_marks`: which images are selected and which starred, each as the number of its run and its
 * index.
 */
export interface Marks {
  selected: [number, number][];
  starred: [number, number][];
}

/** A part of a mask, white on black as PNG, for the image that a field names; its edges are made soft. */
export interface Mask {
  kind: "mask";
  page: string;
  field: string;
  value: string;
  feather: number;
  part: number;
  parts: number;
}

/**
 * What a dropped file has: how many of its values differ from the form's, and some of them in words.
 *
 * `left` says in words what of it has no field here, or does not fit; `error` why it has no values.
 */
export interface Offer {
  kind: "offer";
  page: string;
  lines: string[];
  left: string[];
  count: number;
  error: string;
}

/** An image at its full size; its bytes are the message's buffer. */
export interface Original {
  kind: "original";
  run: number;
  index: number;
  mime: string;
  name: string;
  caption: string;
}

/** The film of a run is wanted as one animated file, with so many images a second. */
export interface SaveFilm {
  kind: "save_film";
  run: number;
  form: "gif" | "webp";
  fps: number;
}

/** These images of a run are selected, in place of any before. */
export interface Select {
  kind: "select";
  run: number;
  images: number[];
}

/** These images of a run are starred, in place of any before. */
export interface Star {
  kind: "star";
  run: number;
  images: number[];
}

/**
 * How an image came about; the buffers are its workflow as a drawing in SVG and as JSON, empty where
 * unknown.
 *
 * `usable` says whether there is a form that takes the values of its run.
 */
export interface Story {
  kind: "story";
  run: number;
  index: number;
  items: Detail[];
  usable: boolean;
}

/** An image of a run is wanted as the input that a field names. */
export interface UseImage {
  kind: "use_image";
  run: number;
  index: number;
  field: string;
}

/** The values of the dropped file are wanted in the form. */
export interface UseOffer {
  kind: "use_offer";
  page: string;
}

/** It is wanted what differs between the workflows of two images. */
export interface WantDifferences {
  kind: "differences";
  a: [number, number];
  b: [number, number];
}

/** The film of a run is wanted. */
export interface WantFilm {
  kind: "film";
  run: number;
}

/** The image that a field names is wanted at its full size. */
export interface WantInput {
  kind: "input_image";
  field: string;
}

/** The original of an image is wanted. */
export interface WantOriginal {
  kind: "original";
  run: number;
  index: number;
}

/** It is wanted how an image came about. */
export interface WantStory {
  kind: "story";
  run: number;
  index: number;
}

/** The drawing of a workflow, in answer to `WantGraph`; `error` says why there is none. */
export interface Graph {
  kind: "graph";
  width: number;
  height: number;
  nodes: GraphNode[];
  wires: GraphWire[];
  error: string;
}

/**
 * A node's card in a drawing: `short` is the title as far as it fits, `fields` names the form's fields of
 * it.
 */
export interface GraphNode {
  id: string;
  title: string;
  short: string;
  class_type: string;
  x: number;
  y: number;
  width: number;
  height: number;
  color: string;
  fields: string[];
  values: [string, string][];
}

/** A link in a drawing, as the path of an SVG. */
export interface GraphWire {
  path: string;
  color: string;
  origin: string;
  target: string;
}

/** How a node of a job stands; `started` counts from the start of the run, all times are in seconds. */
export interface NodeRow {
  id: string;
  title: string;
  status: NodeStatus;
  fraction: number;
  started: number | null;
  seconds: number | null;
}

/**
 * The trait `_nodes`: how the nodes of the run at work stand; `error` is of the node that failed.
 *
 * It is kept up to date while somebody looks at it, see `WantNodes`. `seconds` is what the run took so far.
 */
export interface Nodes {
  run: number;
  rows: NodeRow[];
  seconds: number | null;
  error: string;
}

/** A node of the graph is selected, or none. */
export interface SelectNode {
  kind: "select-node";
  node: string | null;
}

/** The drawing of the workflow is wanted. */
export interface WantGraph {
  kind: "graph";
}

/** Somebody looks at the nodes of the run from now on, or no longer. */
export interface WantNodes {
  kind: "nodes";
  wanted: boolean;
}

/** A run is to be forgotten, with its files. */
export interface ForgetRun {
  kind: "forget";
  run: number;
}

/**
 * Some of the runs that a search has found, from `start` on; small images of those with a cover are the
 * buffers.
 */
export interface HistoryPage {
  kind: "history";
  text: string;
  starred: boolean;
  start: number;
  total: number;
  rows: HistoryRow[];
  error: string;
}

/**
 * A run of the folder; `run` is negative, so that it is none of this kernel's.
 *
 * `title` is that of its panel where it is another than this one's, `prompt` the text that tells most of it,
 * `differs` the rest as in `RunRow`, `cover` whether it has a small image, and `started` in seconds since
 * 1970.
 */
export interface HistoryRow {
  run: number;
  title: string;
  prompt: string;
  phase: Phase;
  started: number;
  count: number;
  differs: string[];
  error: string;
  starred: boolean;
  cover: boolean;
}

/**
 * The trait `_history`, empty where none is kept: the name of the folder, and how many runs are in it.
 *
 * `version` changes whenever rows that the browser has may be out of date.
 */
export interface HistoryState {
  folder: string;
  total: number;
  version: number;
}

/** All that is known of a run. */
export interface RunDetails {
  kind: "details";
  run: number;
  items: Detail[];
  images: string[];
  seconds: number | null;
  started: number;
  server: string;
  prompt_id: string;
}

/**
 * The trait `_runs`: the newest runs, oldest first, and the number of the run whose images are shown.
 *
 * `past` is that run where it is one of the folder's.
 */
export interface RunList {
  rows: RunRow[];
  shown: number;
  past: RunRow | null;
}

/** A run that waits is to run before all others that wait. */
export interface RunNext {
  kind: "next";
  run: number;
}

/**
 * A run in the list of runs.
 *
 * `queue` is the number of prompts that run before, and `others` how many of them are no runs of this
 * widget. `differs` says in words what its values have other than the form has now, `started` is in seconds
 * since 1970.
 */
export interface RunRow {
  run: number;
  phase: Phase;
  queue: number | null;
  others: number;
  fraction: number;
  count: number;
  differs: string[];
  started: number;
  error: string;
}

/** A small version of the first image of a run. */
export interface RunThumbnail {
  kind: "run_thumbnail";
  run: number;
  mime: string;
}

/** The images of a run are wanted; of null those of the newest, also when there are newer ones. */
export interface ShowRun {
  kind: "show";
  run: number | null;
}

/** The values of a run are wanted in the form. */
export interface UseRun {
  kind: "use";
  run: number;
}

/** All that is known of a run is wanted. */
export interface WantDetails {
  kind: "details";
  run: number;
}

/** Some of the runs in which these words stand are wanted, or only of those with a star. */
export interface WantHistory {
  kind: "history";
  text: string;
  starred: boolean;
  start: number;
  count: number;
}

/** The small images of all runs are wanted, as when the list is opened. */
export interface WantRuns {
  kind: "runs";
}

/** The image of a cell at its full size. */
export interface CellOriginal {
  kind: "cell-original";
  number: number;
  mime: string;
}

/** The image of a cell as it forms. */
export interface CellPreview {
  kind: "cell-preview";
  number: number;
  mime: string;
}

/** What the score function of somebody gave for cells; None where it failed. */
export interface CellScores {
  kind: "cell-scores";
  numbers: number[];
  scores: (number | null)[];
}

/** The trait `_axes`: what stands over the columns of a grid of images, and beside its rows. */
export interface GridAxes {
  x: SweepAxis | null;
  y: SweepAxis | null;
}

/** One of two images was chosen, or the last answer is taken back. */
export interface PairChosen {
  kind: "chosen";
  turn: number;
  choice: "left" | "right" | "same" | "undo";
}

/** Two images to choose from, each a buffer; none where there are not two yet. `turn` counts the answers. */
export interface PairShown {
  kind: "pair";
  turn: number;
  words: string[];
  mimes: string[];
  told: string;
  sure: boolean;
}

/** Cells were rated or rejected. */
export interface RateCells {
  kind: "rate";
  numbers: number[];
  stars: number;
  rejected: boolean;
}

/** Other cells are selected. */
export interface SelectCells {
  kind: "select-cells";
  numbers: number[];
}

/** Run, Pause or Cancel of a sweep was pressed. */
export interface SweepAct {
  kind: "act";
  act: "start" | "pause" | "cancel";
}

/** An axis of a sweep, and its values as they stand over columns and rows. */
export interface SweepAxis {
  name: string;
  labels: string[];
}

/** Cells of a sweep by number: indices, status, seconds, stars, rejected, from cache, error. */
export interface SweepCells {
  kind: "cells";
  numbers: number[];
  rows: [number[], CellStatus, number | null, number, number, number, string][];
}

/** The trait `_sweep`: what is known of a sweep beside its cells; `left` is the time left, in words. */
export interface SweepState {
  title: string;
  status: SweepStatus;
  axes: SweepAxis[];
  total: number;
  price: string;
  error: string;
  left: string;
}

/** Small images of cells; each is a buffer. */
export interface SweepThumbnails {
  kind: "thumbnails";
  numbers: number[];
  mime: string;
}

/** The image of a cell is wanted at its full size. */
export interface WantCellOriginal {
  kind: "cell-original";
  number: number;
}

/**
 * One field of the form; `accept` says what may be uploaded, `words` what a switch says when it is on and
 * off.
 *
 * A `locked` field is shown, and cannot be changed.
 */
export interface Field {
  name: string;
  label: string;
  kind: Kind;
  group: string;
  primary: boolean;
  tooltip: string;
  min: string | number | null;
  max: string | number | null;
  step: string | number | null;
  slider: boolean;
  choices: Wire[] | null;
  accept: string;
  words: [string, string] | null;
  locked: boolean;
}

/** The server that the form belongs to. */
export interface Server {
  text: string;
  embedded: boolean;
  ok: boolean;
}

/** The trait `_form`. */
export interface FormSpec {
  title: string;
  server: Server;
  fields: Field[];
}

/** The images that a run makes, to keep their place free: the size of one in pixels, and how many. */
export interface Frame {
  width: number;
  height: number;
  count: number;
}

/**
 * The trait `_values`.
 *
 * `errors` says why Python did not take a value, `modes` what becomes of each seed from run to run, where
 * that may be chosen, and `acks` the last edit of each browser page that the values include. `hints` has the
 * nearest choice for a value that is none, `warnings` is about the user's own observers.
 */
export interface Values {
  values: Record<string, Wire>;
  errors: Record<string, string>;
  hints: Record<string, string>;
  modes: Record<string, SeedMode>;
  frame: Frame;
  warnings: string[];
  acks: Record<string, number>;
}

/** What went wrong; `fields` says what is wrong with which field, by its name. */
export interface RunError {
  title: string;
  message: string;
  details: string;
  fields: Record<string, string>;
}

/**
 * The trait `_run`: the run that a widget shows.
 *
 * `run` counts the runs of the widget; messages about images carry it. `left` is the time left and `pace`
 * the steps in a second, both in words; `queue` is the number of prompts that run before. `texts` is what
 * the workflow gave besides images, `summary` one line about the end. `connected` is false while nothing is
 * heard of the server, `chosen` true while somebody looks at an earlier run.
 */
export interface RunState {
  run: number;
  phase: Phase;
  fraction: number;
  node: string | null;
  step: number | null;
  steps: number | null;
  left: string;
  pace: string;
  queue: number | null;
  error: RunError | null;
  warnings: string[];
  texts: string[];
  summary: string;
  frame: Frame;
  connected: boolean;
  chosen: boolean;
}

/** Modules of the front end, as buffers in the order of `files`; a file comes after all that it imports. */
export interface Code {
  kind: "code";
  files: string[];
}

/** Python has heard the browser's `Hello`. */
export interface Welcome {
  kind: "welcome";
}

/** The newest preview; its bytes are the message's buffer. */
export interface PreviewFrame {
  kind: "preview";
  run: number;
  seq: number;
  mime: string;
}

/**
 * One image, video or audio of a run; `whole` is false for a smaller stand-in of an image.
 *
 * `label` stands under it for all to see; where it has none, `caption` is told to whoever points at it.
 */
export interface ImageItem {
  index: number;
  mime: string;
  name: string;
  caption: string;
  label: string;
  whole: boolean;
}

/**
 * Some of the images of a run; each has a buffer of its own, in the same order.
 *
 * An empty buffer stands for an image that is sent when it is asked for.
 */
export interface Images {
  kind: "images";
  run: number;
  total: number;
  items: ImageItem[];
}

/** What is new in the server's lists, in words. */
export interface Lists {
  kind: "lists";
  text: string;
}

/** A small version of the image that a field names. */
export interface Thumbnail {
  kind: "thumbnail";
  field: string;
  value: string;
  mime: string;
}

/** Images of a widget that teaches, by name; each is a buffer. */
export interface Pictures {
  kind: "pictures";
  names: string[];
  mime: string;
}

/** A part of the front end is wanted. */
export interface WantCode {
  kind: "code";
  part: string;
}

/** A page was loaded, and has missed what was sent before. */
export interface Hello {
  kind: "hello";
}

/**
 * Values were edited, or modes chosen: `page` is a random name for the browser page, `n` counts its edits.
 */
export interface Edit {
  kind: "edit";
  page: string;
  n: number;
  values: Record<string, Wire>;
  modes: Record<string, SeedMode>;
}

/** Run was pressed, for `count` runs; the edits that were not sent yet come with it. */
export interface RunRequest {
  kind: "run";
  edit: Edit | null;
  count: number;
}

/**
 * Cancel was pressed, for one run, or null for the one that is shown; once more, it is waited for no longer.
 */
export interface Cancel {
  kind: "cancel";
  run: number | null;
}

/** Somebody has scrolled to images whose buffers were empty. */
export interface WantImages {
  kind: "images";
  run: number;
  indices: number[];
}

/** A part of a file; its bytes are the message's buffer. */
export interface Upload {
  kind: "upload";
  page: string;
  n: number;
  field: string;
  name: string;
  part: number;
  parts: number;
}

/** A small version of the image that a field names is wanted. */
export interface WantThumbnail {
  kind: "thumbnail";
  field: string;
}

/** The server's lists of models and other choices are wanted anew. */
export interface WantLists {
  kind: "lists";
}

/** Somebody has changed a widget that teaches: a slider, a curve, an answer. */
export interface Changed {
  kind: "changed";
  name: string;
  value: unknown;
}

export type FromSweep = SweepAct | RateCells | SelectCells | WantCellOriginal | PairChosen;

export type ToBrowser =
  | Code
  | Welcome
  | PreviewFrame
  | Images
  | Original
  | RunThumbnail
  | RunDetails
  | HistoryPage
  | Story
  | Differences
  | FilmFrames
  | FilmFile
  | InputImage
  | Offer
  | Thumbnail
  | Lists
  | Pictures
  | SweepCells
  | SweepThumbnails
  | CellPreview
  | CellOriginal
  | Graph;

export type FromBrowser =
  | WantCode
  | Hello
  | Edit
  | RunRequest
  | Cancel
  | RunNext
  | ShowRun
  | UseRun
  | WantDetails
  | WantRuns
  | WantHistory
  | ForgetRun
  | WantNodes
  | WantGraph
  | SelectNode
  | Select
  | Star
  | UseImage
  | WantStory
  | WantDifferences
  | WantFilm
  | SaveFilm
  | WantInput
  | Mask
  | Dropped
  | UseOffer
  | Upload
  | WantImages
  | WantOriginal
  | WantThumbnail
  | WantLists
  | FleetAct
  | Changed
  | SweepAct
  | RateCells
  | SelectCells
  | WantCellOriginal
  | PairChosen;
