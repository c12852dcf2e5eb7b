/** A fleet as the browser shows it: pure functions from what Python sends to words and places. */
import type { FleetRow, FleetState } from "./schema";

export const NO_FLEET: FleetState = { rows: [], stints: [], span: 10, waiting: 0, error: "" };

/** The address as people say it. */
export function host(server: string): string {
  return server.replace(/^https?:\/\//, "");
}

/** What is on the server, in a few words. */
export function queue({ running, waiting, strangers, status }: FleetRow): string {
  const parts = [
    running > 0 ? `${running} running` : "",
    waiting > 0 ? `${waiting} waiting` : "",
    strangers > 0 ? `${strangers} of others` : "",
  ].filter((part) => part !== "");
  if (parts.length > 0) return parts.join(", ");
  return status === "no answer" ? "" : "idle";
}

/** What it did, in a few words. */
export function work({ completed, seconds, rate, status }: FleetRow): string {
  if (completed === 0) return "";
  const each = seconds === null ? "" : `, ${duration(seconds)} each`;
  return `${completed} done${each}${rate > 0 && status !== "no answer" ? `, ${rate < 10 ? rate.toFixed(1) : Math.round(rate)}/min` : ""}`;
}

/** What went wrong, in a few words. */
export function mishaps({ failed, lost }: FleetRow): string {
  return [failed > 0 ? `${failed} failed` : "", lost > 0 ? `${lost} lost` : ""]
    .filter((part) => part !== "")
    .join(", ");
}

export function duration(seconds: number): string {
  if (seconds < 0.1) return "under 0.1 s";
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  return seconds < 90 ? `${Math.round(seconds)} s` : `${Math.round(seconds / 60)} min`;
}

/** The names of files that a model is made of, without folders and endings. */
export function model(files: string): string {
  return files
    .split("|")
    .map((file) => file.replace(/^.*[/\\]/, "").replace(/\.(safetensors|ckpt|pt|gguf)$/, ""))
    .join(", ");
}

/** A bar of the timeline, in percent of its width. */
export interface Bar {
  left: number;
  width: number;
  outcome: string;
  title: string;
}

export function bars({ stints, span }: FleetState, row: number): Bar[] {
  return stints
    .filter(([number]) => number === row)
    .map(([, began, ended, outcome, label]) => {
      const left = Math.max(0, 100 - (100 * began) / span);
      const right = Math.max(0, 100 - (100 * ended) / span);
      return {
        left,
        width: right - left,
        outcome,
        title: `${label}: ${outcome}, ${duration(began - ended)}`,
      };
    })
    .filter(({ width }) => width >= 0);
}
