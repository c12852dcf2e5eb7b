import { ErrorNotice, Warnings } from "../components/notice";
import { Progress } from "../components/progress";
import { type Model, onTrait } from "../host/model";
import { mount } from "../host/mount";
import type { RunState } from "../lib/wire";
import base from "../style/base.css?inline";
import noticeCss from "../style/notice.css?inline";
import progressCss from "../style/progress.css?inline";

interface Props {
  model: Model;
  el: HTMLElement;
  signal?: AbortSignal;
}

function render({ model, el, signal }: Props): () => void {
  const view = mount(el, base + progressCss + noticeCss, signal);
  onTrait<RunState>(model, "_run", view.ended, (run) =>
    view.show(
      <section class="alone">
        <Progress run={run} />
        {run.error !== null && <ErrorNotice error={run.error} />}
        <Warnings warnings={run.warnings} />
      </section>,
    ),
  );
  return view.dispose;
}

export default { render };
