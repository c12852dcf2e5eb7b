import { splitBytes, toBlob } from "../lib/bytes";
import { Cell } from "../lib/cell";
import { adopt, type Drafts, edit, invalid, NO_VALUES, settle, wires } from "../lib/drafts";
import type { Control } from "../lib/fields";
import type { Edit, Field, FormSpec, SeedMode, ToBrowser, Values } from "../lib/wire";
import { type Model, onTrait, send } from "./model";

/** Edits are sent when the typing pauses, so that a sentence is not fifty messages. */
const PAUSE = 200;

const NO_FORM: FormSpec = { title: "", server: { text: "", embedded: false, ok: true }, fields: [] };

/** The state of a form for one model: what Python says, what was typed, and what is on its way. */
export class FormStore {
  readonly spec = new Cell<FormSpec>(NO_FORM);
  readonly drafts = new Cell<Drafts>({});
  readonly values = new Cell<Values>(NO_VALUES);
  readonly modes = new Cell<Values["modes"]>({});
  /** Small images of the files that image fields name. */
  readonly thumbnails = new Cell<Readonly<Record<string, Blob>>>({});
  readonly #page = Math.random().toString(36).slice(2);
  readonly #unsent = new Set<string>();
  #n = 0;
  #toggled = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly model: Model,
    ended: AbortSignal,
  ) {
    onTrait<FormSpec>(model, "_form", ended, (spec) => {
      this.spec.value = spec;
      this.#adopt(this.values.value, this.values.value);
    });
    onTrait<Values>(model, "_values", ended, (values) => {
      const before = this.values.value;
      this.values.value = values;
      this.#adopt(before, values);
    });
    ended.addEventListener("abort", () => clearTimeout(this.#timer));
  }

  /** How many edits there were; a complaint about a field ends with the next edit of it. */
  get edits(): number {
    return this.#n;
  }

  hear(message: ToBrowser, buffers: DataView[]): void {
    const bytes = buffers[0];
    if (message.kind !== "thumbnail" || bytes === undefined) return;
    if (message.value !== this.values.value.values[message.field]) return;
    this.thumbnails.value = { ...this.thumbnails.value, [message.field]: toBlob(bytes, message.mime) };
  }

  edit = (field: Field, control: Control): void => {
    this.#n += 1;
    this.drafts.value = edit(field, this.drafts.value, control, this.#n);
    this.#unsent.add(field.name);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.flush, PAUSE);
  };

  /** The person has left the control. */
  leave = (field: Field): void => {
    this.drafts.value = settle(field, this.drafts.value);
    this.flush();
  };

  setMode = ({ name }: Field, mode: SeedMode): void => {
    const chosen = { [name]: mode };
    this.modes.value = { ...this.modes.value, ...chosen };
    this.#n += 1;
    this.#toggled = this.#n;
    this.#send("edit", chosen);
  };

  upload = async (field: Field, file: File): Promise<void> => {
    if (field.accept === "image/*") this.thumbnails.value = { ...this.thumbnails.value, [field.name]: file };
    this.#n += 1;
    this.drafts.value = edit(field, this.drafts.value, file.name, this.#n);
    const n = this.#n;
    const parts = splitBytes(await file.arrayBuffer());
    for (const [part, bytes] of parts.entries()) {
      send(
        this.model,
        {
          kind: "upload",
          page: this.#page,
          n,
          field: field.name,
          name: file.name,
          part,
          parts: parts.length,
        },
        [bytes],
      );
    }
  };

  flush = (): void => {
    if (this.#unsent.size > 0) this.#send("edit");
  };

  /** How many runs a press starts. */
  count = 1;

  /** Send everything and ask for a run; returns the fields that prevent it. */
  run = (): Field[] => {
    const wrong = invalid(this.spec.value.fields, this.drafts.value, this.values.value);
    if (wrong.length > 0) this.flush();
    else this.#send("run");
    return wrong;
  };

  #send(kind: "edit" | "run", modes: Values["modes"] = {}): void {
    clearTimeout(this.#timer);
    const values = wires(this.spec.value.fields, this.drafts.value, this.#unsent);
    this.#unsent.clear();
    const change: Edit = { kind: "edit", page: this.#page, n: this.#n, values, modes };
    send(this.model, kind === "edit" ? change : { kind, edit: change, count: this.count });
  }

  #adopt(before: Values, now: Values): void {
    const { fields } = this.spec.value;
    this.drafts.value = adopt(fields, this.drafts.value, before, now, this.#page);
    if ((now.acks[this.#page] ?? 0) >= this.#toggled) this.modes.value = now.modes;
    for (const field of fields) {
      if (field.kind === "image" && before.values[field.name] !== now.values[field.name]) {
        send(this.model, { kind: "thumbnail", field: field.name });
      }
    }
  }
}
