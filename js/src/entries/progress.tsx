import { NodesBelow } from "../components/nodes-below";
import { ErrorNotice, Warnings } from "../components/notice";
import { Progress } from "../components/progress";
import { shared } from "../host/shared";
import type { LoadFeature } from "../lib/features";
import type { RunState } from "../lib/wire";
import base from "../style/base.css?inline";
import nodesCss from "../style/nodes-below.css?inline";
import noticeCss from "../style/notice.css?inline";
import progressCss from "../style/progress.css?inline";

/** The progress of a job alone. */
export default (loadFeature: LoadFeature) =>
  shared(
    base + progressCss + noticeCss + nodesCss,
    loadFeature,
    () => undefined,
    (model, view, link) => {
      const run = model.get("_run") as RunState;
      view.show(
        <section class="alone">
          <Progress run={run} />
          {run.error !== null && <ErrorNotice error={run.error} />}
          <Warnings warnings={run.warnings} />
          {run.run > 0 && <NodesBelow link={link} />}
        </section>,
      );
    },
  );
