import { expect, it } from "vitest";
import { bars, duration, host, mishaps, model, queue, work } from "../src/lib/fleet";
import type { FleetRow, FleetState } from "../src/lib/schema";

const ROW: FleetRow = {
  server: "http://gpu1:8188",
  status: "ready",
  running: 0,
  waiting: 0,
  strangers: 0,
  model: "",
  completed: 0,
  failed: 0,
  lost: 0,
  seconds: null,
  rate: 0,
  version: "0.33.0",
  trouble: "",
};

it("says what is on a server", () => {
  expect(queue(ROW)).toBe("idle");
  expect(queue({ ...ROW, status: "no answer" })).toBe("");
  expect(queue({ ...ROW, running: 1, waiting: 1, strangers: 3 })).toBe("1 running, 1 waiting, 3 of others");
});

it("says what a server did", () => {
  expect(work(ROW)).toBe("");
  expect(work({ ...ROW, completed: 12, seconds: 2.34, rate: 25.6 })).toBe("12 done, 2.3 s each, 26/min");
  expect(work({ ...ROW, completed: 1, seconds: 95, rate: 0.6 })).toBe("1 done, 2 min each, 0.6/min");
  expect(work({ ...ROW, completed: 1, seconds: 0.01, rate: 9, status: "no answer" })).toBe(
    "1 done, under 0.1 s each",
  );
  expect(mishaps({ ...ROW, failed: 2, lost: 1 })).toBe("2 failed, 1 lost");
  expect(mishaps(ROW)).toBe("");
});

it("shortens names", () => {
  expect(host("https://gpu1:8188")).toBe("gpu1:8188");
  expect(model("sd/xl_base.safetensors|vae\\soft.pt")).toBe("xl_base, soft");
  expect(duration(42.4)).toBe("42 s");
});

it("puts what was done on the timeline", () => {
  const state: FleetState = {
    rows: [ROW],
    stints: [
      [0, 10, 5, "completed", "Ana"],
      [1, 4, 2, "failed", "Ben"],
      [0, 40, 8, "lost", "Cid"],
      [0, 2, 0, "running", "Ana"],
    ],
    span: 20,
    waiting: 0,
    error: "",
  };
  const mine = bars(state, 0);
  expect(mine.map(({ left, width }) => [left, width])).toEqual([
    [50, 25],
    [0, 60],
    [90, 10],
  ]);
  expect(mine[0]?.title).toBe("Ana: completed, 5.0 s");
  expect(bars(state, 1)).toHaveLength(1);
});
