import { randomSeed } from "../lib/fields";
import type { ControlProps } from "./control";
import { Dice } from "./icons";

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
        aria-label={`Roll a new value for ${field.label}`}
        title="Roll a new seed"
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
 * With it on, each run from this form draws its own seed before it starts, so the seed that stands in the form is
 * always the one of the images on screen.
 */
export function RandomizeSwitch({ on, onChange }: { on: boolean; onChange: (on: boolean) => void }) {
  return (
    <label class="switch" title="Draw a new seed before every run">
      <span>New each run</span>
      <input
        type="checkbox"
        role="switch"
        checked={on}
        aria-checked={on}
        onChange={(event) => onChange(event.currentTarget.checked)}
      />
      <span class="knob" aria-hidden="true" />
    </label>
  );
}
