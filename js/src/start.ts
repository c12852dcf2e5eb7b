/**
 * The start module: all that a widget carries, and that a saved notebook keeps of it.
 *
 * It gets the widget's part from the page, or from Python, and hands the model over to it. Until then, and where
 * there is no kernel, a sentence stands in the widget's place.
 */
import { codeOf } from "./host/code";
import { early } from "./host/early";
import { type Model, onMessage } from "./host/model";
import { placeholder } from "./host/placeholder";
import type { Features, LoadFeature } from "./lib/features";

/** What a part of `entries/` makes. */
interface Widget {
  initialize(props: { model: Model }): () => void;
  render(props: { el: HTMLElement; signal?: AbortSignal }): () => void;
}

interface Entry {
  default(loadFeature: LoadFeature): Widget;
}

interface ViewProps {
  el: HTMLElement;
  signal?: AbortSignal;
}

/** Names the build that this module belongs to; put in by build.mjs. */
declare const BUILD: string;

export default () => {
  const ending = new AbortController();
  const code = codeOf(BUILD);
  let model: Model;
  let part: string;
  let starting: Promise<Widget> | undefined;

  const start = () => {
    starting ??= run();
    return starting;
  };

  async function run(): Promise<Widget> {
    const inbox = early(model, ending.signal);
    const loadFeature: LoadFeature = async (name) =>
      (await code.load(name, model, ending.signal)) as Features[typeof name];
    const entry = (await code.load(part, model, ending.signal)) as Entry;
    const widget = entry.default(loadFeature);
    const end = widget.initialize({ model: inbox });
    if (ending.signal.aborted) end();
    ending.signal.addEventListener("abort", end);
    return widget;
  }

  return {
    initialize(props: { model: Model }): () => void {
      model = props.model;
      part = String(model.get("_entry"));
      onMessage(model, ending.signal, (message, buffers) => {
        if (message.kind !== "code") return;
        code.take(message, buffers);
        // A new widget is sent its code unasked. It starts at once, not when it is shown, and so misses nothing.
        if (code.has(part)) start().catch(() => undefined);
      });
      return () => ending.abort();
    },

    render({ el, signal }: ViewProps): () => void {
      const gone = new AbortController();
      signal?.addEventListener("abort", () => gone.abort(), { once: true });
      const waiting = placeholder(el, model);
      let dispose: (() => void) | undefined;
      gone.signal.addEventListener("abort", () => {
        waiting.remove();
        dispose?.();
      });
      start().then(
        (widget) => {
          if (gone.signal.aborted) return;
          waiting.remove();
          dispose = widget.render(signal === undefined ? { el } : { el, signal });
        },
        (error) => waiting.fail(error),
      );
      return () => gone.abort();
    },
  };
};
