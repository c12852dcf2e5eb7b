import { Component } from "preact";
import type { Pictures } from "../lib/pictures";
import type { LessonState } from "../lib/teaching";
import { BlobImage } from "./blob-image";
import { showNumber } from "./lesson-parts";
import { Slider } from "./slider";

interface Props {
  state: LessonState;
  pictures: Pictures;
  onAnswer: (answer: number | readonly number[]) => void;
}

interface Chosen {
  picked: readonly number[];
  value: number;
}

/** The question's controls: choose, order, or estimate; nothing is told before "Predict" is pressed. */
export class Ask extends Component<Props, Chosen> {
  override state: Chosen = { picked: [], value: middle(this.props.state.range) };

  #pick = (index: number): void => {
    const { kind } = this.props.state;
    const { picked } = this.state;
    if (kind !== "order") this.setState({ picked: [index] });
    else if (picked.includes(index)) this.setState({ picked: picked.filter((other) => other !== index) });
    else this.setState({ picked: [...picked, index] });
  };

  #answer(): number | readonly number[] | null {
    const { kind, options } = this.props.state;
    const { picked, value } = this.state;
    if (kind === "estimate") return value;
    if (kind === "order") return picked.length === options.length ? picked : null;
    return picked[0] ?? null;
  }

  override render() {
    const { state, onAnswer } = this.props;
    const answer = this.#answer();
    return (
      <div class="ask">
        {state.kind === "estimate" ? this.#estimate() : this.#options()}
        <div class="row">
          <button
            type="button"
            class="button primary"
            aria-disabled={answer === null}
            onClick={() => {
              if (answer !== null) onAnswer(answer);
            }}
          >
            Predict
          </button>
          <span class="quiet">{state.action === "run" ? "Then Run opens." : "Then it opens."}</span>
        </div>
      </div>
    );
  }

  #estimate() {
    const [low = 0, high = 1, step = 0.01] = this.props.state.range;
    const { unit } = this.props.state;
    return (
      <Slider
        label="Your estimate"
        shown={`${showNumber(this.state.value)}${unit === "" ? "" : ` ${unit}`}`}
        min={low}
        max={high}
        step={step}
        value={this.state.value}
        onInput={(value) => this.setState({ value })}
      />
    );
  }

  #options() {
    const { state, pictures } = this.props;
    const isOrder = state.kind === "order";
    const hasPictures = state.options.some(({ picture }) => picture !== "");
    return (
      <>
        {isOrder && <p class="quiet">Press them one after the other, in your order.</p>}
        <fieldset class={hasPictures ? "options pictures" : "options"} aria-label={state.question}>
          {state.options.map(({ label, picture }, index) => {
            const place = this.state.picked.indexOf(index);
            const blob = pictures.get(picture);
            return (
              <button
                key={label}
                type="button"
                class="option"
                aria-pressed={place >= 0}
                onClick={() => this.#pick(index)}
              >
                {blob !== undefined && <BlobImage blob={blob} alt="" />}
                <span>
                  {isOrder && place >= 0 && <span class="place">{place + 1}</span>}
                  {label}
                </span>
              </button>
            );
          })}
        </fieldset>
      </>
    );
  }
}

function middle([low = 0, high = 1, step = 0.01]: readonly number[]): number {
  return low + Math.round((high - low) / 2 / step) * step;
}
