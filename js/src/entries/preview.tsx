import { Preview } from "../components/preview";
import { type Model, onMessage, onTrait, send } from "../host/model";
import { mount } from "../host/mount";
import { toBlob } from "../lib/bytes";
import type { RunState } from "../lib/wire";
import base from "../style/base.css?inline";
import previewCss from "../style/preview.css?inline";

interface Props {
  model: Model;
  el: HTMLElement;
  signal?: AbortSignal;
}

/** The live preview of a job alone; the last frame stays when the job has ended. */
function render({ model, el, signal }: Props): () => void {
  const view = mount(el, base + previewCss, signal);
  let frame: Blob | null = null;
  const show = () => {
    const { width, height } = (model.get("_run") as RunState).frame;
    view.show(
      <section class="alone">
        <div class="live" style={{ "--shape": width / height }}>
          <Preview frame={frame} />
        </div>
      </section>,
    );
  };
  onTrait(model, "_run", view.ended, show);
  onMessage(model, view.ended, (message, buffers) => {
    if (message.kind !== "preview" || buffers[0] === undefined) return;
    frame = toBlob(buffers[0], message.mime);
    show();
  });
  // The messages before this view existed were not for it.
  send(model, { kind: "hello" });
  return view.dispose;
}

export default { render };
