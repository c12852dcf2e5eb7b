import type { Link } from "../lib/link";
import type { RunState } from "../lib/wire";
import { useFeature } from "./feature";
import { Outcome } from "./outcome";
import { RunButtons } from "./run-buttons";

interface Props {
  run: RunState;
  /** About the user's own observers. */
  warnings: readonly string[];
  onRun: () => void;
  onCancel: () => void;
  link: Link;
}

/** Run and Cancel with all that is told of a run, for a panel whose form and stage stand elsewhere. */
export function Controls({ run, warnings, onRun, onCancel, link }: Props) {
  const runs = useFeature("runs", true);
  return (
    <div class="controls">
      <RunButtons phase={run.phase} onRun={onRun} onCancel={onCancel} />
      <Outcome run={run} warnings={warnings} />
      {runs && <runs.Runs link={link} />}
    </div>
  );
}
