import type { ComponentType } from "preact";
import { BlobImage } from "../components/blob-image";
import { shared } from "../host/shared";
import type { LoadFeature } from "../lib/features";
import { NO_IMAGES, takeImages } from "../lib/images";
import base from "../style/base.css?inline";
import pairCss from "../style/pair.css?inline";

type Comparison = ComponentType<{ sides: readonly [Side, Side]; words: Words }>;

interface Side {
  blob: Blob;
  caption: string;
}

interface Words {
  lines: string[];
  unknown: string;
}

/** Two images compared, alone. Until all that takes is in the page, they stand side by side. */
export default (loadFeature: LoadFeature) => {
  let images = NO_IMAGES;
  let Full: Comparison | null = null;
  return shared(
    base + pairCss,
    loadFeature,
    (message, buffers) => {
      images = takeImages(images, message, buffers);
    },
    (model, view) => {
      const draw = () => {
        const [one, other] = images.items;
        view.show(
          <section class="alone">
            {one && other && Full !== null && (
              <Full sides={[one, other]} words={model.get("_words") as Words} />
            )}
            {one && other && Full === null && (
              <div class="two">
                <BlobImage blob={one.blob} alt={one.caption} />
                <BlobImage blob={other.blob} alt={other.caption} />
              </div>
            )}
          </section>,
        );
      };
      draw();
      if (Full !== null) return;
      loadFeature("comparison").then(
        ({ Comparison }) => {
          Full = Comparison;
          draw();
        },
        () => undefined,
      );
    },
  );
};
