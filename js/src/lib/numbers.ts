/** Numbers as people type them. Whole numbers are BigInt throughout: a seed may be 2**64-1. */

export function parseWhole(text: string): bigint | null {
  const clean = text.trim().replace(/[\s_]/g, "");
  return /^[+-]?\d+$/.test(clean) ? BigInt(clean.replace(/^\+/, "")) : null;
}

export function parseReal(text: string): number | null {
  const clean = text.trim().replace(",", ".");
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(clean)) return null;
  const value = Number(clean);
  return Number.isFinite(value) ? value : null;
}

/** A number short enough to read: 0.1 + 0.2 is "0.3". */
export function formatReal(value: number): string {
  return String(Number(value.toPrecision(12)));
}

export function toWhole(value: string | number | null): bigint | null {
  if (value === null) return null;
  return typeof value === "string" ? parseWhole(value) : BigInt(Math.round(value));
}

/** The next whole number in the direction of `by`, inside the bounds. */
export function stepWhole(value: bigint, by: bigint, min: bigint | null, max: bigint | null): bigint {
  const next = value + by;
  if (min !== null && next < min) return min;
  if (max !== null && next > max) return max;
  return next;
}

export function stepReal(value: number, by: number, min: number | null, max: number | null): number {
  const next = Number((value + by).toPrecision(12));
  return Math.min(max ?? Number.POSITIVE_INFINITY, Math.max(min ?? Number.NEGATIVE_INFINITY, next));
}

/** Fills the array with random bytes; `crypto.getRandomValues` outside tests. */
export type RandomBytes = (bytes: Uint8Array<ArrayBuffer>) => unknown;

const systemRandom: RandomBytes = (bytes) => crypto.getRandomValues(bytes);

/** A whole number from `min` to `max`, both included and all equally likely. */
export function randomWhole(min: bigint, max: bigint, random: RandomBytes = systemRandom): bigint {
  const span = max - min + 1n;
  if (span <= 1n) return min;
  const size = Math.ceil(span.toString(2).length / 8);
  const bytes = new Uint8Array(size);
  // Values from the incomplete last stretch are drawn again, or the low numbers would come more often.
  const limit = ((1n << BigInt(8 * size)) / span) * span;
  for (;;) {
    random(bytes);
    const drawn = bytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
    if (drawn < limit) return min + (drawn % span);
  }
}
