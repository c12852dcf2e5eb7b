/**
 * Paints only the newest of what arrives.
 *
 * While one frame is being decoded the next ones replace each other, so a slow page falls behind by one frame
 * and never by a queue. The last frame put is always painted, unless the painter is stopped.
 */
export class LatestWins<T> {
  #waiting: T | undefined;
  #busy = false;
  #paused = false;
  #stopped = false;

  constructor(private readonly paint: (item: T) => Promise<void>) {}

  put(item: T): void {
    this.#waiting = item;
    void this.#run();
  }

  /** While paused (nobody sees it) nothing is painted; the newest item waits. */
  pause(paused: boolean): void {
    this.#paused = paused;
    if (!paused) void this.#run();
  }

  stop(): void {
    this.#stopped = true;
    this.#waiting = undefined;
  }

  async #run(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    try {
      while (this.#waiting !== undefined && !this.#paused && !this.#stopped) {
        const item = this.#waiting;
        this.#waiting = undefined;
        // A broken frame is no reason to miss the ones after it.
        await this.paint(item).catch(() => undefined);
      }
    } finally {
      this.#busy = false;
    }
  }
}
