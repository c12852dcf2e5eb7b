import { Form } from "../components/form";
import { FormAlone } from "../components/form-alone";
import { FormStore } from "../host/form-store";
import { linkOf, type Model, onMessage, send } from "../host/model";
import { mount } from "../host/mount";
import { watch } from "../host/watch";
import type { LoadFeature } from "../lib/features";
import type { Link } from "../lib/link";
import base from "../style/base.css?inline";
import controlsCss from "../style/controls.css?inline";
import formCss from "../style/form.css?inline";

/** The form alone. */
export default (loadFeature: LoadFeature) => {
  const ending = new AbortController();
  let form: FormStore;
  let link: Link;

  function initialize({ model }: { model: Model }): () => void {
    link = linkOf(model, ending.signal, loadFeature as Link["load"]);
    form = new FormStore(model, ending.signal);
    onMessage(model, ending.signal, (message, buffers) => form.hear(message, buffers));
    send(model, { kind: "hello" });
    return () => ending.abort();
  }

  const state = () => [form.spec, form.drafts, form.modes, form.thumbnails];
  const Whole = watch(state, () => (
    <FormAlone fields={form.spec.value.fields} onUpload={form.upload} link={link}>
      <Form
        fields={form.spec.value.fields}
        drafts={form.drafts.value}
        modes={form.modes.value}
        hints={form.values.value.hints}
        thumbnails={form.thumbnails.value}
        complaints={{}}
        actions={{
          onEdit: form.edit,
          onLeave: form.leave,
          onMode: form.setMode,
          onUpload: form.upload,
          link,
        }}
      />
    </FormAlone>
  ));

  function render({ el, signal }: { el: HTMLElement; signal?: AbortSignal }): () => void {
    const view = mount(el, base + controlsCss + formCss, loadFeature, signal);
    view.show(<Whole />);
    return view.dispose;
  }

  return { initialize, render };
};
