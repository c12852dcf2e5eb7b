import { Component } from "preact";
import { OwnTime } from "../lib/later";
import { showSigma } from "../lib/noise";
import type { Pictures } from "../lib/pictures";
import type { StepRow, StepsState } from "../lib/teaching";
import { BlobImage } from "./blob-image";
import { Slider } from "./slider";

interface Props {
  state: StepsState;
  pictures: Pictures;
  onStep: (step: number) => void;
  onExport: () => void;
}

const PACE = 400;

/** A run step by step: what the sampler has, what the model takes it for, and the scenes that it thinks of. */
export class Steps extends Component<Props, { step: number; playing: boolean }> {
  override state = { step: this.props.state.step, playing: false };
  #timer: ReturnType<typeof setInterval> | undefined;
  readonly #own = new OwnTime();

  override componentDidUpdate(before: Props): void {
    if (before.state.step !== this.props.state.step)
      this.#own.hear(() => this.setState({ step: this.props.state.step }));
  }

  override componentWillUnmount(): void {
    this.#own.end();
    clearInterval(this.#timer);
  }

  #go = (step: number): void => {
    this.#own.touch();
    this.setState({ step });
    this.props.onStep(step);
  };

  #stop(): void {
    clearInterval(this.#timer);
    this.setState({ playing: false });
  }

  #play = (): void => {
    if (this.state.playing) {
      this.#stop();
      return;
    }
    const last = this.props.state.steps.length;
    this.setState({ playing: true });
    if (this.state.step >= last) this.#go(1);
    this.#timer = setInterval(() => {
      if (this.state.step >= last) this.#stop();
      else this.#go(this.state.step + 1);
    }, PACE);
  };

  override render() {
    const { state, pictures } = this.props;
    const { steps, caption, words } = state;
    const step = Math.min(Math.max(this.state.step, 1), steps.length);
    const row = steps[step - 1];
    if (row === undefined) {
      return (
        <section class="teach">
          <p class="quiet" role="status">
            {words}
          </p>
        </section>
      );
    }
    return (
      <section class="teach">
        <div class="pair">
          <Picture blob={pictures.get(`x${step - 1}`)} name="What the sampler has" isCells />
          <Picture blob={pictures.get(`estimate${step - 1}`)} name="What the model takes it for" />
        </div>
        <Slider
          label={`Step ${step} of ${steps.length}`}
          shown={`σ = ${showSigma(row.sigma)} → ${showSigma(row.next)}`}
          min={1}
          max={Math.max(steps.length, 2)}
          step={1}
          value={step}
          disabled={steps.length < 2}
          onInput={(value) => {
            this.#stop();
            this.#go(Math.min(value, steps.length));
          }}
        />
        <div class="row">
          <button type="button" class="button small" onClick={this.#play}>
            {this.state.playing ? "Pause" : "Play"}
          </button>
          <button type="button" class="button small" onClick={this.props.onExport}>
            Save animation
          </button>
          <span class="quiet">
            {caption} · {row.evaluations} {row.evaluations === 1 ? "call" : "calls"} of the model
          </span>
        </div>
        <Scenes row={row} pictures={pictures} />
      </section>
    );
  }
}

function Picture({ blob, name, isCells }: { blob: Blob | undefined; name: string; isCells?: boolean }) {
  return (
    <figure class={isCells ? "picture cells" : "picture"}>
      {blob !== undefined && <BlobImage blob={blob} alt={name} />}
      <figcaption>{name}</figcaption>
    </figure>
  );
}

function Scenes({ row, pictures }: { row: StepRow; pictures: Pictures }) {
  return (
    <div>
      <h3>Scenes it thinks of</h3>
      <ol class="scenes">
        {row.scenes.map(({ picture, words, share }) => {
          const blob = pictures.get(picture);
          return (
            <li key={picture}>
              {blob !== undefined && <BlobImage blob={blob} alt="" />}
              <span class="words">{words}</span>
              <span class="share">
                <span class="share-bar" style={{ width: `${Math.max(share * 100, 0.5)}%` }} />
              </span>
              <span class="percent">{share < 0.01 ? "< 1" : Math.round(share * 100)} %</span>
            </li>
          );
        })}
      </ol>
    </div>
  );
}
