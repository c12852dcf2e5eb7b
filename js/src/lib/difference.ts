/** How much two images differ, pixel by pixel. */
import type { Size } from "./zoom";

export interface Difference {
  /** Parts of all pixels that differ at all, from 0 to 1. */
  share: number;
  /** The mean over all pixels and colours, of 255. */
  mean: number;
}

/** More pixels than these are counted on a smaller copy. */
const MOST = 4_000_000;

/** Both are drawn at the size given; null where an image cannot be read. */
export function differenceOf(
  images: readonly [HTMLImageElement, HTMLImageElement],
  { width, height }: Size,
): Difference | null {
  const scale = Math.min(1, Math.sqrt(MOST / (width * height)));
  const [wide, high] = [Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale))];
  const [one, other] = images.map((image) => {
    const canvas = document.createElement("canvas");
    canvas.width = wide;
    canvas.height = high;
    const context = canvas.getContext("2d", { willReadFrequently: true });
    const fitted = Math.min(wide / image.naturalWidth, high / image.naturalHeight);
    const [w, h] = [image.naturalWidth * fitted, image.naturalHeight * fitted];
    context?.drawImage(image, (wide - w) / 2, (high - h) / 2, w, h);
    return context?.getImageData(0, 0, wide, high).data;
  });
  return one !== undefined && other !== undefined ? count(one, other) : null;
}

/** Count over two images of four bytes a pixel. */
export function count(one: Uint8ClampedArray, other: Uint8ClampedArray): Difference {
  let differing = 0;
  let sum = 0;
  for (let at = 0; at < one.length; at += 4) {
    let here = 0;
    for (let channel = at; channel < at + 4; channel++) {
      const off = Math.abs((one[channel] ?? 0) - (other[channel] ?? 0));
      here += off;
      if (channel < at + 3) sum += off;
    }
    if (here > 0) differing += 1;
  }
  const pixels = one.length / 4 || 1;
  return { share: differing / pixels, mean: sum / (3 * pixels) };
}

export function inWords({ share, mean }: Difference): string {
  if (share === 0) return "The same, pixel by pixel.";
  const percent = 100 * share;
  const part = percent < 1 ? "less than 1" : percent > 99 && share < 1 ? "more than 99" : percent.toFixed(0);
  return `${part} % of the pixels differ, by ${mean.toFixed(1)} of 255 on average.`;
}
