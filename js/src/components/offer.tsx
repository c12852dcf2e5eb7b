import { Component } from "preact";
import { splitBytes } from "../lib/bytes";
import type { Link } from "../lib/link";
import type { Field, Offer as OfferMessage } from "../lib/wire";

interface Props {
  file: File;
  /** The field that takes the file itself. */
  field: Field | undefined;
  link: Link;
  onUpload: (field: Field, file: File) => void;
  onEnd: () => void;
}

interface State {
  told: OfferMessage | null;
}

/** What to do with a dropped file that carries values: use its values, or the file itself. */
export class Offer extends Component<Props, State> {
  override state: State = { told: null };
  #page = Math.random().toString(36).slice(2);
  #ending = new AbortController();

  override componentDidMount(): void {
    const { link, file } = this.props;
    link.onMessage(this.#ending.signal, (message) => {
      if (message.kind === "offer" && message.page === this.#page) this.setState({ told: message });
    });
    file.arrayBuffer().then((content) => {
      const parts = splitBytes(content);
      for (const [part, bytes] of parts.entries()) {
        link.send({ kind: "dropped", page: this.#page, part, parts: parts.length }, [bytes]);
      }
    });
  }

  override componentWillUnmount(): void {
    this.#ending.abort();
  }

  #useValues = () => {
    this.props.link.send({ kind: "use_offer", page: this.#page });
    this.props.onEnd();
  };

  override render({ file, field, onUpload, onEnd }: Props, { told }: State) {
    const canUse = told !== null && told.error === "" && told.count > 0;
    return (
      <section class="offer" aria-label="Dropped file">
        <p role="status">
          <strong>{file.name || "The file"}</strong> {wordsOf(told)}
          {told !== null && told.left.length > 0 && ` Not taken over: ${told.left.join(", ")}.`}
        </p>
        <span class="offer-acts">
          <button
            type="button"
            class="button"
            aria-disabled={!canUse}
            onClick={canUse ? this.#useValues : undefined}
          >
            Use its values
          </button>
          {field !== undefined && (
            <button
              type="button"
              class="button"
              onClick={() => {
                onUpload(field, file);
                onEnd();
              }}
            >
              Use as input: {field.label}
            </button>
          )}
          <button type="button" class="button" onClick={onEnd}>
            Leave it
          </button>
        </span>
      </section>
    );
  }
}

function wordsOf(told: OfferMessage | null): string {
  if (told === null) return "carries settings. Reading its values …";
  if (told.error !== "") return `cannot be used for its values. ${told.error}`;
  if (told.count === 0) return "was made with the values that stand here.";
  return `was made with other values: ${told.lines.join(", ")}.`;
}
