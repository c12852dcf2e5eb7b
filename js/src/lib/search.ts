/** Whether every word of the query is somewhere in the texts. */
export function matches(query: string, texts: readonly string[]): boolean {
  const all = texts.join("\n").toLowerCase();
  return query
    .toLowerCase()
    .split(/\s+/)
    .every((word) => all.includes(word));
}
