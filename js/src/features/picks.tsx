import { useState } from "preact/hooks";
import type { ControlProps } from "../components/control";
import { nameOf } from "../lib/fields";
import { matches } from "../lib/search";
import type { Wire } from "../lib/wire";
import css from "../style/picks.css?inline";

/** More choices than these can be searched. */
const MANY = 12;
const COLOR = /^#[0-9a-f]{6}$/i;

/** A colour, to be picked or written as hexadecimal digits. */
export function Color({ field, value, attributes, onEdit, onLeave }: ControlProps) {
  const text = String(value ?? "");
  return (
    <div class="control group color">
      <style>{css}</style>
      <input
        type="color"
        aria-label={`${field.label}, picker`}
        value={COLOR.test(text) ? text : "#000000"}
        onInput={(event) => onEdit(event.currentTarget.value)}
        onChange={onLeave}
      />
      <input
        {...attributes}
        type="text"
        autocomplete="off"
        spellcheck={false}
        value={text}
        onInput={(event) => onEdit(event.currentTarget.value)}
        onBlur={onLeave}
      />
    </div>
  );
}

/** Several of many choices; the value is a list as JSON, in the order of the choices. */
export function Many({ field, value, attributes, onEdit, onLeave }: ControlProps) {
  const [query, setQuery] = useState("");
  const choices = field.choices ?? [];
  const chosen = listOf(value);
  // What the server does not have any more can be taken away, and not come back.
  const gone = chosen.filter((choice) => !choices.includes(choice));
  const found = [...gone, ...choices].filter((choice) => matches(query, [nameOf(choice)]));
  const toggle = (choice: Wire, isOn: boolean) => {
    const wanted = new Set(chosen);
    if (isOn) wanted.add(choice);
    else wanted.delete(choice);
    onEdit(JSON.stringify([...gone, ...choices].filter((one) => wanted.has(one))));
    onLeave();
  };
  return (
    <fieldset {...attributes} class="control many" aria-label={field.label}>
      <style>{css}</style>
      <div class="head">
        {choices.length > MANY && (
          <input
            type="search"
            aria-label={`Search ${field.label}`}
            placeholder={`Search ${choices.length} choices`}
            value={query}
            onInput={(event) => setQuery(event.currentTarget.value)}
          />
        )}
        <span class="count">{chosen.length === 0 ? "None chosen" : `${chosen.length} chosen`}</span>
      </div>
      <div class="list">
        {found.map((choice) => (
          <label key={nameOf(choice)} data-gone={gone.includes(choice)}>
            <input
              type="checkbox"
              checked={chosen.includes(choice)}
              onChange={(event) => toggle(choice, event.currentTarget.checked)}
            />
            <span>
              {nameOf(choice)}
              {gone.includes(choice) && " (not on the server)"}
            </span>
          </label>
        ))}
        {found.length === 0 && <span class="count">Nothing matches “{query}”.</span>}
      </div>
    </fieldset>
  );
}

function listOf(value: Wire): Wire[] {
  try {
    const found: unknown = JSON.parse(String(value ?? "[]"));
    return Array.isArray(found) ? found : [];
  } catch {
    return [];
  }
}
