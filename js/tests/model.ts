import * as combobox from "../src/features/combobox";
import * as comparison from "../src/features/comparison";
import * as files from "../src/features/files";
import * as film from "../src/features/film";
import * as gallery from "../src/features/gallery";
import * as history from "../src/features/history";
import * as imageInput from "../src/features/image-input";
import * as lightbox from "../src/features/lightbox";
import * as mask from "../src/features/mask";
import * as more from "../src/features/more";
import * as nodes from "../src/features/nodes";
import * as picks from "../src/features/picks";
import * as record from "../src/features/record";
import * as runs from "../src/features/runs";
import * as weights from "../src/features/weights";
import type { Model } from "../src/host/model";
import type { LoadFeature } from "../src/lib/features";
import {
  type Field,
  type FormSpec,
  type FromBrowser,
  IDLE,
  type ImageItem,
  type Images,
  type RunState,
  type ToBrowser,
  type Values,
} from "../src/lib/wire";

/** A model without Jupyter: Python's side is `put` and `tell`, and what the page says is in `sent`. */
export class FakeModel implements Model {
  readonly sent: { message: FromBrowser; buffers: ArrayBuffer[] }[] = [];
  readonly #handlers = new Map<string, Set<(...args: never[]) => void>>();

  constructor(private readonly traits: Record<string, unknown>) {}

  get(name: string): unknown {
    return this.traits[name];
  }

  on(event: string, callback: (...args: never[]) => void): void {
    const known = this.#handlers.get(event) ?? new Set();
    this.#handlers.set(event, known.add(callback));
  }

  off(event: string, callback: (...args: never[]) => void): void {
    this.#handlers.get(event)?.delete(callback);
  }

  send(content: unknown, _callbacks?: unknown, buffers: ArrayBuffer[] = []): void {
    this.sent.push({ message: content as FromBrowser, buffers });
  }

  put(name: string, value: unknown): void {
    this.traits[name] = value;
    for (const handler of this.#handlers.get(`change:${name}`) ?? []) (handler as () => void)();
  }

  tell(message: ToBrowser, ...bytes: ArrayBuffer[]): void {
    const buffers = bytes.map((one) => new DataView(one));
    for (const handler of this.#handlers.get("msg:custom") ?? []) {
      (handler as (message: ToBrowser, buffers: DataView[]) => void)(message, buffers);
    }
  }

  /** The kernel is restarted, and nobody listens any more. */
  lose(): void {
    for (const handler of this.#handlers.get("comm_live_update") ?? []) (handler as () => void)();
  }

  said<K extends FromBrowser["kind"]>(kind: K): Extract<FromBrowser, { kind: K }>[] {
    return this.sent
      .map((entry) => entry.message)
      .filter((m): m is Extract<FromBrowser, { kind: K }> => m.kind === kind);
  }

  get listeners(): number {
    return [...this.#handlers.values()].reduce((sum, known) => sum + known.size, 0);
  }
}

/** Features that are already in the page. */
export const loadFeature: LoadFeature = async (name) =>
  ({
    combobox,
    comparison,
    files,
    film,
    gallery,
    history,
    lightbox,
    mask,
    more,
    nodes,
    picks,
    record,
    runs,
    weights,
    "image-input": imageInput,
  })[name];

export function field(name: string, kind: Field["kind"], more: Partial<Field> = {}): Field {
  const label = name[0]?.toUpperCase() + name.slice(1);
  const none = {
    min: null,
    max: null,
    step: null,
    slider: false,
    choices: null,
    accept: "",
    words: null,
    locked: false,
  };
  return { name, label, kind, group: "Node", primary: true, tooltip: "", ...none, ...more };
}

export const SEED = field("seed", "seed", { min: "0", max: "18446744073709551615" });
export const STEPS = field("steps", "int", { min: "1", max: "10000", step: "1" });
export const CFG = field("cfg", "float", { min: 0, max: 100, step: 0.1 });

export const FORM: FormSpec = {
  title: "Text to image",
  server: { text: "Embedded engine, small procedural model", embedded: true, ok: true },
  fields: [
    field("positive", "text"),
    SEED,
    STEPS,
    CFG,
    field("sampler", "choice", { choices: ["euler", "heun"] }),
    field("prefix", "string", { primary: false, group: "Save Image" }),
  ],
};

export const VALUES: Values = {
  values: {
    positive: "a boat",
    seed: "18446744073709551615",
    steps: "20",
    cfg: 7,
    sampler: "euler",
    prefix: "ComfyUI",
  },
  errors: {},
  hints: {},
  modes: { seed: "fixed" },
  frame: { width: 512, height: 512, count: 1 },
  warnings: [],
  acks: {},
};

export function panelModel(): FakeModel {
  return new FakeModel({
    _form: FORM,
    _values: VALUES,
    _run: IDLE,
    _part: "panel",
    _runs: { rows: [], shown: 0, past: null },
    _marks: { selected: [], starred: [] },
    _film: { run: 0, frames: 0 },
  });
}

export function runState(more: Partial<RunState>): RunState {
  return { ...IDLE, run: 1, frame: { width: 512, height: 512, count: 1 }, ...more };
}

/** A message with one image; its bytes are the buffer. */
export function imageMessage(more: Partial<ImageItem> & { run?: number; total?: number } = {}): Images {
  const { run = 1, total = 1, ...item } = more;
  const name = item.name ?? "a.png";
  const items = [{ index: 0, mime: "image/png", name, caption: name, label: "", whole: true, ...item }];
  return { kind: "images", run, total, items };
}

/** Let Preact render what was just set; it does so in a microtask. */
export async function rendered(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 0));
}
