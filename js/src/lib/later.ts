/**
 * A function that passes on the newest of its values, at most once in so many milliseconds, the last one always.
 *
 * What a slider tells while it is dragged must not pile up before a busy kernel.
 */
export function later<T>(wait: number, tell: (value: T) => void): (value: T) => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let newest: { value: T } | undefined;
  const flush = () => {
    timer = undefined;
    if (newest === undefined) return;
    const { value } = newest;
    newest = undefined;
    timer = setTimeout(flush, wait);
    tell(value);
  };
  return (value) => {
    newest = { value };
    if (timer === undefined) flush();
  };
}

/** How long what somebody does goes before what Python says, in milliseconds. */
export const OWN_TIME = 600;

/** Lets somebody finish a movement: what Python says meanwhile, mostly its echo, is taken over afterwards. */
export class OwnTime {
  #until = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Somebody does something. */
  touch(): void {
    this.#until = performance.now() + OWN_TIME;
  }

  /** Python says something; `adopt` takes over what it has said last. */
  hear(adopt: () => void): void {
    clearTimeout(this.#timer);
    const left = this.#until - performance.now();
    if (left <= 0) adopt();
    else this.#timer = setTimeout(() => this.hear(adopt), left);
  }

  end(): void {
    clearTimeout(this.#timer);
  }
}
