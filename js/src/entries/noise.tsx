import { Noise } from "../components/noise";
import { send } from "../host/model";
import { shared } from "../host/shared";
import type { LoadFeature } from "../lib/features";
import { later } from "../lib/later";
import { type Pictures, takePictures } from "../lib/pictures";
import type { NoiseState } from "../lib/teaching";
import base from "../style/base.css?inline";
import teachCss from "../style/teach.css?inline";

/** An image and a noise level. */
export default (loadFeature: LoadFeature) => {
  let pictures: Pictures = new Map();
  let tell: ((sigma: number) => void) | undefined;
  return shared(
    base + teachCss,
    loadFeature,
    (message, buffers) => {
      pictures = takePictures(pictures, message, buffers);
    },
    (model, view) => {
      tell ??= later(80, (value) => send(model, { kind: "changed", name: "sigma", value }));
      view.show(
        <Noise state={model.get("_state") as NoiseState} image={pictures.get("image")} onSigma={tell} />,
      );
    },
    "_state",
  );
};
