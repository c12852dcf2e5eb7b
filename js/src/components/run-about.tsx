import type { Link } from "../lib/link";
import { when } from "../lib/when";
import type { RunDetails, RunRow } from "../lib/wire";

interface Props {
  row: RunRow;
  /** Whether its details are shown. */
  isOpen: boolean;
  link: Link;
  onToggle: () => void;
}

/** The run whose images are shown: what differs from the form, and what can be done with it. */
export function RunAbout({ row, isOpen, link, onToggle }: Props) {
  const { run, started } = row;
  const isPast = run < 0;
  return (
    <div class="chosen">
      <span class="about">
        <strong>{isPast ? when(started) : `Run ${run}`}</strong> {differs(row) || "the values of the form"}
      </span>
      {row.differs.length > 0 && (
        <button type="button" class="button" onClick={() => link.send({ kind: "use", run })}>
          Use these values
        </button>
      )}
      <button type="button" class="button" aria-expanded={isOpen} onClick={onToggle}>
        Details
      </button>
      {isPast && (
        <button type="button" class="button" onClick={() => link.send({ kind: "show", run: null })}>
          Close
        </button>
      )}
    </div>
  );
}

export function differs({ differs }: RunRow): string {
  return differs.join(", ");
}

/** All that is known of a run. */
export function Details({ details }: { details: RunDetails }) {
  const { items, images, seconds, started, server, prompt_id } = details;
  const facts = [
    ...items.map(({ label, value }) => [label, value]),
    ["Images", images.join("\n")],
    ["Time", seconds === null ? "" : `${seconds.toFixed(1)} s`],
    ["Started", new Date(1000 * started).toLocaleString()],
    ["Server", server],
    ["Prompt id", prompt_id],
  ].filter(([, value]) => value !== "");
  return (
    <dl class="details" tabIndex={0}>
      {facts.map(([label, value], index) => (
        // The list is replaced whole.
        <div key={index}>
          <dt>{label}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
