import { weigh } from "../lib/weights";

/** Ctrl and an arrow up or down weigh the word at the cursor, or the selected words, as in ComfyUI. */
export function onWeightKey(event: KeyboardEvent): void {
  const direction = { ArrowUp: 1, ArrowDown: -1 }[event.key];
  if (direction === undefined || !(event.ctrlKey || event.metaKey)) return;
  event.preventDefault();
  const area = event.currentTarget as HTMLTextAreaElement;
  const before = { text: area.value, start: area.selectionStart, end: area.selectionEnd };
  const after = weigh(before, direction as 1 | -1);
  if (after === null) return;
  area.select();
  // As if it were typed, so that it can be undone.
  document.execCommand("insertText", false, after.text);
  area.setSelectionRange(after.start, after.end);
}
