/** An open shadow root in a view's element: the page's styles stay out, and ours stay in. */
import { type ComponentChild, h, render } from "preact";
import { FeatureContext } from "../components/feature-context";
import type { LoadFeature } from "../lib/features";
import shareCss from "../style/share.css?inline";
import { keepKeys } from "./keys";
import { followTheme } from "./theme";

export interface View {
  /** Ends with the view; listeners and subscriptions are tied to it. */
  readonly ended: AbortSignal;
  /** The element that carries the shadow root. */
  readonly host: HTMLElement;
  show(content: ComponentChild): void;
  dispose(): void;
}

/**
 * Put a widget into `el`.
 *
 * `signal` is anywidget's own, absent before 0.10; `dispose` is then called by the returned cleanup.
 */
export function mount(el: HTMLElement, css: string, loadFeature: LoadFeature, signal?: AbortSignal): View {
  const ending = new AbortController();
  const ended = ending.signal;
  const doc = el.ownerDocument;
  // A view's element can be rendered into again, but takes a shadow root only once: so the root gets its own.
  const host = doc.createElement("div");
  host.className = "comfy-widgets";
  const shadow = host.attachShadow({ mode: "open" });
  const style = doc.createElement("style");
  style.textContent = css;
  const root = doc.createElement("div");
  root.className = "root";
  shadow.append(style, root);

  const share = doc.createElement("style");
  share.textContent = shareCss;
  el.classList.add("comfy-widgets-view");

  followTheme(root, ended);
  keepKeys(host, ended);
  el.append(share, host);

  const dispose = () => {
    if (ended.aborted) return;
    ending.abort();
    // Components revoke their blob URLs as they unmount.
    render(null, root);
    share.remove();
    host.remove();
  };
  if (signal?.aborted) dispose();
  signal?.addEventListener("abort", dispose, { once: true });
  return {
    ended,
    host,
    show: (content) => render(h(FeatureContext.Provider, { value: loadFeature, children: content }), root),
    dispose,
  };
}
