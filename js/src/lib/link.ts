import type { FromBrowser, ToBrowser } from "./wire";

/** What a feature may hear and say of the widget that it belongs to; each subscription ends with its signal. */
export interface Link {
  onTrait<T>(name: string, ended: AbortSignal, take: (value: T) => void): void;
  onMessage(ended: AbortSignal, take: (message: ToBrowser, buffers: DataView[]) => void): void;
  send(message: FromBrowser): void;
}
