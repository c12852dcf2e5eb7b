import { Grid } from "../components/grid";
import { send } from "../host/model";
import { shared } from "../host/shared";
import type { LoadFeature } from "../lib/features";
import { NO_IMAGES, takeImages } from "../lib/images";
import type { RunState } from "../lib/wire";
import base from "../style/base.css?inline";
import gridCss from "../style/grid.css?inline";

/** A grid of images alone. */
export default (loadFeature: LoadFeature) => {
  let images = NO_IMAGES;
  return shared(
    base + gridCss,
    loadFeature,
    (message, buffers) => {
      images = takeImages(images, message, buffers);
    },
    (model, view) => {
      const { run, frame } = model.get("_run") as RunState;
      const hasCome = images.run === run && images.items.length > 0;
      const items = hasCome ? images.items : Array<null>(frame.count).fill(null);
      view.show(
        <section class="alone">
          <Grid
            items={items}
            frame={frame}
            onWantOriginal={(index) => send(model, { kind: "original", run: images.run, index })}
          />
        </section>,
      );
    },
  );
};
