import { NodeViews } from "../components/node-views";
import { shared } from "../host/shared";
import type { LoadFeature } from "../lib/features";
import base from "../style/base.css?inline";

/** The graph of a workflow alone, which follows a job. */
export default (loadFeature: LoadFeature) =>
  shared(
    base,
    loadFeature,
    () => undefined,
    (model, view, link) =>
      view.show(
        <section class="alone">
          <NodeViews
            link={link}
            graph
            selected={model.get("_selected") as string | null}
            onSelect={(node) => link.send({ kind: "select-node", node: node?.id ?? null })}
          />
        </section>,
      ),
    "_selected",
  );
