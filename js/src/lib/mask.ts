/** A mask as the strokes that made it, so that each can be undone however large the image is. */
import type { Point, Size } from "./zoom";

export interface Stroke {
  kind: "stroke";
  isEraser: boolean;
  /** Pixels of the image. */
  size: number;
  points: Point[];
}

export type Act = Stroke | { kind: "clear" } | { kind: "invert" };

const COLOR = "#ff4d7d";

export class MaskCanvas {
  readonly canvas: HTMLCanvasElement;
  readonly #context: CanvasRenderingContext2D;
  #done: Act[] = [];
  #undone: Act[] = [];

  /** `base` is the mask that the image has already: grey, white where it is. */
  constructor(
    canvas: HTMLCanvasElement,
    private readonly size: Size,
    private readonly base: ImageBitmap | null,
  ) {
    const context = canvas.getContext("2d");
    if (context === null) throw new Error("This browser has no canvas.");
    canvas.width = size.width;
    canvas.height = size.height;
    this.canvas = canvas;
    this.#context = context;
    this.#redraw();
  }

  get canUndo(): boolean {
    return this.#done.length > 0;
  }

  get canRedo(): boolean {
    return this.#undone.length > 0;
  }

  do(act: Act): void {
    this.#done.push(act);
    this.#undone = [];
    this.#apply(act);
  }

  /** Draw the last stroke on to a point. */
  extend(to: Point): void {
    const stroke = this.#done.at(-1);
    const from = stroke?.kind === "stroke" ? stroke.points.at(-1) : undefined;
    if (stroke?.kind !== "stroke" || from === undefined) return;
    stroke.points.push(to);
    this.#line(stroke, from, to);
  }

  undo(): void {
    const act = this.#done.pop();
    if (act === undefined) return;
    this.#undone.push(act);
    this.#redraw();
  }

  redo(): void {
    const act = this.#undone.pop();
    if (act === undefined) return;
    this.#done.push(act);
    this.#apply(act);
  }

  /** The mask in grey, white where it is, as PNG. */
  async png(): Promise<Blob> {
    const { width, height } = this.size;
    const grey = document.createElement("canvas");
    grey.width = width;
    grey.height = height;
    const context = grey.getContext("2d");
    if (context === null) throw new Error("This browser has no canvas.");
    context.drawImage(this.canvas, 0, 0);
    context.globalCompositeOperation = "source-in";
    fill(context, "#fff", this.size);
    context.globalCompositeOperation = "destination-over";
    fill(context, "#000", this.size);
    const png = await new Promise<Blob | null>((made) => grey.toBlob(made, "image/png"));
    if (png === null) throw new Error("This mask is too large for the browser.");
    return png;
  }

  #redraw(): void {
    this.#apply({ kind: "clear" });
    if (this.base !== null) this.#drawBase(this.base);
    for (const act of this.#done) this.#apply(act);
  }

  #drawBase(base: ImageBitmap): void {
    const { width, height } = this.size;
    this.#context.drawImage(base, 0, 0, width, height);
    const pixels = this.#context.getImageData(0, 0, width, height);
    const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) =>
      Number.parseInt(COLOR.slice(at, at + 2), 16),
    );
    for (let at = 0; at < pixels.data.length; at += 4) {
      const grey = pixels.data[at] ?? 0;
      pixels.data.set([red, green, blue, grey], at);
    }
    this.#context.putImageData(pixels, 0, 0);
  }

  #apply(act: Act): void {
    const context = this.#context;
    if (act.kind === "clear") {
      context.clearRect(0, 0, this.size.width, this.size.height);
    } else if (act.kind === "invert") {
      context.globalCompositeOperation = "xor";
      fill(context, COLOR, this.size);
    } else {
      const [first, ...rest] = act.points;
      if (first === undefined) return;
      this.#line(act, first, first);
      let from = first;
      for (const to of rest) {
        this.#line(act, from, to);
        from = to;
      }
    }
  }

  #line({ isEraser, size }: Stroke, from: Point, to: Point): void {
    const context = this.#context;
    context.globalCompositeOperation = isEraser ? "destination-out" : "source-over";
    context.strokeStyle = context.fillStyle = COLOR;
    context.lineCap = "round";
    context.lineWidth = size;
    context.beginPath();
    if (from[0] === to[0] && from[1] === to[1]) {
      // A line of no length would draw nothing.
      context.arc(...to, size / 2, 0, 2 * Math.PI);
      context.fill();
      return;
    }
    context.moveTo(...from);
    context.lineTo(...to);
    context.stroke();
  }
}

function fill(context: CanvasRenderingContext2D, color: string, { width, height }: Size): void {
  context.fillStyle = color;
  context.fillRect(0, 0, width, height);
}
