import type { ToBrowser } from "../lib/wire";
import { type Model, onMessage } from "./model";

type Listener = (message: ToBrowser, buffers: DataView[]) => void;

/**
 * The model as a part sees it that is still being loaded: the messages that come meanwhile are kept, and given to the
 * first who listens.
 */
export function early(model: Model, ended: AbortSignal): Model {
  const kept: Parameters<Listener>[] = [];
  const listening = new AbortController();
  ended.addEventListener("abort", () => listening.abort());
  onMessage(model, listening.signal, (message, buffers) => {
    if (message.kind !== "code") kept.push([message, buffers]);
  });
  return {
    widget_manager: model.widget_manager,
    get: (name) => model.get(name),
    off: (event, heard) => model.off(event, heard),
    send: (...message) => model.send(...message),
    on(event, heard) {
      model.on(event, heard);
      if (event !== "msg:custom" || listening.signal.aborted) return;
      listening.abort();
      // Once whoever listens is complete, and before anything new is heard.
      queueMicrotask(() => {
        for (const message of kept.splice(0)) (heard as Listener)(...message);
      });
    },
  };
}
