import { Component, type ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { Fold } from "../components/fold";
import type { Link } from "../lib/link";
import { matches } from "../lib/search";
import type { Field } from "../lib/wire";
import css from "../style/more.css?inline";

/** More fields than these are folded by node, and can be searched. */
const MANY = 12;

export interface SettingsProps {
  fields: readonly Field[];
  rows: (fields: readonly Field[]) => ComponentChildren;
  hasTrouble: (field: Field) => boolean;
}

/** Fields under their nodes; many of them are folded, and can be searched. */
export function Settings({ fields, rows, hasTrouble }: SettingsProps) {
  const [query, setQuery] = useState("");
  const isMany = fields.length > MANY;
  const found = fields.filter((field) => matches(query, [field.group, field.label, field.name]));
  const isSearching = query.trim() !== "";
  return (
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
}

interface Asked {
  told: string;
  isAsking: boolean;
}

/** Asks the server for its lists of models and other choices anew, and tells what is new in them. */
export class Lists extends Component<{ link: Link }, Asked> {
  override state: Asked = { told: "", isAsking: false };
  #ending = new AbortController();

  override componentDidMount(): void {
    this.props.link.onMessage(this.#ending.signal, (message) => {
      if (message.kind === "lists") this.setState({ told: message.text, isAsking: false });
    });
  }

  override componentWillUnmount(): void {
    this.#ending.abort();
  }

  #ask = (): void => {
    if (this.state.isAsking) return;
    this.setState({ told: "", isAsking: true });
    this.props.link.send({ kind: "lists" });
  };

  override render(_: unknown, { told, isAsking }: Asked) {
    return (
      <div class="lists">
        <style>{css}</style>
        <button
          type="button"
          title="Ask the server again which models and other choices it has"
          aria-disabled={isAsking}
          onClick={this.#ask}
        >
          Refresh lists
        </button>
        <span role="status">{isAsking ? "Asking the server …" : told}</span>
      </div>
    );
  }
}

function byNode(fields: readonly Field[]): [string, Field[]][] {
  const found = new Map<string, Field[]>();
  for (const field of fields) found.set(field.group, [...(found.get(field.group) ?? []), field]);
  return [...found];
}
