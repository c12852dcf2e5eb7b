import { Component, createRef } from "preact";
import { OwnTime } from "../lib/later";
import type { SliderState } from "../lib/teaching";
import { Slider } from "./slider";

interface Props {
  state: SliderState;
  /** Decoded images, by their place on the axes. */
  bitmaps: ReadonlyMap<string, ImageBitmap>;
  onMove: (at: readonly number[]) => void;
}

/** The images of a sweep behind sliders; what is shown is decoded already, so it follows at once. */
export class Replay extends Component<Props, { at: readonly number[] }> {
  override state = { at: this.props.state.at as readonly number[] };
  #canvas = createRef<HTMLCanvasElement>();
  readonly #own = new OwnTime();

  override componentDidMount(): void {
    this.#draw();
  }

  override componentWillUnmount(): void {
    this.#own.end();
  }

  override componentDidUpdate(before: Props): void {
    if (before.state.at !== this.props.state.at)
      this.#own.hear(() => this.setState({ at: this.props.state.at }));
    this.#draw();
  }

  #draw(): void {
    const canvas = this.#canvas.current;
    const bitmap = this.props.bitmaps.get(this.state.at.join(","));
    if (canvas === null || bitmap === undefined) return;
    if (canvas.width !== bitmap.width) canvas.width = bitmap.width;
    if (canvas.height !== bitmap.height) canvas.height = bitmap.height;
    const context = canvas.getContext("2d");
    context?.clearRect(0, 0, canvas.width, canvas.height);
    context?.drawImage(bitmap, 0, 0);
  }

  #move(axis: number, index: number): void {
    this.#own.touch();
    const at = this.state.at.with(axis, index);
    this.setState({ at });
    this.props.onMove(at);
  }

  override render() {
    const { title, axes, missing } = this.props.state;
    const { at } = this.state;
    const isMissing = missing.includes(at.join(","));
    const words = axes.map(({ label, values }, axis) => `${label} ${values[at[axis] ?? 0]}`).join(", ");
    return (
      <section class="teach narrow">
        {title !== "" && <h3>{title}</h3>}
        <div class="replay">
          <canvas ref={this.#canvas} role="img" aria-label={words} hidden={isMissing} />
          {isMissing && <p class="quiet">Nothing was recorded for these values.</p>}
        </div>
        {axes.map(({ label, values }, axis) => (
          <Slider
            key={label}
            label={label}
            shown={values[at[axis] ?? 0] ?? ""}
            min={0}
            max={values.length - 1}
            step={1}
            value={at[axis] ?? 0}
            onInput={(index) => this.#move(axis, index)}
          />
        ))}
      </section>
    );
  }
}
