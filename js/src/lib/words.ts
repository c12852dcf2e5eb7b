/** Sentences about a run. */
import type { RunState } from "./wire";

/** "about 8 s left", "about 3 min left": no more exact than an estimate is. */
export function timeLeft(seconds: number | null): string {
  if (seconds === null || !Number.isFinite(seconds) || seconds < 0) return "";
  if (seconds < 1.5) return "about 1 s left";
  if (seconds < 10) return `about ${Math.round(seconds)} s left`;
  if (seconds < 55) return `about ${Math.round(seconds / 5) * 5} s left`;
  if (seconds < 3300) return `about ${Math.round(seconds / 60)} min left`;
  return `about ${(seconds / 3600).toFixed(1)} h left`;
}

export function status(run: RunState): string {
  switch (run.phase) {
    case "idle":
      return run.error === null ? "Ready" : "Nothing ran";
    case "sending":
      return "Waiting for the kernel";
    case "waiting":
      return run.queue ? `Waiting, ${run.queue} ahead` : "Waiting for the server";
    case "running":
      if (run.node === null) return "Running";
      return run.steps && run.steps > 1 ? `${run.node} · step ${run.step ?? 0} of ${run.steps}` : run.node;
    case "cancelling":
      return "Cancelling";
    case "loading":
      return "Fetching the images";
    case "done":
      return "Done";
    case "failed":
      return "Failed";
    case "cancelled":
      return "Cancelled";
    case "lost":
      return "The kernel is gone. Run the cell again.";
  }
}

export function percent(fraction: number): string {
  return `${Math.floor(Math.min(1, Math.max(0, fraction)) * 100 + 1e-6)} %`;
}
