import { afterEach, describe, expect, it } from "vitest";
import { hideRecord } from "../src/features/record";
import { rendered } from "./model";

afterEach(() => document.body.replaceChildren());

describe("the record beside a widget", () => {
  /** An output area as JupyterLab builds it. */
  function outputs(...contents: string[]) {
    const area = document.createElement("div");
    area.innerHTML = contents.map((content) => `<div class="jp-OutputArea-child">${content}</div>`).join("");
    document.body.append(area);
    const host = area.querySelector<HTMLElement>(".host");
    if (host === null) throw new Error("no host");
    return { area, host, children: () => [...area.children] as HTMLElement[] };
  }
  const EMPTY = '<div class="comfy-widgets-record" hidden></div>';
  const jpeg = (comment: string) =>
    `<img src="data:image/jpeg;base64,${btoa(`${"\xff".repeat(20)}${comment}`.padEnd(90, "."))}">`;
  const hidden = (element: HTMLElement | undefined) => element?.style.display === "none";

  async function watch(host: HTMLElement) {
    const controller = new AbortController();
    hideRecord(host, controller.signal);
    // The size of the view, which a real browser measures, tells that it is in the page.
    await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
    return { close: () => controller.abort() };
  }

  it("is hidden once the widget is live, and shown again when it goes", async () => {
    const { host, children } = outputs('<div class="host"></div>', EMPTY, "<pre>other</pre>");
    expect(hidden(children()[1])).toBe(false);
    const { close } = await watch(host);
    expect(children().map(hidden)).toEqual([false, true, false]);
    close();
    expect(children().map(hidden)).toEqual([false, false, false]);
  });

  it("is known by the comment in its image", async () => {
    const { host, children } = outputs('<div class="host"></div>', jpeg("comfy-widgets-record"));
    await watch(host);
    expect(hidden(children()[1])).toBe(true);
  });

  it("stays hidden when Lab puts a new output in its place", async () => {
    const { area, host, children } = outputs('<div class="host"></div>', EMPTY);
    await watch(host);
    const made = document.createElement("div");
    made.className = "jp-OutputArea-child";
    children()[1]?.replaceWith(made);
    await rendered();
    expect(hidden(made)).toBe(true);
    expect(area.childElementCount).toBe(2);
  });

  it("is never somebody else's output", async () => {
    const { host, children } = outputs('<div class="host"></div>', jpeg("a photograph"), EMPTY);
    await watch(host);
    expect(children().map(hidden)).toEqual([false, false, false]);
  });
});
