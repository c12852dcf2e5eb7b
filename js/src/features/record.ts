/**
 * A run's images also stand in the notebook as an ordinary output right after the widget's own: the record that
 * stays when no kernel is there. While the live widget shows the same images, that output is hidden.
 *
 * Only the immediate next output is ever touched, and only if it says that it is such a record: before the first
 * run by a class name, later by the comment that Python writes into the JPEG.
 */

const MARK = "comfy-widgets-record";
const CHILD = ".jp-OutputArea-child";

/** Hide the record beside a widget that is live, until the view ends. */
export function hideRecord(host: HTMLElement, ended: AbortSignal): void {
  if (ended.aborted) return;
  let hidden: HTMLElement | null = null;
  let own: Element | null = null;

  const show = () => {
    hidden?.style.removeProperty("display");
    hidden = null;
  };

  const update = (records: MutationRecord[] = []) => {
    const next = own?.nextElementSibling ?? null;
    if (next !== null && next === hidden) return;
    // Lab replaces the whole output when its kind changes, and fills the new one a moment later.
    const replaced =
      hidden !== null &&
      !hidden.isConnected &&
      records.some((record) => [...record.addedNodes].includes(next as Node));
    const found = next instanceof HTMLElement && (replaced || isRecord(next)) ? next : null;
    if (hidden?.isConnected) show();
    hidden = null;
    if (found === null) return;
    found.style.display = "none";
    hidden = found;
  };

  const mutations = new MutationObserver(update);
  // A view is rendered before it is put into the page; its first size tells that it is there.
  const attached = new ResizeObserver(() => {
    const child = host.closest(CHILD);
    if (child === own) return;
    mutations.disconnect();
    show();
    own = child;
    if (child?.parentElement) mutations.observe(child.parentElement, { childList: true, subtree: true });
    update();
  });
  attached.observe(host);
  ended.addEventListener(
    "abort",
    () => {
      attached.disconnect();
      mutations.disconnect();
      show();
    },
    { once: true },
  );
}

function isRecord(output: Element): boolean {
  if (output.querySelector(`.${MARK}`) !== null) return true;
  const source = output.querySelector("img")?.getAttribute("src") ?? "";
  const head = /^data:image\/jpeg;base64,([\w+/]{96})/.exec(source)?.[1];
  return head !== undefined && atob(head).includes(MARK);
}
