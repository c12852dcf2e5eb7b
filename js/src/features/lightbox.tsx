import { Component, createRef } from "preact";
import { BlobImage } from "../components/blob-image";
import { Chevron, Close, Download } from "../components/icons";
import type { ShownImage } from "../lib/images";
import css from "../style/lightbox.css?inline";

export interface LightboxProps {
  items: readonly (ShownImage | null)[];
  index: number;
  /** Another image, or null to close. */
  onMove: (index: number | null) => void;
  onWantOriginal: (index: number) => void;
}

/** One image at its full size over the page; the arrow keys turn to the next, Escape closes. */
export class Lightbox extends Component<LightboxProps> {
  #dialog = createRef<HTMLDialogElement>();

  override componentDidMount(): void {
    this.#dialog.current?.showModal();
    this.#complete();
  }

  override componentDidUpdate(before: LightboxProps): void {
    if (before.index !== this.props.index) this.#complete();
  }

  #complete(): void {
    const { items, index, onWantOriginal } = this.props;
    if (items[index]?.whole === false) onWantOriginal(index);
  }

  #close = () => this.#dialog.current?.close();

  #turn(by: number): void {
    const { items, index, onMove } = this.props;
    onMove((index + by + items.length) % items.length);
  }

  #onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "ArrowRight") this.#turn(1);
    if (event.key === "ArrowLeft") this.#turn(-1);
  };

  // A click beside the image closes, as people expect.
  #onClick = (event: MouseEvent) => {
    if (event.target === this.#dialog.current) this.#close();
  };

  override render({ items, index, onMove }: LightboxProps) {
    const image = items[index];
    if (!image) return null;
    const many = items.length > 1;
    return (
      <dialog
        ref={this.#dialog}
        class="lightbox"
        aria-label={image.caption}
        onClose={() => onMove(null)}
        onKeyDown={this.#onKeyDown}
        onClick={this.#onClick}
      >
        <style>{css}</style>
        <BlobImage blob={image.blob} alt={image.caption} />
        <div class="tools">
          <span class="caption">
            {many && `${index + 1} of ${items.length} · `}
            {image.caption}
          </span>
          {many && <Tool label="Previous image" icon={<Chevron />} onClick={() => this.#turn(-1)} />}
          {many && <Tool label="Next image" icon={<Chevron />} onClick={() => this.#turn(1)} />}
          {image.whole && <Tool label="Download" icon={<Download />} onClick={() => save(image)} />}
          <Tool label="Close" icon={<Close />} onClick={this.#close} />
        </div>
      </dialog>
    );
  }
}

function Tool({ label, icon, onClick }: { label: string; icon: preact.JSX.Element; onClick: () => void }) {
  return (
    <button type="button" class="plain" aria-label={label} title={label} onClick={onClick}>
      {icon}
    </button>
  );
}

function save({ blob, name }: ShownImage): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  // The download has taken its own hold of the blob once the click has been handled.
  setTimeout(() => URL.revokeObjectURL(link.href));
}
