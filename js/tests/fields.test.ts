import { describe, expect, it } from "vitest";
import { parse, randomSeed, sameMeaning, tidy, toControl } from "../src/lib/fields";
import { CFG, field, SEED, STEPS } from "./model";

describe("parse", () => {
  it("keeps a seed exact, as text", () => {
    expect(parse(SEED, "18446744073709551615")).toEqual({ ok: true, wire: "18446744073709551615" });
    expect(parse(SEED, "18446744073709551616")).toEqual({
      ok: false,
      error: "The most is 18446744073709551615.",
    });
  });

  it.each([
    [STEPS, "0", "The least is 1."],
    [STEPS, "10001", "The most is 10000."],
    [STEPS, "2.5", "This must be a whole number."],
    [STEPS, "", "Enter a whole number."],
    [CFG, "-1", "The least is 0."],
    [CFG, "many", "This must be a number."],
  ])("%o refuses %j in words", (where, text, error) => {
    expect(parse(where, text)).toEqual({ ok: false, error });
  });

  it("knows when a model is not on the server", () => {
    const model = field("model", "choice", { choices: ["a.safetensors"] });
    expect(parse(model, "a.safetensors").ok).toBe(true);
    expect(parse(model, "b.safetensors")).toEqual({
      ok: false,
      error: "The server does not have “b.safetensors”. Choose another.",
    });
    expect(parse(field("model", "choice", { choices: [] }), "x").ok).toBe(false);
  });

  it("keeps JSON as it was written, big numbers too", () => {
    const json = field("points", "json");
    expect(parse(json, '{"n": 18446744073709551615}')).toEqual({
      ok: true,
      wire: '{"n": 18446744073709551615}',
    });
    expect(parse(json, "{n}").ok).toBe(false);
  });

  it("takes any text", () => {
    expect(parse(field("text", "text"), "line\nline")).toEqual({ ok: true, wire: "line\nline" });
    expect(parse(field("image", "image"), "new.png")).toEqual({ ok: true, wire: "new.png" });
    expect(parse(field("on", "bool"), true)).toEqual({ ok: true, wire: true });
  });
});

describe("controls", () => {
  it("show a real number as short as it is", () => {
    expect(toControl(CFG, 7.5)).toBe("7.5");
    expect(toControl(STEPS, "20")).toBe("20");
  });

  it("mean the same however they are written", () => {
    expect(sameMeaning(CFG, "8", "8.0")).toBe(true);
    expect(sameMeaning(CFG, "8.", "8")).toBe(true);
    expect(sameMeaning(CFG, "8", "9")).toBe(false);
    expect(sameMeaning(CFG, "x", "y")).toBe(false);
  });

  it("are tidied without losing what is wrong", () => {
    expect(tidy(STEPS, " 007 ")).toBe("7");
    expect(tidy(STEPS, "abc")).toBe("abc");
  });

  it("roll seeds inside their bounds", () => {
    const small = field("seed", "seed", { min: "3", max: "4" });
    expect(["3", "4"]).toContain(randomSeed(small));
    expect(parse(SEED, randomSeed(SEED)).ok).toBe(true);
  });
});
