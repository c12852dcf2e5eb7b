import { SweepGrid } from "../components/sweep-grid";
import { type Model, onMessage, onTrait, send } from "../host/model";
import { mount } from "../host/mount";
import { type SweepMessage, SweepStore, sweepProps } from "../host/sweep-store";
import type { LoadFeature } from "../lib/features";
import type { SweepState } from "../lib/sweep";
import base from "../style/base.css?inline";
import controlsCss from "../style/controls.css?inline";
import progressCss from "../style/progress.css?inline";
import sweepCss from "../style/sweep.css?inline";

interface ViewProps {
  el: HTMLElement;
  signal?: AbortSignal;
}

/** The live grid of a sweep. */
export default (loadFeature: LoadFeature) => {
  const ending = new AbortController();
  const store = new SweepStore();
  let model: Model;

  return {
    initialize(props: { model: Model }): () => void {
      model = props.model;
      onTrait<SweepState>(model, "_sweep", ending.signal, (state) => {
        store.state.value = state;
      });
      onMessage(model, ending.signal, (message, buffers) => {
        if (isOurs(message)) store.take(message, buffers);
      });
      // A page that was just loaded has missed what was sent before: Python sends it again.
      send(model, { kind: "hello" });
      return () => ending.abort();
    },

    render({ el, signal }: ViewProps): () => void {
      const view = mount(el, base + controlsCss + progressCss + sweepCss, loadFeature, signal);
      const draw = () =>
        view.show(
          <SweepGrid
            {...sweepProps(store, (message) => send(model, message))}
            onAct={(act) => send(model, { kind: "act", act })}
            onWant={(number) => send(model, { kind: "cell-original", number })}
          />,
        );
      draw();
      view.ended.addEventListener("abort", store.subscribe(draw));
      // Only a live widget hides the record beside it.
      loadFeature("record").then(
        ({ hideRecord }) => hideRecord(view.host, view.ended),
        () => undefined,
      );
      return view.dispose;
    },
  };
};

const KINDS = new Set(["cells", "thumbnails", "cell-scores", "cell-preview", "cell-original"]);

function isOurs(message: { kind: string }): message is SweepMessage {
  return KINDS.has(message.kind);
}
