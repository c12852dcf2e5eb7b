import { Replay } from "../components/replay";
import type { Model } from "../host/model";
import { onMessage, onTrait, send } from "../host/model";
import { mount, type View } from "../host/mount";
import type { LoadFeature } from "../lib/features";
import { later } from "../lib/later";
import { takePictures } from "../lib/pictures";
import type { SliderState } from "../lib/teaching";
import base from "../style/base.css?inline";
import replayCss from "../style/replay.css?inline";
import teachCss from "../style/teach.css?inline";

/** A recorded sweep behind sliders. Images are decoded when they come, and not when they are wanted. */
export default (loadFeature: LoadFeature) => {
  const ending = new AbortController();
  const views = new Set<View>();
  const bitmaps = new Map<string, ImageBitmap>();
  let model: Model;
  let tell: ((at: readonly number[]) => void) | undefined;

  const draw = (view: View) => {
    tell ??= later(80, (value) => send(model, { kind: "changed", name: "at", value }));
    view.show(<Replay state={model.get("_state") as SliderState} bitmaps={bitmaps} onMove={tell} />);
  };
  const redraw = () => {
    for (const view of views) draw(view);
  };

  return {
    initialize(props: { model: Model }): () => void {
      model = props.model;
      onTrait(model, "_state", ending.signal, redraw);
      onMessage(model, ending.signal, (message, buffers) => {
        for (const [name, blob] of takePictures(new Map(), message, buffers)) {
          createImageBitmap(blob).then(
            (bitmap) => {
              if (ending.signal.aborted) bitmap.close();
              else bitmaps.set(name, bitmap);
              redraw();
            },
            () => undefined,
          );
        }
      });
      send(model, { kind: "hello" });
      return () => {
        ending.abort();
        for (const bitmap of bitmaps.values()) bitmap.close();
      };
    },

    render({ el, signal }: { el: HTMLElement; signal?: AbortSignal }): () => void {
      const view = mount(el, base + teachCss + replayCss, loadFeature, signal);
      views.add(view);
      view.ended.addEventListener("abort", () => views.delete(view));
      draw(view);
      return view.dispose;
    },
  };
};
