import { randomSeed } from "../lib/fields";
import type { SeedMode } from "../lib/wire";
import type { ControlProps } from "./control";
import { Dice } from "./icons";

const MODES: SeedMode[] = ["fixed", "increment", "decrement", "randomize"];

/** A seed with a dice that rolls a new one. */
export function SeedInput({ field, value, attributes, onEdit, onLeave }: ControlProps) {
  return (
    <div class="control group">
      <input
        {...attributes}
        type="text"
        inputMode="numeric"
        autocomplete="off"
        spellcheck={false}
        value={String(value ?? "")}
        onInput={(event) => onEdit(event.currentTarget.value)}
        onBlur={onLeave}
      />
      <button
        type="button"
        class="plain"
        title={`Roll a new value for ${field.label}`}
        onClick={() => {
          onEdit(randomSeed(field));
          onLeave();
        }}
      >
        <Dice />
      </button>
    </div>
  );
}

/**
 * What becomes of the seed from run to run. It counts when the next run starts, so the seed that stands in the form is
 * always the one of the images on screen.
 */
export function SeedModeSelect(props: { label: string; mode: SeedMode; onChange: (mode: SeedMode) => void }) {
  return (
    <select
      class="mode"
      aria-label={`${props.label} from run to run`}
      title="Next run"
      value={props.mode}
      onChange={(event) => props.onChange(event.currentTarget.value as SeedMode)}
    >
      {MODES.map((mode) => (
        <option key={mode}>{mode}</option>
      ))}
    </select>
  );
}
