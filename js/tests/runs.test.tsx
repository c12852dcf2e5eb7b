import { render } from "preact";
import { afterEach, describe, expect, it } from "vitest";
import * as nodes from "../src/features/nodes";
import { Runs } from "../src/features/runs";
import type { Link } from "../src/lib/link";
import type { FromBrowser, HistoryState, RunList, RunRow, ToBrowser } from "../src/lib/wire";
import { rendered } from "./model";

const row = (run: number, more: Partial<RunRow> = {}): RunRow => ({
  run,
  phase: "done",
  queue: null,
  others: 0,
  fraction: 1,
  count: 1,
  differs: [],
  started: 0,
  error: "",
  ...more,
});

/** The other end of the list, and what it said. */
class Fake implements Link {
  readonly said: FromBrowser[] = [];
  readonly ended = new AbortController().signal;
  take: (list: RunList) => void = () => undefined;
  takeHistory: (state: HistoryState) => void = () => undefined;
  tell: (message: ToBrowser, buffers: DataView[]) => void = () => undefined;
  onTrait<T>(name: string, _: AbortSignal, take: (value: T) => void): void {
    if (name === "_runs") this.take = take as (list: RunList) => void;
    if (name === "_history") this.takeHistory = take as (state: HistoryState) => void;
  }
  onMessage(_: AbortSignal, take: (message: ToBrowser, buffers: DataView[]) => void): void {
    this.tell = take;
  }
  send(message: FromBrowser): void {
    this.said.push(message);
  }
  async load(): Promise<unknown> {
    return nodes;
  }
}

async function open(...rows: RunRow[]) {
  const el = document.createElement("div");
  document.body.append(el);
  const link = new Fake();
  render(<Runs link={link} />, el);
  await rendered();
  const put = async (shown: number, ...rows: RunRow[]) => {
    link.take({ rows, shown, past: null });
    await rendered();
  };
  await put(rows.findLast(({ count }) => count > 0)?.run ?? 0, ...rows);
  const press = async (name: string) => {
    const all = [...el.querySelectorAll("button")];
    const button = all.find((b) => b.textContent === name || b.getAttribute("aria-label") === name);
    if (button === undefined) throw new Error(`there is no button ${name}`);
    button.click();
    await rendered();
  };
  return { el, link, put, press };
}

afterEach(() => document.body.replaceChildren());

describe("the list of runs", () => {
  it("is there before the first where a folder keeps runs", async () => {
    const { el, link, press } = await open();
    link.takeHistory({ folder: "runs", total: 1234, version: 0 });
    await rendered();
    expect(el.querySelector(".toggles")?.textContent).toBe(`History ${(1234).toLocaleString()}`);
    await press(`History ${(1234).toLocaleString()}`);
    expect(el.querySelector("[aria-expanded=true]")).not.toBeNull();
  });

  it("is not there before the first, and asks for the small images", async () => {
    const { el, link } = await open();
    expect(el.textContent).toBe("");
    expect(link.said).toEqual([{ kind: "runs" }]);
  });

  it("shows the queue, each with its place and a button that cancels it", async () => {
    const { el, link, press } = await open(
      row(1, { phase: "running", fraction: 0.45, count: 0 }),
      row(2, { phase: "waiting", queue: 1, count: 0, differs: ["CFG 7 → 3"] }),
    );
    expect([...el.querySelectorAll(".queue li")].map((li) => li.textContent)).toEqual([
      "Run 1running, 45 %",
      "Run 2waiting, 1 ahead · CFG 7 → 3",
    ]);
    await press("Cancel run 2");
    expect(link.said.at(-1)).toEqual({ kind: "cancel", run: 2 });
  });

  it("stands as it will run, and lets one that waits be the next", async () => {
    const { el, link, press } = await open(
      row(1, { phase: "running", count: 0 }),
      row(2, { phase: "waiting", queue: 3, others: 1, count: 0 }),
      row(3, { phase: "waiting", queue: 1, count: 0 }),
    );
    expect([...el.querySelectorAll(".queue .name")].map((name) => name.textContent)).toEqual([
      "Run 1",
      "Run 3",
      "Run 2",
    ]);
    expect(el.querySelector(".queue li:last-child")?.textContent).toContain("3 ahead (1 of others)");
    expect(el.querySelectorAll(".queue .up")).toHaveLength(1);
    await press("Run 2 next");
    expect(link.said.at(-1)).toEqual({ kind: "next", run: 2 });
    expect(document.activeElement?.getAttribute("aria-label")).toBe("Cancel run 2");
  });

  it("shows what was, newest first, and what differs from now", async () => {
    const { el, link, press } = await open(row(1, { differs: ["CFG 7 → 3"] }), row(2));
    expect([...el.querySelectorAll(".past")].map((past) => past.getAttribute("aria-label"))).toEqual([
      "Run 2: as now",
      "Run 1: CFG 7 → 3",
    ]);
    await press("Run 1: CFG 7 → 3");
    expect(link.said.at(-1)).toEqual({ kind: "show", run: 1 });
    await press("Run 2: as now");
    expect(link.said.at(-1)).toEqual({ kind: "show", run: null });
  });

  it("lets go of small images of runs that are listed no more", async () => {
    const { el, link, put } = await open(row(1), row(2));
    link.tell({ kind: "run_thumbnail", run: 1, mime: "image/webp" }, [new DataView(new ArrayBuffer(4))]);
    link.tell({ kind: "run_thumbnail", run: 2, mime: "image/webp" }, [new DataView(new ArrayBuffer(4))]);
    await rendered();
    expect(el.querySelectorAll(".strip img")).toHaveLength(2);
    await put(2, row(2));
    await put(2, row(1), row(2));
    expect([...el.querySelectorAll(".past")].map((past) => past.querySelector("img") !== null)).toEqual([
      true,
      false,
    ]);
  });

  it("lets the values of a run be used again", async () => {
    const { link, press, put } = await open(row(1, { differs: ["CFG 7 → 3"] }), row(2));
    await put(1, row(1, { differs: ["CFG 7 → 3"] }), row(2));
    await press("Use these values");
    expect(link.said.at(-1)).toEqual({ kind: "use", run: 1 });
  });

  it("tells the story of a run, as text", async () => {
    const { el, link, press } = await open(row(1));
    await press("Details");
    expect(link.said.at(-1)).toEqual({ kind: "details", run: 1 });
    const prompt = '<img src=x onerror="alert(1)">';
    const items = [{ label: "Positive prompt", value: prompt, group: "" }];
    const more = { images: ["a.png"], seconds: 3.25, started: 0, server: "here", prompt_id: "abc" };
    link.tell({ kind: "details", run: 1, items, ...more }, []);
    await rendered();
    expect([...el.querySelectorAll("dd")].map((dd) => dd.textContent)).toContain(prompt);
    expect(el.querySelector("dd img")).toBeNull();
    await press("Details");
    expect(el.querySelector(".details")).toBeNull();
  });

  it("says of a run without images how it ended", async () => {
    const { el } = await open(row(1), row(2, { phase: "failed", count: 0, error: "out of memory" }));
    const failed = el.querySelector<HTMLButtonElement>('.past[data-phase="failed"]');
    expect(failed?.disabled).toBe(true);
    expect(failed?.title).toBe("Run 2\nout of memory");
  });
});
