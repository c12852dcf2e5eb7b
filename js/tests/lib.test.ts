import { describe, expect, it } from "vitest";
import { splitBytes, toBlob } from "../src/lib/bytes";
import { NO_IMAGES, takeImages } from "../src/lib/images";
import { LatestWins } from "../src/lib/latest";
import { aspect, columns } from "../src/lib/layout";
import { fitted, revealed, zoomed } from "../src/lib/view";
import { percent, status } from "../src/lib/words";
import { nodeWords, seconds } from "../src/lib/words-of-nodes";
import { imageMessage, runState } from "./model";

describe("bytes", () => {
  it("of a window on a larger buffer are only the window's", async () => {
    const blob = toBlob(new DataView(new Uint8Array([0, 1, 2, 3, 4]).buffer, 1, 3), "image/png");
    expect([...new Uint8Array(await blob.arrayBuffer())]).toEqual([1, 2, 3]);
    expect(blob.type).toBe("image/png");
  });

  it("go up in parts that are together the file", () => {
    const file = new Uint8Array([1, 2, 3, 4, 5]).buffer;
    expect(splitBytes(file, 2).map((part) => [...new Uint8Array(part)])).toEqual([[1, 2], [3, 4], [5]]);
    expect(splitBytes(new ArrayBuffer(0), 2)).toHaveLength(1);
  });
});

describe("LatestWins", () => {
  const held = () => {
    const painted: number[] = [];
    const waiting: (() => void)[] = [];
    const queue = new LatestWins<number>((item) => {
      painted.push(item);
      return new Promise((resolve) => waiting.push(resolve));
    });
    const next = async () => {
      waiting.shift()?.();
      await new Promise((resolve) => setTimeout(resolve, 0));
    };
    return { painted, queue, next };
  };

  it("drops what came in between, and paints the last", async () => {
    const { painted, queue, next } = held();
    for (const item of [1, 2, 3, 4]) queue.put(item);
    await next();
    await next();
    expect(painted).toEqual([1, 4]);
  });

  it("goes on after a frame that cannot be read", async () => {
    const painted: number[] = [];
    const queue = new LatestWins<number>(async (item) => {
      if (item === 1) throw new Error("broken");
      painted.push(item);
    });
    queue.put(1);
    await Promise.resolve();
    queue.put(2);
    await new Promise((resolve) => setTimeout(resolve, 0));
    expect(painted).toEqual([2]);
  });

  it("paints nothing while paused, and then the newest", async () => {
    const { painted, queue } = held();
    queue.pause(true);
    queue.put(1);
    queue.put(2);
    expect(painted).toEqual([]);
    queue.pause(false);
    expect(painted).toEqual([2]);
  });

  it("stops", async () => {
    const { painted, queue, next } = held();
    queue.put(1);
    queue.put(2);
    queue.stop();
    await next();
    expect(painted).toEqual([1]);
  });
});

describe("layout", () => {
  const square = (count: number) => ({ width: 512, height: 512, count });

  it.each([
    [1, 1],
    [2, 2],
    [3, 2],
    [4, 2],
    [6, 3],
    [9, 3],
    [16, 4],
    [17, 5],
    [64, 8],
  ])("%i squares stand in at most %i columns", (count, cols) => {
    expect(columns(square(count))).toBe(cols);
  });

  it("has the aspect of the whole grid", () => {
    expect(aspect(square(4))).toBeCloseTo(1);
    expect(aspect({ width: 768, height: 512, count: 1 })).toBeCloseTo(1.5);
    // Two rows with the gap between them.
    expect(aspect({ width: 512, height: 256, count: 2 })).toBeCloseTo(1 / (1 + 0.014));
    expect(aspect(square(500))).toBe(1);
    expect(Number.isFinite(aspect({ width: 1, height: 1, count: 0 }))).toBe(true);
  });
});

describe("words", () => {
  it("say what a run does", () => {
    expect(status(runState({ phase: "waiting", queue: 2 }))).toBe("Waiting, 2 ahead");
    expect(status(runState({ phase: "waiting", queue: 0 }))).toBe("Waiting for the server");
    expect(status(runState({ phase: "running", node: "KSampler", step: 3, steps: 20 }))).toBe(
      "KSampler · step 3 of 20",
    );
    expect(status(runState({ phase: "running", node: "VAE Decode", step: 1, steps: 1 }))).toBe("VAE Decode");
    expect(status(runState({ phase: "cancelling" }))).toBe("Cancelling");
  });

  it("round percents down, but not below themselves", () => {
    expect(percent(0.58)).toBe("58 %");
    expect(percent(0.999)).toBe("99 %");
    expect(percent(7)).toBe("100 %");
  });
});

describe("images", () => {
  const bytes = new DataView(new ArrayBuffer(4));
  const message = (run: number, index: number, total = 2, whole = true) =>
    imageMessage({ run, index, total, whole });

  it("fill their places in any order", () => {
    const one = takeImages(NO_IMAGES, message(1, 1), [bytes]);
    expect(one.items.map(Boolean)).toEqual([false, true]);
    expect(takeImages(one, message(1, 0), [bytes]).items.map(Boolean)).toEqual([true, true]);
  });

  it("of another run replace those before", () => {
    const newer = takeImages(NO_IMAGES, message(2, 0, 1), [bytes]);
    expect(takeImages(newer, message(3, 0, 3), [bytes]).items).toHaveLength(3);
    expect(takeImages(newer, message(1, 0), [bytes]).run).toBe(1);
  });

  it("that are here are not given back for the place of one that comes later", () => {
    const nothing = new DataView(new ArrayBuffer(0));
    const place = takeImages(NO_IMAGES, message(1, 0, 1, false), [nothing]);
    expect(place.items[0]).toMatchObject({ isLater: true });
    const come = takeImages(place, message(1, 0, 1, false), [bytes]);
    expect(come.items[0]).toMatchObject({ isLater: false });
    expect(takeImages(come, message(1, 0, 1, false), [nothing]).items[0]).toBe(come.items[0]);
  });

  it("become whole when the original comes", () => {
    const small = takeImages(NO_IMAGES, message(1, 0, 1, false), [bytes]);
    const original = {
      kind: "original",
      run: 1,
      index: 0,
      mime: "image/png",
      name: "a.png",
      caption: "a.png",
    } as const;
    expect(takeImages(small, original, [bytes]).items[0]).toMatchObject({ whole: true, name: "a.png" });
    expect(takeImages(small, { ...original, run: 2 }, [bytes])).toBe(small);
  });
});

describe("the nodes of a run in words", () => {
  const row = { id: "3", title: "KSampler", started: 0, seconds: null as number | null, fraction: 0 };
  it("says how long a node took", () => {
    expect([0, 0.012, 0.51, 3, 75].map(seconds)).toEqual(["< 1 ms", "12 ms", "0.5 s", "3 s", "1 min 15 s"]);
  });
  it("says how a node stands", () => {
    expect(nodeWords({ ...row, status: "running" })).toBe("running");
    expect(nodeWords({ ...row, status: "running", fraction: 0.5, seconds: 7.6 })).toBe("50 %, 8 s");
    expect(nodeWords({ ...row, status: "finished" })).toBe("done");
    expect(nodeWords({ ...row, status: "pending" })).toBe("");
    expect(nodeWords({ ...row, status: "cached" })).toBe("cached");
  });
});

describe("a drawing in its window", () => {
  const wide = { width: 4000, height: 200 };
  const frame = { width: 600, height: 300 };
  it("is shown whole, or as large as it can be read", () => {
    expect(fitted({ width: 500, height: 200 }, frame)).toMatchObject({
      scale: 1.1,
      x: 25,
      y: expect.closeTo(40),
    });
    expect(fitted(wide, frame).scale).toBeGreaterThan(0.6);
    expect(fitted(wide, frame).x).toBe(0);
    expect(4000 * fitted(wide, frame, true).scale).toBeLessThanOrEqual(600);
  });
  it("keeps the point that it is zoomed at", () => {
    const view = zoomed({ scale: 1, x: 10, y: 20 }, 2, 110, 120);
    expect(view).toEqual({ scale: 2, x: -90, y: -80 });
    expect(zoomed(view, 100, 0, 0).scale).toBe(2.5);
  });
  it("moves only to what is out of sight", () => {
    const view = { scale: 1, x: 0, y: 0 };
    expect(revealed(view, { x: 10, y: 10, width: 50, height: 50 }, frame)).toBe(view);
    const moved = revealed(view, { x: 2000, y: 10, width: 100, height: 50 }, frame);
    expect(moved.x).toBe(-1750);
  });
});
