import type { ControlProps } from "./control";

export function Switch({ field, value, attributes, onEdit, onLeave }: ControlProps) {
  const isOn = value === true;
  const [on, off] = field.words ?? ["On", "Off"];
  return (
    <label class="switch">
      <input
        {...attributes}
        type="checkbox"
        role="switch"
        checked={isOn}
        aria-checked={isOn}
        onChange={(event) => {
          onEdit(event.currentTarget.checked);
          onLeave();
        }}
      />
      <span class="knob" aria-hidden="true" />
      <span>{isOn ? on : off}</span>
    </label>
  );
}
