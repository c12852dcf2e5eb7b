const DARK = "(prefers-color-scheme: dark)";

/** Whether the page around a widget is dark, in every front end that shows notebooks. */
export function isDark(doc: Document): boolean {
  const { body, documentElement: html } = doc;
  // JupyterLab, Notebook, nbconvert.
  const jupyter = body.dataset.jpThemeLight;
  if (jupyter !== undefined) return jupyter === "false";
  const vscode = body.dataset.vscodeThemeKind;
  if (vscode !== undefined) return !vscode.endsWith("light");
  for (const element of [body, html]) {
    // Colab sets the attribute `theme`, marimo a class, Sphinx sites `data-theme`.
    const names = [element.getAttribute("theme"), element.dataset.theme, ...element.classList];
    if (names.includes("dark")) return true;
    if (names.includes("light")) return false;
  }
  return doc.defaultView?.matchMedia?.(DARK).matches ?? false;
}

/** Keep `data-theme` of an element true to the page, also when the page changes its theme. */
export function followTheme(element: HTMLElement, ended: AbortSignal): void {
  const doc = element.ownerDocument;
  const follow = () => {
    element.dataset.theme = isDark(doc) ? "dark" : "light";
  };
  const observer = new MutationObserver(follow);
  observer.observe(doc.documentElement, { attributes: true });
  observer.observe(doc.body, { attributes: true });
  const system = doc.defaultView?.matchMedia?.(DARK);
  system?.addEventListener("change", follow, { signal: ended });
  ended.addEventListener("abort", () => observer.disconnect());
  follow();
}
