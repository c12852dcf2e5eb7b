import { Cell } from "./cell";
import { type ShownImage, shownImage } from "./images";
import type { Link } from "./link";
import type { Marks, Original } from "./wire";

/** Where an image is: the number of its run, and which of that run's it is. */
export interface Place {
  run: number;
  index: number;
}

type Keys = ReadonlySet<string>;

export const keyOf = ({ run, index }: Place): string => `${run}:${index}`;

export function placeOf(key: string): Place {
  const [run, index] = key.split(":").map(Number);
  return { run: run ?? 0, index: index ?? 0 };
}

const stores = new WeakMap<Link, GalleryStore>();

/** What is selected and starred among the images of one widget, whatever views show it. */
export class GalleryStore {
  readonly selected = new Cell<Keys>(new Set());
  readonly starred = new Cell<Keys>(new Set());
  readonly #waiting = new Map<string, ((image: ShownImage) => void)[]>();
  #isAhead = false;

  static of(link: Link): GalleryStore {
    const store = stores.get(link) ?? new GalleryStore(link);
    stores.set(link, store);
    return store;
  }

  private constructor(private readonly link: Link) {
    link.onTrait<Marks | undefined>("_marks", link.ended, (marks) => {
      if (marks !== undefined) this.#adopt(marks);
    });
    link.onMessage(link.ended, (message, [bytes]) => {
      if (message.kind === "original" && bytes !== undefined) this.#arrive(message, bytes);
    });
  }

  subscribe(changed: () => void): () => void {
    const ends = [this.selected.subscribe(changed), this.starred.subscribe(changed)];
    return () => {
      for (const end of ends) end();
    };
  }

  select(keys: Keys): void {
    this.#mark("select", this.selected, keys);
  }

  star(keys: Keys): void {
    this.#mark("star", this.starred, keys);
  }

  /** An image at its full size. */
  whole(place: Place, image: ShownImage | null | undefined): Promise<ShownImage> {
    if (image?.whole) return Promise.resolve(image);
    return new Promise((arrived) => {
      const waiting = this.#waiting.get(keyOf(place)) ?? [];
      this.#waiting.set(keyOf(place), [...waiting, arrived]);
      this.link.send({ kind: "original", ...place });
    });
  }

  #arrive({ run, index, mime, name, caption }: Original, bytes: DataView): void {
    const key = keyOf({ run, index });
    const waiting = this.#waiting.get(key) ?? [];
    this.#waiting.delete(key);
    const image = shownImage({ name, caption, label: "", whole: true, mime }, bytes);
    for (const arrived of waiting) arrived(image);
  }

  #mark(kind: "select" | "star", cell: Cell<Keys>, keys: Keys): void {
    const changed = [...cell.value].filter((key) => !keys.has(key));
    changed.push(...[...keys].filter((key) => !cell.value.has(key)));
    this.#isAhead = true;
    cell.value = keys;
    const places = [...keys].map(placeOf);
    for (const run of new Set(changed.map((key) => placeOf(key).run))) {
      const images = places.filter((place) => place.run === run).map(({ index }) => index);
      this.link.send({ kind, run, images });
    }
  }

  /** Take what Python says, but nothing older than what was done here meanwhile. */
  #adopt({ selected, starred }: Marks): void {
    const theirs = [selected, starred].map((list) => new Set(list.map(([run, index]) => `${run}:${index}`)));
    const [picked = new Set<string>(), stars = new Set<string>()] = theirs;
    const same = equal(picked, this.selected.value) && equal(stars, this.starred.value);
    if (same) this.#isAhead = false;
    if (this.#isAhead || same) return;
    this.selected.value = picked;
    this.starred.value = stars;
  }
}

function equal(one: Keys, other: Keys): boolean {
  return one.size === other.size && [...one].every((key) => other.has(key));
}
