import { Component, createRef } from "preact";
import {
  byAxes,
  type Cell,
  counted,
  firstLook,
  firstSize,
  inOrder,
  inWords,
  type Layout,
  type Look,
  pin,
  type SweepState,
} from "../lib/sweep";
import { SweepCompare } from "./sweep-compare";
import { SweepControls } from "./sweep-controls";
import { SweepFoot } from "./sweep-foot";
import { SweepLens } from "./sweep-lens";
import { SweepSpace } from "./sweep-space";

export interface SweepProps {
  state: SweepState;
  cells: readonly Cell[];
  thumbnails: ReadonlyMap<number, Blob>;
  previews: ReadonlyMap<number, Blob>;
  /** Images at their full size, of cells that somebody has looked at. */
  originals: ReadonlyMap<number, Blob>;
  selected: ReadonlySet<number>;
  onAct: ((act: "start" | "pause" | "cancel") => void) | undefined;
  onRate: (numbers: number[], stars: number, rejected: boolean) => void;
  onSelect: (numbers: number[]) => void;
  onWant: (number: number) => void;
}

interface Own {
  look: Look;
  size: number;
  scroll: [x: number, y: number];
  view: [width: number, height: number];
  focus: number | undefined;
  /** The cell under the lens, and where in it the pointer is, from 0 to 1. */
  lens: { number: number; at: [number, number]; right: boolean } | undefined;
  comparing: boolean;
}

const HEAD_HEIGHT = 28;
const HEAD_WIDTH = 116;
const REST = 140;

/** Cells of a sweep as a grid that draws only what is in view. */
export class SweepGrid extends Component<SweepProps, Own> {
  #view = createRef<HTMLDivElement>();
  #observer: ResizeObserver | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  override state: Own = {
    look: firstLook(this.props.state.axes, this.props.state.status),
    size: firstSize(this.props.state.axes, this.props.state),
    scroll: [0, 0],
    view: [800, 480],
    focus: undefined,
    lens: undefined,
    comparing: false,
  };

  override componentDidMount(): void {
    const view = this.#view.current;
    if (view === null) return;
    this.#observer = new ResizeObserver(() => this.setState({ view: [view.clientWidth, view.clientHeight] }));
    this.#observer.observe(view);
  }

  override componentDidUpdate(before: SweepProps): void {
    const { axes, status } = this.props.state;
    if (before.state.axes.length !== axes.length) {
      this.setState({ look: firstLook(axes, status), size: firstSize(axes, this.props.state) });
    }
  }

  override componentWillUnmount(): void {
    this.#observer?.disconnect();
    clearTimeout(this.#timer);
  }

  get #byAxes(): boolean {
    return this.state.look.sort === "axes" && this.state.look.filter !== "failed";
  }

  get #layout(): Layout {
    const { axes } = this.props.state;
    const { look, size, view } = this.state;
    if (this.#byAxes) return byAxes(axes, this.props.cells, look);
    return inOrder(this.props.cells, look, Math.max(1, Math.floor((view[0] - 2) / size)));
  }

  get #heads(): [width: number, height: number] {
    if (!this.#byAxes) return [0, 0];
    return [this.state.look.y === "" ? 0 : HEAD_WIDTH, this.state.look.x === "" ? 0 : HEAD_HEIGHT];
  }

  #cellAt(event: { target: EventTarget | null }): Cell | undefined {
    const element = (event.target as Element | null)?.closest?.("[data-number]");
    return element === null || element === undefined
      ? undefined
      : this.props.cells[Number(element.getAttribute("data-number"))];
  }

  #onMove = (event: PointerEvent): void => {
    const cell = this.#cellAt(event);
    if (cell === undefined) {
      this.#leave();
      return;
    }
    const box = (event.target as Element).closest("[data-number]")?.getBoundingClientRect();
    const frame = this.#view.current?.getBoundingClientRect();
    if (box === undefined || frame === undefined) return;
    const at: [number, number] = [
      (event.clientX - box.left) / box.width,
      (event.clientY - box.top) / box.height,
    ];
    const lens = { number: cell.number, at, right: event.clientX < frame.left + frame.width / 2 };
    if (this.state.focus !== cell.number) this.setState({ focus: cell.number });
    if (this.state.lens !== undefined) {
      this.#magnify(lens);
      return;
    }
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#magnify(lens), REST);
  };

  #magnify(lens: NonNullable<Own["lens"]>): void {
    if (!this.props.thumbnails.has(lens.number)) {
      this.setState({ lens: undefined });
      return;
    }
    if (this.state.lens?.number !== lens.number && !this.props.originals.has(lens.number)) {
      this.props.onWant(lens.number);
    }
    this.setState({ lens });
  }

  #leave = (): void => {
    clearTimeout(this.#timer);
    if (this.state.lens !== undefined) this.setState({ lens: undefined });
  };

  #onClick = (event: MouseEvent): void => {
    const cell = this.#cellAt(event);
    if (cell === undefined) return;
    this.setState({ focus: cell.number });
    this.#toggle(cell.number, event.ctrlKey || event.metaKey || event.shiftKey);
  };

  #toggle(number: number, more: boolean): void {
    const selected = new Set(more ? this.props.selected : []);
    if (this.props.selected.has(number) && (more || this.props.selected.size === 1)) selected.delete(number);
    else selected.add(number);
    this.props.onSelect([...selected].sort((one, other) => one - other));
  }

  #onKey = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { focus, comparing } = this.state;
    const { selected } = this.props;
    const meant = focus === undefined ? [] : selected.has(focus) ? [...selected] : [focus];
    const step = STEPS[event.key];
    if (event.key === "Escape") {
      if (comparing) this.setState({ comparing: false });
      else this.props.onSelect([]);
    } else if (step !== undefined) this.#move(...step);
    else if (/^[0-5]$/.test(event.key) && meant.length > 0)
      this.props.onRate(meant, Number(event.key), false);
    else if (event.key === "x" && focus !== undefined) {
      this.props.onRate(meant, 0, this.props.cells[focus]?.rejected !== true);
    } else if (event.key === " " && focus !== undefined) this.#toggle(focus, true);
    else if (event.key === "c" && selected.size === 2) this.#compare();
    else return;
    event.preventDefault();
  };

  #move(across: number, down: number): void {
    const { columns, places } = this.#layout;
    const from = places.findIndex((cell) => cell !== undefined && cell.number === this.state.focus);
    let to = from < 0 ? 0 : from;
    if (from >= 0) {
      const column = (from % columns.length) + across;
      if (column < 0 || column >= columns.length) return;
      to = from + across + down * columns.length;
    }
    const cell = places[to];
    if (cell === undefined) return;
    this.setState({ focus: cell.number, lens: undefined });
    this.#bringIntoView(to % columns.length, Math.floor(to / columns.length));
  }

  #bringIntoView(column: number, row: number): void {
    const view = this.#view.current;
    if (view === null) return;
    const { size } = this.state;
    const [width, height] = this.#heads;
    const [left, top] = [column * size, row * size];
    view.scrollLeft = Math.min(left, Math.max(view.scrollLeft, left + size + width - view.clientWidth));
    view.scrollTop = Math.min(top, Math.max(view.scrollTop, top + size + height - view.clientHeight));
  }

  #compare = (): void => {
    for (const number of this.props.selected)
      if (!this.props.originals.has(number)) this.props.onWant(number);
    this.setState({ comparing: true, lens: undefined });
  };

  override render() {
    const { state, cells, thumbnails, previews, originals, selected, onAct } = this.props;
    const { look, size, scroll, view, focus, lens, comparing } = this.state;
    const layout = this.#layout;
    const [headWidth, headHeight] = this.#heads;
    const [one, other] = [...selected].map((number) => cells[number]);
    const under = lens === undefined ? undefined : cells[lens.number];
    const height = Math.min(560, Math.max(size, layout.rows.length * size) + headHeight + 2);
    return (
      <section class="sweep" aria-label={state.title}>
        <SweepControls
          state={state}
          counts={counted(cells, state.total)}
          look={look}
          size={size}
          scored={cells.some((cell) => cell.score !== null)}
          onLook={(changed) => this.setState({ look: changed, lens: undefined })}
          onSize={(changed) => this.setState({ size: changed })}
          onAct={onAct}
        />
        <div class="frame" onPointerLeave={this.#leave}>
          <div
            class="view"
            ref={this.#view}
            style={{ height: `${height}px` }}
            role="application"
            aria-label="Cells; arrows move, 1 to 5 rate, x rejects, space selects"
            // biome-ignore lint/a11y/noNoninteractiveTabindex: it takes the keys for the cells in it
            tabIndex={0}
            onScroll={(event) =>
              this.setState({ scroll: [event.currentTarget.scrollLeft, event.currentTarget.scrollTop] })
            }
            onPointerMove={this.#onMove}
            onClick={this.#onClick}
            onKeyDown={this.#onKey}
          >
            <SweepSpace
              axes={state.axes}
              layout={layout}
              look={look}
              heads={[headWidth, headHeight]}
              scroll={scroll}
              view={view}
              size={size}
              captions={!this.#byAxes}
              thumbnails={thumbnails}
              previews={previews}
              focus={focus}
              selected={selected}
              onPin={(at, index) => this.setState({ look: pin(look, at, index), lens: undefined })}
            />
          </div>
          {under !== undefined && lens !== undefined && !comparing && (
            <SweepLens
              cell={under}
              words={inWords(state.axes, under)}
              image={originals.get(under.number) ?? thumbnails.get(under.number)}
              whole={originals.has(under.number)}
              at={lens.at}
              right={lens.right}
            />
          )}
          {comparing && one !== undefined && other !== undefined && (
            <SweepCompare
              axes={state.axes}
              cells={[one, other]}
              images={[one, other].map(({ number }) => originals.get(number) ?? thumbnails.get(number))}
              onClose={() => this.setState({ comparing: false })}
            />
          )}
        </div>
        <SweepFoot selected={selected.size} onCompare={this.#compare} />
      </section>
    );
  }
}

const STEPS: Record<string, [across: number, down: number]> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};
