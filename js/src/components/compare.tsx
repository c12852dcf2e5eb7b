import { Component, createRef } from "preact";
import { differenceOf, inWords } from "../lib/difference";
import type { Size, View } from "../lib/zoom";
import { BlobImage } from "./blob-image";
import { Differing, sizeWords, type Words, ZOOM, ZoomTools } from "./compare-parts";
import { ZoomArea } from "./zoom-area";

export interface Side {
  blob: Blob;
  caption: string;
}

interface Props {
  sides: readonly [Side, Side];
  /** Null while they are on their way. */
  words: Words | null;
}

const MODES = ["Slider", "Side by side", "Flicker", "Difference"] as const;
type Mode = (typeof MODES)[number];

interface State {
  mode: Mode;
  view: View | null;
  /** Where the slider divides, from 0 to 1. */
  split: number;
  /** Which of the two flickers up now. */
  second: boolean;
  isPlaying: boolean;
  /** How much brighter the difference is shown. */
  gain: number;
  sizes: readonly (Size | null)[];
  told: string;
}

/** Milliseconds for each of the two: slower than three flashes a second, which may harm. */
const FLICKER = 600;
const GAINS = [1, 4, 16];

/** Two images looked at together, and what differs between their workflows. */
export class Compare extends Component<Props, State> {
  override state: State = {
    mode: "Slider",
    view: null,
    split: 0.5,
    second: false,
    isPlaying: true,
    gain: 1,
    sizes: [null, null],
    told: "",
  };
  #area = createRef<ZoomArea>();
  #stage = createRef<HTMLDivElement>();
  #timer: ReturnType<typeof setInterval> | undefined;
  #isDividing = false;

  override componentDidMount(): void {
    this.#timer = setInterval(() => {
      if (this.state.mode === "Flicker" && this.state.isPlaying) this.#flip();
    }, FLICKER);
  }

  override componentWillUnmount(): void {
    clearInterval(this.#timer);
  }

  override componentDidUpdate(before: Props): void {
    if (
      before.sides[0].blob !== this.props.sides[0].blob ||
      before.sides[1].blob !== this.props.sides[1].blob
    )
      this.setState({ view: null, told: "" });
  }

  #flip = () => this.setState(({ second }) => ({ second: !second }));

  #choose(mode: Mode): void {
    const isStill = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.setState({ mode, isPlaying: !isStill, told: "" });
    if (mode === "Difference") this.#measure();
  }

  /** The size at which both are shown: that of the larger one. */
  get #size(): Size | null {
    const [one, other] = this.state.sizes;
    if (!one || !other) return null;
    return one.width * one.height >= other.width * other.height ? one : other;
  }

  #measure(): void {
    const [one, other] = this.#stage.current?.querySelectorAll("img") ?? [];
    const size = this.#size;
    if (one === undefined || other === undefined || size === null) return;
    const difference = differenceOf([one, other], size);
    this.setState({ told: difference === null ? "" : inWords(difference) });
  }

  #onLoad = (event: Event, index: number) => {
    const { naturalWidth: width, naturalHeight: height } = event.target as HTMLImageElement;
    this.setState(
      ({ sizes }) => ({ sizes: sizes.with(index, { width, height }) }),
      () => {
        if (this.state.mode === "Difference") this.#measure();
      },
    );
  };

  #onPointerDown = (event: PointerEvent) => {
    const isHandle = (event.target as Element).closest(".divider") !== null;
    if (this.state.mode !== "Slider" || event.button !== 0 || !(isHandle || this.state.view === null)) return;
    event.stopPropagation();
    (event.currentTarget as Element).setPointerCapture(event.pointerId);
    this.#isDividing = true;
    this.#divide(event);
  };

  #divide = (event: PointerEvent) => {
    const box = this.#stage.current?.querySelector(".zoomed")?.getBoundingClientRect();
    if (!this.#isDividing || box === undefined || box.width === 0) return;
    event.stopPropagation();
    this.setState({ split: Math.min(1, Math.max(0, (event.clientX - box.left) / box.width)) });
  };

  #onPointerUp = () => {
    this.#isDividing = false;
  };

  #onKeyDown = (event: KeyboardEvent) => {
    const acts: Record<string, () => void> = {
      "+": () => this.#area.current?.zoomBy(ZOOM),
      "=": () => this.#area.current?.zoomBy(ZOOM),
      "-": () => this.#area.current?.zoomBy(1 / ZOOM),
      "0": () => this.setState({ view: null }),
      "1": () => this.#area.current?.actual(),
    };
    const act = acts[event.key];
    if (act === undefined || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    act();
  };

  #image(index: 0 | 1) {
    const { blob, caption } = this.props.sides[index];
    return (
      <div class={index === 0 ? "layer-a" : "layer-b"} onLoadCapture={(event) => this.#onLoad(event, index)}>
        <BlobImage blob={blob} alt={caption} />
      </div>
    );
  }

  #areas() {
    const { mode, view, split } = this.state;
    const props = { size: this.#size, view, onView: (next: View | null) => this.setState({ view: next }) };
    if (mode === "Side by side") {
      return (
        <>
          <ZoomArea {...props} handle={this.#area} key="a">
            {this.#image(0)}
          </ZoomArea>
          <ZoomArea {...props} key="b">
            {this.#image(1)}
          </ZoomArea>
        </>
      );
    }
    return (
      <ZoomArea {...props} handle={this.#area} key="both">
        {this.#image(0)}
        {this.#image(1)}
        {mode === "Slider" && <div class="divider" style={{ left: `${100 * split}%` }} />}
      </ZoomArea>
    );
  }

  override render({ sides, words }: Props, state: State) {
    const { mode, split, second, isPlaying, gain, sizes, told } = state;
    const [one, other] = sizes;
    const differ = one && other && (one.width !== other.width || one.height !== other.height);
    const size = this.#size;
    return (
      // The keys are those of the buttons.
      // biome-ignore lint/a11y/noStaticElementInteractions: see above
      <div
        class="comparison"
        style={{ "--shape": size === null ? 1 : size.width / size.height }}
        onKeyDown={this.#onKeyDown}
      >
        <div class="looks">
          <fieldset class="modes" aria-label="How to compare">
            {MODES.map((name) => (
              <button
                key={name}
                type="button"
                aria-pressed={mode === name}
                onClick={() => this.#choose(name)}
              >
                {name}
              </button>
            ))}
          </fieldset>
          {mode === "Slider" && (
            <input
              type="range"
              class="slider"
              aria-label="Divide"
              min={0}
              max={100}
              value={100 * split}
              style={{ "--filled": `${100 * split}%` }}
              onInput={({ currentTarget }) => this.setState({ split: Number(currentTarget.value) / 100 })}
            />
          )}
          {mode === "Flicker" && (
            <>
              <button
                type="button"
                class="quiet-button"
                onClick={() => this.setState({ isPlaying: !isPlaying })}
              >
                {isPlaying ? "Hold" : "Play"}
              </button>
              <button type="button" class="quiet-button" onClick={this.#flip}>
                Swap
              </button>
            </>
          )}
          {mode === "Difference" && (
            <fieldset class="modes" aria-label="Brightness of the difference">
              {GAINS.map((name) => (
                <button
                  key={name}
                  type="button"
                  aria-pressed={gain === name}
                  onClick={() => this.setState({ gain: name })}
                >
                  ×{name}
                </button>
              ))}
            </fieldset>
          )}
          <ZoomTools area={this.#area} onFit={() => this.setState({ view: null })} />
        </div>
        <div
          ref={this.#stage}
          class="pair"
          data-mode={mode}
          data-off={mode === "Flicker" ? (second ? "a" : "b") : undefined}
          style={{
            "--split": `${100 * split}%`,
            "--gain": gain,
          }}
          onPointerDownCapture={this.#onPointerDown}
          onPointerMoveCapture={this.#divide}
          onPointerUpCapture={this.#onPointerUp}
        >
          {this.#areas()}
        </div>
        <div class="captions" data-mode={mode}>
          <span data-shown={mode !== "Flicker" || !second}>{sides[0].caption}</span>
          <span data-shown={mode !== "Flicker" || second}>{sides[1].caption}</span>
        </div>
        {differ && (
          <p class="told">
            The sizes differ, {sizeWords(one)} and {sizeWords(other)}: the smaller one is fitted to the
            larger.
          </p>
        )}
        {told !== "" && (
          <p class="told" role="status">
            {told}
          </p>
        )}
        <Differing words={words} />
      </div>
    );
  }
}
