import { Component, createRef } from "preact";
import { BlobImage } from "../components/blob-image";
import { Alert, Close, ImageIcon } from "../components/icons";
import { Star } from "../components/image-icons";
import {
  AROUND,
  type Entry,
  entryAt,
  type Found,
  NOTHING,
  PAGE,
  pagesOf,
  ROW,
  type Search,
  takePage,
} from "../lib/history";
import type { Link } from "../lib/link";
import { inView } from "../lib/rows-in-view";
import { when } from "../lib/when";
import type { HistoryState } from "../lib/wire";
import css from "../style/history.css?inline";

/** Milliseconds without a key after which a search begins. */
const PAUSE = 150;

interface Props {
  link: Link;
  state: HistoryState;
  shown: number;
}

interface State {
  search: Search;
  found: Found;
  top: number;
  height: number;
  /** The run that is to be forgotten, once that is confirmed. */
  deleting: number;
}

/** A list of the runs that a folder keeps, however many: only rows in view are asked for and drawn. */
export class History extends Component<Props, State> {
  override state: State = {
    search: { text: "", starred: false },
    found: NOTHING,
    top: 0,
    height: 6 * ROW,
    deleting: 0,
  };
  #list = createRef<HTMLDivElement>();
  #ending = new AbortController();
  /** Pages that are on their way. */
  #asked = new Set<number>();
  #timer = 0;

  override componentDidMount(): void {
    this.props.link.onMessage(this.#ending.signal, (message, buffers) => {
      if (message.kind !== "history") return;
      this.setState(({ search, found }) => {
        const next = takePage(found, search, message, buffers);
        if (next !== found) this.#asked.delete(message.start / PAGE);
        return { found: next };
      });
    });
    this.#ask();
  }

  override componentDidUpdate(before: Props, old: State): void {
    const { state } = this.props;
    const isOld = before.state.version !== state.version || before.state.total !== state.total;
    if (isOld || old.search !== this.state.search) this.#later();
    else if (this.#timer === 0) this.#ask();
  }

  override componentWillUnmount(): void {
    this.#ending.abort();
    clearTimeout(this.#timer);
  }

  /** Ask anew for what is in view, once nobody types for a moment. */
  #later(): void {
    clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => {
      this.#timer = 0;
      this.#asked.clear();
      this.#ask(true);
    }, PAUSE);
  }

  /** Ask for the pages in view that are not here yet, or for all of them. */
  #ask(isAgain = false): void {
    const { search, found, top, height } = this.state;
    const isNew = found.text !== search.text || found.starred !== search.starred;
    for (const page of pagesOf(isNew ? [0, 1] : inView(top, height, ROW, found.total, AROUND))) {
      if (this.#asked.has(page) || !(isAgain || isNew || !found.pages.has(page))) continue;
      this.#asked.add(page);
      this.props.link.send({ kind: "history", ...search, start: page * PAGE, count: PAGE });
    }
  }

  #find = (more: Partial<Search>): void => {
    this.setState(({ search }) => ({ search: { ...search, ...more }, top: 0, deleting: 0 }));
    this.#list.current?.scrollTo(0, 0);
  };

  #scroll = ({ currentTarget }: { currentTarget: HTMLElement }): void => {
    this.setState({ top: currentTarget.scrollTop, height: currentTarget.clientHeight });
  };

  /** Arrows go from row to row; those around the ones in view are there. */
  #move = (event: KeyboardEvent): void => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const row = (event.target as Element).closest("li");
    const place = Number(row?.getAttribute("aria-posinset") ?? 0) + step;
    const next = this.#list.current?.querySelector<HTMLElement>(`[aria-posinset="${place}"] .open`);
    next?.focus();
    next?.scrollIntoView({ block: "nearest" });
  };

  override render(
    { link, shown, state: { folder } }: Props,
    { search, found, top, height, deleting }: State,
  ) {
    const [first, end] = inView(top, height, ROW, found.total, AROUND);
    const rows = Array.from({ length: end - first }, (_, offset) => first + offset);
    return (
      <section class="history" aria-label="History" onKeyDown={this.#move}>
        <style>{css}</style>
        <div class="search">
          <input
            type="search"
            class="control"
            aria-label="Search the history"
            placeholder="Prompt, model, value…"
            onInput={({ currentTarget }) => this.#find({ text: currentTarget.value })}
          />
          <button
            type="button"
            class="plain star"
            aria-label="Only starred"
            title="Only starred"
            aria-pressed={search.starred}
            onClick={() => this.#find({ starred: !search.starred })}
          >
            <Star />
          </button>
        </div>
        {found.error && <p class="none">{found.error}</p>}
        {found.total === 0 && !found.error && found !== NOTHING && (
          <p class="none" role="status">
            {search.text || search.starred ? "Nothing found" : `Runs will be kept in ${folder}`}
          </p>
        )}
        <div
          ref={this.#list}
          class="scroll"
          tabIndex={-1}
          hidden={found.total === 0}
          style={{ "--rows": found.total }}
          onScroll={this.#scroll}
        >
          {/* biome-ignore lint/a11y/noRedundantRoles: without markers, Safari takes it for no list */}
          <ul role="list">
            {rows.map((index) => {
              const entry = entryAt(found, index);
              return (
                <li
                  key={entry?.run ?? `row ${index}`}
                  aria-posinset={index + 1}
                  aria-setsize={found.total}
                  style={{ top: `${index * ROW}px` }}
                >
                  {entry && (
                    <Row
                      entry={entry}
                      isShown={entry.run === shown}
                      isDeleting={entry.run === deleting}
                      onShow={() => link.send({ kind: "show", run: entry.run })}
                      onUse={() => link.send({ kind: "use", run: entry.run })}
                      onDelete={(deleting) => this.setState({ deleting })}
                      onForget={() => {
                        link.send({ kind: "forget", run: entry.run });
                        this.#list.current?.focus();
                      }}
                    />
                  )}
                </li>
              );
            })}
          </ul>
        </div>
      </section>
    );
  }
}

interface RowProps {
  entry: Entry;
  isShown: boolean;
  isDeleting: boolean;
  onShow: () => void;
  onUse: () => void;
  onDelete: (run: number) => void;
  onForget: () => void;
}

function Row({ entry, isShown, isDeleting, onShow, onUse, onDelete, onForget }: RowProps) {
  const { run, title, prompt, phase, started, count, differs, error, starred, image } = entry;
  const words = prompt || title || "No prompt";
  const facts = [
    phase === "done" ? "" : error || phase,
    differs.join(", "),
    count > 1 ? `${count} images` : "",
    prompt && title,
    when(started),
  ];
  const told = facts.filter(Boolean).join(" · ");
  return (
    <div class="entry" data-phase={phase} aria-current={isShown}>
      <button
        type="button"
        class="open"
        aria-label={`${words}, ${told}`}
        disabled={count === 0}
        onClick={onShow}
      >
        <span class="small">
          {image ? <BlobImage blob={image} alt="" /> : phase === "failed" ? <Alert /> : <ImageIcon />}
        </span>
        <span class="about" title={`${words}\n${told}`}>
          <span class="prompt">{words}</span>
          <span class="when">
            {starred && <Star />}
            {told}
          </span>
        </span>
      </button>
      {isDeleting ? (
        <Confirm onForget={onForget} onKeep={() => onDelete(0)} />
      ) : (
        <>
          <button
            type="button"
            class="button use"
            aria-label="Use these values"
            title="Use these values"
            onClick={onUse}
          >
            Use
          </button>
          <button
            type="button"
            class="plain"
            aria-label={`Delete the run of ${when(started)}`}
            title="Delete from the history"
            onClick={() => onDelete(run)}
          >
            <Close />
          </button>
        </>
      )}
    </div>
  );
}

/** A run that is gone is gone: the keyboard stands on the harmless answer. */
class Confirm extends Component<{ onForget: () => void; onKeep: () => void }> {
  #keep = createRef<HTMLButtonElement>();

  override componentDidMount(): void {
    this.#keep.current?.focus();
  }

  override render() {
    const { onForget, onKeep } = this.props;
    return (
      <>
        <button type="button" class="button danger" onClick={onForget}>
          Delete
        </button>
        <button ref={this.#keep} type="button" class="button" onClick={onKeep}>
          Keep
        </button>
      </>
    );
  }
}
