import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { Drafts } from "../lib/drafts";
import type { Field } from "../lib/wire";
import { FieldRow, type FormActions } from "./field";
import { ChevronDown } from "./icons";

interface Props {
  fields: readonly Field[];
  drafts: Drafts;
  randomize: ReadonlySet<string>;
  thumbnails: Readonly<Record<string, Blob>>;
  /** What the last run complained about, by field. */
  complaints: Readonly<Record<string, string>>;
  actions: FormActions;
}

/** The wanted fields, and all the others folded away under the node they belong to. */
export function Form(props: Props) {
  const { fields } = props;
  const rest = fields.filter((field) => !field.primary);
  const rows = (chosen: readonly Field[]) =>
    chosen.map((field) => <Row key={field.name} {...props} field={field} index={fields.indexOf(field)} />);
  return (
    <div class="form">
      <div class="fields">{rows(fields.filter((field) => field.primary))}</div>
      {rest.length > 0 && (
        <More trouble={hasTrouble(rest, props)}>
          {groups(rest).map(([title, members]) => (
            <fieldset key={title}>
              <legend>{title}</legend>
              <div class="fields">{rows(members)}</div>
            </fieldset>
          ))}
        </More>
      )}
    </div>
  );
}

/** Folded away until somebody wants it, or something in it is wrong. */
function More({ trouble, children }: { trouble: boolean; children: ComponentChildren }) {
  const details = useRef<HTMLDetailsElement>(null);
  // Opened for the person, but never closed: they may be at work in it.
  useEffect(() => {
    if (trouble && details.current) details.current.open = true;
  }, [trouble]);
  return (
    <details ref={details} class="more">
      <summary>
        <ChevronDown />
        More settings
      </summary>
      {children}
    </details>
  );
}

function Row({ field, index, ...props }: Props & { field: Field; index: number }) {
  const draft = props.drafts[field.name];
  if (draft === undefined) return null;
  return (
    <FieldRow
      field={field}
      draft={draft}
      id={`field-${index}`}
      randomize={props.randomize.has(field.name)}
      thumbnail={props.thumbnails[field.name]}
      complaint={props.complaints[field.name] ?? ""}
      actions={props.actions}
    />
  );
}

function groups(fields: readonly Field[]): [string, Field[]][] {
  const found = new Map<string, Field[]>();
  for (const field of fields) found.set(field.group, [...(found.get(field.group) ?? []), field]);
  return [...found];
}

function hasTrouble(fields: readonly Field[], { drafts, complaints }: Props): boolean {
  return fields.some((field) => drafts[field.name]?.error || complaints[field.name]);
}
