/** Sentences about a run. */
import type { RunState } from "./wire";

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
