import { Component } from "preact";
import { aspect, columns } from "../lib/layout";
import type { Picture } from "../lib/pictures";
import type { Frame } from "../lib/wire";
import { BlobImage, isPicture } from "./blob-image";
import { Lightbox } from "./lightbox";

interface Props {
  items: readonly (Picture | null)[];
  /** The size of one picture; the grid keeps their places free before they arrive. */
  frame: Frame;
  onWantOriginal: (index: number) => void;
}

export class Grid extends Component<Props, { open: number | null }> {
  override state = { open: null };

  #open = (open: number | null) => this.setState({ open });

  override render({ items, frame, onWantOriginal }: Props, { open }: { open: number | null }) {
    const shape = { ...frame, count: items.length };
    return (
      <div class="grid" style={{ "--columns": columns(shape), "--shape": aspect(shape) }}>
        {items.map((picture, index) => (
          // A place in the grid is its index: pictures of one run never move.
          <Tile key={index} picture={picture} shape={frame} onOpen={() => this.#open(index)} />
        ))}
        {open !== null && (
          <Lightbox items={items} index={open} onMove={this.#open} onWantOriginal={onWantOriginal} />
        )}
      </div>
    );
  }
}

function Tile({ picture, shape, onOpen }: { picture: Picture | null; shape: Frame; onOpen: () => void }) {
  const style = { aspectRatio: `${shape.width} / ${shape.height}` };
  if (picture === null) return <div class="tile" style={style} />;
  const isPlayer = !isPicture(picture.blob);
  // A player has buttons of its own, and makes itself as large as the screen.
  const Place = isPlayer ? "div" : "button";
  return (
    <Place class="tile" style={style} title={picture.caption} onClick={isPlayer ? undefined : onOpen}>
      <BlobImage blob={picture.blob} alt={picture.caption} />
    </Place>
  );
}
