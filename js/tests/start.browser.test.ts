import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { FakeModel } from "./model";

const PATIENCE = { timeout: 10_000 };
const ENTRY = `
import { words } from "./chunk-A.js";
export default (loadFeature) => ({
  initialize({ model }) {
    const heard = [];
    model.on("msg:custom", (message) => heard.push(message.kind));
    model.send({ kind: "hello" });
    globalThis.heard = heard;
    return () => heard.push("ended");
  },
  render({ el }) {
    const p = document.createElement("p");
    p.textContent = words + (globalThis.counted += 1);
    p.onclick = async () => { p.textContent = (await loadFeature("lightbox")).Lightbox; };
    el.append(p);
    return () => p.remove();
  },
});`;
const FILES = {
  "chunk-A.js": 'globalThis.evaluated += 1; export const words = "started ";',
  "panel.js": ENTRY,
};
const FEATURE = {
  "lightbox.js": 'import { words } from "./chunk-A.js"; export const Lightbox = words + "opened";',
};

interface Page {
  evaluated: number;
  counted: number;
  heard: string[];
  BUILD: string;
}
const page = globalThis as unknown as Page;
let build = 0;

beforeEach(() => {
  build += 1;
  Object.assign(page, { evaluated: 0, counted: 0, heard: [], BUILD: `build-${build}` });
});

afterEach(() => document.body.replaceChildren());

function modelOf(kernel: object): FakeModel {
  return Object.assign(new FakeModel({ _entry: "panel", _form: { title: "Boats" } }), {
    widget_manager: kernel,
  });
}

function send(model: FakeModel, files: Record<string, string>): void {
  const bytes = Object.values(files).map((text) => new TextEncoder().encode(text).buffer as ArrayBuffer);
  model.tell({ kind: "code", files: Object.keys(files) }, ...bytes);
}

/** A widget as the notebook makes it: its module is a new one, as each has its own copy. */
async function make(model: FakeModel) {
  const { default: start } = await import("../src/start");
  const widget = start();
  const end = widget.initialize({ model });
  const show = () => {
    const el = document.createElement("div");
    document.body.append(el);
    return { el, close: widget.render({ el }) };
  };
  return { show, end };
}

describe("a widget", () => {
  it("that is new starts with what Python sends unasked", async () => {
    const model = modelOf({});
    const { show } = await make(model);
    send(model, FILES);
    const { el, close } = show();
    await vi.waitFor(() => expect(el.textContent).toBe("started 1"), PATIENCE);
    expect(model.said("code")).toEqual([]);
    close();
    expect(el.childElementCount).toBe(0);
  });

  it("asks for its code where Python has not sent it, and says that it waits", async () => {
    const model = modelOf({});
    const { show } = await make(model);
    const { el } = show();
    expect(el.textContent).toContain("Boats: waiting for the kernel");
    expect(model.said("code")).toEqual([{ kind: "code", part: "panel" }]);
    send(model, FILES);
    await vi.waitFor(() => expect(el.textContent).toBe("started 1"), PATIENCE);
  });

  it("misses no message while its code is on the way", async () => {
    const model = modelOf({});
    await make(model);
    send(model, FILES);
    model.tell({ kind: "preview", run: 1, seq: 1, mime: "image/png" }, new ArrayBuffer(1));
    await vi.waitFor(() => expect(page.heard).toEqual(["preview"]), PATIENCE);
    model.tell({ kind: "welcome" });
    expect(page.heard).toEqual(["preview", "welcome"]);
  });

  it("that is closed before its code comes is never shown, and ends what it began", async () => {
    const model = modelOf({});
    const { show, end } = await make(model);
    const { el, close } = show();
    close();
    expect(el.childElementCount).toBe(0);
    send(model, FILES);
    await vi.waitFor(() => expect(model.said("hello")).toHaveLength(1), PATIENCE);
    expect(el.childElementCount).toBe(0);
    end();
    expect(page.heard).toEqual(["ended"]);
    expect(model.listeners).toBe(1); // the part's own, which this test's part does not take back
  });

  it("says in its place why it cannot start", async () => {
    const model = modelOf({});
    const { show } = await make(model);
    const { el } = show();
    send(model, { "panel.js": "throw new Error('too old a browser')" });
    await vi.waitFor(() => expect(el.textContent).toContain("too old a browser"), PATIENCE);
  });

  it("loads a feature when it is opened, without what is there", async () => {
    const model = modelOf({});
    const { show } = await make(model);
    send(model, FILES);
    const { el } = show();
    await vi.waitFor(() => expect(el.textContent).toBe("started 1"), PATIENCE);
    el.querySelector("p")?.click();
    await vi.waitFor(
      () => expect(model.said("code")).toEqual([{ kind: "code", part: "lightbox" }]),
      PATIENCE,
    );
    send(model, FEATURE);
    await vi.waitFor(() => expect(el.textContent).toBe("started opened"), PATIENCE);
    expect(page.evaluated).toBe(1);
  });
});

describe("many widgets of a page", () => {
  it("share one request and one copy of the code", async () => {
    const kernel = {};
    const models = Array.from({ length: 5 }, () => modelOf(kernel));
    const views = [];
    for (const model of models) views.push((await make(model)).show());
    expect(models.flatMap((model) => model.said("code"))).toHaveLength(1);
    send(models[0] as FakeModel, FILES);
    await vi.waitFor(() => expect(page.counted).toBe(5), PATIENCE);
    expect(views.map(({ el }) => el.querySelector("p")).filter(Boolean)).toHaveLength(5);
    expect(page.evaluated).toBe(1);
  });

  it("of two kernels do not wait for the busy one", async () => {
    const [busy, free] = [modelOf({}), modelOf({})];
    const one = (await make(busy)).show();
    const other = (await make(free)).show();
    expect(free.said("code")).toHaveLength(1);
    send(free, FILES);
    await vi.waitFor(() => expect(other.el.textContent).toContain("started"), PATIENCE);
    await vi.waitFor(() => expect(one.el.textContent).toContain("started"), PATIENCE);
  });

  it("do not wait for one that was closed", async () => {
    const kernel = {};
    const [first, second] = [modelOf(kernel), modelOf(kernel)];
    const { show, end } = await make(first);
    show();
    const other = (await make(second)).show();
    expect(second.said("code")).toEqual([]);
    end();
    expect(second.said("code")).toHaveLength(1);
    send(second, FILES);
    await vi.waitFor(() => expect(other.el.textContent).toContain("started"), PATIENCE);
  });

  it("of two versions each get their own code", async () => {
    const kernel = {};
    const old = modelOf(kernel);
    const { show } = await make(old);
    send(old, FILES);
    const { el } = show();
    await vi.waitFor(() => expect(el.textContent).toContain("started"), PATIENCE);
    page.BUILD = "another";
    const other = modelOf(kernel);
    const next = (await make(other)).show();
    expect(other.said("code")).toHaveLength(1);
    send(other, { ...FILES, "chunk-A.js": 'export const words = "renewed ";' });
    await vi.waitFor(() => expect(next.el.textContent).toContain("renewed"), PATIENCE);
  });
});
