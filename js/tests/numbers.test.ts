import { describe, expect, it } from "vitest";
import { formatReal, parseReal, parseWhole, randomWhole, stepReal, stepWhole } from "../src/lib/numbers";

const BIGGEST = 18446744073709551615n;

describe("whole numbers", () => {
  it("are exact up to 2**64-1", () => {
    expect(parseWhole("18446744073709551615")).toBe(BIGGEST);
    expect(parseWhole("9007199254740993")?.toString()).toBe("9007199254740993");
    expect(parseWhole(" +1 000 ")).toBe(1000n);
    expect(parseWhole("-5")).toBe(-5n);
  });

  it.each(["", "1.5", "1e3", "abc", "0x10", "--1"])("%j is none", (text) => {
    expect(parseWhole(text)).toBeNull();
  });

  it("stop at their bounds when stepped", () => {
    expect(stepWhole(BIGGEST - 1n, 5n, 0n, BIGGEST)).toBe(BIGGEST);
    expect(stepWhole(1n, -8n, 1n, null)).toBe(1n);
    expect(stepWhole(512n, 8n, 16n, 16384n)).toBe(520n);
  });
});

describe("real numbers", () => {
  it("are read with point or comma", () => {
    expect(parseReal("1,5")).toBe(1.5);
    expect(parseReal("1.")).toBe(1);
    expect(parseReal(".25")).toBe(0.25);
    expect(parseReal("1e-3")).toBe(0.001);
  });

  it.each(["", "NaN", "Infinity", "1.2.3", "1e999"])("%j is none", (text) => {
    expect(parseReal(text)).toBeNull();
  });

  it("stay short when stepped", () => {
    expect(formatReal(stepReal(0.1, 0.2, null, null))).toBe("0.3");
    expect(stepReal(0.99, 0.05, 0, 1)).toBe(1);
  });
});

describe("random whole numbers", () => {
  const bytes = (...values: number[]) => {
    let at = 0;
    return (into: Uint8Array) => {
      for (let index = 0; index < into.length; index++) into[index] = values[at++ % values.length] ?? 0;
    };
  };

  it("reach both ends of the whole range of seeds", () => {
    expect(randomWhole(0n, BIGGEST, bytes(255))).toBe(BIGGEST);
    expect(randomWhole(0n, BIGGEST, bytes(0))).toBe(0n);
  });

  it("are drawn again where they would make low numbers likelier", () => {
    // 256 values do not divide evenly into 3: 255 is beyond the last full stretch.
    expect(randomWhole(10n, 12n, bytes(255, 1))).toBe(11n);
  });

  it("stay in a narrow range", () => {
    for (let count = 0; count < 200; count++) {
      const value = randomWhole(5n, 7n);
      expect(value >= 5n && value <= 7n).toBe(true);
    }
    expect(randomWhole(9n, 9n)).toBe(9n);
  });
});
