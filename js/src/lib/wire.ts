/**
 * What travels between Python and the page. The Python half of this contract is `comfy_widgets/widgets/_wire.py`.
 *
 * Traits (`_form`, `_values`, `_run`) are written by Python alone and replaced whole. Whatever a person does
 * goes the other way as a message. Whole numbers travel as decimal text: seeds reach 2**64-1, and a JavaScript
 * number would round them.
 */

export type Kind = "int" | "float" | "text" | "string" | "choice" | "bool" | "seed" | "image" | "json";

/** A value on the wire: decimal text for whole numbers, JSON text for the kind "json". */
export type Wire = string | number | boolean | null;

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
  /** What may be uploaded, where something may. */
  accept: string;
  /** What a switch says when it is on and off. */
  words: [string, string] | null;
}

export interface FormSpec {
  title: string;
  server: { text: string; embedded: boolean; ok: boolean };
  fields: Field[];
}

/** The picture that a run will make, to keep its place free: the size of one and how many. */
export interface Frame {
  width: number;
  height: number;
  count: number;
}

export interface Values {
  values: Record<string, Wire>;
  /** Why Python did not take a value, by field. */
  errors: Record<string, string>;
  /** Seeds that get a new value for every run. */
  randomize: string[];
  frame: Frame;
  /** The last edit of each page that these values include. */
  acks: Record<string, number>;
}

export type Phase =
  | "idle"
  /** Known to the page alone: Run was pressed, and Python has not answered, as while a cell runs. */
  | "sending"
  | "waiting"
  | "running"
  | "cancelling"
  | "loading"
  | "done"
  | "failed"
  | "cancelled"
  /** Known to the page alone: the kernel is gone, and with it whoever would answer. */
  | "lost";

export interface RunError {
  title: string;
  message: string;
  details: string;
  /** What is wrong with which field, by name. */
  fields: Record<string, string>;
}

export interface RunState {
  /** Counts the runs of this widget; messages about pictures carry it. */
  run: number;
  phase: Phase;
  fraction: number;
  node: string | null;
  step: number | null;
  steps: number | null;
  /** Seconds. */
  eta: number | null;
  queue: number | null;
  error: RunError | null;
  warnings: string[];
  /** What the workflow gave besides pictures. */
  texts: string[];
  /** One line about the finished run. */
  summary: string;
  frame: Frame;
}

/** Modules of the front end, as buffers in the order of `files`; a file comes after all that it imports. */
export interface CodeMessage {
  kind: "code";
  files: string[];
}

export type Incoming =
  | CodeMessage
  | { kind: "welcome" }
  | { kind: "preview"; run: number; seq: number; mime: string }
  | {
      kind: "picture";
      run: number;
      index: number;
      total: number;
      mime: string;
      name: string;
      caption: string;
      /** False for a smaller stand-in; ask for the original by its index. */
      whole: boolean;
    }
  | { kind: "original"; run: number; index: number; mime: string }
  | { kind: "thumbnail"; field: string; value: string; mime: string };

export type Outgoing =
  | { kind: "code"; part: string }
  | { kind: "hello" }
  | Edit
  | (Omit<Edit, "kind"> & { kind: "run" })
  | { kind: "cancel" }
  | { kind: "upload"; page: string; n: number; field: string; name: string; part: number; parts: number }
  | { kind: "original"; run: number; index: number }
  | { kind: "thumbnail"; field: string };

export interface Edit {
  kind: "edit";
  /** Who edits: a random name for this page. */
  page: string;
  /** Counts the edits of this page. */
  n: number;
  values: Record<string, Wire>;
  randomize: string[];
}

export const IDLE: RunState = {
  run: 0,
  phase: "idle",
  fraction: 0,
  node: null,
  step: null,
  steps: null,
  eta: null,
  queue: null,
  error: null,
  warnings: [],
  texts: [],
  summary: "",
  frame: { width: 1, height: 1, count: 1 },
};

const BUSY = new Set<Phase>(["sending", "waiting", "running", "cancelling", "loading"]);

export function isBusy(phase: Phase): boolean {
  return BUSY.has(phase);
}
