// @vitest-environment node
import { expect, it } from "vitest";
import { bundle } from "../build.mjs";

/** Bytes, minified. The start module is carried by each widget; the others are loaded once a page. */
const START = 12_000;
const WIDGETS: Record<string, number> = {
  compare: 20_000,
  drawing: 26_000,
  fleet: 25_000,
  form: 45_000,
  graph: 32_000,
  grid: 25_000,
  lesson: 28_000,
  noise: 25_000,
  panel: 60_000,
  preview: 25_000,
  progress: 25_000,
  replay: 25_000,
  schedule: 25_000,
  steps: 27_000,
  sweep: 45_000,
};
const TOGETHER = 275_000;

const files = new Map((await bundle()).map(({ name, text }) => [name, text]));
const parts: Record<string, string[]> = JSON.parse(files.get("manifest.json") ?? "{}");
const modules = [...files].filter(([name]) => name.endsWith(".js"));
const size = (names: readonly string[]) =>
  names.reduce((sum, name) => sum + new TextEncoder().encode(files.get(name)).length, 0);

it("keeps to its budgets", () => {
  expect(size(["start.js"]), "the start module").toBeLessThanOrEqual(START);
  for (const [name, budget] of Object.entries(WIDGETS)) {
    expect(size(parts[name] ?? []), name).toBeGreaterThan(0);
    expect(size(parts[name] ?? []), name).toBeLessThanOrEqual(budget);
  }
  expect(size(modules.map(([name]) => name)), "everything").toBeLessThanOrEqual(TOGETHER);
});

it("lists each file after all that it imports", () => {
  for (const list of Object.values(parts)) {
    for (const [index, name] of list.entries()) {
      const imported = [...(files.get(name) ?? "").matchAll(/from"\.\/([\w-]+\.js)"/g)].map(
        (found) => found[1],
      );
      expect(list.slice(0, index), name).toEqual(expect.arrayContaining(imported));
    }
  }
  expect(files.get("start.js"), "it stands alone").not.toMatch(/\bfrom"|\bimport"/);
});

it("leaves features out of what a widget needs to start", () => {
  expect(parts.panel).not.toContain("lightbox.js");
  expect(parts.lightbox).toContain("lightbox.js");
});

it.each(modules)("%s talks to nobody but Python", (name, text) => {
  // ComfyUI would answer a page with 403. An icon's namespace is no address.
  expect(text).not.toMatch(/\bfetch\(|WebSocket|XMLHttpRequest|EventSource/);
  expect(text.match(/https?:\/\/[^"'`\s]*/g) ?? []).toEqual(
    expect.not.arrayContaining([expect.not.stringContaining("www.w3.org")]),
  );
  expect(text.match(/\bimport\([^)]*\)/g) ?? []).toHaveLength(name === "start.js" ? 1 : 0);
  // A custom element can be defined once in a page, and a second widget would throw.
  expect(text).not.toContain("customElements");
});
