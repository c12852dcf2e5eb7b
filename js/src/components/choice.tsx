import { nameOf } from "../lib/fields";
import type { ControlProps } from "./control";
import { useFeature } from "./feature";
import { ChevronDown } from "./icons";

/** Longer lists get a search. */
const LONG = 12;

export function Choice(props: ControlProps) {
  const { field, value, attributes, onEdit, onLeave } = props;
  const choices = field.choices ?? [value];
  const isLong = choices.length > LONG;
  const feature = useFeature("combobox", isLong);
  if (isLong && feature !== null) return <feature.Combobox {...props} choices={choices} />;
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
