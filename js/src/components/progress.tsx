import { Component } from "preact";
import { isBusy, type RunState } from "../lib/wire";
import { percent, status } from "../lib/words";

/** Seconds without a step, after which the time that a node takes is counted for all to see. */
const QUIET = 2;

/** One bar with one line under it: the node, its step, and how long it will take. */
export class Progress extends Component<{ run: RunState }, { seconds: number }> {
  override state = { seconds: 0 };
  #since = Date.now();
  #timer: ReturnType<typeof setInterval> | undefined;

  override componentDidMount(): void {
    this.#count(true);
  }

  override componentDidUpdate({ run: before }: { run: RunState }): void {
    const { run } = this.props;
    if (run !== before) this.#count(isQuiet(before) && isQuiet(run) && before.node === run.node);
  }

  override componentWillUnmount(): void {
    clearInterval(this.#timer);
  }

  /** Count the seconds while nothing else moves. */
  #count(isSame: boolean): void {
    if (isSame && this.#timer !== undefined) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#since = Date.now();
    if (this.state.seconds > 0) this.setState({ seconds: 0 });
    if (!isQuiet(this.props.run)) return;
    const tick = () => this.setState({ seconds: Math.floor((Date.now() - this.#since) / 1000) });
    this.#timer = setInterval(tick, 1000);
  }

  override render({ run }: { run: RunState }, { seconds }: { seconds: number }) {
    return <Bar run={run} seconds={isQuiet(run) && seconds >= QUIET ? seconds : null} />;
  }
}

/** A node works and counts no steps. */
function isQuiet(run: RunState): boolean {
  return run.phase === "running" && run.node !== null && run.steps === null;
}

function Bar({ run, seconds }: { run: RunState; seconds: number | null }) {
  const isWaiting =
    seconds !== null ||
    run.phase === "sending" ||
    run.phase === "waiting" ||
    (run.phase === "loading" && run.fraction === 0);
  const label = seconds === null ? status(run) : `${status(run)}, ${seconds} s`;
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
          {run.pace && <span class="pace">{run.pace}</span>}
          {run.left && <span class="eta">{run.left}</span>}
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
