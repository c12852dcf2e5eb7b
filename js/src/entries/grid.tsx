import { Grid } from "../components/grid";
import { send } from "../host/model";
import { shared } from "../host/shared";
import type { LoadFeature } from "../lib/features";
import { NO_PICTURES, takePicture } from "../lib/pictures";
import type { RunState } from "../lib/wire";
import base from "../style/base.css?inline";
import gridCss from "../style/grid.css?inline";

/** A grid of pictures alone. */
export default (loadFeature: LoadFeature) => {
  let pictures = NO_PICTURES;
  return shared(
    base + gridCss,
    loadFeature,
    (message, bytes) => {
      pictures = takePicture(pictures, message, bytes);
    },
    (model, view) => {
      const { frame } = model.get("_run") as RunState;
      const items = pictures.items.length > 0 ? pictures.items : Array<null>(frame.count).fill(null);
      view.show(
        <section class="alone">
          <Grid
            items={items}
            frame={frame}
            onWantOriginal={(index) => send(model, { kind: "original", run: pictures.run, index })}
          />
        </section>,
      );
    },
  );
};
