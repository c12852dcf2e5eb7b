import { Component, createRef } from "preact";
import { BlobImage } from "../components/blob-image";
import { type MaskAct, MaskTools } from "../components/mask-tools";
import { ZoomArea } from "../components/zoom-area";
import { splitBytes, toBlob } from "../lib/bytes";
import type { Link } from "../lib/link";
import { MaskCanvas } from "../lib/mask";
import type { Field } from "../lib/wire";
import type { Point, Size, View } from "../lib/zoom";
import css from "../style/mask.css?inline";
import zoomCss from "../style/zoom.css?inline";

interface Props {
  field: Field;
  link: Link;
  onClose: () => void;
}

interface State {
  /** The file that is painted over, and the image. */
  value: string;
  image: Blob | null;
  size: Size | null;
  view: View | null;
  isEraser: boolean;
  /** Pixels of the image, as the feather. */
  brush: number;
  feather: number;
  /** Where the brush is, in pixels of the image. */
  at: Point | null;
  told: string;
}

/** The image of an input under a brush; what is painted becomes its mask. */
export class MaskEditor extends Component<Props, State> {
  override state: State = {
    value: "",
    image: null,
    size: null,
    view: null,
    isEraser: false,
    brush: 40,
    feather: 0,
    at: null,
    told: "Fetching the image …",
  };
  #dialog = createRef<HTMLDialogElement>();
  #canvas = createRef<HTMLCanvasElement>();
  #mask: MaskCanvas | null = null;
  #base: ImageBitmap | null = null;
  #ending = new AbortController();
  #isPainting = false;
  #warned = false;

  override componentDidMount(): void {
    this.#dialog.current?.showModal();
    const { link, field } = this.props;
    link.onMessage(this.#ending.signal, async (message, [image, mask]) => {
      if (message.kind !== "input_image" || message.field !== field.name || image === undefined) return;
      if (message.error !== "") this.setState({ told: message.error });
      else {
        if (mask?.byteLength) this.#base = await createImageBitmap(toBlob(mask, "image/png"));
        this.setState({ told: "", value: message.value, image: toBlob(image, message.mime) });
      }
    });
    link.send({ kind: "input_image", field: field.name });
  }

  override componentWillUnmount(): void {
    this.#ending.abort();
    this.#base?.close();
  }

  #onLoad = ({ target }: Event) => {
    const { naturalWidth: width, naturalHeight: height } = target as HTMLImageElement;
    const canvas = this.#canvas.current;
    if (canvas === null || this.#mask !== null) return;
    const size = { width, height };
    this.#mask = new MaskCanvas(canvas, size, this.#base);
    const middle: Point = [width / 2, height / 2];
    this.setState({ size, at: middle, brush: Math.max(4, Math.round(Math.max(width, height) / 12)) });
  };

  #pointOf({ clientX, clientY }: MouseEvent): Point {
    const box = this.#canvas.current?.getBoundingClientRect() ?? new DOMRect();
    const { width, height } = this.state.size ?? { width: 0, height: 0 };
    return [((clientX - box.left) / box.width) * width, ((clientY - box.top) / box.height) * height];
  }

  // With Alt the image is moved, as are two fingers: the room hears of those.
  #onPointerDown = (event: PointerEvent) => {
    if (event.button !== 0 || event.altKey || this.#mask === null || !event.isPrimary) return;
    event.stopPropagation();
    (event.currentTarget as Element).setPointerCapture(event.pointerId);
    this.#canvas.current?.focus({ preventScroll: true });
    this.#isPainting = true;
    this.#begin(this.#pointOf(event));
  };

  #onPointerMove = (event: PointerEvent) => {
    const at = this.#pointOf(event);
    if (this.#isPainting) {
      event.stopPropagation();
      // What the browser has put together between two frames, so that a quick stroke is round.
      const all = event.getCoalescedEvents?.() ?? [];
      for (const one of all.length > 0 ? all : [event]) this.#mask?.extend(this.#pointOf(one));
    }
    this.setState({ at });
  };

  #onPointerUp = () => {
    this.#isPainting = false;
  };

  #begin(point: Point): void {
    const { isEraser, brush } = this.state;
    this.#mask?.do({ kind: "stroke", isEraser, size: brush, points: [point] });
    this.setState({ at: point, told: "" });
  }

  #do(act: MaskAct): void {
    if (act === "clear" || act === "invert") this.#mask?.do({ kind: act });
    else this.#mask?.[act]();
    this.forceUpdate();
  }

  #setBrush(brush: number): void {
    this.setState({ brush: Math.min(this.#largest, Math.max(1, Math.round(brush))) });
  }

  get #largest(): number {
    const { width, height } = this.state.size ?? { width: 512, height: 512 };
    return Math.max(8, Math.round(Math.max(width, height) / 2));
  }

  #move(key: string, isPainting: boolean): boolean {
    const { at, brush, size } = this.state;
    const steps: Record<string, Point> = {
      ArrowLeft: [-1, 0],
      ArrowRight: [1, 0],
      ArrowUp: [0, -1],
      ArrowDown: [0, 1],
    };
    const step = steps[key];
    if (step === undefined || at === null || size === null) return false;
    const length = Math.max(1, brush / 3);
    const to: Point = [
      Math.min(size.width, Math.max(0, at[0] + step[0] * length)),
      Math.min(size.height, Math.max(0, at[1] + step[1] * length)),
    ];
    if (isPainting) {
      this.#begin(at);
      this.#mask?.extend(to);
    }
    this.setState({ at: to });
    return true;
  }

  #onKeyDown = (event: KeyboardEvent) => {
    const key = event.key.toLowerCase();
    const isCommand = event.ctrlKey || event.metaKey;
    const isOnCanvas = event.target === this.#canvas.current;
    if (isCommand && key === "z") this.#do(event.shiftKey ? "redo" : "undo");
    else if (isCommand && key === "y") this.#do("redo");
    else if (isCommand) return;
    else if (key === "[") this.#setBrush(this.state.brush / 1.25);
    else if (key === "]") this.#setBrush(this.state.brush * 1.25 + 1);
    else if (key === "b") this.setState({ isEraser: false });
    else if (key === "e") this.setState({ isEraser: true });
    else if (key === "i") this.#do("invert");
    else if (isOnCanvas && key === " " && this.state.at !== null) this.#begin(this.state.at);
    else if (!isOnCanvas || !this.#move(event.key, event.shiftKey)) return;
    event.preventDefault();
  };

  /** What was painted is not lost by one press of Escape. */
  #onCancel = (event: Event) => {
    if (!this.#mask?.canUndo || this.#warned) return;
    event.preventDefault();
    this.#warned = true;
    this.setState({ told: "Press Escape once more to leave without the mask." });
  };

  #use = async () => {
    if (this.#mask === null) return;
    const { link, field } = this.props;
    const { value, feather } = this.state;
    try {
      const parts = splitBytes(await (await this.#mask.png()).arrayBuffer());
      const page = Math.random().toString(36).slice(2);
      for (const [part, bytes] of parts.entries()) {
        link.send({ kind: "mask", page, field: field.name, value, feather, part, parts: parts.length }, [
          bytes,
        ]);
      }
      this.#dialog.current?.close();
    } catch (error) {
      this.setState({ told: (error as Error).message });
    }
  };

  override render({ field, onClose }: Props, state: State) {
    const { image, size, view, at, isEraser, brush, feather, told } = state;
    return (
      <dialog
        ref={this.#dialog}
        class="mask-editor"
        aria-label={`Mask of ${field.label}`}
        tabIndex={-1}
        onClose={onClose}
        onCancel={this.#onCancel}
        onKeyDown={this.#onKeyDown}
      >
        <style>{zoomCss + css}</style>
        <div
          class="easel"
          onPointerDownCapture={this.#onPointerDown}
          onPointerMoveCapture={this.#onPointerMove}
          onPointerUpCapture={this.#onPointerUp}
          onPointerCancelCapture={this.#onPointerUp}
        >
          <ZoomArea size={size} view={view} onView={(next) => this.setState({ view: next })}>
            <div class="painted" onLoadCapture={this.#onLoad}>
              {image !== null && <BlobImage blob={image} alt={field.label} />}
              <canvas
                ref={this.#canvas}
                tabIndex={0}
                role="img"
                aria-label="Mask: the arrow keys move the brush, space paints a dot, Shift and an arrow a line"
                style={{ filter: feather > 0 ? `blur(${feather / 2}px)` : undefined }}
              />
              {at !== null && size !== null && (
                <div
                  class="brush"
                  style={{ left: `${at[0]}px`, top: `${at[1]}px`, width: `${brush}px`, height: `${brush}px` }}
                />
              )}
            </div>
          </ZoomArea>
        </div>
        {told !== "" && (
          <p class="told" role="status">
            {told}
          </p>
        )}
        <MaskTools
          isEraser={isEraser}
          brush={brush}
          largest={this.#largest}
          feather={feather}
          canUndo={this.#mask?.canUndo === true}
          canRedo={this.#mask?.canRedo === true}
          canUse={size !== null}
          onTool={(next) => this.setState({ isEraser: next })}
          onBrush={(next) => this.#setBrush(next)}
          onFeather={(next) => this.setState({ feather: next })}
          onAct={(act) => this.#do(act)}
          onCancel={() => this.#dialog.current?.close()}
          onUse={this.#use}
        />
      </dialog>
    );
  }
}
