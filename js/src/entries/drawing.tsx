import { Drawing } from "../components/drawing";
import { send } from "../host/model";
import { shared } from "../host/shared";
import type { LoadFeature } from "../lib/features";
import { type Pictures, takePictures } from "../lib/pictures";
import type { DrawingState } from "../lib/teaching";
import base from "../style/base.css?inline";
import controlsCss from "../style/controls.css?inline";
import drawingCss from "../style/drawing.css?inline";
import teachCss from "../style/teach.css?inline";

/** A sheet to draw on. */
export default (loadFeature: LoadFeature) => {
  let pictures: Pictures = new Map();
  return shared(
    base + controlsCss + teachCss + drawingCss,
    loadFeature,
    (message, buffers) => {
      pictures = takePictures(pictures, message, buffers);
    },
    (model, view) =>
      view.show(
        <Drawing
          state={model.get("_state") as DrawingState}
          image={pictures.get("image")}
          onDrawn={async (drawn, value) =>
            send(model, { kind: "changed", name: "drawn", value }, [await drawn.arrayBuffer()])
          }
        />,
      ),
    "_state",
  );
};
