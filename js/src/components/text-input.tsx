import type { ControlProps } from "./control";
import { useFeature } from "./feature";

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
  const weights = useFeature("weights", !isCode);
  return (
    <textarea
      {...attributes}
      class={isCode ? "control code" : "control"}
      rows={2}
      spellcheck={!isCode}
      value={String(value ?? "")}
      onInput={(event) => onEdit(event.currentTarget.value)}
      onKeyDown={weights?.onWeightKey}
      onBlur={onLeave}
    />
  );
}
