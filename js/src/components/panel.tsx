import type { ComponentChildren } from "preact";
import { useRef } from "preact/hooks";
import type { Field, FormSpec, RunState } from "../lib/wire";
import { isBusy } from "../lib/wire";
import { Outcome } from "./outcome";
import { RunButtons } from "./run-buttons";

function Header({ spec, children }: { spec: FormSpec; children: ComponentChildren }) {
  return (
    <header>
      <div class="names">
        <h2>{spec.title}</h2>
        <span class="server" data-embedded={spec.server.embedded} data-ok={spec.server.ok}>
          {spec.server.text}
        </span>
      </div>
      {children}
    </header>
  );
}

interface Props {
  spec: FormSpec;
  form: ComponentChildren;
  stage: ComponentChildren;
  run: RunState;
  /** About the user's own observers. */
  warnings: readonly string[];
  /** Start a run; returns the fields that must be put right first. */
  onRun: () => readonly Field[];
  onCancel: () => void;
}

/** The whole panel: the settings on the left, progress and pictures on the right; in a narrow page these come first. */
export function Panel({ spec, form, stage, run, warnings, onRun, onCancel }: Props) {
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
        <RunButtons phase={run.phase} onRun={start} onCancel={onCancel} />
      </Header>
      <div class="columns">
        {form}
        <div class="outcome">
          {stage}
          <Outcome run={run} warnings={warnings} />
        </div>
      </div>
    </section>
  );
}
