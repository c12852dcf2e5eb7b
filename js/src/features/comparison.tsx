import { Component, createRef } from "preact";
import { Compare, type Side } from "../components/compare";
import type { Words } from "../components/compare-parts";
import { Close } from "../components/icons";
import type { Picked } from "../components/image-actions";
import { GalleryStore, keyOf } from "../lib/gallery-store";
import type { Link } from "../lib/link";
import compareCss from "../style/compare.css?inline";
import css from "../style/compare-dialog.css?inline";
import zoomCss from "../style/zoom.css?inline";

export interface CompareProps {
  link: Link;
  pair: readonly [Picked, Picked];
  onClose: () => void;
}

interface State {
  sides: readonly (Side | null)[];
  words: Words | null;
}

/** Two images compared, wherever they stand. */
export function Comparison(props: { sides: readonly [Side, Side]; words: Words | null }) {
  return (
    <>
      <style>{zoomCss + compareCss}</style>
      <Compare {...props} />
    </>
  );
}

/** Two images of a widget compared, over the page. */
export class CompareDialog extends Component<CompareProps, State> {
  override state: State = { sides: [null, null], words: null };
  #dialog = createRef<HTMLDialogElement>();
  #ending = new AbortController();

  override componentDidMount(): void {
    this.#dialog.current?.showModal();
    const { link, pair } = this.props;
    const store = GalleryStore.of(link);
    pair.forEach((one, index) => {
      store
        .whole(one, one.image)
        .then((image) => this.setState(({ sides }) => ({ sides: sides.with(index, image) })));
    });
    const [a, b] = pair;
    link.onMessage(this.#ending.signal, (message) => {
      if (message.kind === "differences") this.setState({ words: message });
    });
    link.send({ kind: "differences", a: [a.run, a.index], b: [b.run, b.index] });
  }

  override componentWillUnmount(): void {
    this.#ending.abort();
  }

  override render({ pair, onClose }: CompareProps, { sides, words }: State) {
    const [one, other] = sides;
    return (
      // Escape closes it, and the button.
      // biome-ignore lint/a11y/useKeyWithClickEvents: see above
      <dialog
        ref={this.#dialog}
        class="compare-dialog"
        aria-label="Two images compared"
        tabIndex={-1}
        onClose={onClose}
        onClick={(event) => event.target === this.#dialog.current && this.#dialog.current?.close()}
      >
        <style>{css}</style>
        <div class="sheet">
          <button
            type="button"
            class="plain close"
            aria-label="Close"
            title="Close"
            onClick={() => this.#dialog.current?.close()}
          >
            <Close />
          </button>
          {one && other ? (
            <Comparison key={pair.map(keyOf).join()} sides={[one, other]} words={words} />
          ) : (
            <p>Fetching the images …</p>
          )}
        </div>
      </dialog>
    );
  }
}
