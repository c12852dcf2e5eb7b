export { NodeViews } from "../components/node-views";

/** Show these fields of the form that stands in the same view: unfolded, in sight, and marked until the next. */
export function findFields(from: Element | null, names: readonly string[]): void {
  const root = from?.getRootNode();
  if (!(root instanceof ShadowRoot)) return;
  for (const row of root.querySelectorAll<HTMLElement>("[data-found]")) delete row.dataset.found;
  const rows = names.flatMap(
    (name) => root.querySelector<HTMLElement>(`[data-name="${CSS.escape(name)}"]`) ?? [],
  );
  for (const row of rows) {
    row.dataset.found = "";
    for (let fold = row.closest("details"); fold; fold = fold.parentElement?.closest("details") ?? null)
      fold.open = true;
  }
  rows[0]?.scrollIntoView({ block: "nearest", behavior: "smooth" });
}
