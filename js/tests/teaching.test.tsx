import { describe, expect, it, vi } from "vitest";
import lesson from "../src/entries/lesson";
import noise from "../src/entries/noise";
import schedule from "../src/entries/schedule";
import steps from "../src/entries/steps";
import { later } from "../src/lib/later";
import { blend, normal, placeOf, showSigma, sigmaAt } from "../src/lib/noise";
import { HEIGHT, heightOf, levelAt, moved } from "../src/lib/schedule";
import type { LessonState } from "../src/lib/teaching";
import { FakeModel, loadFeature } from "./model";

const CARD: LessonState = {
  title: "Seeds",
  notes: ["A seed is a number."],
  kind: "choose",
  question: "Which one?",
  options: [
    { label: "A", picture: "" },
    { label: "B", picture: "" },
    { label: "C", picture: "" },
  ],
  shown: [],
  range: [0, 10, 0.5],
  unit: "",
  phase: "predict",
  action: "run",
  answer: null,
  right: null,
  correct: null,
  verdict: "",
  reason: "",
  results: [],
  problem: "",
};

type Entry = typeof lesson;

function open(entry: Entry, state: unknown) {
  const model = new FakeModel({ _state: state });
  const el = document.createElement("div");
  document.body.append(el);
  const widget = entry(loadFeature);
  widget.initialize({ model });
  widget.render({ el });
  const root = el.querySelector(".comfy-widgets")?.shadowRoot as ShadowRoot;
  const said = () => model.sent.map(({ message }) => message).filter(({ kind }) => kind === "changed");
  const press = (name: string) => {
    const button = [...root.querySelectorAll("button")].find(({ textContent }) =>
      textContent?.endsWith(name),
    );
    if (button === undefined) throw new Error(`no button ${name}`);
    button.click();
  };
  /** Preact renders a moment after what changed. */
  const painted = () => new Promise((resolve) => setTimeout(resolve, 0));
  return { model, root, said, press, painted };
}

describe("the card of a lesson", () => {
  it("tells nothing before something is chosen and Predict is pressed", async () => {
    const { said, press, painted, root } = open(lesson, CARD);
    press("Predict");
    expect(said()).toEqual([]);
    press("B");
    await painted();
    expect(root.querySelector('[aria-pressed="true"]')?.textContent).toBe("B");
    press("Predict");
    expect(said()).toEqual([{ kind: "changed", name: "answer", value: 1 }]);
  });

  it("takes an order once all have a place, and lets one be taken back", async () => {
    const { said, press, painted } = open(lesson, { ...CARD, kind: "order" });
    for (const name of ["C", "A", "C", "B"]) {
      press(name);
      await painted();
    }
    press("Predict");
    expect(said()).toEqual([]);
    press("C");
    await painted();
    press("Predict");
    expect(said()).toEqual([{ kind: "changed", name: "answer", value: [0, 1, 2] }]);
  });

  it("begins an estimate in the middle of its range", () => {
    const { said, press } = open(lesson, { ...CARD, kind: "estimate" });
    press("Predict");
    expect(said()).toEqual([{ kind: "changed", name: "answer", value: 5 }]);
  });

  it("shows prediction and outcome side by side", () => {
    const answered = {
      ...CARD,
      phase: "answered",
      answer: 0,
      right: 2,
      correct: false,
      verdict: "Not quite: C",
    };
    const { root } = open(lesson, { ...answered, reason: "So it is." });
    const sides = [...root.querySelectorAll(".side")].map(({ textContent }) => textContent);
    expect(sides).toEqual(["You predictedA", "It isC"]);
    expect(root.querySelector(".verdict")?.textContent).toContain("Not quite: C");
    expect(root.textContent).toContain("So it is.");
    expect(root.textContent).toContain("it is no exam");
  });

  it("offers the answer where nothing runs", () => {
    const { said, press } = open(lesson, { ...CARD, phase: "try", answer: 0, action: "look" });
    press("Show the answer");
    press("Predict something else");
    expect(said().map((message) => "name" in message && message.name)).toEqual(["reveal", "again"]);
  });
});

describe("noise", () => {
  it("is the same for a seed, and normally distributed", () => {
    const numbers = normal(30_001, 7);
    expect(numbers).toEqual(normal(30_001, 7));
    expect(numbers[0]).not.toBe(normal(1, 8)[0]);
    const mean = numbers.reduce((sum, one) => sum + one, 0) / numbers.length;
    const variance = numbers.reduce((sum, one) => sum + (one - mean) ** 2, 0) / numbers.length;
    expect(Math.abs(mean)).toBeLessThan(0.03);
    expect(Math.abs(variance - 1)).toBeLessThan(0.05);
  });

  it("leaves the image alone where there is none", () => {
    const image = new Uint8ClampedArray([10, 128, 250, 255, 0, 64, 255, 255]);
    expect(blend(image, normal(6, 1), 0)).toEqual(image);
  });

  it("has a slider whose left end is no noise at all", () => {
    expect(sigmaAt(0, 0.03, 14.6)).toBe(0);
    expect(sigmaAt(1, 0.03, 14.6)).toBeCloseTo(14.6);
    for (const sigma of [0.03, 0.5, 7]) {
      expect(sigmaAt(placeOf(sigma, 0.03, 14.6), 0.03, 14.6)).toBeCloseTo(sigma);
    }
    expect([0, 0.0292, 14.6].map(showSigma)).toEqual(["0", "0.029", "14.60"]);
  });

  it("is told while the slider moves", async () => {
    const { root, said } = open(noise as Entry, {
      sigma: 0,
      lowest: 0.03,
      highest: 14.6,
      scale: 0.36,
      seed: 1,
    });
    const input = root.querySelector("input") as HTMLInputElement;
    input.value = "1";
    input.dispatchEvent(new Event("input", { bubbles: true }));
    expect(said()).toEqual([{ kind: "changed", name: "sigma", value: 14.6 }]);
  });
});

describe("a schedule", () => {
  const levels = [14, 5, 1, 0.1, 0];

  it("keeps falling, whatever is dragged", () => {
    expect(moved(levels, 1, 100, 0.03, 14.6)[1]).toBeCloseTo(14 / 1.01, 3);
    expect(moved(levels, 1, 0.2, 0.03, 14.6)[1]).toBeCloseTo(1.01, 3);
    expect(moved(levels, 0, 100, 0.03, 14.6)[0]).toBe(14.6);
    expect(moved(levels, 3, 0.0001, 0.03, 14.6)[3]).toBe(0.03);
  });

  it("is drawn in a logarithmic scale", () => {
    expect(levelAt(heightOf(2.5, 0.03, 14.6), 0.03, 14.6)).toBeCloseTo(2.5);
    expect(levelAt(-100, 0.03, 14.6)).toBeCloseTo(14.6);
    expect(levelAt(HEIGHT + 100, 0.03, 14.6)).toBeCloseTo(0.03);
  });

  it("can be moved by the keyboard", async () => {
    const state = { levels, lowest: 0.03, highest: 14.6, known: [{ name: "even", levels: [8, 4, 2, 1, 0] }] };
    const { root, said, press, painted } = open(schedule as Entry, state);
    const points = [...root.querySelectorAll("circle")];
    expect(points).toHaveLength(4);
    points[2]?.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowUp", bubbles: true }));
    await painted();
    expect(said()).toEqual([{ kind: "changed", name: "levels", value: [14, 5, 1.05, 0.1, 0] }]);
    press("even");
    await vi.waitFor(() => expect(said()).toHaveLength(2));
    expect(said()[1]).toEqual({ kind: "changed", name: "levels", value: [8, 4, 2, 1, 0] });
  });
});

describe("the steps of a run", () => {
  const scenes = [{ picture: "scene0", words: "sunset, boat", share: 0.25 }];
  const rows = [1, 2, 3].map((evaluations) => ({
    sigma: 4 - evaluations,
    next: 3 - evaluations,
    evaluations,
    scenes,
  }));

  it("are gone through by a slider", async () => {
    const { root, said, painted } = open(steps as Entry, {
      words: "",
      caption: "euler",
      step: 1,
      steps: rows,
    });
    const input = root.querySelector("input") as HTMLInputElement;
    input.value = "3";
    input.dispatchEvent(new Event("input", { bubbles: true }));
    await painted();
    expect(root.textContent).toContain("Step 3 of 3");
    expect(root.textContent).toContain("3 calls of the model");
    expect(root.textContent).toContain("25 %");
    expect(said()).toEqual([{ kind: "changed", name: "step", value: 3 }]);
  });

  it("say why there are none", () => {
    const { root } = open(steps as Entry, { words: "Not yet.", caption: "", step: 1, steps: [] });
    expect(root.querySelector('[role="status"]')?.textContent).toContain("Not yet.");
  });
});

it("tells the first and the newest of many values", () => {
  vi.useFakeTimers();
  const told: number[] = [];
  const tell = later<number>(80, (value) => told.push(value));
  for (let value = 0; value < 50; value++) tell(value);
  expect(told).toEqual([0]);
  vi.advanceTimersByTime(80);
  expect(told).toEqual([0, 49]);
  vi.advanceTimersByTime(500);
  tell(50);
  expect(told).toEqual([0, 49, 50]);
  vi.useRealTimers();
});
