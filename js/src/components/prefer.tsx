import { Component, createRef } from "preact";
import type { PairChosen, PairShown } from "../lib/schema";
import { BlobImage } from "./blob-image";

interface Props {
  /** What Python told last. */
  pair: PairShown | undefined;
  images: readonly Blob[];
  onChoose: (choice: PairChosen["choice"]) => void;
}

const KEYS: Record<string, PairChosen["choice"]> = {
  ArrowLeft: "left",
  ArrowRight: "right",
  ArrowDown: "same",
  Backspace: "undo",
};
const SIDES = ["left", "right"] as const;

/** Two images side by side; one is chosen by a click or an arrow key. */
export class Prefer extends Component<Props, { words: boolean }> {
  override state = { words: false };
  #root = createRef<HTMLElement>();

  #choose(choice: PairChosen["choice"]): void {
    this.props.onChoose(choice);
    // The buttons are replaced with the images; the keys must go on to work.
    this.#root.current?.focus({ preventScroll: true });
  }

  #onKey = (event: KeyboardEvent): void => {
    const choice = KEYS[event.key];
    if (choice === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    if (!event.repeat) this.#choose(choice);
  };

  override render() {
    const { pair, images } = this.props;
    const shown = images.length === 2;
    return (
      <section
        class="prefer"
        ref={this.#root}
        aria-label="Which image do you like better? The left and right arrows choose, down says that they are equal."
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it takes the keys for the two images in it
        tabIndex={0}
        onKeyDown={this.#onKey}
      >
        <header>
          <h3>Which do you like better?</h3>
          <p class={pair?.sure === true ? "told sure" : "told"} role="status">
            {pair?.told}
          </p>
        </header>
        <div class="two">
          {SIDES.map((side, index) => (
            <button
              key={side}
              type="button"
              class="side"
              disabled={!shown}
              aria-label={side === "left" ? "The left one" : "The right one"}
              onClick={() => this.#choose(side)}
            >
              <span class="frame">
                {images[index] !== undefined && (
                  <BlobImage
                    blob={images[index]}
                    alt={this.state.words ? (pair?.words[index] ?? "") : side}
                  />
                )}
              </span>
              {this.state.words && <span class="words">{pair?.words[index]}</span>}
            </button>
          ))}
          {!shown && <p class="none quiet">The first two images are still to come.</p>}
        </div>
        <footer>
          <p class="hints">
            <kbd>←</kbd> <kbd>→</kbd> choose · <kbd>↓</kbd> equal · <kbd>⌫</kbd> undo
          </p>
          <label class="quiet">
            <input
              type="checkbox"
              checked={this.state.words}
              onChange={(event) => this.setState({ words: event.currentTarget.checked })}
            />{" "}
            Show values
          </label>
          <button type="button" class="button small" disabled={!shown} onClick={() => this.#choose("same")}>
            Equal
          </button>
          <button
            type="button"
            class="button small"
            disabled={(pair?.turn ?? 0) === 0}
            onClick={() => this.#choose("undo")}
          >
            Undo
          </button>
        </footer>
      </section>
    );
  }
}
