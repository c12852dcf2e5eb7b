import type { ComponentChildren } from "preact";
import { useRef } from "preact/hooks";
import type { Field, FormSpec, RunState } from "../lib/wire";
import { isBusy } from "../lib/wire";
import { ErrorNotice, Warnings } from "./notice";
import { Progress } from "./progress";

function Header({ spec, children }: { spec: FormSpec; children: ComponentChildren }) {
  return (
    <header>
      <div class="names">
        <h2>{spec.title}</h2>
        <span class="server" data-embedded={spec.server.embedded} data-ok={spec.server.ok}>
          {spec.server.text}
        </span>
      </div>
      <div class="buttons">{children}</div>
    </header>
  );
}

interface Props {
  spec: FormSpec;
  form: ComponentChildren;
  stage: ComponentChildren;
  run: RunState;
  /** Start a run; returns the fields that must be put right first. */
  onRun: () => readonly Field[];
  onCancel: () => void;
}

/** The whole panel: the settings on the left, progress and pictures on the right; in a narrow page these come first. */
export function Panel({ spec, form, stage, run, onRun, onCancel }: Props) {
  const root = useRef<HTMLElement>(null);
  const busy = isBusy(run.phase);
  const start = () => {
    const [first] = onRun();
    if (first === undefined) return;
    // The form has just rendered its messages; the person is taken to the first.
    requestAnimationFrame(() => {
      const row = root.current?.querySelector(`[data-name="${CSS.escape(first.name)}"]`);
      row?.querySelector<HTMLElement>("[aria-invalid]")?.focus();
    });
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey || event.shiftKey)) return;
    event.preventDefault();
    if (!busy && run.phase !== "lost") start();
  };
  return (
    <section ref={root} class="panel" aria-label={spec.title} onKeyDown={onKeyDown}>
      <Header spec={spec}>
        <button type="button" class="button" disabled={!busy} onClick={onCancel}>
          Cancel
        </button>
        <button
          type="button"
          class="button primary"
          disabled={busy || run.phase === "lost"}
          onClick={start}
          title="Ctrl+Enter"
        >
          Run
        </button>
      </Header>
      <div class="columns">
        {form}
        <div class="outcome">
          {stage}
          <Progress run={run} />
          {run.error !== null && <ErrorNotice error={run.error} />}
          <Warnings warnings={run.warnings} />
          {run.texts.map((text) => (
            <pre key={text} class="text" dir="auto">
              {text}
            </pre>
          ))}
        </div>
      </div>
    </section>
  );
}
