/** Tiles that come near in one frame: each costs a blob and its URL, and scrolling must not wait for many. */
const A_FRAME = 10;

/** Which tiles of a grid are in view, or nearly: of thousands, the others do without their images. */
export class InView {
  readonly #known = new Map<Element, boolean>();
  readonly #watched = new Set<Element>();
  /** Those that have come near, and are told of in the next frames. */
  readonly #coming = new Set<Element>();
  #observer: IntersectionObserver | null = null;
  #frame = 0;

  constructor(private readonly changed: () => void) {}

  /** Whether a tile is near; nothing while that is not known. */
  get(tile: Element | undefined): boolean | undefined {
    return tile && this.#known.get(tile);
  }

  /** Look at these, and at no others, as they scroll within an element. */
  watch(root: Element, tiles: Iterable<Element>): void {
    this.#observer ??= new IntersectionObserver((entries) => this.#take(entries), {
      root,
      // A screen above and one below, so that nobody sees an image come.
      rootMargin: "100% 0px",
    });
    const wanted = new Set(tiles);
    for (const tile of this.#watched) {
      if (wanted.has(tile)) continue;
      this.#observer.unobserve(tile);
      for (const known of [this.#watched, this.#coming, this.#known]) known.delete(tile);
    }
    for (const tile of wanted) {
      if (this.#watched.has(tile)) continue;
      this.#watched.add(tile);
      this.#observer.observe(tile);
    }
  }

  dispose(): void {
    this.#observer?.disconnect();
    cancelAnimationFrame(this.#frame);
  }

  #take(entries: readonly IntersectionObserverEntry[]): void {
    for (const { target, isIntersecting } of entries) {
      if (isIntersecting) this.#coming.add(target);
      else {
        this.#coming.delete(target);
        this.#known.set(target, false);
      }
    }
    if (this.#frame === 0) this.#next();
  }

  #next(): void {
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0;
      for (const tile of [...this.#coming].slice(0, A_FRAME)) {
        this.#coming.delete(tile);
        this.#known.set(tile, true);
      }
      this.changed();
      if (this.#coming.size > 0) this.#next();
    });
  }
}
