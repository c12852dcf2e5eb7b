import { Component } from "preact";
import { useRef } from "preact/hooks";
import { BlobImage } from "../components/blob-image";
import { Alert, ChevronDown, Close, ImageIcon } from "../components/icons";
import { NodesOfRun, type Views } from "../components/nodes-of-run";
import { PastRuns } from "../components/past-runs";
import { Details, differs, RunAbout } from "../components/run-about";
import { toBlob } from "../lib/bytes";
import type { Link } from "../lib/link";
import { type HistoryState, isBusy, type RunDetails, type RunList, type RunRow } from "../lib/wire";
import { percent } from "../lib/words";
import css from "../style/runs.css?inline";

export { Repeat } from "../components/repeat";

interface Props {
  link: Link;
}

interface State {
  list: RunList;
  /** What a folder keeps; without a folder it is empty. */
  history: HistoryState | null;
  thumbnails: ReadonlyMap<number, Blob>;
  details: RunDetails | null;
  /** What is shown of the nodes of a run. */
  views: Views;
}

/** The runs that wait, and those that were; of each what differs from the form, and what can be done with it. */
export class Runs extends Component<Props, State> {
  override state: State = {
    list: { rows: [], shown: 0, past: null },
    history: null,
    thumbnails: new Map(),
    details: null,
    views: { timeline: false, graph: false },
  };
  #ending = new AbortController();

  override componentDidMount(): void {
    const { link } = this.props;
    link.onTrait<RunList>("_runs", this.#ending.signal, (list) =>
      this.setState(({ thumbnails }) => ({ list, thumbnails: keptOf(thumbnails, list) })),
    );
    link.onTrait<HistoryState>("_history", this.#ending.signal, (history) => this.setState({ history }));
    link.onMessage(this.#ending.signal, (message, [bytes]) => {
      if (message.kind === "details") this.setState({ details: message });
      if (message.kind === "run_thumbnail" && bytes !== undefined) {
        const blob = toBlob(bytes, message.mime);
        this.setState(({ thumbnails }) => ({ thumbnails: new Map(thumbnails).set(message.run, blob) }));
      }
    });
    // Those that came before this was there.
    link.send({ kind: "runs" });
  }

  override componentWillUnmount(): void {
    this.#ending.abort();
  }

  #show = ({ run }: RunRow): void => {
    const newest = this.state.list.rows.findLast((row) => row.count > 0);
    this.props.link.send({ kind: "show", run: newest?.run === run ? null : run });
    if (this.state.details !== null) this.props.link.send({ kind: "details", run });
  };

  #toggleDetails = (run: number): void => {
    if (this.state.details?.run === run) this.setState({ details: null });
    else this.props.link.send({ kind: "details", run });
  };

  #toggle = (view: keyof Views): void => {
    this.setState(({ views }) => ({ views: { ...views, [view]: !views[view] } }));
  };

  override render({ link }: Props, { list, history, thumbnails, details, views }: State) {
    const { rows, shown, past } = list;
    const open = rows.filter((row) => isBusy(row.phase)).sort((one, other) => place(one) - place(other));
    const first = open.find((row) => row.phase === "waiting");
    const ended = rows.filter((row) => !isBusy(row.phase)).reverse();
    const current = past ?? rows.find((row) => row.run === shown);
    if (rows.length === 0 && !history?.folder) return null;
    return (
      <section class="runs" aria-label="Runs">
        <style>{css}</style>
        {rows.length > 0 && <NodesOfRun link={link} views={views} onToggle={this.#toggle} />}
        {open.length > 1 && (
          <ul class="queue">
            {open.map((row) => (
              <Waiting
                key={row.run}
                row={row}
                canAdvance={row.phase === "waiting" && row !== first}
                onNext={() => link.send({ kind: "next", run: row.run })}
                onCancel={() => link.send({ kind: "cancel", run: row.run })}
              />
            ))}
          </ul>
        )}
        {rows.length > 1 && ended.length > 0 && (
          <div class="strip">
            {ended.map((row) => (
              <Ended
                key={row.run}
                row={row}
                thumbnail={thumbnails.get(row.run)}
                isShown={row.run === shown}
                onShow={() => this.#show(row)}
              />
            ))}
          </div>
        )}
        {current !== undefined && (
          <RunAbout
            row={current}
            isOpen={details?.run === current.run}
            link={link}
            onToggle={() => this.#toggleDetails(current.run)}
          />
        )}
        {details !== null && details.run === shown && <Details details={details} />}
        {history?.folder && <PastRuns link={link} history={history} shown={shown} />}
      </section>
    );
  }
}

/** The small images of the runs that are still listed: of very many, Python tells of the last ones. */
function keptOf(thumbnails: State["thumbnails"], { rows }: RunList): State["thumbnails"] {
  if (thumbnails.size <= rows.length) return thumbnails;
  const runs = new Set(rows.map(({ run }) => run));
  return new Map([...thumbnails].filter(([run]) => runs.has(run)));
}

/** Where a run stands in the list: what works first, then as they will run. */
function place({ phase, queue, run }: RunRow): number {
  return phase === "waiting" ? 1e6 * (1 + (queue ?? 1000)) + run : run;
}

interface WaitingProps {
  row: RunRow;
  canAdvance: boolean;
  onNext: () => void;
  onCancel: () => void;
}

function Waiting({ row, canAdvance, onNext, onCancel }: WaitingProps) {
  const cancel = useRef<HTMLButtonElement>(null);
  return (
    <li data-phase={row.phase}>
      <span class="name">Run {row.run}</span>
      <span class="what">{[phaseWords(row), ...row.differs].join(" · ")}</span>
      {canAdvance && (
        <button
          type="button"
          class="plain up"
          aria-label={`Run ${row.run} next`}
          title="Run next"
          onClick={() => {
            onNext();
            // This button goes as soon as it is the next.
            cancel.current?.focus();
          }}
        >
          <ChevronDown />
        </button>
      )}
      <button
        ref={cancel}
        type="button"
        class="plain"
        aria-label={`Cancel run ${row.run}`}
        title="Cancel"
        onClick={onCancel}
      >
        <Close />
      </button>
    </li>
  );
}

interface EndedProps {
  row: RunRow;
  thumbnail: Blob | undefined;
  isShown: boolean;
  onShow: () => void;
}

function Ended({ row, thumbnail, isShown, onShow }: EndedProps) {
  const words = row.phase === "done" ? differs(row) || "as now" : phaseWords(row);
  const title = [`Run ${row.run}`, row.error, ...row.differs].filter(Boolean).join("\n");
  return (
    <button
      type="button"
      class="past"
      data-phase={row.phase}
      aria-pressed={isShown}
      aria-label={`Run ${row.run}: ${words}`}
      title={title}
      disabled={row.count === 0}
      onClick={onShow}
    >
      <span class="small">
        {thumbnail ? (
          <BlobImage blob={thumbnail} alt="" />
        ) : row.phase === "failed" ? (
          <Alert />
        ) : (
          <ImageIcon />
        )}
        {row.count > 1 && <span class="count">{row.count}</span>}
      </span>
      <span class="words">{words}</span>
    </button>
  );
}

/** A run of the list in a few words. */
function phaseWords({ phase, queue, others, fraction }: RunRow): string {
  switch (phase) {
    case "waiting":
      return queue ? `waiting, ${queue} ahead${others ? ` (${others} of others)` : ""}` : "waiting";
    case "running":
      return `running, ${percent(fraction)}`;
    case "cancelling":
      return "cancelling";
    case "loading":
      return "fetching its images";
    case "failed":
      return "failed";
    case "cancelled":
      return "cancelled";
    default:
      return "done";
  }
}
