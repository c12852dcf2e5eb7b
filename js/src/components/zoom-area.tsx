import { Component, type ComponentChildren, createRef, type RefObject } from "preact";
import { clamp, fit, type Point, type Size, type View, zoomTo } from "../lib/zoom";

interface Props {
  /** Pixels of what is shown; null until that is known. */
  size: Size | null;
  /** Null for all of it, however large the room is. */
  view: View | null;
  onView: (view: View | null) => void;
  /** A click beside the image. */
  onBeside?: () => void;
  /** Gets the area itself, for buttons and keys. */
  handle?: RefObject<ZoomArea | null>;
  children: ComponentChildren;
}

interface State {
  room: Size;
}

/** A wheel's step, as a power of e for each pixel; a pinch on a touchpad comes as a wheel with Ctrl, in smaller steps. */
const WHEEL = 0.002;
const PINCH = 0.012;
const LINE = 16;
/** From this many screen pixels for each of its own on, an image shows them as squares. */
const SQUARES = 3;

/** A room in which an image is zoomed to the pointer, by wheel and pinch, and dragged. */
export class ZoomArea extends Component<Props, State> {
  override state: State = { room: { width: 1, height: 1 } };
  #root = createRef<HTMLDivElement>();
  #pointers = new Map<number, Point>();
  #moved = false;
  #resized: ResizeObserver | null = null;

  override componentDidMount(): void {
    const root = this.#root.current;
    // Preact gives a class no ref of its own.
    if (this.props.handle !== undefined) this.props.handle.current = this;
    if (root === null) return;
    const measure = () => this.setState({ room: { width: root.clientWidth, height: root.clientHeight } });
    measure();
    this.#resized = new ResizeObserver(measure);
    this.#resized.observe(root);
  }

  override componentWillUnmount(): void {
    this.#resized?.disconnect();
  }

  /** What is to be seen now. */
  get #view(): View {
    const { size, view } = this.props;
    if (size === null) return { scale: 1, x: 0, y: 0 };
    return view === null ? fit(size, this.state.room) : clamp(view, size, this.state.room);
  }

  /** Screen pixels for each pixel of the image. */
  get magnification(): number {
    return this.#view.scale * window.devicePixelRatio;
  }

  zoomBy(factor: number, at: Point = [0, 0]): void {
    const { size, onView } = this.props;
    if (size !== null) onView(zoomTo(this.#view, this.#view.scale * factor, at, size, this.state.room));
  }

  /** Show each pixel of the image as one of the screen. */
  actual(at: Point = [0, 0]): void {
    this.zoomBy(1 / this.magnification, at);
  }

  #at({ clientX, clientY }: MouseEvent): Point {
    const box = this.#root.current?.getBoundingClientRect() ?? new DOMRect();
    return [clientX - box.left - box.width / 2, clientY - box.top - box.height / 2];
  }

  #onWheel = (event: WheelEvent) => {
    event.preventDefault();
    const length = event.deltaY * (event.deltaMode === WheelEvent.DOM_DELTA_LINE ? LINE : 1);
    this.zoomBy(Math.exp(-length * (event.ctrlKey ? PINCH : WHEEL)), this.#at(event));
  };

  #onPointerDown = (event: PointerEvent) => {
    if (event.button !== 0) return;
    this.#root.current?.setPointerCapture(event.pointerId);
    this.#moved = this.#pointers.size > 0;
    this.#pointers.set(event.pointerId, this.#at(event));
  };

  #onPointerMove = (event: PointerEvent) => {
    const before = this.#pointers.get(event.pointerId);
    const { size, onView } = this.props;
    if (before === undefined || size === null) return;
    const now = this.#at(event);
    if (Math.hypot(now[0] - before[0], now[1] - before[1]) < 3 && !this.#moved) return;
    this.#moved = true;
    const other = [...this.#pointers].find(([id]) => id !== event.pointerId)?.[1];
    this.#pointers.set(event.pointerId, now);
    let view = this.#view;
    if (other !== undefined) {
      const apart = (point: Point) => Math.hypot(point[0] - other[0], point[1] - other[1]) || 1;
      const middle: Point = [(now[0] + other[0]) / 2, (now[1] + other[1]) / 2];
      view = zoomTo(view, view.scale * (apart(now) / apart(before)), middle, size, this.state.room);
    } else {
      view = { ...view, x: view.x + now[0] - before[0], y: view.y + now[1] - before[1] };
    }
    onView(clamp(view, size, this.state.room));
  };

  #onPointerUp = (event: PointerEvent) => {
    if (!this.#pointers.delete(event.pointerId) || this.#moved) return;
    // With the pointer captured, the target is always the room.
    const { size, onBeside } = this.props;
    const { scale, x, y } = this.#view;
    const [px, py] = this.#at(event);
    if (size === null) return;
    const isBeside = Math.abs(px - x) * 2 > size.width * scale || Math.abs(py - y) * 2 > size.height * scale;
    if (isBeside) onBeside?.();
  };

  #onDblClick = (event: MouseEvent) => {
    const { view, onView } = this.props;
    if (view === null) this.actual(this.#at(event));
    else onView(null);
  };

  override render({ size, view, children }: Props) {
    const { scale, x, y } = this.#view;
    const style =
      size === null
        ? { visibility: "hidden" }
        : {
            width: `${size.width}px`,
            height: `${size.height}px`,
            "--magnified": scale,
            transform: `translate(-50%, -50%) translate(${x}px, ${y}px) scale(${scale})`,
          };
    return (
      // Whoever shows it has buttons and keys for the same.
      // biome-ignore lint/a11y/noStaticElementInteractions: see above
      <div
        ref={this.#root}
        class="room"
        data-zoomed={view !== null}
        data-squares={scale * window.devicePixelRatio >= SQUARES}
        onWheel={this.#onWheel}
        onPointerDown={this.#onPointerDown}
        onPointerMove={this.#onPointerMove}
        onPointerUp={this.#onPointerUp}
        onPointerCancel={({ pointerId }) => this.#pointers.delete(pointerId)}
        onDblClick={this.#onDblClick}
      >
        <div class="zoomed" style={style}>
          {children}
        </div>
      </div>
    );
  }
}
