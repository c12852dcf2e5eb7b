import type { ComponentChildren } from "preact";
import { useRef } from "preact/hooks";
import type { Field, FormSpec, RunState } from "../lib/wire";
import { isBusy } from "../lib/wire";
import { FileTarget } from "./file-target";
import { Outcome } from "./outcome";
import { RunButtons } from "./run-buttons";

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
  onUpload: (field: Field, file: File) => void;
}

/** The whole panel: the settings on the left, progress and images on the right; in a narrow page one under the other. */
export function Panel({ spec, form, stage, run, warnings, onRun, onCancel, onUpload }: Props) {
  const root = useRef<HTMLElement>(null);
  const canRun = !isBusy(run.phase) && run.phase !== "lost";
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
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    if (canRun) start();
  };
  return (
    <FileTarget
      root={root}
      class="panel"
      label={spec.title}
      fields={spec.fields}
      onUpload={onUpload}
      onKeyDown={onKeyDown}
    >
      <header>
        <h2>{spec.title}</h2>
        <span class="server" data-embedded={spec.server.embedded} data-ok={spec.server.ok}>
          {spec.server.text}
        </span>
      </header>
      {form}
      <RunButtons phase={run.phase} onRun={start} onCancel={onCancel} />
      <div class="outcome">
        {stage}
        <Outcome run={run} warnings={warnings} />
      </div>
    </FileTarget>
  );
}
