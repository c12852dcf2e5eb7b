import type { ButtonHTMLAttributes, ComponentChild, ComponentType } from "preact";
import { Close } from "../components/icons";
import { ImageActions, type Picked, Tool } from "../components/image-actions";
import { GalleryStore, keyOf, placeOf } from "../lib/gallery-store";
import type { ShownImage } from "../lib/images";
import { InView } from "../lib/in-view";
import type { Link } from "../lib/link";
import { moveFocus } from "../lib/move-focus";
import type { Field } from "../lib/wire";
import css from "../style/gallery.css?inline";
import type * as comparison from "./comparison";
import type * as lightbox from "./lightbox";

/** More images than these have their tiles filled as they come into view; of more than the second some are sent as they do. */
const [MANY, LEAST] = [96, 64];

/** The images that a grid shows. */
export interface Exhibit {
  run: number;
  items: readonly (ShownImage | null)[];
  link: Link;
  /** Fields that take an image. */
  inputs: readonly Field[];
}

/** The features that this one opens. */
interface Opened {
  comparison: typeof comparison;
  lightbox: typeof lightbox;
}

/** What a tile of the grid gets. */
export interface Extras {
  /** Out of view among very many: it needs no image. */
  isFar: boolean;
  attributes: ButtonHTMLAttributes<HTMLButtonElement>;
  mark: () => ComponentChild;
}

interface TileState {
  image: ShownImage;
  isFar: boolean;
  selected: boolean;
  starred: boolean;
  isBusy: boolean;
}

/** What a person does with the images of one grid: look at them, select, star, compare and take them. */
export class Gallery {
  readonly #store: GalleryStore;
  readonly #end: () => void;
  #shown: Exhibit;
  #open: number | null = null;
  #isWorkflow = false;
  #lightbox: ComponentType<lightbox.LightboxProps> | null = null;
  #asked = false;
  #comparison: ComponentType<comparison.CompareProps> | null = null;
  #pair: readonly [Picked, Picked] | null = null;
  /** Where a selection with Shift begins. */
  #anchor = 0;
  readonly #inView: InView;
  #elements: readonly Element[] = [];
  /** Images that were asked for as somebody has scrolled there. */
  #wanted = { run: 0, indices: new Set<number>() };
  /** The images whose tiles these are. */
  #looked: Exhibit["items"] = [];
  /** What tiles have got, by index: one that gets the same is not drawn again. */
  readonly #given: (TileState & { extras: Extras })[] = [];

  constructor(
    shown: Exhibit,
    private readonly load: <Name extends keyof Opened>(name: Name) => Promise<Opened[Name]>,
    private readonly changed: () => void,
  ) {
    this.#shown = shown;
    this.#store = GalleryStore.of(shown.link);
    this.#end = this.#store.subscribe(changed);
    this.#inView = new InView(changed);
  }

  dispose(): void {
    this.#end();
    this.#inView.dispose();
  }

  /** See which tiles are in view, where there are very many. */
  look(grid: HTMLElement | null): void {
    const { items } = this.#shown;
    if (grid === null || items.length <= LEAST) return;
    if (items !== this.#looked) {
      this.#looked = items;
      this.#elements = [...grid.querySelectorAll(".tile")];
      this.#inView.watch(grid.closest(".layer") ?? grid, this.#elements);
    }
    this.#want();
  }

  /** Ask for the images in view that were not sent yet. */
  #want(): void {
    const { run, items, link } = this.#shown;
    if (this.#wanted.run !== run) this.#wanted = { run, indices: new Set() };
    const indices = items.flatMap((image, index) =>
      image?.isLater && this.#inView.get(this.#elements[index]) && !this.#wanted.indices.has(index)
        ? index
        : [],
    );
    if (indices.length === 0) return;
    for (const index of indices) this.#wanted.indices.add(index);
    link.send({ kind: "images", run, indices });
  }

  /** What the tile at this place gets: the same object for as long as nothing of it changes. */
  extras(index: number, image: ShownImage): Extras {
    const { run, items } = this.#shown;
    const isFar = items.length > MANY && !(this.#inView.get(this.#elements[index]) ?? index < MANY);
    const selected = hasKey(this.#store.selected.value, run, index);
    const starred = hasKey(this.#store.starred.value, run, index);
    const isBusy = this.#open === index && this.#lightbox === null;
    const before = this.#given[index];
    if (
      before?.image === image &&
      before.isFar === isFar &&
      before.selected === selected &&
      before.starred === starred &&
      before.isBusy === isBusy
    )
      return before.extras;
    const state = { image, isFar, selected, starred, isBusy };
    const extras = { isFar, ...this.#make(index, state) };
    this.#given[index] = { ...state, extras };
    return extras;
  }

  #make(index: number, { image, selected, starred, isBusy }: TileState) {
    const states = [image.caption, selected && "selected", starred && "starred"].filter(Boolean);
    return {
      attributes: {
        "aria-label": states.join(", "),
        "aria-busy": isBusy,
        "aria-keyshortcuts": "X S",
        ...{ "data-selected": selected },
        onPointerEnter: this.#point,
        onFocus: this.#point,
        onClick: (event: MouseEvent) => this.click(event, index),
        onKeyDown: (event: KeyboardEvent) => this.#key(event, index),
        // A press of the space bar would click, and open the image.
        onKeyUp: (event: KeyboardEvent) => event.key === " " && event.preventDefault(),
      },
      // Made anew each time: an element that is kept keeps all that it was once drawn in.
      mark: () => (
        <>
          <input
            type="checkbox"
            class="pick"
            tabIndex={-1}
            aria-label={`Select ${image.caption}`}
            checked={selected}
            onClick={(event) => this.#pick(event, index)}
          />
          {starred && <span class="starred" aria-hidden="true" />}
        </>
      ),
    };
  }

  /** What stands over and under the tiles. */
  render(shown: Exhibit): ComponentChild {
    this.#shown = shown;
    const { run, items, link, inputs } = shown;
    const picked: Picked[] = [...this.#store.selected.value].map((key) => {
      const place = placeOf(key);
      return { ...place, image: place.run === run ? (items[place.index] ?? null) : null };
    });
    const Lightbox = this.#lightbox;
    const [first, second] = picked;
    const Comparison = this.#comparison;
    return (
      <>
        <style>{css}</style>
        {first !== undefined && (
          <div class="picked" role="toolbar" aria-label="Selected images">
            <span class="many">{picked.length} selected</span>
            <ImageActions
              link={link}
              picked={picked}
              inputs={inputs}
              onCompare={
                second !== undefined && picked.length === 2 ? () => this.#compare([first, second]) : undefined
              }
              onWorkflow={() => this.open(first.index, true)}
            />
            <Tool
              label="Clear the selection"
              icon={<Close />}
              onClick={() => this.#store.select(new Set())}
            />
          </div>
        )}
        {this.#pair !== null && Comparison !== null && (
          <Comparison link={link} pair={this.#pair} onClose={this.#endCompare} />
        )}
        {this.#open !== null && Lightbox !== null && (
          <Lightbox
            {...shown}
            index={this.#open}
            isWorkflow={this.#isWorkflow}
            onMove={(index) => this.open(index)}
          />
        )}
      </>
    );
  }

  /** Show one image over the page, or none. */
  open(index: number | null, isWorkflow = false): void {
    this.#open = index;
    this.#isWorkflow = isWorkflow;
    this.#point();
    this.changed();
  }

  #compare(pair: readonly [Picked, Picked]): void {
    this.#pair = pair;
    this.load("comparison").then(
      ({ CompareDialog }) => {
        this.#comparison = CompareDialog;
        this.changed();
      },
      () => undefined,
    );
  }

  #endCompare = () => {
    this.#pair = null;
    this.changed();
  };

  /** Asked for as soon as somebody points at an image, so that it is there at the click. */
  #point = () => {
    if (this.#asked) return;
    this.#asked = true;
    this.load("lightbox").then(
      ({ Lightbox }) => {
        this.#lightbox = Lightbox;
        this.changed();
      },
      () => {
        this.#asked = false;
      },
    );
  };

  /** A click selects where Ctrl or Shift is held, and else opens. */
  click(event: MouseEvent, index: number): void {
    if (event.ctrlKey || event.metaKey || event.shiftKey) this.#pick(event, index);
    else this.open(index);
  }

  /** Select one more or one less; with Shift all from the last one on. */
  #pick(event: MouseEvent | KeyboardEvent, index: number): void {
    const keys = new Set(this.#store.selected.value);
    const { run, items } = this.#shown;
    if (event.shiftKey) {
      const [from, to] = [Math.min(this.#anchor, index), Math.max(this.#anchor, index)];
      for (let at = from; at <= to; at++) {
        if (items[at]?.mime.startsWith("image")) keys.add(keyOf({ run, index: at }));
      }
    } else {
      const key = keyOf({ run, index });
      if (!keys.delete(key)) keys.add(key);
      this.#anchor = index;
    }
    this.#store.select(keys);
  }

  #key(event: KeyboardEvent, index: number): void {
    const key = event.key.toLowerCase();
    const tile = event.currentTarget as HTMLElement;
    if (event.ctrlKey || event.metaKey) return;
    if (key === " " || key === "x") this.#pick(event, index);
    else if (key === "s") this.#star(index);
    else if (key === "escape" && this.#store.selected.value.size > 0) {
      this.#store.select(new Set());
      event.stopPropagation();
    } else if (!moveFocus(tile, event.key)) return;
    event.preventDefault();
  }

  #star(index: number): void {
    const key = keyOf({ run: this.#shown.run, index });
    const keys = new Set(this.#store.starred.value);
    if (!keys.delete(key)) keys.add(key);
    this.#store.star(keys);
  }
}

/** Asked of thousands of tiles, while seldom any is in the set. */
function hasKey(keys: ReadonlySet<string>, run: number, index: number): boolean {
  return keys.size > 0 && keys.has(keyOf({ run, index }));
}
