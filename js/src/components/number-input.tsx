import { formatReal, parseReal, parseWhole, stepReal, stepWhole, toWhole } from "../lib/numbers";
import type { Field } from "../lib/wire";
import type { ControlProps } from "./control";
import { Minus, Plus } from "./icons";

/** A number as text, since a native number field rounds beyond 2^53; arrow keys and buttons step it. */
export function NumberInput({ field, value, attributes, onEdit, onLeave }: ControlProps) {
  const text = String(value ?? "");
  const step = (times: number) => {
    const next = stepped(field, text, times);
    if (next !== null) onEdit(next);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const times = { ArrowUp: 1, ArrowDown: -1, PageUp: 10, PageDown: -10 }[event.key];
    if (times === undefined) return;
    event.preventDefault();
    step(times);
  };
  return (
    <div class={field.slider ? "number with-slider" : "number"}>
      {field.slider && (
        <input
          type="range"
          class="slider"
          aria-label={`${field.label}, slider`}
          min={Number(field.min)}
          max={Number(field.max)}
          step={Number(field.step ?? 1)}
          value={text}
          style={{ "--filled": filled(field, text) }}
          onInput={(event) => onEdit(event.currentTarget.value)}
          onChange={onLeave}
        />
      )}
      <div class="control group">
        <input
          {...attributes}
          type="text"
          inputMode={field.kind === "float" ? "decimal" : "numeric"}
          autocomplete="off"
          spellcheck={false}
          value={text}
          onInput={(event) => onEdit(event.currentTarget.value)}
          onKeyDown={onKeyDown}
          onBlur={onLeave}
        />
        {/* The arrow keys do the same, so the buttons are not in the tab order. */}
        <button type="button" class="plain" tabIndex={-1} aria-hidden="true" onClick={() => step(-1)}>
          <Minus />
        </button>
        <button type="button" class="plain" tabIndex={-1} aria-hidden="true" onClick={() => step(1)}>
          <Plus />
        </button>
      </div>
    </div>
  );
}

function stepped(field: Field, text: string, times: number): string | null {
  if (field.kind === "float") {
    const value = parseReal(text);
    if (value === null) return null;
    const [min, max] = [bound(field.min), bound(field.max)];
    return formatReal(stepReal(value, times * Number(field.step || 0.1), min, max));
  }
  const value = parseWhole(text);
  if (value === null) return null;
  const by = BigInt(times) * (toWhole(field.step) || 1n);
  return stepWhole(value, by, toWhole(field.min), toWhole(field.max)).toString();
}

function bound(value: string | number | null): number | null {
  return value === null ? null : Number(value);
}

function filled(field: Field, text: string): string {
  const [min, max, value] = [Number(field.min), Number(field.max), parseReal(text) ?? Number(field.min)];
  return `${Math.min(100, Math.max(0, ((value - min) / (max - min)) * 100))}%`;
}
