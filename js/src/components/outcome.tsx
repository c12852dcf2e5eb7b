import type { RunState } from "../lib/wire";
import { ErrorNotice, Warnings } from "./notice";
import { Progress } from "./progress";

/** What is told of a run: its progress, what went wrong, and the texts that it gave. */
export function Outcome({ run, warnings }: { run: RunState; warnings: readonly string[] }) {
  return (
    <>
      <Progress run={run} />
      {run.error !== null && <ErrorNotice error={run.error} />}
      <Warnings warnings={[...run.warnings, ...warnings]} />
      {run.texts.map((text) => (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a long text is scrolled with keys
        <pre key={text} class="text" tabIndex={0}>
          {text}
        </pre>
      ))}
    </>
  );
}
