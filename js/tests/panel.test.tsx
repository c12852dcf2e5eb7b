import { afterEach, describe, expect, it, vi } from "vitest";
import panel from "../src/entries/panel";
import {
  type FakeModel,
  FORM,
  field,
  imageMessage,
  loadFeature,
  panelModel,
  rendered,
  runState,
  VALUES,
} from "./model";

/** The panel of a model in the page, looked at as a person does. */
async function open(model: FakeModel) {
  const widget = panel(loadFeature);
  const ended = widget.initialize({ model });
  const el = document.createElement("div");
  document.body.append(el);
  const close = widget.render({ el });
  await rendered();
  const root = el.querySelector(".comfy-widgets")?.shadowRoot;
  if (!root) throw new Error("there is no open shadow root");
  const find = <T extends Element = HTMLElement>(selector: string) => {
    const found = root.querySelector<T>(selector);
    if (found === null) throw new Error(`nothing is ${selector}`);
    return found;
  };
  const input = (name: string) => find<HTMLInputElement>(`[data-name="${name}"] [aria-invalid]`);
  const type = async (name: string, text: string) => {
    input(name).value = text;
    input(name).dispatchEvent(new Event("input", { bubbles: true }));
    await rendered();
  };
  const press = async (name: string) => {
    const button = [...root.querySelectorAll("button")].find((b) => b.textContent === name);
    if (!button) throw new Error(`there is no button ${name}`);
    button.click();
    await rendered();
  };
  return { widget, root, el, find, input, type, press, close, ended };
}

afterEach(() => {
  document.body.replaceChildren();
  vi.useRealTimers();
});

describe("the form", () => {
  it("has a labelled control for each wanted field, and the rest under More settings", async () => {
    const { root, find, input } = await open(panelModel());
    for (const { name, label } of FORM.fields) {
      const labelled = [...root.querySelectorAll("label")].find((one) => one.textContent === label);
      expect(labelled?.getAttribute("for")).toBe(input(name).id);
    }
    expect(find("details.more").querySelector('[data-name="prefix"]')).not.toBeNull();
    expect(find("details.more legend").textContent).toBe("Save Image");
    expect(find(".server").textContent).toContain("small procedural model");
  });

  it("keeps the biggest seed exact to the run", async () => {
    const model = panelModel();
    const { input, press, type } = await open(model);
    expect(input("seed").value).toBe("18446744073709551615");
    await type("seed", "18446744073709551614");
    await press("Run");
    expect(model.said("run")[0]?.edit?.values).toEqual({ seed: "18446744073709551614" });
  });

  it("sends edits when the typing pauses, together, and at once when the field is left", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const model = panelModel();
    const widget = panel(loadFeature);
    widget.initialize({ model });
    const el = document.createElement("div");
    document.body.append(el);
    widget.render({ el });
    await vi.runAllTimersAsync();
    const root = el.querySelector(".comfy-widgets")?.shadowRoot as ShadowRoot;
    const prompt = root.querySelector('[data-name="positive"] textarea') as HTMLTextAreaElement;
    for (const text of ["a", "a c", "a cat"]) {
      prompt.value = text;
      prompt.dispatchEvent(new Event("input", { bubbles: true }));
      await vi.advanceTimersByTimeAsync(50);
    }
    expect(model.said("edit")).toEqual([]);
    await vi.advanceTimersByTimeAsync(500);
    expect(model.said("edit").map((message) => message.values)).toEqual([{ positive: "a cat" }]);
    prompt.value = "a cat!";
    prompt.dispatchEvent(new Event("input", { bubbles: true }));
    prompt.dispatchEvent(new Event("blur"));
    expect(model.said("edit")).toHaveLength(2);
  });

  it("marks what cannot be used, and sends nothing when Run is pressed", async () => {
    const model = panelModel();
    const { find, input, press, type } = await open(model);
    await type("steps", "0");
    expect(input("steps").getAttribute("aria-invalid")).toBe("true");
    const message = find('[data-name="steps"] .message');
    expect(message.textContent).toBe("The least is 1.");
    expect(input("steps").getAttribute("aria-describedby")).toBe(message.id);
    await press("Run");
    expect(model.said("run")).toEqual([]);
    await type("steps", "3");
    expect(input("steps").getAttribute("aria-invalid")).toBe("false");
    await press("Run");
    expect(model.said("run")[0]?.edit?.values).toMatchObject({ steps: "3" });
  });

  it("shows what Python sets, and what another page typed", async () => {
    const model = panelModel();
    const { input } = await open(model);
    model.put("_values", { ...VALUES, values: { ...VALUES.values, steps: "9" }, acks: { other: 1 } });
    await rendered();
    expect(input("steps").value).toBe("9");
  });

  it("steps numbers with the arrow keys, exactly", async () => {
    const { input } = await open(panelModel());
    const up = (key: string) =>
      input("cfg").dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
    up("ArrowUp");
    await rendered();
    expect(input("cfg").value).toBe("7.1");
    up("PageDown");
    await rendered();
    expect(input("cfg").value).toBe("6.1");
  });

  it("rolls a seed, and says what becomes of it from run to run", async () => {
    const model = panelModel();
    const { find, input, press } = await open(model);
    find('[data-name="seed"] button').click();
    await rendered();
    const rolled = input("seed").value;
    expect(rolled).not.toBe("18446744073709551615");
    const mode = find<HTMLSelectElement>('[data-name="seed"] .mode');
    expect([mode.value, mode.getAttribute("aria-label")]).toEqual(["fixed", "Seed from run to run"]);
    mode.value = "increment";
    mode.dispatchEvent(new Event("change", { bubbles: true }));
    await rendered();
    expect(model.said("edit").at(-1)?.modes).toEqual({ seed: "increment" });
    // Python counts, as for the runs that Python itself starts; what was said is not said again.
    await press("Run");
    expect(model.said("run")[0]?.edit?.modes).toEqual({});
  });

  it("shows the mode that Python sets, but for one that was just chosen", async () => {
    const model = panelModel();
    const { find } = await open(model);
    const mode = find<HTMLSelectElement>('[data-name="seed"] .mode');
    model.put("_values", { ...VALUES, modes: { seed: "decrement" } });
    await rendered();
    expect(mode.value).toBe("decrement");
    mode.value = "randomize";
    mode.dispatchEvent(new Event("change", { bubbles: true }));
    model.put("_values", {
      ...VALUES,
      values: { ...VALUES.values, steps: "9" },
      modes: { seed: "decrement" },
    });
    await rendered();
    expect(mode.value).toBe("randomize");
    const { page, n } = model.said("edit").at(-1) as { page: string; n: number };
    model.put("_values", { ...VALUES, modes: { seed: "fixed" }, acks: { [page]: n } });
    await rendered();
    expect(mode.value).toBe("fixed");
  });

  it("says when a model is not on the server", async () => {
    const model = panelModel();
    model.put("_form", { ...FORM, fields: [field("model", "choice", { choices: ["a", "b"] })] });
    model.put("_values", { ...VALUES, values: { model: "gone" } });
    const { find, input } = await open(model);
    expect(input("model").value).toBe("-1");
    expect(find(".message").textContent).toContain("does not have “gone”");
  });

  it("lets the server judge what nobody touched", async () => {
    const model = panelModel();
    model.put("_form", { ...FORM, fields: [field("model", "choice", { choices: ["a", "b"] })] });
    model.put("_values", { ...VALUES, values: { model: "gone" } });
    const { press } = await open(model);
    await press("Run");
    expect(model.said("run")).toHaveLength(1);
  });

  it("says why nothing ran, and forgets it with the next run", async () => {
    const model = panelModel();
    const { root, find, type, press } = await open(model);
    await type("cfg", "much");
    await press("Run");
    expect(model.said("run")).toHaveLength(0);
    expect(find(".notice.error").textContent).toBe("Nothing ranCfg: This must be a number.");
    expect(find(".status").textContent).toBe("Nothing ran");
    await type("cfg", "3");
    await press("Run");
    expect(model.said("run")).toHaveLength(1);
    expect(root.querySelector(".notice.error")).toBeNull();
  });
});

describe("the keyboard", () => {
  const press = async (target: Element, key: string, more: KeyboardEventInit = {}) => {
    const event = new KeyboardEvent("keydown", {
      key,
      bubbles: true,
      composed: true,
      cancelable: true,
      ...more,
    });
    target.dispatchEvent(event);
    await rendered();
    return event;
  };

  it("runs with Ctrl or Command and Enter, and leaves Shift+Enter to the text", async () => {
    const model = panelModel();
    const { input } = await open(model);
    const shifted = await press(input("positive"), "Enter", { shiftKey: true });
    expect([model.said("run").length, shifted.defaultPrevented]).toEqual([0, false]);
    await press(input("positive"), "Enter", { metaKey: true });
    expect(model.said("run")).toHaveLength(1);
  });

  it("keeps its place on Run through a run; a second press waits for its turn", async () => {
    const model = panelModel();
    const { find, root } = await open(model);
    const run = find("button.primary");
    run.focus();
    run.click();
    await rendered();
    // Python has not answered yet: this is a double click.
    run.click();
    expect(model.said("run")).toHaveLength(1);
    model.put("_run", runState({ phase: "running" }));
    await rendered();
    expect(root.activeElement).toBe(run);
    run.click();
    expect(model.said("run")).toHaveLength(2);
    expect(find(".status").textContent).toBe("Running");
  });

  it("starts as many runs as were asked for", async () => {
    const model = panelModel();
    const { find, press } = await open(model);
    await vi.waitFor(() => find(".repeat"));
    const repeat = find<HTMLSelectElement>(".repeat select");
    expect(find(".repeat").textContent).not.toContain("seeds of their own");
    repeat.value = "4";
    repeat.dispatchEvent(new Event("change", { bubbles: true }));
    await rendered();
    expect(find(".repeat").textContent).toContain("Repeats get seeds of their own");
    await press("Run");
    expect(model.said("run")[0]?.count).toBe(4);
    model.put("_values", { ...VALUES, modes: { seed: "increment" } });
    await rendered();
    expect(find(".repeat").textContent).not.toContain("seeds of their own");
  });

  it("stops waiting when Cancel takes long", async () => {
    const model = panelModel();
    const { press } = await open(model);
    model.put("_run", runState({ phase: "cancelling" }));
    await rendered();
    await press("Stop waiting");
    expect(model.said("cancel")).toEqual([{ kind: "cancel", run: null }]);
  });

  it("says beside the server's name that nothing is heard of it", async () => {
    const model = panelModel();
    const { find } = await open(model);
    model.put("_run", runState({ phase: "running", connected: false }));
    await rendered();
    expect(find(".server").dataset.ok).toBe("false");
    expect(find(".server").textContent).toContain("Reconnecting");
  });

  it("comes back to Run when Cancel has done its work", async () => {
    const model = panelModel();
    const { find, root } = await open(model);
    model.put("_run", runState({ phase: "running" }));
    await rendered();
    const cancel = [...root.querySelectorAll("button")].find((one) => one.textContent === "Cancel");
    cancel?.focus();
    model.put("_run", runState({ phase: "cancelled" }));
    await rendered();
    expect(root.activeElement).toBe(find("button.primary"));
  });

  it("reaches a seed before its mode", async () => {
    const { root } = await open(panelModel());
    const order = [...root.querySelectorAll('[data-name="seed"] :is(input, select)')];
    expect(order.map((one) => one.localName)).toEqual(["input", "select"]);
  });
});

describe("a file", () => {
  const IMAGE = field("image", "image", { accept: "image/*" });
  const SOUND = field("sound", "image", { accept: "audio/*", primary: false });
  const openWith = async (...fields: ReturnType<typeof field>[]) => {
    const model = panelModel();
    model.put("_form", { ...FORM, fields: [field("positive", "text"), ...fields] });
    model.put("_values", {
      ...VALUES,
      values: { positive: "a", image: "old.png", second: "old.png", sound: "" },
    });
    const opened = await open(model);
    await vi.waitFor(() => opened.find(".refusal"));
    return { model, ...opened };
  };
  const give = async (target: Element, type: "drop" | "paste", file: File) => {
    const files = { files: [file], types: ["Files"], items: [] };
    const event = new Event(type, { bubbles: true, composed: true, cancelable: true });
    Object.assign(event, type === "drop" ? { dataTransfer: files } : { clipboardData: files });
    target.dispatchEvent(event);
    await rendered();
    await rendered();
    return event;
  };
  const PNG = new File(["x"], "boat.png", { type: "image/png" });

  it.each(["drop", "paste"] as const)("is taken by a %s anywhere in the panel", async (type) => {
    const { model, find } = await openWith(IMAGE);
    for (const selector of [".panel", "header", ".prompts textarea", ".outcome"]) {
      const event = await give(find(selector), type, PNG);
      expect(event.defaultPrevented).toBe(true);
    }
    expect(model.said("upload").map((message) => message.field)).toEqual(Array(4).fill("image"));
  });

  it("goes to the field it is dropped on, or that fits its kind", async () => {
    const { model, find } = await openWith(IMAGE, field("second", "image"), SOUND);
    await give(find('[data-name="second"]'), "drop", PNG);
    await give(find(".outcome"), "drop", new File(["x"], "sea.wav", { type: "audio/wav" }));
    // The second field takes every kind, and is wanted more than the third.
    expect(model.said("upload").map((message) => message.field)).toEqual(["second", "second"]);
  });

  it("that no field takes is told", async () => {
    const { model, find } = await openWith();
    await give(find(".outcome"), "drop", PNG);
    expect(find(".refusal").textContent).toContain("No field of this workflow takes boat.png.");
    expect(model.said("upload")).toEqual([]);
    find("header").dispatchEvent(new Event("pointerdown", { bubbles: true }));
    expect(find(".refusal").textContent).toBe("");
  });
});

describe("a run", () => {
  it("is shown with node, step, time left and percent", async () => {
    const model = panelModel();
    const { find } = await open(model);
    model.put(
      "_run",
      runState({
        phase: "running",
        fraction: 0.42,
        node: "KSampler",
        step: 8,
        steps: 20,
        left: "about 6 s left",
      }),
    );
    await rendered();
    expect(find(".status").textContent).toBe("KSampler · step 8 of 20");
    expect(find(".figures").textContent).toBe("about 6 s left42 %");
    const bar = find("[role=progressbar]");
    expect(bar.getAttribute("aria-valuenow")).toBe("42");
    expect(find("button.primary").getAttribute("aria-disabled")).toBe("false");
  });

  it("has no value on its bar while it waits", async () => {
    const model = panelModel();
    const { find } = await open(model);
    model.put("_run", runState({ phase: "waiting", queue: 3 }));
    await rendered();
    expect(find("[role=progressbar]").hasAttribute("aria-valuenow")).toBe(false);
    expect(find(".status").textContent).toBe("Waiting, 3 ahead");
  });

  it("is cancelled by the button", async () => {
    const model = panelModel();
    const { press } = await open(model);
    model.put("_run", runState({ phase: "running" }));
    await rendered();
    await press("Cancel");
    expect(model.said("cancel")).toHaveLength(1);
  });

  it("is started by Ctrl+Enter from any field", async () => {
    const model = panelModel();
    const { input } = await open(model);
    const key = { key: "Enter", ctrlKey: true, bubbles: true, cancelable: true };
    input("positive").dispatchEvent(new KeyboardEvent("keydown", key));
    await rendered();
    expect(model.said("run")).toHaveLength(1);
  });

  it("cannot be asked for twice while Python does not answer", async () => {
    const model = panelModel();
    const { find, press } = await open(model);
    await press("Run");
    expect(find(".status").textContent).toBe("Waiting for the kernel");
    await press("Run");
    expect(model.said("run")).toHaveLength(1);
    model.put("_run", runState({ phase: "running", node: "KSampler" }));
    await rendered();
    expect(find(".status").textContent).toBe("KSampler");
  });

  it("that Python does not begin is over at once", async () => {
    const model = panelModel();
    const { find, press } = await open(model);
    await press("Run");
    model.put("_values", { ...VALUES, errors: { steps: "Not these." } });
    await rendered();
    expect(find(".status").textContent).toBe("Ready");
    expect(find('[data-name="steps"] .message').textContent).toBe("Not these.");
    expect(find("button.primary").getAttribute("aria-disabled")).toBe("false");
  });

  it("that failed is told in words, at the field until it is edited", async () => {
    const model = panelModel();
    const { find, input, root, type } = await open(model);
    const error = {
      title: "KSampler failed",
      message: "steps is 20.",
      details: "Traceback",
      fields: { steps: "Too many." },
    };
    model.put("_run", runState({ phase: "failed", error }));
    await rendered();
    expect(find("[role=alert]").textContent).toContain("KSampler failed");
    expect(find('[data-name="steps"] .message').textContent).toBe("Too many.");
    expect(input("steps").getAttribute("aria-invalid")).toBe("true");
    await type("steps", "5");
    expect(root.querySelector('[data-name="steps"] .message')).toBeNull();
  });

  it("ends when the kernel is gone, and says what to do", async () => {
    const model = panelModel();
    const { find, input, press } = await open(model);
    model.put("_run", runState({ phase: "running", node: "KSampler" }));
    model.lose();
    await rendered();
    expect(find(".status").textContent).toBe("The kernel is gone. Run the cell again.");
    await press("Run");
    const key = { key: "Enter", ctrlKey: true, bubbles: true, cancelable: true };
    input("positive").dispatchEvent(new KeyboardEvent("keydown", key));
    expect(model.said("run")).toEqual([]);
  });

  it("never has an older run's images for its own", async () => {
    const model = panelModel();
    const { find, root } = await open(model);
    model.put("_run", runState({ phase: "running" }));
    model.tell(imageMessage(), new ArrayBuffer(4));
    model.put("_run", runState({ phase: "done" }));
    await rendered();
    expect(root.querySelector(".before")).toBeNull();
    model.put("_run", runState({ run: 2, phase: "failed" }));
    await rendered();
    expect(find(".before").textContent).toBe("From the run before");
    expect(root.querySelectorAll(".tile img")).toHaveLength(1);
    model.put("_run", runState({ run: 3, phase: "done", texts: ["a red boat"] }));
    await rendered();
    expect(root.querySelector(".tile")).toBeNull();
    expect(root.querySelector(".stage")).toBeNull();
    model.put("_run", runState({ run: 4, phase: "done" }));
    await rendered();
    expect(find(".invitation").textContent).toBe("No images");
  });

  it("that made a video plays it in its place", async () => {
    const model = panelModel();
    const { find, root } = await open(model);
    model.put("_run", runState({ phase: "done" }));
    model.tell(imageMessage({ name: "a.mp4", mime: "video/mp4" }), new ArrayBuffer(4));
    await rendered();
    const player = find<HTMLVideoElement>(".tile video");
    expect(player.controls).toBe(true);
    player.click();
    await rendered();
    expect(root.querySelector("dialog")).toBeNull();
  });

  it("shows warnings and texts", async () => {
    const model = panelModel();
    const { find } = await open(model);
    model.put("_run", runState({ phase: "done", warnings: ["Spare was left out."], texts: ["a red boat"] }));
    await rendered();
    expect(find(".warning").textContent).toContain("Spare was left out.");
    expect(find(".text").textContent).toBe("a red boat");
  });
});

describe("what takes its time", () => {
  it("is counted for all to see while no step tells", async () => {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "Date"] });
    const model = panelModel();
    const { find } = await open(model);
    const node = "Load Checkpoint: loading the model";
    model.put("_run", runState({ phase: "running", node }));
    await rendered();
    expect(find(".status").textContent).toBe(node);
    vi.advanceTimersByTime(8000);
    await rendered();
    expect(find(".status").textContent).toBe(`${node}, 8 s`);
    expect(find(".bar").className).toBe("bar moving");
    model.put("_run", runState({ phase: "running", node: "KSampler", step: 1, steps: 9 }));
    await rendered();
    vi.advanceTimersByTime(8000);
    await rendered();
    expect(find(".status").textContent).toBe("KSampler · step 1 of 9");
  });
});

describe("a kernel that is shut down", () => {
  const signal = () => {
    const slots = new Set<(sender: unknown, value: unknown) => void>();
    return {
      slots,
      connect: (slot: () => void) => slots.add(slot),
      disconnect: (slot: () => void) => slots.delete(slot),
    };
  };

  it.each(["disposed", "dead"])("is known by Jupyter's word %s", async (word) => {
    const kernel = { disposed: signal(), statusChanged: signal() };
    const model = Object.assign(panelModel(), { widget_manager: { kernel } });
    const { ended, find } = await open(model);
    for (const slot of kernel.statusChanged.slots) slot(null, "busy");
    await rendered();
    expect(find(".status").textContent).toBe("Ready");
    for (const slot of kernel[word === "dead" ? "statusChanged" : "disposed"].slots) slot(null, word);
    await rendered();
    expect(find(".status").textContent).toBe("The kernel is gone. Run the cell again.");
    ended();
    expect(kernel.disposed.slots.size + kernel.statusChanged.slots.size).toBe(0);
  });
});

describe("a view", () => {
  it("asks once for what it missed, and shares its state with a second view", async () => {
    const model = panelModel();
    const { widget, type } = await open(model);
    expect(model.said("hello")).toHaveLength(1);
    await type("steps", "11");
    const el = document.createElement("div");
    document.body.append(el);
    widget.render({ el });
    await rendered();
    const second = el.querySelector(".comfy-widgets")?.shadowRoot?.querySelector('[data-name="steps"] input');
    expect((second as HTMLInputElement).value).toBe("11");
    expect(model.said("hello")).toHaveLength(1);
  });

  it("leaves nothing behind when it is closed", async () => {
    const model = panelModel();
    const { el, close, ended } = await open(model);
    expect(model.listeners).toBeGreaterThan(0);
    close();
    expect(el.childElementCount).toBe(0);
    ended();
    expect(model.listeners).toBe(0);
  });

  it("ends with anywidget's signal too", async () => {
    const model = panelModel();
    const widget = panel(loadFeature);
    widget.initialize({ model });
    const el = document.createElement("div");
    const controller = new AbortController();
    widget.render({ el, signal: controller.signal });
    expect(el.querySelector(".comfy-widgets")).not.toBeNull();
    controller.abort();
    expect(el.childElementCount).toBe(0);
  });
});

describe("a workflow with many settings", () => {
  const nodes = ["Load", "Sample", "Save"];
  const fields = nodes.flatMap((group) =>
    Array.from({ length: 8 }, (_, index) =>
      field(`${group}.${index}`, "int", { group, label: `Setting ${index}`, primary: false }),
    ),
  );
  const values = Object.fromEntries(fields.map(({ name }) => [name, "1"]));
  const openMany = async (primary: string[] = []) => {
    const model = panelModel();
    model.put("_form", {
      ...FORM,
      fields: fields.map((one) => ({ ...one, primary: primary.includes(one.name) })),
    });
    model.put("_values", { ...VALUES, values });
    return { model, ...(await open(model)) };
  };
  const shown = (root: ShadowRoot) =>
    [...root.querySelectorAll<HTMLDetailsElement>("details.node")].filter((one) => one.open).length;

  it("shows its nodes, folded, where no field has a known role", async () => {
    const { root, find } = await openMany();
    expect([...root.querySelectorAll(".node > summary")].map((one) => one.textContent)).toEqual(nodes);
    expect(root.querySelector("details.more")).toBeNull();
    expect(shown(root)).toBe(0);
    expect(find("[type=search]").getAttribute("placeholder")).toBe("Search 24 settings");
  });

  it("finds fields by words of their label or node, and folds again", async () => {
    const { root, find } = await openMany(["Load.0"]);
    const search = find<HTMLInputElement>("[type=search]");
    const look = async (words: string) => {
      search.value = words;
      search.dispatchEvent(new Event("input", { bubbles: true }));
      await rendered();
      return [...root.querySelectorAll(".node [data-name]")].map((one) => one.getAttribute("data-name"));
    };
    expect(await look("setting 3 sam")).toEqual(["Sample.3"]);
    expect(shown(root)).toBe(1);
    expect(await look("nothing like it")).toEqual([]);
    expect(root.textContent).toContain("No setting matches “nothing like it”.");
    expect(await look("")).toHaveLength(23);
    expect(shown(root)).toBe(0);
  });

  it("opens the node of a field that is wrong", async () => {
    const { model, root } = await openMany();
    const error = { title: "No", message: "", details: "", fields: { "Sample.2": "Too many." } };
    model.put("_run", runState({ phase: "failed", error }));
    await rendered();
    await rendered();
    expect(root.querySelector<HTMLDetailsElement>("details.node[open] > summary")?.textContent).toBe(
      "Sample",
    );
  });
});
