import { Controls } from "../components/controls";
import { Form } from "../components/form";
import { Panel } from "../components/panel";
import { Stage } from "../components/stage";
import { FormStore } from "../host/form-store";
import { linkOf, type Model, onMessage, send } from "../host/model";
import { mount } from "../host/mount";
import { RunStore } from "../host/run-store";
import { watch } from "../host/watch";
import type { LoadFeature } from "../lib/features";
import { isImageInput } from "../lib/fields";
import type { Link } from "../lib/link";
import type { RunError } from "../lib/wire";
import base from "../style/base.css?inline";
import controlsCss from "../style/controls.css?inline";
import formCss from "../style/form.css?inline";
import gridCss from "../style/grid.css?inline";
import noticeCss from "../style/notice.css?inline";
import panelCss from "../style/panel.css?inline";
import previewCss from "../style/preview.css?inline";
import progressCss from "../style/progress.css?inline";
import stageCss from "../style/stage.css?inline";

const css =
  base + controlsCss + formCss + gridCss + previewCss + progressCss + noticeCss + stageCss + panelCss;

/** A panel, or one of its parts alone. The state lives with the model, so that several views of it show the same. */
export default (loadFeature: LoadFeature) => {
  const ending = new AbortController();
  let part: unknown;
  let form: FormStore;
  let runs: RunStore;
  let link: Link;
  let failure: { error: RunError | null; edits: number } = { error: null, edits: 0 };
  const onLive = new Set<() => void>();
  let isLive = false;

  function initialize({ model }: { model: Model }): () => void {
    part = model.get("_part");
    form = new FormStore(model, ending.signal);
    runs = new RunStore(model, ending.signal);
    link = linkOf(model, ending.signal, loadFeature as Link["load"]);
    onMessage(model, ending.signal, (message, buffers) => {
      form.hear(message, buffers);
      runs.hear(message, buffers);
      isLive = true;
      for (const live of onLive) live();
    });
    // A page that was just loaded has missed what was sent before: Python sends it again.
    send(model, { kind: "hello" });
    return () => ending.abort();
  }

  /** What the last run said about fields that were not edited since. */
  function complaints(): Record<string, string> {
    const { error } = runs.run.value;
    if (error !== failure.error) failure = { error, edits: form.edits };
    const open = Object.entries(error?.fields ?? {});
    return Object.fromEntries(open.filter(([name]) => (form.drafts.value[name]?.n ?? 0) <= failure.edits));
  }

  // Each part follows only what it shows: a preview frame does not render the form again.
  const formState = () => [form.spec, form.drafts, form.modes, form.thumbnails, runs.run];
  const FormPart = watch(formState, () => (
    <Form
      fields={form.spec.value.fields}
      drafts={form.drafts.value}
      modes={form.modes.value}
      hints={form.values.value.hints}
      thumbnails={form.thumbnails.value}
      complaints={complaints()}
      actions={{
        onEdit: form.edit,
        onLeave: form.leave,
        onMode: form.setMode,
        onUpload: form.upload,
        link,
      }}
    />
  ));
  const stageState = () => [runs.run, runs.preview, runs.images, form.values, form.spec];
  const StagePart = watch(stageState, () => (
    <Stage
      run={runs.run.value}
      preview={runs.preview.value}
      images={runs.images.value}
      frame={form.values.value.frame}
      link={link}
      inputs={form.spec.value.fields.filter(isImageInput)}
    />
  ));
  const start = () => {
    const wrong = form.run();
    if (wrong.length === 0) runs.asked();
    else {
      const drafts = form.drafts.value;
      runs.blocked(wrong.map(({ name, label }) => `${label}: ${drafts[name]?.error}`).join("\n"));
    }
    return wrong;
  };
  const panelState = () => [form.spec, form.values, runs.run];
  const Whole = watch(panelState, () => (
    <Panel
      spec={form.spec.value}
      run={runs.run.value}
      warnings={form.values.value.warnings}
      form={<FormPart />}
      stage={<StagePart />}
      onRun={start}
      onCancel={runs.cancel}
      onRepeat={(count) => {
        form.count = count;
      }}
      onUpload={form.upload}
      link={link}
    />
  ));
  const ControlsPart = watch(panelState, () => (
    <Controls
      run={runs.run.value}
      warnings={form.values.value.warnings}
      onRun={start}
      onCancel={runs.cancel}
      link={link}
    />
  ));
  const Alone = () => <section class="alone">{part === "stage" ? <StagePart /> : <ControlsPart />}</section>;

  function render({ el, signal }: { el: HTMLElement; signal?: AbortSignal }): () => void {
    const view = mount(el, css, loadFeature, signal);
    // Python has spoken, so the widget is live and the record beside it is double.
    const live = () => {
      onLive.delete(live);
      loadFeature("record").then(
        ({ hideRecord }) => hideRecord(view.host, view.ended),
        () => undefined,
      );
    };
    onLive.add(live);
    view.ended.addEventListener("abort", () => onLive.delete(live), { once: true });
    if (isLive) live();
    view.show(part === "panel" ? <Whole /> : <Alone />);
    return view.dispose;
  }

  return { initialize, render };
};
