// @vitest-environment node
import { expect, it } from "vitest";
import { bundle } from "../build.mjs";

/** Bytes, minified. Each widget in a notebook carries its own copy of its module. */
const ALLOWED: Record<string, number> = {
  "form.js": 45_000,
  "grid.js": 20_000,
  "panel.js": 60_000,
  "preview.js": 20_000,
  "progress.js": 20_000,
};

it("makes one small, self-contained module for each widget", async () => {
  const modules = await bundle({ write: false });
  expect(modules.map(({ name }) => name).sort()).toEqual(Object.keys(ALLOWED));
  for (const { name, text } of modules) {
    expect(new TextEncoder().encode(text).length, name).toBeLessThanOrEqual(ALLOWED[name] ?? 0);
    expect(text, name).not.toMatch(/(^|[;}\s])import\s*["'{*(]/);
    // The page never talks to a server: ComfyUI would answer it with 403. An icon's namespace is no address.
    expect(text, name).not.toMatch(/\bfetch\(|WebSocket|XMLHttpRequest|EventSource/);
    expect(text.match(/https?:\/\/[^"'`\s]*/g) ?? [], name).toEqual(
      expect.not.arrayContaining([expect.not.stringContaining("www.w3.org")]),
    );
    // A custom element can be defined once in a page, and a second widget would throw.
    expect(text, name).not.toContain("customElements");
  }
});
