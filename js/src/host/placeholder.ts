import type { Model } from "./model";

export interface Placeholder {
  remove(): void;
  /** Say that the widget will not come. */
  fail(error: unknown): void;
}

/** Long enough for a kernel that is not busy, so that nothing flashes. */
const QUIET = 1200;

const STYLE = `
  align-items: center;
  border: 1px dashed color-mix(in srgb, currentcolor 30%, transparent);
  border-radius: 8px;
  box-sizing: border-box;
  color: var(--jp-content-font-color2, inherit);
  display: flex;
  font: 13px/1.45 var(--jp-ui-font-family, system-ui, sans-serif);
  margin: 4px 2px 8px;
  min-height: 48px;
  padding: 8px 16px;
`;

/** What stands in a widget's place until its code has come, and where no kernel sends it. */
export function placeholder(el: HTMLElement, model: Model): Placeholder {
  const { title } = (model.get("_form") ?? {}) as { title?: string };
  const box = el.ownerDocument.createElement("div");
  box.className = "comfy-widgets-placeholder";
  box.style.cssText = STYLE;
  box.setAttribute("role", "status");
  const say = (words: string) => {
    box.textContent = title ? `${title}: ${words}` : words;
  };
  say("waiting for the kernel. In a saved notebook, run this cell to bring it back.");
  box.animate?.([{ opacity: 0 }, { opacity: 0, offset: 0.85 }, { opacity: 1 }], QUIET);
  el.append(box);
  return {
    remove: () => box.remove(),
    fail(error) {
      for (const animation of box.getAnimations?.() ?? []) animation.cancel();
      say(`this widget could not be started. ${error instanceof Error ? error.message : String(error)}`);
    },
  };
}
