import { Component, type ComponentType } from "preact";
import type { LightboxProps } from "../features/lightbox";
import type { LoadFeature } from "../lib/features";
import type { ShownImage } from "../lib/images";
import { aspect, columns, isMany, leastWidth } from "../lib/layout";
import type { Frame } from "../lib/wire";
import { BlobImage, isImage } from "./blob-image";
import { FeatureContext } from "./feature-context";

interface Props {
  items: readonly (ShownImage | null)[];
  /** The size of one image; the grid keeps their places free before they arrive. */
  frame: Frame;
  onWantOriginal: (index: number) => void;
}

interface State {
  open: number | null;
  lightbox: ComponentType<LightboxProps> | null;
}

export class Grid extends Component<Props, State> {
  static override contextType = FeatureContext;
  declare context: LoadFeature;
  override state: State = { open: null, lightbox: null };
  #asked = false;

  #open = (open: number | null) => {
    this.#load();
    this.setState({ open });
  };

  /** Asked for as soon as somebody points at an image, so that it is there at the click. */
  #load = () => {
    if (this.#asked) return;
    this.#asked = true;
    this.context("lightbox").then(
      ({ Lightbox }) => this.setState({ lightbox: Lightbox }),
      () => {
        this.#asked = false;
      },
    );
  };

  override render({ items, frame, onWantOriginal }: Props, { open, lightbox: Lightbox }: State) {
    const shape = { ...frame, count: items.length };
    return (
      <div
        class="grid"
        data-many={isMany(shape)}
        style={{
          "--columns": columns(shape),
          "--shape": aspect(shape),
          "--least": `${leastWidth(frame)}px`,
        }}
      >
        {items.map((image, index) => (
          <Tile
            // A place in the grid is its index: images of one run never move.
            key={index}
            image={image}
            shape={frame}
            opening={open === index && Lightbox === null}
            onPoint={this.#load}
            onOpen={() => this.#open(index)}
          />
        ))}
        {open !== null && Lightbox !== null && (
          <Lightbox items={items} index={open} onMove={this.#open} onWantOriginal={onWantOriginal} />
        )}
      </div>
    );
  }
}

interface TileProps {
  image: ShownImage | null;
  shape: Frame;
  /** A large view was asked for, and is on its way. */
  opening: boolean;
  onPoint: () => void;
  onOpen: () => void;
}

function Tile({ image, shape, opening, onPoint, onOpen }: TileProps) {
  const style = { aspectRatio: `${shape.width} / ${shape.height}` };
  if (image === null) return <div class="tile" style={style} />;
  const { blob, caption, label } = image;
  const media = <BlobImage blob={blob} alt={caption} />;
  const isAudio = blob.type.startsWith("audio");
  const content = isAudio ? (
    media
  ) : isImage(blob) ? (
    <button
      type="button"
      class="tile"
      style={style}
      title={caption}
      aria-busy={opening}
      onPointerEnter={onPoint}
      onFocus={onPoint}
      onClick={onOpen}
    >
      {media}
    </button>
  ) : (
    // A player has buttons of its own, and makes itself as large as the screen.
    <div class="tile" style={style} title={caption}>
      {media}
    </div>
  );
  const words = label || (isAudio ? caption : "");
  if (words === "") return content;
  return (
    <figure class={isAudio ? "sound" : undefined}>
      {content}
      <figcaption>{words}</figcaption>
    </figure>
  );
}
