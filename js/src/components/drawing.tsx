import { Component, createRef } from "preact";
import type { DrawingState } from "../lib/teaching";
import { Slider } from "./slider";

interface Props {
  state: DrawingState;
  image: Blob | undefined;
  onDrawn: (drawn: Blob, version: number) => void;
}

interface Stroke {
  colour: string;
  size: number;
  points: [number, number][];
}

interface Chosen {
  colour: string;
  size: number;
  strokes: readonly Stroke[];
}

/** A sheet, colours and a brush; each stroke is kept, so that it can be taken back. */
export class Drawing extends Component<Props, Chosen> {
  override state: Chosen = { colour: this.props.state.colours[0] ?? "#000", size: 16, strokes: [] };
  #canvas = createRef<HTMLCanvasElement>();
  #sheet: ImageBitmap | null = null;
  #stroke: Stroke | null = null;

  override componentDidMount(): void {
    this.#load();
  }

  override componentDidUpdate(before: Props): void {
    if (before.image !== this.props.image) this.#load();
  }

  override componentWillUnmount(): void {
    this.#sheet?.close();
  }

  async #load(): Promise<void> {
    const { image } = this.props;
    if (image === undefined) return;
    const sheet = await createImageBitmap(image);
    this.#sheet?.close();
    this.#sheet = sheet;
    this.#paint([]);
    this.setState({ strokes: [] });
  }

  /** Draw everything anew. */
  #paint(strokes: readonly Stroke[]): void {
    const canvas = this.#canvas.current;
    if (canvas === null || this.#sheet === null) return;
    canvas.width = this.#sheet.width;
    canvas.height = this.#sheet.height;
    canvas.getContext("2d")?.drawImage(this.#sheet, 0, 0);
    for (const stroke of strokes) this.#draw(stroke);
  }

  #draw({ colour, size, points }: Stroke): void {
    const context = this.#canvas.current?.getContext("2d");
    const [first] = points;
    if (!context || first === undefined) return;
    context.strokeStyle = colour;
    context.lineWidth = size;
    context.lineCap = context.lineJoin = "round";
    context.beginPath();
    context.moveTo(...first);
    // A line of no length is a dot.
    for (const point of points.length > 1 ? points : [first]) context.lineTo(...point);
    context.stroke();
  }

  #tell(strokes: readonly Stroke[]): void {
    this.setState({ strokes });
    const { version } = this.props.state;
    this.#canvas.current?.toBlob((drawn) => {
      if (drawn !== null) this.props.onDrawn(drawn, version);
    }, "image/png");
  }

  #pointOf({ clientX, clientY }: PointerEvent): [number, number] {
    const canvas = this.#canvas.current;
    const box = canvas?.getBoundingClientRect();
    if (!canvas || !box || box.width === 0) return [0, 0];
    return [
      ((clientX - box.left) / box.width) * canvas.width,
      ((clientY - box.top) / box.height) * canvas.height,
    ];
  }

  #down = (event: PointerEvent): void => {
    if (event.button !== 0 || !event.isPrimary) return;
    event.preventDefault();
    (event.currentTarget as Element).setPointerCapture(event.pointerId);
    const { colour, size } = this.state;
    this.#stroke = { colour, size, points: [this.#pointOf(event)] };
    this.#draw(this.#stroke);
  };

  #move = (event: PointerEvent): void => {
    if (this.#stroke === null) return;
    this.#stroke.points.push(this.#pointOf(event));
    this.#draw({ ...this.#stroke, points: this.#stroke.points.slice(-2) });
  };

  #up = (): void => {
    if (this.#stroke === null) return;
    const strokes = [...this.state.strokes, this.#stroke];
    this.#stroke = null;
    this.#tell(strokes);
  };

  #replace(strokes: readonly Stroke[]): void {
    this.#paint(strokes);
    this.#tell(strokes);
  }

  override render() {
    const { colours } = this.props.state;
    const { colour, size, strokes } = this.state;
    return (
      <section class="teach narrow">
        <fieldset class="colours" aria-label="Colour">
          {colours.map((one) => (
            <button
              key={one}
              type="button"
              class="colour"
              style={{ background: one }}
              aria-label={one}
              aria-pressed={one === colour}
              onClick={() => this.setState({ colour: one })}
            />
          ))}
          <input
            type="color"
            aria-label="Another colour"
            value={colour}
            onInput={(event) => this.setState({ colour: event.currentTarget.value })}
          />
        </fieldset>
        <canvas
          ref={this.#canvas}
          class="sheet"
          role="img"
          aria-label={`A drawing of ${strokes.length} ${strokes.length === 1 ? "stroke" : "strokes"}`}
          onPointerDown={this.#down}
          onPointerMove={this.#move}
          onPointerUp={this.#up}
          onPointerCancel={this.#up}
        />
        <Slider
          label="Brush"
          shown={`${size} pixels`}
          min={1}
          max={96}
          step={1}
          value={size}
          onInput={(value) => this.setState({ size: value })}
        />
        <div class="row">
          <button
            type="button"
            class="button small"
            aria-disabled={strokes.length === 0}
            onClick={() => {
              if (strokes.length > 0) this.#replace(strokes.slice(0, -1));
            }}
          >
            Undo
          </button>
          <button
            type="button"
            class="button small"
            aria-disabled={strokes.length === 0}
            onClick={() => {
              if (strokes.length > 0) this.#replace([]);
            }}
          >
            Clear
          </button>
        </div>
      </section>
    );
  }
}
