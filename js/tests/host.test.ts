import { afterEach, describe, expect, it } from "vitest";
import { keepKeys } from "../src/host/keys";
import { followTheme, isDark } from "../src/host/theme";
import { rendered } from "./model";

const ending = new AbortController();

afterEach(() => {
  document.body.replaceChildren();
  for (const element of [document.body, document.documentElement]) {
    for (const { name } of [...element.attributes]) element.removeAttribute(name);
  }
});

describe("the theme", () => {
  it.each([
    ["JupyterLab, dark", () => document.body.setAttribute("data-jp-theme-light", "false"), true],
    ["JupyterLab, light", () => document.body.setAttribute("data-jp-theme-light", "true"), false],
    ["VS Code, dark", () => document.body.setAttribute("data-vscode-theme-kind", "vscode-dark"), true],
    [
      "VS Code, high contrast",
      () => document.body.setAttribute("data-vscode-theme-kind", "vscode-high-contrast"),
      true,
    ],
    [
      "VS Code, light",
      () => document.body.setAttribute("data-vscode-theme-kind", "vscode-high-contrast-light"),
      false,
    ],
    ["Colab, dark", () => document.documentElement.setAttribute("theme", "dark"), true],
    ["marimo, dark", () => document.body.classList.add("dark"), true],
    ["marimo, light", () => document.body.classList.add("light"), false],
  ])("of %s is known", (_name, set, dark) => {
    set();
    expect(isDark(document)).toBe(dark);
  });

  it("is followed when it changes", async () => {
    const root = document.createElement("div");
    document.body.dataset.jpThemeLight = "true";
    followTheme(root, ending.signal);
    expect(root.dataset.theme).toBe("light");
    document.body.dataset.jpThemeLight = "false";
    await rendered();
    expect(root.dataset.theme).toBe("dark");
  });
});

describe("keys in a widget", () => {
  const press = (target: Element, key: string, more: KeyboardEventInit = {}) =>
    target.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, composed: true, ...more }));

  it("do not reach the notebook, but save does", () => {
    const host = document.createElement("div");
    const input = document.createElement("input");
    host.append(input);
    document.body.append(host);
    keepKeys(host, ending.signal);
    const seen: string[] = [];
    const suppressed: boolean[] = [];
    // As Lumino listens: in the capture phase at the document.
    document.addEventListener(
      "keydown",
      () => suppressed.push(host.hasAttribute("data-lm-suppress-shortcuts")),
      true,
    );
    document.addEventListener("keydown", (event) => seen.push(event.key));
    press(input, "b");
    press(input, "Enter", { shiftKey: true });
    press(input, "s", { ctrlKey: true });
    expect(suppressed).toEqual([true, true, false]);
    expect(seen).toEqual(["s"]);
  });

  it("leave the widget with Escape, unless something is open in it", () => {
    const notebook = document.createElement("div");
    notebook.tabIndex = 0;
    const host = document.createElement("div");
    const root = host.attachShadow({ mode: "open" });
    const input = document.createElement("input");
    root.append(input);
    notebook.append(host);
    document.body.append(notebook);
    keepKeys(host, ending.signal);
    const list = document.createElement("div");
    list.setAttribute("role", "listbox");
    root.append(list);
    input.focus();
    press(input, "Escape");
    expect(root.activeElement).toBe(input);
    list.remove();
    press(input, "Escape");
    expect(root.activeElement).toBeNull();
    expect(document.activeElement).toBe(notebook);
    expect(host.hasAttribute("data-lm-suppress-shortcuts")).toBe(false);
  });
});
