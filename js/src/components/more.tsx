import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { matches } from "../lib/search";
import type { Field } from "../lib/wire";
import { ChevronDown } from "./icons";

/** More fields than these are folded by node, and can be searched. */
const MANY = 12;

interface Props {
  fields: readonly Field[];
  /** There are no other fields in the form. */
  isAll: boolean;
  rows: (fields: readonly Field[]) => ComponentChildren;
  hasTrouble: (field: Field) => boolean;
}

/** The fields that nobody asked for, under their nodes; folded away, unless they are all there is. */
export function More({ fields, isAll, rows, hasTrouble }: Props) {
  const [query, setQuery] = useState("");
  const isMany = fields.length > MANY;
  const found = fields.filter((field) => matches(query, [field.group, field.label, field.name]));
  const isSearching = query.trim() !== "";
  const content = (
    <>
      {isMany && (
        <input
          type="search"
          class="control search"
          placeholder={`Search ${fields.length} settings`}
          aria-label="Search settings"
          value={query}
          onInput={(event) => setQuery(event.currentTarget.value)}
        />
      )}
      {byNode(found).map(([title, members]) =>
        isMany ? (
          // A search opens what it finds, and its end folds that again.
          <Fold
            key={`${title} ${isSearching}`}
            title={title}
            open={isSearching || members.some(hasTrouble)}
            class="node"
          >
            <div class="fields">{rows(members)}</div>
          </Fold>
        ) : (
          <fieldset key={title}>
            <legend>{title}</legend>
            <div class="fields">{rows(members)}</div>
          </fieldset>
        ),
      )}
      {found.length === 0 && <p class="nothing">No setting matches “{query}”.</p>}
    </>
  );
  if (isAll) return <div class="inside">{content}</div>;
  return (
    <Fold title="More settings" open={fields.some(hasTrouble)} class="more">
      {content}
    </Fold>
  );
}

function byNode(fields: readonly Field[]): [string, Field[]][] {
  const found = new Map<string, Field[]>();
  for (const field of fields) found.set(field.group, [...(found.get(field.group) ?? []), field]);
  return [...found];
}

interface FoldProps {
  title: string;
  /** Something inside wants to be seen. */
  open: boolean;
  class: string;
  children: ComponentChildren;
}

function Fold({ title, open, class: name, children }: FoldProps) {
  const details = useRef<HTMLDetailsElement>(null);
  // Opened for the person, but never closed: they may be at work in it.
  useLayoutEffect(() => {
    if (open && details.current) details.current.open = true;
  }, [open]);
  return (
    <details ref={details} class={`fold ${name}`}>
      <summary>
        <ChevronDown />
        {title}
      </summary>
      <div class="inside">{children}</div>
    </details>
  );
}
