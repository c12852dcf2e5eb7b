/** The few parts of an anywidget model that the widgets use, tied to a signal that ends the subscription. */
import type { Link } from "../lib/link";
import type { FromBrowser, ToBrowser } from "../lib/wire";

export interface Model {
  /** In Jupyter one for each kernel. */
  readonly widget_manager?: unknown;
  get(name: string): unknown;
  on(event: string, callback: (...args: never[]) => void): void;
  off(event: string, callback: (...args: never[]) => void): void;
  send(content: unknown, callbacks?: unknown, buffers?: ArrayBuffer[]): void;
}

/** Call `take` with the trait's value, now and whenever Python replaces it. */
export function onTrait<T>(model: Model, name: string, ended: AbortSignal, take: (value: T) => void): void {
  const changed = () => take(model.get(name) as T);
  listen(model, `change:${name}`, ended, changed);
  changed();
}

export function onMessage(
  model: Model,
  ended: AbortSignal,
  take: (message: ToBrowser, buffers: DataView[]) => void,
): void {
  listen(model, "msg:custom", ended, (message: ToBrowser, buffers: DataView[] = []) =>
    take(message, buffers),
  );
}

export function listen(
  model: Model,
  event: string,
  ended: AbortSignal,
  heard: (...args: never[]) => void,
): void {
  model.on(event, heard);
  ended.addEventListener("abort", () => model.off(event, heard));
}

export function send(model: Model, message: FromBrowser, buffers: ArrayBuffer[] = []): void {
  try {
    model.send(message, undefined, buffers);
  } catch {
    // Jupyter throws when the kernel is gone, which the panel has been told by then.
  }
}

/** What features may hear and say of a widget that ends with this signal. */
export function linkOf(model: Model, ended: AbortSignal, loadFeature: Link["load"]): Link {
  return {
    ended,
    onTrait: (...on) => onTrait(model, ...on),
    onMessage: (...on) => onMessage(model, ...on),
    send: (...said) => send(model, ...said),
    load: loadFeature,
  };
}

/** A signal of Lumino. */
interface Signal {
  connect(slot: (sender: unknown, value: unknown) => void): unknown;
  disconnect(slot: (sender: unknown, value: unknown) => void): unknown;
}

interface Kernel {
  disposed?: Signal;
  statusChanged?: Signal;
}

const GONE = new Set<unknown>(["dead", "terminating", "restarting", "autorestarting"]);

/** Call `gone` when nobody hears this page any more: the kernel was restarted or shut down, or has died. */
export function onKernelGone(model: Model, ended: AbortSignal, gone: () => void): void {
  // Jupyter's word, after the start, for a kernel that was restarted or has died.
  listen(model, "comm_live_update", ended, gone);
  // Of a kernel that is shut down widgets are told nothing; where the page knows its kernel, that says so.
  const { kernel } = (model.widget_manager ?? {}) as { kernel?: Kernel | null };
  const changed = (_sender: unknown, status: unknown) => {
    if (GONE.has(status)) gone();
  };
  kernel?.disposed?.connect(gone);
  kernel?.statusChanged?.connect(changed);
  ended.addEventListener("abort", () => {
    kernel?.disposed?.disconnect(gone);
    kernel?.statusChanged?.disconnect(changed);
  });
}
