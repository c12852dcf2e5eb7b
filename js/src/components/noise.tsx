import { Component, createRef } from "preact";
import { OwnTime } from "../lib/later";
import { blend, normal, placeOf, showSigma, sigmaAt } from "../lib/noise";
import type { NoiseState } from "../lib/teaching";
import { Slider } from "./slider";

interface Props {
  state: NoiseState;
  image: Blob | undefined;
  onSigma: (sigma: number) => void;
}

/** An image under as much noise as the slider says, drawn here so that it follows at once. */
export class Noise extends Component<Props, { sigma: number }> {
  override state = { sigma: this.props.state.sigma };
  #canvas = createRef<HTMLCanvasElement>();
  #pixels: ImageData | null = null;
  #noise: Float32Array = new Float32Array();
  readonly #own = new OwnTime();

  override componentDidMount(): void {
    this.#load();
  }

  override componentWillUnmount(): void {
    this.#own.end();
  }

  override componentDidUpdate(before: Props): void {
    if (before.state.sigma !== this.props.state.sigma)
      this.#own.hear(() => this.setState({ sigma: this.props.state.sigma }));
    if (before.image !== this.props.image) this.#load();
    else this.#draw();
  }

  async #load(): Promise<void> {
    const { image, state } = this.props;
    if (image === undefined) return;
    const bitmap = await createImageBitmap(image);
    const canvas = this.#canvas.current;
    if (canvas === null) return;
    canvas.width = bitmap.width;
    canvas.height = bitmap.height;
    const context = canvas.getContext("2d");
    if (context === null) return;
    context.drawImage(bitmap, 0, 0);
    this.#pixels = context.getImageData(0, 0, bitmap.width, bitmap.height);
    this.#noise = normal(bitmap.width * bitmap.height * 3, state.seed);
    this.#draw();
  }

  #draw(): void {
    const canvas = this.#canvas.current;
    const pixels = this.#pixels;
    if (canvas === null || pixels === null) return;
    const mixed = blend(pixels.data, this.#noise, this.state.sigma / this.props.state.scale);
    canvas.getContext("2d")?.putImageData(new ImageData(mixed, pixels.width, pixels.height), 0, 0);
  }

  #slide = (place: number): void => {
    const { lowest, highest } = this.props.state;
    const sigma = sigmaAt(place, lowest, highest);
    this.#own.touch();
    this.setState({ sigma });
    this.props.onSigma(sigma);
  };

  override render() {
    const { lowest, highest } = this.props.state;
    const { sigma } = this.state;
    return (
      <section class="teach narrow">
        <canvas
          ref={this.#canvas}
          class="cells"
          role="img"
          aria-label={`The image under noise of level ${showSigma(sigma)}`}
        />
        <Slider
          label="Noise level"
          shown={`σ = ${showSigma(sigma)}`}
          min={0}
          max={1}
          step={0.001}
          value={placeOf(sigma, lowest, highest)}
          onInput={this.#slide}
        />
      </section>
    );
  }
}
