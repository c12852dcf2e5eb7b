import type { LoadFeature } from "../lib/features";
import type { Link } from "../lib/link";
import type { ToBrowser } from "../lib/wire";
import { linkOf, type Model, onMessage, onTrait, send } from "./model";
import { mount, type View } from "./mount";

interface Props {
  el: HTMLElement;
  signal?: AbortSignal;
}

/**
 * A small widget whose state lives with its model, so that a view made later, or a second one, shows the same.
 *
 * @param css the styles of its shadow root
 * @param loadFeature how its components load what is seldom used
 * @param hear takes a message and its buffers
 * @param draw shows the state in a view
 * @param trait where Python writes the state
 */
export function shared(
  css: string,
  loadFeature: LoadFeature,
  hear: (message: ToBrowser, buffers: DataView[]) => void,
  draw: (model: Model, view: View, link: Link) => void,
  trait = "_run",
) {
  const ending = new AbortController();
  const views = new Set<View>();
  let model: Model;
  let link: Link;

  const redraw = () => {
    for (const view of views) draw(model, view, link);
  };

  return {
    initialize(props: { model: Model }): () => void {
      model = props.model;
      link = linkOf(model, ending.signal, loadFeature as Link["load"]);
      onTrait(model, trait, ending.signal, redraw);
      onMessage(model, ending.signal, (message, buffers) => {
        hear(message, buffers);
        redraw();
      });
      // A page that was just loaded has missed what was sent before: Python sends it again.
      send(model, { kind: "hello" });
      return () => ending.abort();
    },

    render({ el, signal }: Props): () => void {
      const view = mount(el, css, loadFeature, signal);
      views.add(view);
      view.ended.addEventListener("abort", () => views.delete(view));
      draw(model, view, link);
      return view.dispose;
    },
  };
}
