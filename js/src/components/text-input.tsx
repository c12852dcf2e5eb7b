import { weigh } from "../lib/weights";
import type { ControlProps } from "./control";

export function TextInput({ value, attributes, onEdit, onLeave }: ControlProps) {
  return (
    <input
      {...attributes}
      class="control"
      type="text"
      autocomplete="off"
      spellcheck={false}
      value={String(value ?? "")}
      onInput={(event) => onEdit(event.currentTarget.value)}
      onBlur={onLeave}
    />
  );
}

/** Words, or JSON as it stands in the workflow. */
export function TextArea({ field, value, attributes, onEdit, onLeave }: ControlProps) {
  const isCode = field.kind === "json";
  return (
    <textarea
      {...attributes}
      class={isCode ? "control code" : "control"}
      dir="auto"
      rows={2}
      spellcheck={!isCode}
      value={String(value ?? "")}
      onInput={(event) => onEdit(event.currentTarget.value)}
      onKeyDown={isCode ? undefined : onWeightKey}
      onBlur={onLeave}
    />
  );
}

/** Ctrl and an arrow up or down weigh the word at the cursor, or the selected words, as in ComfyUI. */
function onWeightKey(event: KeyboardEvent): void {
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
