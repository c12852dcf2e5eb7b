import { describe, expect, it } from "vitest";
import { count, inWords } from "../src/lib/difference";
import { clamp, fit, zoomTo } from "../src/lib/zoom";

const ROOM = { width: 800, height: 600 };

describe("an image in its room", () => {
  it("is seen whole at first, and a tiny one not blown up without end", () => {
    expect(fit({ width: 1600, height: 600 }, ROOM)).toEqual({ scale: 0.5, x: 0, y: 0 });
    expect(fit({ width: 10, height: 10 }, ROOM).scale).toBe(8);
    expect(fit({ width: 10, height: 10 }, { width: 0, height: 0 }).scale).toBe(1);
  });

  it("keeps what is under the pointer when it is zoomed", () => {
    const size = { width: 800, height: 600 };
    const before = { scale: 2, x: 100, y: -50 };
    const after = zoomTo(before, 4, [120, 80], size, ROOM);
    const under = ({ scale, x, y }: typeof before) => [(120 - x) / scale, (80 - y) / scale];
    expect(under(after)).toEqual(under(before));
  });

  it("never leaves the room, nor grows or shrinks without end", () => {
    const size = { width: 400, height: 2000 };
    expect(clamp({ scale: 1, x: 500, y: 5000 }, size, ROOM)).toEqual({ scale: 1, x: 0, y: 700 });
    const view = { scale: 1, x: 0, y: 0 };
    expect(zoomTo(view, 1000, [0, 0], size, ROOM).scale).toBe(32);
    expect(zoomTo(view, 0, [0, 0], size, ROOM).scale).toBe(0.3);
  });
});

describe("the difference of two images", () => {
  const pixels = (...values: number[]) => Uint8ClampedArray.from(values);

  it("is counted over pixels and colours", () => {
    const one = pixels(0, 0, 0, 255, 10, 10, 10, 255);
    expect(count(one, one)).toEqual({ share: 0, mean: 0 });
    expect(count(one, pixels(0, 0, 0, 255, 13, 10, 7, 255))).toEqual({ share: 0.5, mean: 1 });
    expect(count(one, pixels(0, 0, 0, 0, 10, 10, 10, 255)).share).toBe(0.5);
  });

  it("is told without claiming too much", () => {
    expect(inWords({ share: 0, mean: 0 })).toBe("The same, pixel by pixel.");
    expect(inWords({ share: 0.0001, mean: 0.01 })).toContain("less than 1 %");
    expect(inWords({ share: 0.9999, mean: 12.34 })).toContain("more than 99 % of the pixels differ, by 12.3");
    expect(inWords({ share: 1, mean: 12 })).toContain("100 %");
  });
});
