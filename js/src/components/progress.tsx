import { isBusy, type RunState } from "../lib/wire";
import { percent, status, timeLeft } from "../lib/words";

/** One bar with one line under it: the node, its step, and how long it will take. */
export function Progress({ run }: { run: RunState }) {
  const isWaiting =
    run.phase === "sending" || run.phase === "waiting" || (run.phase === "loading" && run.fraction === 0);
  const label = status(run);
  const value = Math.min(1, Math.max(0, run.fraction));
  return (
    <div class="progress" data-phase={run.phase}>
      <div
        class="track"
        role="progressbar"
        aria-label="Progress"
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuetext={label}
        {...(isWaiting ? {} : { "aria-valuenow": Math.round(value * 100) })}
      >
        <div
          class={isWaiting ? "bar moving" : "bar"}
          style={{ transform: `scaleX(${isWaiting ? 1 : value})` }}
        />
      </div>
      <div class="line">
        <span class="status" title={label}>
          {label}
        </span>
        <span class="figures">
          {run.phase === "running" && <span class="eta">{timeLeft(run.eta)}</span>}
          {isBusy(run.phase) && !isWaiting && <span class="percent">{percent(value)}</span>}
          {run.phase === "done" && <span>{run.summary}</span>}
        </span>
      </div>
      {/* Screen readers hear the phase and the node, not each of a thousand steps. */}
      <span class="only-heard" role="status">
        {run.phase === "running" ? run.node : label}
      </span>
    </div>
  );
}
