import type { NodeRow, Nodes } from "../lib/wire";
import { nodeWords, seconds } from "../lib/words-of-nodes";

/** The nodes of a run in the order in which they began, each with a bar from its begin to its end. */
export function Timeline({ nodes }: { nodes: Nodes }) {
  const { rows, error } = nodes;
  const begun = rows.filter((row) => row.started !== null);
  begun.sort((one, other) => (one.started ?? 0) - (other.started ?? 0));
  const others = rows.filter((row) => row.started === null);
  const order = { cached: 0, finished: 1, pending: 2 } as Record<string, number>;
  others.sort((one, other) => (order[one.status] ?? 0) - (order[other.status] ?? 0));
  const end = Math.max(
    0.001,
    nodes.seconds ?? 0,
    ...begun.map((row) => (row.started ?? 0) + (row.seconds ?? 0)),
  );
  if (rows.length === 0) return <p class="nothing">No run yet.</p>;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: of a large workflow it is scrolled by keys
    <ol class="timeline" aria-label="Nodes of the run" tabIndex={0}>
      {[...begun, ...others].map((row) => (
        <Row key={row.id} row={row} end={end} error={row.status === "failed" ? error : ""} />
      ))}
    </ol>
  );
}

function Row({ row, end, error }: { row: NodeRow; end: number; error: string }) {
  const { started, status } = row;
  const from = started === null ? 0 : (100 * started) / end;
  const long = started === null ? 0 : (100 * (row.seconds ?? 0)) / end;
  return (
    <li data-status={status}>
      <span class="name" title={row.title}>
        {row.title}
      </span>
      <span class="span" aria-hidden="true">
        {started !== null && (
          <span
            class="bit"
            style={{ left: `${Math.min(from, 99)}%`, width: `${Math.min(long, 100 - from)}%` }}
          />
        )}
      </span>
      <span class="took">
        {status === "finished" && row.seconds !== null ? seconds(row.seconds) : nodeWords(row)}
      </span>
      {error && <span class="why">{error}</span>}
    </li>
  );
}
