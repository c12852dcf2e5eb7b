import { Preview } from "../components/preview";
import { shared } from "../host/shared";
import { toBlob } from "../lib/bytes";
import type { LoadFeature } from "../lib/features";
import type { RunState } from "../lib/wire";
import base from "../style/base.css?inline";
import previewCss from "../style/preview.css?inline";

/** The live preview of a job alone; the last frame stays when the job has ended. */
export default (loadFeature: LoadFeature) => {
  let frame: Blob | null = null;
  return shared(
    base + previewCss,
    loadFeature,
    (message, [bytes]) => {
      if (message.kind === "preview" && bytes !== undefined) frame = toBlob(bytes, message.mime);
    },
    (model, view) => {
      const { width, height } = (model.get("_run") as RunState).frame;
      view.show(
        <section class="alone">
          <div class="live" style={{ "--shape": width / height }}>
            <Preview frame={frame} />
          </div>
        </section>,
      );
    },
  );
};
