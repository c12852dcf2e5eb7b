import { isBusy, type Phase } from "../lib/wire";

interface Props {
  phase: Phase;
  onRun: () => void;
  onCancel: () => void;
}

export function RunButtons({ phase, onRun, onCancel }: Props) {
  const busy = isBusy(phase);
  return (
    <div class="buttons">
      <button type="button" class="button" disabled={!busy} onClick={onCancel}>
        Cancel
      </button>
      <button
        type="button"
        class="button primary"
        disabled={busy || phase === "lost"}
        onClick={onRun}
        title="Ctrl+Enter"
      >
        Run
      </button>
    </div>
  );
}
