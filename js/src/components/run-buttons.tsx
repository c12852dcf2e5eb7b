import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { isBusy, type Phase } from "../lib/wire";

interface Props {
  phase: Phase;
  /** How many runs a press starts. */
  repeat?: ComponentChildren;
  onRun: () => void;
  onCancel: () => void;
}

/** Run and Cancel. Neither is ever disabled for real: whoever works with the keyboard keeps their place. */
export function RunButtons({ phase, repeat, onRun, onCancel }: Props) {
  const cancel = useRef<HTMLButtonElement>(null);
  const run = useRef<HTMLButtonElement>(null);
  const busy = isBusy(phase);
  // While a run goes on, the next may wait for its turn.
  const canRun = phase !== "sending" && phase !== "lost";
  useLayoutEffect(() => {
    // Where the button goes out of sight, the focus goes on to the one that is useful now.
    const root = cancel.current?.getRootNode() as ShadowRoot;
    if (!busy && root.activeElement === cancel.current) run.current?.focus();
  }, [busy]);
  return (
    <div class="buttons">
      <button
        ref={run}
        type="button"
        class="button primary"
        aria-disabled={!canRun}
        aria-keyshortcuts="Control+Enter"
        title="Ctrl+Enter"
        onClick={canRun ? onRun : undefined}
      >
        Run
      </button>
      {repeat}
      <button
        ref={cancel}
        type="button"
        class="button"
        aria-disabled={!busy}
        onClick={busy ? onCancel : undefined}
      >
        {phase === "cancelling" ? "Stop waiting" : "Cancel"}
      </button>
    </div>
  );
}
