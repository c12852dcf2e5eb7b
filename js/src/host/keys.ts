/**
 * Keys pressed in a widget belong to the widget: "b" or "dd" in a field must not add or delete notebook cells.
 *
 * Lumino looks for shortcuts in the capture phase at the document, before any listener of ours could stop the
 * event, and sees the shadow host as its target. It honours `data-lm-suppress-shortcuts` there. Hosts that listen
 * in the bubbling phase (classic Notebook, VS Code, Colab) never get the event. Save stays the page's.
 */
export function keepKeys(host: HTMLElement, ended: AbortSignal): void {
  const view = host.ownerDocument.defaultView ?? window;
  let inside: AbortController | null = null;

  const isPageWide = (event: KeyboardEvent) =>
    (event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === "s";

  host.addEventListener(
    "focusin",
    () => {
      inside?.abort();
      inside = new AbortController();
      // At the window the capture phase is earlier still.
      view.addEventListener(
        "keydown",
        (event) => host.toggleAttribute("data-lm-suppress-shortcuts", !isPageWide(event)),
        { capture: true, signal: inside.signal },
      );
    },
    { signal: ended },
  );
  host.addEventListener("focusout", () => inside?.abort(), { signal: ended });
  ended.addEventListener("abort", () => inside?.abort());

  for (const type of ["keydown", "keypress", "keyup"] as const) {
    host.addEventListener(
      type,
      (event) => {
        if (!isPageWide(event)) event.stopPropagation();
      },
      { signal: ended },
    );
  }
}
