import { render } from "preact";
import { afterEach, describe, expect, it, vi } from "vitest";
import { BlobImage } from "../src/components/blob-image";
import { Preview } from "../src/components/preview";
import grid from "../src/entries/grid";
import panel from "../src/entries/panel";
import { FakeModel, FORM, field, imageMessage, loadFeature, panelModel, runState, VALUES } from "./model";

const PATIENCE = { timeout: 10_000 };

async function image(color: string, width = 64, height = 64): Promise<Blob> {
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d");
  if (context === null) throw new Error("no 2d context");
  context.fillStyle = color;
  context.fillRect(0, 0, width, height);
  return canvas.convertToBlob({ type: "image/png" });
}

function box(width: number): HTMLElement {
  const el = document.createElement("div");
  el.style.width = `${width}px`;
  document.body.append(el);
  return el;
}

function shadow(el: HTMLElement): ShadowRoot {
  const root = el.querySelector(".comfy-widgets")?.shadowRoot;
  if (!root) throw new Error("no shadow root");
  return root;
}

async function openPanel(model: FakeModel, width = 1000) {
  const el = box(width);
  const widget = panel(loadFeature);
  widget.initialize({ model });
  const close = widget.render({ el });
  const root = shadow(el);
  await vi.waitFor(() => expect(root.querySelector(".stage")).not.toBeNull(), PATIENCE);
  return { el, root, close, find: (selector: string) => root.querySelector(selector) as HTMLElement };
}

/** After the next frame, and with it effects and observers, is over. */
function nextFrame(): Promise<void> {
  return new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
}

/** When the browser has told all observers that an element is not visible. */
async function outOfSight(el: Element): Promise<void> {
  await new Promise<void>((resolve) => {
    const observer = new IntersectionObserver(() => {
      observer.disconnect();
      resolve();
    });
    observer.observe(el);
  });
  await nextFrame();
}

function colorOf(canvas: HTMLCanvasElement): number[] {
  return [...(canvas.getContext("2d")?.getImageData(2, 2, 1, 1).data ?? [])].slice(0, 3);
}

async function sendImages(model: FakeModel, count: number, run = 1): Promise<void> {
  for (let index = 0; index < count; index++) {
    const bytes = await (await image("teal", 512, 512)).arrayBuffer();
    model.tell(imageMessage({ run, index, total: count, name: `${index}.png` }), bytes);
  }
}

afterEach(() => {
  document.body.replaceChildren();
  vi.restoreAllMocks();
});

describe("the live preview", () => {
  it("paints the last of a burst, and not each", async () => {
    const el = box(200);
    const frames = await Promise.all(
      ["red", "lime", "blue", "yellow", "black", "white"].map((color) => image(color)),
    );
    const real = window.createImageBitmap.bind(window);
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const decode = vi.spyOn(window, "createImageBitmap").mockImplementation(async (source) => {
      await held;
      return real(source);
    });
    for (const frame of frames) {
      render(<Preview frame={frame} />, el);
      await nextFrame();
    }
    release();
    const canvas = el.querySelector("canvas") as HTMLCanvasElement;
    await vi.waitFor(() => expect(colorOf(canvas)).toEqual([255, 255, 255]), PATIENCE);
    expect([canvas.width, canvas.height]).toEqual([64, 64]);
    expect(decode).toHaveBeenCalledTimes(2);
    render(null, el);
  });

  it("keeps painting after a broken frame", async () => {
    const el = box(200);
    render(<Preview frame={new Blob(["no image"])} />, el);
    render(<Preview frame={await image("lime")} />, el);
    await vi.waitFor(
      () => expect(colorOf(el.querySelector("canvas") as HTMLCanvasElement)).toEqual([0, 255, 0]),
      PATIENCE,
    );
    render(null, el);
  });

  it("paints nothing while it is out of sight, and then the newest", async () => {
    const spacer = box(100);
    spacer.style.height = "5000px";
    const el = box(200);
    const decode = vi.spyOn(window, "createImageBitmap");
    render(<Preview frame={await image("red")} />, el);
    await outOfSight(el);
    const before = decode.mock.calls.length;
    render(<Preview frame={await image("blue")} />, el);
    await nextFrame();
    await nextFrame();
    expect(decode).toHaveBeenCalledTimes(before);
    el.scrollIntoView();
    await vi.waitFor(
      () => expect(colorOf(el.querySelector("canvas") as HTMLCanvasElement)).toEqual([0, 0, 255]),
      PATIENCE,
    );
    render(null, el);
  });
});

describe("the panel", () => {
  it("moves nothing from the first preview to the last image", async () => {
    const model = panelModel();
    const frame = { width: 512, height: 512, count: 4 };
    model.put("_values", { ...VALUES, frame });
    const { root, find } = await openPanel(model);
    const places = () => {
      const at = [".stage", ".progress", ".panel", ".settings"].map((name) =>
        find(name).getBoundingClientRect(),
      );
      return at.map(({ x, y, width, height }) => [x, y, width, height].map(Math.round));
    };
    const idle = places();
    model.put("_run", runState({ phase: "running", node: "KSampler", step: 1, steps: 9, frame }));
    model.tell(
      { kind: "preview", run: 1, seq: 1, mime: "image/png" },
      await (await image("red")).arrayBuffer(),
    );
    await vi.waitFor(() => expect((find("canvas") as HTMLCanvasElement).width).toBe(64), PATIENCE);
    expect(places()).toEqual(idle);
    model.put("_run", runState({ phase: "loading", fraction: 1, frame }));
    await sendImages(model, 4);
    model.put("_run", runState({ phase: "done", fraction: 1, summary: "4 images", frame }));
    await vi.waitFor(() => expect(root.querySelectorAll(".tile img")).toHaveLength(4), PATIENCE);
    expect(places()).toEqual(idle);
    const grid = find(".grid").getBoundingClientRect();
    expect(grid.bottom).toBeLessThanOrEqual(find(".stage").getBoundingClientRect().bottom + 9);
  });

  it("has settings beside the images where there is room, else the prompt, Run, the images and the rest", async () => {
    const wide = await openPanel(panelModel(), 1000);
    const [form, outcome] = [".settings", ".outcome"].map((name) => wide.find(name).getBoundingClientRect());
    expect(form?.right).toBeLessThan(outcome?.left ?? 0);
    const narrow = await openPanel(panelModel(), 500);
    const order = [".prompts", ".buttons", ".outcome", ".settings"].map((name) =>
      narrow.find(name).getBoundingClientRect(),
    );
    for (const [index, place] of order.slice(1).entries()) {
      expect(place.top).toBeGreaterThanOrEqual(order[index]?.bottom ?? 0);
    }
    for (const { root, el } of [wide, narrow]) {
      for (const control of root.querySelectorAll(".control")) {
        expect(control.getBoundingClientRect().right).toBeLessThanOrEqual(el.getBoundingClientRect().right);
      }
    }
  });

  it("keeps the page's styles out and its own in", async () => {
    const style = document.createElement("style");
    style.textContent = "button { border: 9px solid red !important } .button { color: red !important }";
    document.head.append(style);
    const stray = document.createElement("button");
    stray.className = "button";
    document.body.append(stray);
    const { find } = await openPanel(panelModel());
    expect(getComputedStyle(find(".button.primary")).borderTopWidth).not.toBe("9px");
    expect(getComputedStyle(stray).fontWeight).not.toBe("600");
    style.remove();
  });

  it("revokes every blob URL when it goes", async () => {
    const urls = new Set<string>();
    const create = URL.createObjectURL.bind(URL);
    const revoke = URL.revokeObjectURL.bind(URL);
    vi.spyOn(URL, "createObjectURL").mockImplementation((blob) => {
      const url = create(blob);
      urls.add(url);
      return url;
    });
    vi.spyOn(URL, "revokeObjectURL").mockImplementation((url) => {
      urls.delete(url);
      revoke(url);
    });
    const model = panelModel();
    const { root, close } = await openPanel(model);
    model.put("_run", runState({ phase: "done" }));
    await sendImages(model, 2);
    await vi.waitFor(() => expect(root.querySelectorAll(".tile img")).toHaveLength(2), PATIENCE);
    expect(urls.size).toBe(2);
    await sendImages(model, 1, 2);
    await vi.waitFor(() => expect(root.querySelectorAll(".tile img")).toHaveLength(1), PATIENCE);
    expect(urls.size).toBe(1);
    close();
    expect(urls.size).toBe(0);
  });

  it("takes the person to the first field that is wrong", async () => {
    const model = panelModel();
    const { root, find } = await openPanel(model);
    const steps = find('[data-name="steps"] input') as HTMLInputElement;
    steps.value = "0";
    steps.dispatchEvent(new Event("input", { bubbles: true }));
    find("button.primary").click();
    await vi.waitFor(() => expect(root.activeElement).toBe(steps), PATIENCE);
  });
});

describe("a long list of choices", () => {
  it("is searched, and lies over the page", async () => {
    const choices = Array.from({ length: 200 }, (_, index) => `models/sd-${index}.safetensors`);
    const model = panelModel();
    model.put("_form", { ...FORM, fields: [field("model", "choice", { choices })] });
    model.put("_values", { ...VALUES, values: { model: choices[3] } });
    const { root, find } = await openPanel(model);
    await vi.waitFor(() => expect(root.querySelector("[role=combobox]")).not.toBeNull(), PATIENCE);
    const input = find("[role=combobox]") as HTMLInputElement;
    expect(input.value).toBe("models/sd-3.safetensors");
    input.focus();
    input.click();
    await vi.waitFor(() => expect(root.querySelectorAll("[role=option]")).toHaveLength(200), PATIENCE);
    await vi.waitFor(() => expect(find("[role=listbox]").matches(":popover-open")).toBe(true), PATIENCE);
    expect(find("[aria-selected=true]").textContent).toBe("models/sd-3.safetensors");
    input.value = "SD-17 safe";
    input.dispatchEvent(new Event("input", { bubbles: true }));
    await vi.waitFor(() => expect(root.querySelectorAll("[role=option]")).toHaveLength(11), PATIENCE);
    const press = (key: string) => input.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
    press("ArrowDown");
    await vi.waitFor(
      () => expect(find("[aria-selected=true]").textContent).toBe("models/sd-170.safetensors"),
      PATIENCE,
    );
    press("Enter");
    await vi.waitFor(() => expect(root.querySelector("[role=listbox]")).toBeNull(), PATIENCE);
    expect(input.value).toBe("models/sd-170.safetensors");
    expect(model.said("edit").at(-1)?.values).toEqual({ model: "models/sd-170.safetensors" });
  });
});

describe("the grid", () => {
  it("shows an image at full size, turns to the next, and asks for what is not whole", async () => {
    const model = new FakeModel({ _run: runState({ run: 0, frame: { width: 64, height: 64, count: 2 } }) });
    const el = box(600);
    const widget = grid(loadFeature);
    widget.initialize({ model });
    widget.render({ el });
    const root = shadow(el);
    for (const index of [0, 1]) {
      const caption = `image ${index}`;
      const message = imageMessage({ run: 0, index, total: 2, caption, whole: index === 0 });
      model.tell(message, await (await image("teal")).arrayBuffer());
    }
    await vi.waitFor(() => expect(root.querySelectorAll(".tile img")).toHaveLength(2), PATIENCE);
    (root.querySelector("button.tile") as HTMLElement).click();
    await vi.waitFor(() => expect(root.querySelector("dialog")?.open).toBe(true), PATIENCE);
    const dialog = root.querySelector("dialog") as HTMLDialogElement;
    expect(model.said("original")).toEqual([]);
    dialog.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowRight", bubbles: true }));
    await vi.waitFor(() => expect(dialog.getAttribute("aria-label")).toBe("image 1"), PATIENCE);
    expect(model.said("original")).toEqual([{ kind: "original", run: 0, index: 1 }]);
    dialog.close();
    await vi.waitFor(() => expect(root.querySelector("dialog")).toBeNull(), PATIENCE);
  });
});

describe("an image of a blob", () => {
  it("is the newest blob's", async () => {
    const el = box(100);
    render(<BlobImage blob={await image("red", 10, 10)} alt="" />, el);
    render(<BlobImage blob={await image("red", 20, 10)} alt="" />, el);
    await vi.waitFor(() => expect(el.querySelector("img")?.naturalWidth).toBe(20), PATIENCE);
    render(null, el);
  });
});
