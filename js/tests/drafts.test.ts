import { describe, expect, it } from "vitest";
import { adopt, type Drafts, edit, invalid, NO_VALUES, settle, wires } from "../src/lib/drafts";
import type { Values } from "../src/lib/wire";
import { CFG, STEPS } from "./model";

const FIELDS = [STEPS, CFG];
const values = (steps: string, cfg: number, more: Partial<Values> = {}): Values => ({
  ...NO_VALUES,
  values: { steps, cfg },
  ...more,
});
const FIRST = values("20", 7);
const start = (): Drafts => adopt(FIELDS, {}, NO_VALUES, FIRST, "me");

describe("drafts", () => {
  it("begin with Python's values", () => {
    expect(start().steps).toEqual({ control: "20", n: 0, error: "" });
    expect(start().cfg?.control).toBe("7");
  });

  it("show what Python sets later", () => {
    expect(adopt(FIELDS, start(), FIRST, values("8", 7), "me").steps?.control).toBe("8");
  });

  it("are not overwritten by an echo that does not have them yet", () => {
    const typed = edit(CFG, start(), "7.5", 3);
    const echo = values("20", 7.2, { acks: { me: 2 } });
    expect(adopt(FIELDS, typed, FIRST, echo, "me").cfg?.control).toBe("7.5");
  });

  it("keep the text of a half-typed number when its own echo comes back", () => {
    const typed = edit(CFG, start(), "3.", 1);
    const echo = values("20", 3, { acks: { me: 1 } });
    expect(adopt(FIELDS, typed, FIRST, echo, "me").cfg?.control).toBe("3.");
  });

  it("follow the edit of another page", () => {
    const typed = edit(CFG, start(), "3", 1);
    const mine = values("20", 3, { acks: { me: 1 } });
    const settled = adopt(FIELDS, typed, FIRST, mine, "me");
    const theirs = values("9", 3, { acks: { me: 1, other: 1 } });
    expect(adopt(FIELDS, settled, mine, theirs, "me").steps?.control).toBe("9");
  });

  it("keep what cannot be used, with the reason, until Python sets a new value", () => {
    const typed = edit(STEPS, start(), "zero", 1);
    expect(typed.steps?.error).not.toBe("");
    const echo = values("20", 7, { acks: {} });
    expect(adopt(FIELDS, typed, FIRST, echo, "me").steps?.control).toBe("zero");
    const set = values("5", 7);
    expect(adopt(FIELDS, typed, FIRST, set, "me").steps).toEqual({ control: "5", n: 0, error: "" });
  });

  it("show why Python refused an edit, and keep its text", () => {
    const typed = edit(STEPS, start(), "21", 4);
    const answer = values("20", 7, { errors: { steps: "Not today." }, acks: { me: 4 } });
    expect(adopt(FIELDS, typed, FIRST, answer, "me").steps).toEqual({
      control: "21",
      n: 4,
      error: "Not today.",
    });
  });

  it("send only what was named and can be used", () => {
    const typed = edit(CFG, edit(STEPS, start(), "zero", 1), "2,5", 2);
    expect(wires(FIELDS, typed, new Set(["steps", "cfg"]))).toEqual({ cfg: 2.5 });
    expect(wires(FIELDS, typed, new Set())).toEqual({});
    expect(invalid(FIELDS, typed, NO_VALUES).map((field) => field.name)).toEqual(["steps"]);
  });

  it("are tidied when the person leaves", () => {
    expect(settle(CFG, edit(CFG, start(), "2,50", 1)).cfg?.control).toBe("2.5");
  });
});
