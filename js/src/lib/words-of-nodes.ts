/** What is said of a node of a run. */
import type { NodeRow } from "./wire";
import { percent } from "./words";

export function seconds(value: number): string {
  if (value < 0.0005) return "< 1 ms";
  if (value < 0.095) return `${Math.round(1000 * value)} ms`;
  if (value < 59.5) return `${Number.isInteger(value) ? value : value.toFixed(1)} s`;
  const whole = Math.round(value);
  return `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

/** How a node stands, in a few words; nothing of one that waits. */
export function nodeWords({ status, fraction, seconds: took }: NodeRow): string {
  switch (status) {
    case "running":
      return (
        [fraction > 0 ? percent(fraction) : "", took ? seconds(Math.round(took)) : ""]
          .filter(Boolean)
          .join(", ") || "running"
      );
    case "finished":
      return took === null ? "done" : seconds(took);
    case "pending":
      return "";
    default:
      return status;
  }
}
