import { Component, type ComponentChild, createRef } from "preact";
import type { Exhibit, Extras, Gallery } from "../features/gallery";
import type { LoadFeature } from "../lib/features";
import type { ShownImage } from "../lib/images";
import { aspect, columns, isMany, leastWidth } from "../lib/layout";
import type { Frame } from "../lib/wire";
import { BlobImage } from "./blob-image";
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
  /** The gallery cannot be had: all images are drawn, however many. */
  isAlone: boolean;
}

/** Images beside each other. What can be done with them comes with a feature, as soon as there are any. */
export class Grid extends Component<Props, State> {
  static override contextType = FeatureContext;
  declare context: LoadFeature;
  override state: State = { gallery: null, isAlone: false };
  #gone = false;
  #grid = createRef<HTMLDivElement>();
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
      () => this.setState({ isAlone: true }),
    );
  }

  override componentDidUpdate(): void {
    this.state.gallery?.look(this.#grid.current);
  }

  override componentWillUnmount(): void {
    this.#gone = true;
    this.state.gallery?.dispose();
  }

  override render(props: Props, { gallery, isAlone }: State) {
    const { items, frame, heads } = props;
    const shape = { ...frame, count: items.length };
    const over = gallery?.render(props);
    return (
      <>
        <div
          ref={this.#grid}
          class="grid"
          data-many={isMany(shape)}
          data-axes={Boolean(heads)}
          style={{
            "--columns": heads?.columns ?? columns(shape),
            "--shape": aspect(shape),
            "--least": `${leastWidth(frame)}px`,
            "--tile": `${frame.width} / ${frame.height}`,
          }}
        >
          {heads?.top}
          {items.map((image, index) => {
            const extras = image && gallery?.extras(index, image);
            const tile = (
              <Tile
                // A place in the grid is its index: images of one run never move.
                key={index}
                image={image}
                extras={extras}
                isFar={extras?.isFar ?? (index > 95 && !isAlone)}
                onOpen={(event) => {
                  this.#wanted = [event, index];
                }}
              />
            );
            return heads ? [heads.before(index), tile] : tile;
          })}
        </div>
        {over}
      </>
    );
  }
}

interface TileProps {
  image: ShownImage | null;
  extras: Extras | null | undefined;
  /** Out of view among very many: it needs no image. */
  isFar: boolean;
  onOpen: (event: MouseEvent) => void;
}

class Tile extends Component<TileProps> {
  // The gallery gives other extras where anything of a tile has changed.
  override shouldComponentUpdate({ extras }: TileProps): boolean {
    return !extras || extras !== this.props.extras;
  }

  override render({ image, extras, isFar, onOpen }: TileProps) {
    if (image === null) return <div class="tile" />;
    const { mime, caption, label } = image;
    const media = isFar || image.isLater || <BlobImage blob={image.blob} alt={caption} />;
    const isAudio = mime.startsWith("audio");
    const words = label || (isAudio && caption);
    return (
      <figure class={isAudio ? "sound" : ""}>
        {isAudio ? (
          media
        ) : mime.startsWith("image") ? (
          <>
            <button type="button" class="tile" title={caption} onClick={onOpen} {...extras?.attributes}>
              {media}
            </button>
            {extras?.mark()}
          </>
        ) : (
          // A player has buttons of its own, and makes itself as large as the screen.
          <div class="tile" title={caption}>
            {media}
          </div>
        )}
        {words && <figcaption>{words}</figcaption>}
      </figure>
    );
  }
}
