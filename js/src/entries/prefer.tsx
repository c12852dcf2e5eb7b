import { Prefer } from "../components/prefer";
import { type Model, onMessage, send } from "../host/model";
import { mount, type View } from "../host/mount";
import { toBlob } from "../lib/bytes";
import type { LoadFeature } from "../lib/features";
import type { PairShown } from "../lib/schema";
import base from "../style/base.css?inline";
import controlsCss from "../style/controls.css?inline";
import preferCss from "../style/prefer.css?inline";

/** Two images of a sweep, of which somebody chooses one. */
export default (loadFeature: LoadFeature) => {
  const ending = new AbortController();
  const views = new Set<View>();
  let model: Model;
  let pair: PairShown | undefined;
  let images: Blob[] = [];

  const draw = (view: View) =>
    view.show(
      <Prefer
        pair={pair}
        images={images}
        onChoose={(choice) => send(model, { kind: "chosen", turn: pair?.turn ?? 0, choice })}
      />,
    );

  return {
    initialize(props: { model: Model }): () => void {
      model = props.model;
      onMessage(model, ending.signal, (message: { kind: string }, buffers) => {
        if (message.kind !== "pair") return;
        const told = message as PairShown;
        pair = told;
        images = buffers.map((bytes, index) => toBlob(bytes, told.mimes[index] ?? "image/png"));
        for (const view of views) draw(view);
      });
      // A page that was just loaded has missed what was sent before: Python sends it again.
      send(model, { kind: "hello" });
      return () => ending.abort();
    },

    render({ el, signal }: { el: HTMLElement; signal?: AbortSignal }): () => void {
      const view = mount(el, base + controlsCss + preferCss, loadFeature, signal);
      views.add(view);
      view.ended.addEventListener("abort", () => views.delete(view));
      draw(view);
      return view.dispose;
    },
  };
};
