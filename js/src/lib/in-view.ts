/** Which tiles of a grid are in view, or nearly: of thousands, the others do without their images. */
export class InView {
  #near = new Map<Element, boolean>();
  #observer: IntersectionObserver | null = null;

  constructor(private readonly changed: () => void) {}

  /** Whether a tile is near; nothing while that is not known. */
  get(tile: Element | undefined): boolean | undefined {
    return tile && this.#near.get(tile);
  }

  /** Look at these, and at no others, as they scroll within an element. */
  watch(root: Element, tiles: Iterable<Element>): void {
    this.#observer ??= new IntersectionObserver((entries) => this.#take(entries), {
      root,
      // A screen above and one below, so that nobody sees an image come.
      rootMargin: "100% 0px",
    });
    const wanted = new Set(tiles);
    for (const tile of this.#near.keys()) {
      if (wanted.has(tile)) continue;
      this.#near.delete(tile);
      this.#observer.unobserve(tile);
    }
    for (const tile of wanted) if (!this.#near.has(tile)) this.#observer.observe(tile);
  }

  dispose(): void {
    this.#observer?.disconnect();
  }

  #take(entries: readonly IntersectionObserverEntry[]): void {
    for (const { target, isIntersecting } of entries) this.#near.set(target, isIntersecting);
    this.changed();
  }
}
