/**
 * Keys pressed in a widget belong to the widget: "b" or "dd" in a field must not add or delete notebook cells.
 *
 * Lumino looks for shortcuts in the capture phase at the document, before any listener of ours could stop the
 * event, and sees the shadow host as its target. It honours `data-lm-suppress-shortcuts` there. Hosts that listen
 * in the bubbling phase (classic Notebook, VS Code, Colab) never get the event. Save stays the page's.
 */
export function keepKeys(host: HTMLElement, ended: AbortSignal): void {
  const isPageWide = (event: KeyboardEvent) =>
    (event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === "s";

  // At the window the capture phase is earlier still, so that the attribute is right for this very key.
  (host.ownerDocument.defaultView ?? window).addEventListener(
    "keydown",
    (event) => host.toggleAttribute("data-lm-suppress-shortcuts", !isPageWide(event)),
    { capture: true, signal: ended },
  );
  for (const type of ["keydown", "keyup"] as const) {
    host.addEventListener(
      type,
      (event) => {
        if (!isPageWide(event)) event.stopPropagation();
      },
      { signal: ended },
    );
  }
}
