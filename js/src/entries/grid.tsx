import { Grid } from "../components/grid";
import { send } from "../host/model";
import { shared } from "../host/shared";
import type { LoadFeature } from "../lib/features";
import { NO_PICTURES, takePictures } from "../lib/pictures";
import type { RunState } from "../lib/wire";
import base from "../style/base.css?inline";
import gridCss from "../style/grid.css?inline";

/** A grid of pictures alone. */
export default (loadFeature: LoadFeature) => {
  let pictures = NO_PICTURES;
  return shared(
    base + gridCss,
    loadFeature,
    (message, buffers) => {
      pictures = takePictures(pictures, message, buffers);
    },
    (model, view) => {
      const { run, frame } = model.get("_run") as RunState;
      const hasCome = pictures.run === run && pictures.items.length > 0;
      const items = hasCome ? pictures.items : Array<null>(frame.count).fill(null);
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
