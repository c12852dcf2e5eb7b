/**
 * What stands in each control, and how it meets what Python says.
 *
 * Python is the one writer of the values, and an edit comes back to the page that made it a moment later. Typing
 * must never be overwritten by such an echo, yet a value set in Python must show. So each draft remembers the
 * number of its last edit, and gives way only to values that include that edit and really changed.
 */
import { type Control, parse, sameMeaning, tidy, toControl } from "./fields";
import type { Field, Values, Wire } from "./wire";

export interface Draft {
  control: Control;
  /** The number of the last edit made here that was sent; 0 for none. */
  n: number;
  /** Why this value cannot be used; empty if it can. */
  error: string;
}

export type Drafts = Readonly<Record<string, Draft>>;

export const NO_VALUES: Values = {
  values: {},
  errors: {},
  hints: {},
  modes: {},
  frame: { width: 1, height: 1, count: 1 },
  warnings: [],
  acks: {},
};

/** Take over what Python said. */
export function adopt(
  fields: readonly Field[],
  drafts: Drafts,
  before: Values,
  now: Values,
  page: string,
): Drafts {
  const seen = now.acks[page] ?? 0;
  const next: Record<string, Draft> = {};
  for (const field of fields) {
    next[field.name] = adoptOne(field, drafts[field.name], before.values[field.name], now, seen);
  }
  return next;
}

function adoptOne(
  field: Field,
  draft: Draft | undefined,
  before: Wire | undefined,
  now: Values,
  seen: number,
): Draft {
  const wire = now.values[field.name] ?? null;
  const theirs = toControl(field, wire);
  if (draft === undefined) return { control: theirs, n: 0, error: problem(field, theirs) };
  if (draft.n > seen) return draft;
  const refused = now.errors[field.name];
  if (refused !== undefined) return { ...draft, error: refused };
  // The field may have other bounds and choices than before.
  if (before === wire) return { ...draft, error: problem(field, draft.control) };
  const control = sameMeaning(field, draft.control, theirs) ? draft.control : theirs;
  return { control, n: draft.n, error: problem(field, control) };
}

export function edit(field: Field, drafts: Drafts, control: Control, n: number): Drafts {
  const error = problem(field, control);
  // What cannot be used is not sent, so no answer will ever include it: it keeps the number of what was.
  const number = error === "" ? n : (drafts[field.name]?.n ?? 0);
  return { ...drafts, [field.name]: { control, n: number, error } };
}

/** Write a value in its plain form, once the person has left the control. */
export function settle(field: Field, drafts: Drafts): Drafts {
  const draft = drafts[field.name];
  if (draft === undefined || draft.error !== "") return drafts;
  return { ...drafts, [field.name]: { ...draft, control: tidy(field, draft.control) } };
}

/** The values of all usable drafts among `names`, as they travel. */
export function wires(
  fields: readonly Field[],
  drafts: Drafts,
  names: ReadonlySet<string>,
): Record<string, Wire> {
  const values: Record<string, Wire> = {};
  for (const field of fields) {
    const draft = drafts[field.name];
    if (draft === undefined || !names.has(field.name)) continue;
    const parsed = parse(field, draft.control);
    if (parsed.ok) values[field.name] = parsed.wire;
  }
  return values;
}

/** The fields that keep a run from starting. What Python has itself, nobody typed: the server judges it. */
export function invalid(fields: readonly Field[], drafts: Drafts, { values, errors }: Values): Field[] {
  return fields.filter((field) => {
    const draft = drafts[field.name];
    if (draft === undefined || draft.error === "") return false;
    const theirs = toControl(field, values[field.name] ?? null);
    return draft.control !== theirs || errors[field.name] !== undefined;
  });
}

function problem(field: Field, control: Control): string {
  const parsed = parse(field, control);
  return parsed.ok ? "" : parsed.error;
}
