import { toBlob } from "../lib/bytes";
import { Cell } from "../lib/cell";
import { NO_IMAGES, type ShownImages, takeImages } from "../lib/images";
import { IDLE, isBusy, type RunState, type ToBrowser, type Values } from "../lib/wire";
import { type Model, onKernelGone, onTrait, send } from "./model";

/** Milliseconds after which a press that nobody has heard is told of. */
const PATIENCE = 1500;
const UNHEARD = "The kernel is busy with a cell. Interrupt it to cancel now.";

/** The state of the runs of one model: progress, the newest preview and the images. */
export class RunStore {
  readonly run = new Cell<RunState>(IDLE);
  readonly preview = new Cell<Blob | null>(null);
  readonly images = new Cell<ShownImages>(NO_IMAGES);
  #before: RunState = IDLE;
  /** The run whose cancel nobody has heard for a while. */
  #unheard = 0;

  constructor(
    private readonly model: Model,
    ended: AbortSignal,
  ) {
    onTrait<RunState>(model, "_run", ended, (run) => {
      if (!isBusy(run.phase) || run.run !== this.run.value.run) this.preview.value = null;
      this.#put(run);
    });
    onKernelGone(model, ended, () => {
      this.run.value = { ...this.run.value, phase: "lost", error: null };
    });
    onTrait<Values>(model, "_values", ended, ({ errors }) => {
      // Python did not take a value, so there will be no run.
      if (this.run.value.phase === "sending" && Object.keys(errors).length > 0) this.run.value = this.#before;
    });
  }

  /** Run was pressed: until Python answers, a second press must not be a second run. Where one goes on, it is queued. */
  asked = (): void => {
    if (isBusy(this.run.value.phase)) return;
    this.#before = this.run.value;
    this.run.value = { ...this.#before, phase: "sending", fraction: 0, error: null, warnings: [], texts: [] };
  };

  /** Run was pressed, but nothing can run, and why. */
  blocked = (message: string): void => {
    const { value } = this.run;
    const error = { title: "Nothing ran", message, details: "", fields: {} };
    this.run.value = { ...value, phase: isBusy(value.phase) ? value.phase : "idle", error };
  };

  cancel = (): void => {
    const { run } = this.run.value;
    send(this.model, { kind: "cancel", run: null });
    setTimeout(() => {
      this.#unheard = run;
      if (this.run.value.run === run) this.#put(this.run.value);
    }, PATIENCE);
  };

  /** While a cell works, Python hears no button, but goes on to tell of the run. */
  #put(run: RunState): void {
    const isUnheard = run.run === this.#unheard && isBusy(run.phase) && run.phase !== "cancelling";
    this.run.value = isUnheard ? { ...run, warnings: [...new Set([...run.warnings, UNHEARD])] } : run;
  }

  hear(message: ToBrowser, buffers: DataView[]): void {
    const bytes = buffers[0];
    if (message.kind === "preview" && bytes !== undefined) {
      const { run, phase } = this.run.value;
      if (message.run === run && isBusy(phase)) this.preview.value = toBlob(bytes, message.mime);
    } else {
      this.images.value = takeImages(this.images.value, message, buffers);
    }
  }
}
