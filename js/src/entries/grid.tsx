import { Grid } from "../components/grid";
import { headsOf } from "../components/heads";
import { shared } from "../host/shared";
import type { LoadFeature } from "../lib/features";
import { NO_IMAGES, takeImages } from "../lib/images";
import type { GridAxes, RunState } from "../lib/wire";
import base from "../style/base.css?inline";
import gridCss from "../style/grid.css?inline";
import headsCss from "../style/heads.css?inline";

/** A grid of images alone. */
export default (loadFeature: LoadFeature) => {
  let images = NO_IMAGES;
  return shared(
    base + gridCss + headsCss,
    loadFeature,
    (message, buffers) => {
      images = takeImages(images, message, buffers);
    },
    (model, view, link) => {
      const { run, frame } = model.get("_run") as RunState;
      const hasCome = images.run === run && images.items.length > 0;
      const items = hasCome ? images.items : Array<null>(frame.count).fill(null);
      view.show(
        <section class="alone">
          <Grid
            run={run}
            items={items}
            frame={frame}
            link={link}
            inputs={[]}
            heads={headsOf(model.get("_axes") as GridAxes | undefined)}
          />
        </section>,
      );
    },
  );
};
