/** Between what stands in a control and what travels to Python, with the same bounds that Python checks again. */
import { formatReal, parseReal, parseWhole, randomWhole, toWhole } from "./numbers";
import type { Field, Wire } from "./wire";

/** What a control holds: the text as typed, or the value of a switch or a choice. */
export type Control = Wire;

export type Parsed = { ok: true; wire: Wire } | { ok: false; error: string };

const MAX_SEED = (1n << 64n) - 1n;

export function toControl(field: Field, wire: Wire): Control {
  if (field.kind === "float" && typeof wire === "number") return formatReal(wire);
  return wire;
}

export function parse(field: Field, control: Control): Parsed {
  switch (field.kind) {
    case "int":
    case "seed":
      return parseInteger(field, String(control ?? ""));
    case "float":
      return parseFloatField(field, String(control ?? ""));
    case "choice":
      return parseChoice(field, control);
    case "json":
      return parseJson(String(control ?? ""));
    case "bool":
      return { ok: true, wire: control === true };
    default:
      return { ok: true, wire: String(control ?? "") };
  }
}

/** Whether two controls mean the same value: "8" and "8.0" do, so a half-typed number is left alone. */
export function sameMeaning(field: Field, a: Control, b: Control): boolean {
  if (a === b) return true;
  const [left, right] = [parse(field, a), parse(field, b)];
  return left.ok && right.ok && left.wire === right.wire;
}

/** Whether a field takes an image. */
export function isImageInput({ kind, accept }: Field): boolean {
  return kind === "image" && accept === "image/*";
}

/** How a choice is called in a list. */
export function nameOf(choice: Wire): string {
  return choice === null || choice === "" ? "(none)" : String(choice);
}

/** The text of a control in its plain form, for when the person has left it. */
export function tidy(field: Field, control: Control): Control {
  const parsed = parse(field, control);
  if (!parsed.ok || field.kind === "json") return control;
  return toControl(field, parsed.wire);
}

export function randomSeed(field: Field): string {
  return randomWhole(toWhole(field.min) ?? 0n, toWhole(field.max) ?? MAX_SEED).toString();
}

function parseInteger(field: Field, text: string): Parsed {
  if (text.trim() === "") return refuse("Enter a whole number.");
  const value = parseWhole(text);
  if (value === null) return refuse("This must be a whole number.");
  const [min, max] = [toWhole(field.min), toWhole(field.max)];
  if (min !== null && value < min) return refuse(`The least is ${min}.`);
  if (max !== null && value > max) return refuse(`The most is ${max}.`);
  return { ok: true, wire: value.toString() };
}

function parseFloatField(field: Field, text: string): Parsed {
  if (text.trim() === "") return refuse("Enter a number.");
  const value = parseReal(text);
  if (value === null) return refuse("This must be a number.");
  if (field.min !== null && value < Number(field.min)) return refuse(`The least is ${field.min}.`);
  if (field.max !== null && value > Number(field.max)) return refuse(`The most is ${field.max}.`);
  return { ok: true, wire: value };
}

function parseChoice(field: Field, control: Control): Parsed {
  if (field.choices === null || field.choices.includes(control)) return { ok: true, wire: control };
  if (field.choices.length === 0) return refuse("The server has nothing to choose from here.");
  return refuse(`The server does not have “${control}”. Choose another.`);
}

function parseJson(text: string): Parsed {
  try {
    JSON.parse(text);
  } catch (error) {
    return refuse(`This is not JSON: ${(error as Error).message}`);
  }
  return { ok: true, wire: text };
}

function refuse(error: string): Parsed {
  return { ok: false, error };
}
