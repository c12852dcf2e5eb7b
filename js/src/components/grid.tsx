import { Component, type ComponentChild } from "preact";
import type { Exhibit, Extras, Gallery } from "../features/gallery";
import type { LoadFeature } from "../lib/features";
import type { ShownImage } from "../lib/images";
import { aspect, columns, isMany, leastWidth } from "../lib/layout";
import type { Frame } from "../lib/wire";
import { BlobImage, isImage } from "./blob-image";
import { FeatureContext } from "./feature-context";

interface Props extends Exhibit {
  /** The size of one image; the grid keeps their places free before they arrive. */
  frame: Frame;
  heads?: Heads | null;
}

/** What stands over the columns of an experiment, and before the image at a place where its row begins. */
export interface Heads {
  columns: number;
  top: ComponentChild;
  before: (index: number) => ComponentChild;
}

interface State {
  gallery: Gallery | null;
}

/** Images beside each other. What can be done with them comes with a feature, as soon as there are any. */
export class Grid extends Component<Props, State> {
  static override contextType = FeatureContext;
  declare context: LoadFeature;
  override state: State = { gallery: null };
  #gone = false;
  /** Clicked before the feature was there, and where. */
  #wanted: [event: MouseEvent, index: number] | null = null;

  override componentDidMount(): void {
    this.context("gallery").then(
      (feature) => {
        if (this.#gone) return;
        const gallery = new feature.Gallery(this.props, this.context, () => this.setState({}));
        this.setState({ gallery });
        if (this.#wanted !== null) gallery.click(...this.#wanted);
      },
      () => undefined,
    );
  }

  override componentWillUnmount(): void {
    this.#gone = true;
    this.state.gallery?.dispose();
  }

  override render(props: Props, { gallery }: State) {
    const { items, frame, heads } = props;
    const shape = { ...frame, count: items.length };
    const over = gallery?.render(props);
    return (
      <>
        <div
          class="grid"
          data-many={isMany(shape)}
          data-axes={Boolean(heads)}
          style={{
            "--columns": heads?.columns ?? columns(shape),
            "--shape": aspect(shape),
            "--least": `${leastWidth(frame)}px`,
          }}
        >
          {heads?.top}
          {items.map((image, index) => [
            heads?.before(index),
            <Tile
              // A place in the grid is its index: images of one run never move.
              key={index}
              image={image}
              shape={frame}
              extras={image && gallery?.tile(index, image)}
              onOpen={(event) => {
                this.#wanted = [event, index];
              }}
            />,
          ])}
        </div>
        {over}
      </>
    );
  }
}

interface TileProps {
  image: ShownImage | null;
  shape: Frame;
  extras: Extras | null | undefined;
  onOpen: (event: MouseEvent) => void;
}

function Tile({ image, shape, extras, onOpen }: TileProps) {
  const style = { aspectRatio: `${shape.width} / ${shape.height}` };
  if (image === null) return <div class="tile" style={style} />;
  const { blob, caption, label } = image;
  const media = <BlobImage blob={blob} alt={caption} />;
  const isAudio = blob.type.startsWith("audio");
  const words = label || (isAudio ? caption : "");
  return (
    <figure class={isAudio ? "sound" : undefined}>
      {isAudio ? (
        media
      ) : isImage(blob) ? (
        <>
          <button
            type="button"
            class="tile"
            style={style}
            title={caption}
            onClick={onOpen}
            {...extras?.attributes}
          >
            {media}
          </button>
          {extras?.mark}
        </>
      ) : (
        // A player has buttons of its own, and makes itself as large as the screen.
        <div class="tile" style={style} title={caption}>
          {media}
        </div>
      )}
      {words && <figcaption>{words}</figcaption>}
    </figure>
  );
}
