/**
 * Keys pressed in a widget belong to the widget: "b" or "dd" in a field must not add or delete notebook cells.
 *
 * Lumino looks for shortcuts in the capture phase at the document, before any listener of ours could stop the
 * event, and sees the shadow host as its target. It honours `data-lm-suppress-shortcuts` there. Hosts that listen
 * in the bubbling phase (classic Notebook, VS Code, Colab) never get the event. Save stays the page's, and Escape,
 * which closes what is open in the widget, else leaves it for the notebook.
 */
export function keepKeys(host: HTMLElement, ended: AbortSignal): void {
  const isOpen = () => host.shadowRoot?.querySelector("dialog[open], [role=listbox]") !== null;
  const isSave = (event: KeyboardEvent) =>
    (event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === "s";
  const isLeave = (event: KeyboardEvent) => event.key === "Escape" && !isOpen();
  const isPageWide = (event: KeyboardEvent) => isSave(event) || isLeave(event);

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
        if (type === "keydown" && isLeave(event)) leave(host);
        if (!isPageWide(event)) event.stopPropagation();
      },
      { signal: ended },
    );
  }
}

/** Give the keyboard back to the notebook. */
function leave(host: HTMLElement): void {
  const around = host.closest<HTMLElement>("[tabindex]");
  (host.shadowRoot?.activeElement as HTMLElement | null)?.blur();
  around?.focus({ preventScroll: true });
}
