/** The day and the time of something, in the reader's own form; `seconds` count from 1970. */
export function when(seconds: number): string {
  return new Date(1000 * seconds).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
}
