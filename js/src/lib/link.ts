import type { FromBrowser, ToBrowser } from "./wire";

/** What a feature may hear and say of the widget that it belongs to; each subscription ends with its signal. */
export interface Link {
  /** Ends with the widget. */
  readonly ended: AbortSignal;
  /** Nothing for a trait that the widget does not have. */
  onTrait<T>(name: string, ended: AbortSignal, take: (value: T) => void): void;
  onMessage(ended: AbortSignal, take: (message: ToBrowser, buffers: DataView[]) => void): void;
  send(message: FromBrowser, buffers?: ArrayBuffer[]): void;
  /** Load another feature; which it is, its caller knows. */
  load(name: string): Promise<unknown>;
}
