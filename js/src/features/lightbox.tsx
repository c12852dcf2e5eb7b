import { Component, createRef } from "preact";
import { BlobImage } from "../components/blob-image";
import { Chevron, Close, Minus, Plus } from "../components/icons";
import { ImageActions, Tool } from "../components/image-actions";
import { Check, Info, Whole } from "../components/image-icons";
import { Story } from "../components/story";
import { ZoomArea } from "../components/zoom-area";
import { toBlob } from "../lib/bytes";
import { GalleryStore, keyOf } from "../lib/gallery-store";
import type { ShownImage } from "../lib/images";
import type { Link } from "../lib/link";
import type { Told } from "../lib/told";
import type { Field } from "../lib/wire";
import type { Size, View } from "../lib/zoom";
import css from "../style/lightbox.css?inline";
import zoomCss from "../style/zoom.css?inline";

export interface LightboxProps {
  run: number;
  items: readonly (ShownImage | null)[];
  index: number;
  link: Link;
  inputs: readonly Field[];
  /** Open with the workflow in place of the image. */
  isWorkflow: boolean;
  /** Another image, or null to close. */
  onMove: (index: number | null) => void;
}

interface State {
  view: View | null;
  size: Size | null;
  /** The image at its full size, where a smaller one stood in for it. */
  whole: { key: string; image: ShownImage } | null;
  hasStory: boolean;
  isWorkflow: boolean;
  told: Told | null;
}

const ZOOM = 1.5;

/** One image over the page: zoomed and dragged, what can be done with it, how it came about, and its workflow. */
export class Lightbox extends Component<LightboxProps, State> {
  override state: State;
  #dialog = createRef<HTMLDialogElement>();
  #area = createRef<ZoomArea>();
  #store: GalleryStore;
  #ending = new AbortController();

  constructor(props: LightboxProps) {
    super(props);
    this.#store = GalleryStore.of(props.link);
    const { isWorkflow } = props;
    this.state = { view: null, size: null, whole: null, hasStory: isWorkflow, isWorkflow, told: null };
  }

  override componentDidMount(): void {
    const { signal } = this.#ending;
    this.#dialog.current?.showModal();
    signal.addEventListener(
      "abort",
      this.#store.subscribe(() => this.forceUpdate()),
    );
    this.props.link.onMessage(signal, (message, [drawing, json]) => {
      if (message.kind !== "story" || keyOf(message) !== keyOf(this.props)) return;
      const blob = (bytes: DataView | undefined, type: string) =>
        bytes?.byteLength ? toBlob(bytes, type) : null;
      const told = {
        ...message,
        drawing: blob(drawing, "image/svg+xml"),
        json: blob(json, "application/json"),
      };
      this.setState({ told });
    });
    this.#complete();
  }

  override componentDidUpdate(before: LightboxProps): void {
    if (keyOf(before) === keyOf(this.props)) return;
    // The size stays for images of the same size, so that nothing flickers between two of them.
    this.setState({ view: null, told: null });
    this.#complete();
  }

  override componentWillUnmount(): void {
    this.#ending.abort();
  }

  /** Ask for what is not here yet. */
  #complete(): void {
    const { run, index, items, link } = this.props;
    const image = items[index];
    if (image && !image.whole) {
      const key = keyOf(this.props);
      this.#store
        .whole({ run, index }, image)
        .then((whole) => this.setState({ whole: { key, image: whole } }));
    }
    if (this.state.hasStory || this.state.isWorkflow) link.send({ kind: "story", run, index });
  }

  get #image(): ShownImage | null {
    const { whole } = this.state;
    if (whole?.key === keyOf(this.props)) return whole.image;
    return this.props.items[this.props.index] ?? null;
  }

  #close = () => this.#dialog.current?.close();

  #turn(by: number): void {
    const { items, index, onMove } = this.props;
    if (items.length > 1) onMove((index + by + items.length) % items.length);
  }

  #toggle(what: "hasStory" | "isWorkflow"): void {
    const { run, index, link } = this.props;
    const isOn = !this.state[what];
    if (isOn && this.state.told === null) link.send({ kind: "story", run, index });
    this.setState(
      what === "hasStory" ? { hasStory: isOn } : { isWorkflow: isOn, hasStory: isOn, view: null, size: null },
    );
  }

  #flip(what: "selected" | "starred"): void {
    const key = keyOf(this.props);
    const keys = new Set(this.#store[what].value);
    if (!keys.delete(key)) keys.add(key);
    if (what === "selected") this.#store.select(keys);
    else this.#store.star(keys);
  }

  #onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey || (event.target as Element).matches("select")) return;
    const area = this.#area.current;
    const acts: Record<string, () => void> = {
      ArrowRight: () => this.#turn(1),
      ArrowLeft: () => this.#turn(-1),
      "+": () => area?.zoomBy(ZOOM),
      "=": () => area?.zoomBy(ZOOM),
      "-": () => area?.zoomBy(1 / ZOOM),
      "0": () => this.setState({ view: null }),
      "1": () => area?.actual(),
      i: () => this.#toggle("hasStory"),
      s: () => this.#flip("starred"),
      w: () => this.#toggle("isWorkflow"),
      x: () => this.#flip("selected"),
    };
    const act = acts[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (act === undefined) return;
    event.preventDefault();
    act();
  };

  #onLoad = ({ target }: Event) => {
    const { naturalWidth: width, naturalHeight: height } = target as HTMLImageElement;
    const { size } = this.state;
    if (size?.width !== width || size.height !== height) this.setState({ size: { width, height } });
  };

  override render({ run, items, index, link, inputs, onMove }: LightboxProps, state: State) {
    const image = this.#image;
    if (image === null) return null;
    const { view, size, hasStory, isWorkflow, told } = state;
    const many = items.length > 1;
    const shown = isWorkflow ? (told?.drawing ?? null) : image.blob;
    const key = keyOf({ run, index });
    return (
      <dialog
        ref={this.#dialog}
        class="lightbox"
        // A click beside the buttons leaves the keys with it.
        tabIndex={-1}
        aria-label={image.caption}
        data-story={hasStory}
        onClose={() => onMove(null)}
        onKeyDown={this.#onKeyDown}
      >
        <style>{zoomCss + css}</style>
        <ZoomArea
          handle={this.#area}
          size={size}
          view={view}
          onView={(next) => this.setState({ view: next })}
          onBeside={this.#close}
        >
          <div class="whole" onLoadCapture={this.#onLoad}>
            {shown !== null && (
              <BlobImage blob={shown} alt={isWorkflow ? `The workflow of ${image.caption}` : image.caption} />
            )}
          </div>
        </ZoomArea>
        {isWorkflow && shown === null && (
          <p class="waiting">
            {told === null ? "Reading the workflow …" : "No workflow is known of this image."}
          </p>
        )}
        {many && (
          <div class="turn">
            <Tool label="Previous image" icon={<Chevron />} keys="ArrowLeft" onClick={() => this.#turn(-1)} />
            <Tool label="Next image" icon={<Chevron />} keys="ArrowRight" onClick={() => this.#turn(1)} />
          </div>
        )}
        <div class="tools">
          <span class="caption">
            {many && `${index + 1} of ${items.length} · `}
            {image.caption}
          </span>
          <span class="set">
            <Tool
              label="Zoom out"
              icon={<Minus />}
              keys="-"
              onClick={() => this.#area.current?.zoomBy(1 / ZOOM)}
            />
            <button
              type="button"
              class="plain actual"
              aria-label="Actual size"
              aria-keyshortcuts="1"
              title="Each pixel of the image as one of the screen (1)"
              onClick={() => this.#area.current?.actual()}
            >
              1:1
            </button>
            <Tool label="Zoom in" icon={<Plus />} keys="+" onClick={() => this.#area.current?.zoomBy(ZOOM)} />
            <Tool label="Fit" icon={<Whole />} keys="0" onClick={() => this.setState({ view: null })} />
          </span>
          <span class="set">
            <Tool
              label="Select"
              icon={<Check />}
              keys="X"
              pressed={this.#store.selected.value.has(key)}
              onClick={() => this.#flip("selected")}
            />
            <ImageActions
              key={key}
              link={link}
              picked={[{ run, index, image }]}
              inputs={inputs}
              onWorkflow={() => this.#toggle("isWorkflow")}
            />
            <Tool
              label="Details"
              icon={<Info />}
              keys="I"
              pressed={hasStory}
              onClick={() => this.#toggle("hasStory")}
            />
          </span>
          <Tool label="Close" icon={<Close />} onClick={this.#close} />
        </div>
        {hasStory && <Story image={image} told={told} link={link} />}
      </dialog>
    );
  }
}
