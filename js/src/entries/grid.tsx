import { Grid } from "../components/grid";
import { type Model, onMessage, onTrait, send } from "../host/model";
import { mount } from "../host/mount";
import { NO_PICTURES, takePicture } from "../lib/pictures";
import type { RunState } from "../lib/wire";
import base from "../style/base.css?inline";
import gridCss from "../style/grid.css?inline";

interface Props {
  model: Model;
  el: HTMLElement;
  signal?: AbortSignal;
}

function render({ model, el, signal }: Props): () => void {
  const view = mount(el, base + gridCss, signal);
  let pictures = NO_PICTURES;
  const onWantOriginal = (index: number) => send(model, { kind: "original", run: pictures.run, index });
  const show = () => {
    const { frame } = model.get("_run") as RunState;
    const items = pictures.items.length > 0 ? pictures.items : Array<null>(frame.count).fill(null);
    view.show(
      <section class="alone">
        <Grid items={items} frame={frame} onWantOriginal={onWantOriginal} />
      </section>,
    );
  };
  onTrait(model, "_run", view.ended, show);
  onMessage(model, view.ended, (message, buffers) => {
    if (buffers[0] === undefined) return;
    pictures = takePicture(pictures, message, buffers[0]);
    show();
  });
  send(model, { kind: "hello" });
  return view.dispose;
}

export default { render };
