import type { ComponentChildren } from "preact";
import { useRef } from "preact/hooks";
import type { Link } from "../lib/link";
import type { Field, FormSpec, RunState } from "../lib/wire";
import { useFeature } from "./feature";
import { Outcome } from "./outcome";
import { RunButtons } from "./run-buttons";
import { useFiles } from "./use-files";

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
  onRepeat: (count: number) => void;
  onUpload: (field: Field, file: File) => void;
  link: Link;
}

/** The whole panel: the settings on the left, progress and images on the right; in a narrow page one under the other. */
export function Panel(props: Props) {
  const { spec, form, stage, run, warnings, onRun, onCancel, onRepeat, onUpload, link } = props;
  const root = useRef<HTMLElement>(null);
  const isLost = run.phase === "lost";
  const canRun = run.phase !== "sending" && !isLost;
  const runs = useFeature("runs", true);
  const film = useFeature("film", true);
  useFiles(root, { fields: spec.fields, onUpload, link });
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
    <section ref={root} class="panel" aria-label={spec.title} onKeyDown={onKeyDown}>
      <header>
        <h2>{spec.title}</h2>
        <span
          class="server"
          data-embedded={spec.server.embedded}
          data-ok={spec.server.ok && run.connected && !isLost}
        >
          {run.connected || "Reconnecting · "}
          {spec.server.text}
        </span>
      </header>
      {form}
      <RunButtons
        phase={run.phase}
        repeat={runs && <runs.Repeat link={link} onChange={onRepeat} />}
        onRun={start}
        onCancel={onCancel}
      />
      <div class="outcome">
        {stage}
        <Outcome run={run} warnings={warnings} />
        {film && <film.Film link={link} />}
        {runs && <runs.Runs link={link} />}
      </div>
    </section>
  );
}
