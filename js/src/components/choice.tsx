import { nameOf } from "../lib/fields";
import { Combobox } from "./combobox";
import type { ControlProps } from "./control";
import { ChevronDown } from "./icons";

/** Longer lists get a search. */
const LONG = 12;

export function Choice(props: ControlProps) {
  const { field, value, attributes, onEdit, onLeave } = props;
  const choices = field.choices ?? [value];
  if (choices.length > LONG) return <Combobox {...props} choices={choices} />;
  const selected = choices.indexOf(value);
  return (
    <div class="select">
      <select
        {...attributes}
        class="control"
        value={String(selected)}
        onChange={(event) => {
          onEdit(choices[Number(event.currentTarget.value)] ?? null);
          onLeave();
        }}
      >
        {selected < 0 && <option value="-1">{nameOf(value)}</option>}
        {choices.map((choice, index) => (
          <option key={nameOf(choice)} value={String(index)}>
            {nameOf(choice)}
          </option>
        ))}
      </select>
      <ChevronDown />
    </div>
  );
}
