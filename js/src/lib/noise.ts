/** Independent normally distributed numbers of a seed (mulberry32 and Box-Muller). */
export function normal(count: number, seed: number): Float32Array {
  let state = seed >>> 0;
  const uniform = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
  const numbers = new Float32Array(count);
  for (let index = 0; index < count; index += 2) {
    const radius = Math.sqrt(-2 * Math.log(1 - uniform()));
    const angle = 2 * Math.PI * uniform();
    numbers[index] = radius * Math.cos(angle);
    if (index + 1 < count) numbers[index + 1] = radius * Math.sin(angle);
  }
  return numbers;
}

/** A slider's place, 0 to 1, for a noise level: none at its left end, and then even in the logarithm. */
export function placeOf(sigma: number, lowest: number, highest: number): number {
  if (sigma < lowest) return 0;
  return 0.02 + 0.98 * (Math.log(sigma / lowest) / Math.log(highest / lowest));
}

export function sigmaAt(place: number, lowest: number, highest: number): number {
  if (place < 0.02) return 0;
  return Math.min(highest, lowest * (highest / lowest) ** ((place - 0.02) / 0.98));
}

/** The contrast of an image of the world: that of the sum is scaled back to it. */
const CONTRAST = 0.25;

/** Draw an image under noise; both are values of a pixel, 0 to 255, and `deviation` counts whole colours, 0 to 1. */
export function blend(
  image: Uint8ClampedArray,
  noise: Float32Array,
  deviation: number,
): Uint8ClampedArray<ArrayBuffer> {
  const mixed = new Uint8ClampedArray(image.length);
  const scale = 1 / Math.sqrt(1 + (deviation / CONTRAST) ** 2);
  let next = 0;
  for (let index = 0; index < image.length; index++) {
    if (index % 4 === 3) {
      mixed[index] = 255;
      continue;
    }
    const value = (image[index] ?? 0) / 255 - 0.5 + deviation * (noise[next++] ?? 0);
    mixed[index] = 255 * (0.5 + value * scale);
  }
  return mixed;
}

/** A noise level as people read it. */
export function showSigma(sigma: number): string {
  return sigma === 0 ? "0" : sigma < 1 ? sigma.toFixed(3) : sigma.toFixed(2);
}
