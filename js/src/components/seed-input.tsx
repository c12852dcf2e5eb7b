import { randomSeed } from "../lib/fields";
import type { ControlProps } from "./field";
import { Dice } from "./icons";

interface Props extends ControlProps {
  randomize: boolean;
  onRandomize: (on: boolean) => void;
}

/**
 * A seed with a dice. With the switch on, each run from this form draws its own seed before it starts, so the
 * seed that stands here is always the one of the pictures on screen.
 */
export function SeedInput({ field, value, attributes, onEdit, onLeave, randomize, onRandomize }: Props) {
  return (
    <div class="seed">
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
      <label class="switch" title="Draw a new seed before every run">
        <input
          type="checkbox"
          role="switch"
          checked={randomize}
          aria-checked={randomize}
          onChange={(event) => onRandomize(event.currentTarget.checked)}
        />
        <span class="knob" aria-hidden="true" />
        <span>New each run</span>
      </label>
    </div>
  );
}
