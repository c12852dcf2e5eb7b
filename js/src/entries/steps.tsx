import { Steps } from "../components/steps";
import { send } from "../host/model";
import { shared } from "../host/shared";
import { download } from "../lib/download";
import type { LoadFeature } from "../lib/features";
import { later } from "../lib/later";
import { type Pictures, takePictures } from "../lib/pictures";
import type { StepsState } from "../lib/teaching";
import base from "../style/base.css?inline";
import controlsCss from "../style/controls.css?inline";
import stepsCss from "../style/steps.css?inline";
import teachCss from "../style/teach.css?inline";

/** A run step by step. */
export default (loadFeature: LoadFeature) => {
  let pictures: Pictures = new Map();
  let tell: ((step: number) => void) | undefined;
  let isWanted = false;
  return shared(
    base + controlsCss + teachCss + stepsCss,
    loadFeature,
    (message, buffers) => {
      pictures = takePictures(pictures, message, buffers);
      const animation = pictures.get("export");
      if (isWanted && animation !== undefined && message.kind === "pictures") {
        isWanted = false;
        download(animation, "steps.webp");
      }
    },
    (model, view) => {
      tell ??= later(80, (value) => send(model, { kind: "changed", name: "step", value }));
      view.show(
        <Steps
          state={model.get("_state") as StepsState}
          pictures={pictures}
          onStep={tell}
          onExport={() => {
            isWanted = true;
            send(model, { kind: "changed", name: "export", value: null });
          }}
        />,
      );
    },
    "_state",
  );
};
