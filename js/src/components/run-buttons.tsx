import { useLayoutEffect, useRef } from "preact/hooks";
import { isBusy, type Phase } from "../lib/wire";

interface Props {
  phase: Phase;
  onRun: () => void;
  onCancel: () => void;
}

/** Run and Cancel. Neither is ever disabled for real: whoever works with the keyboard keeps their place. */
export function RunButtons({ phase, onRun, onCancel }: Props) {
  const cancel = useRef<HTMLButtonElement>(null);
  const run = useRef<HTMLButtonElement>(null);
  const busy = isBusy(phase);
  const canRun = !busy && phase !== "lost";
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
      <button
        ref={cancel}
        type="button"
        class="button"
        aria-disabled={!busy}
        onClick={busy ? onCancel : undefined}
      >
        Cancel
      </button>
    </div>
  );
}
