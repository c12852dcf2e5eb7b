import type { ControlProps } from "./field";

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

export function TextArea({ value, attributes, onEdit, onLeave }: ControlProps) {
  return (
    <textarea
      {...attributes}
      class="control"
      rows={2}
      value={String(value ?? "")}
      onInput={(event) => onEdit(event.currentTarget.value)}
      onBlur={onLeave}
    />
  );
}

export function JsonInput({ value, attributes, onEdit, onLeave }: ControlProps) {
  return (
    <textarea
      {...attributes}
      class="control code"
      rows={2}
      autocomplete="off"
      spellcheck={false}
      value={String(value ?? "")}
      onInput={(event) => onEdit(event.currentTarget.value)}
      onBlur={onLeave}
    />
  );
}
