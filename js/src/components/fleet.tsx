import { Component } from "preact";
import { bars, duration, host, mishaps, model, queue, work } from "../lib/fleet";
import type { FleetAct, FleetRow, FleetState } from "../lib/schema";

type Act = FleetAct["act"];

interface Props {
  state: FleetState;
  onAct(act: Act, server: string): void;
}

/** The servers of a fleet, and what each of them did. */
export function Fleet({ state, onAct }: Props) {
  const { rows, waiting, error } = state;
  const working = rows.filter(({ status }) => status === "working").length;
  return (
    <section class="fleet" aria-label="Fleet">
      <header>
        <strong>
          {rows.length} {rows.length === 1 ? "server" : "servers"}
        </strong>
        <span class="summary" role="status">
          {working > 0 ? `${working} working` : "idle"}
          {waiting > 0 && `, ${waiting} waiting for a place`}
        </span>
        <AddServer onAdd={(server) => onAct("add", server)} />
      </header>
      {error !== "" && (
        <p class="trouble" role="alert">
          {error}
        </p>
      )}
      <ul>
        {rows.map((row, number) => (
          <Server key={row.server} row={row} state={state} number={number} onAct={onAct} />
        ))}
      </ul>
      <div class="times" aria-hidden="true">
        <span>{duration(state.span)} ago</span>
        <span>now</span>
      </div>
    </section>
  );
}

interface ServerProps extends Props {
  row: FleetRow;
  number: number;
}

function Server({ row, state, number, onAct }: ServerProps) {
  const isDrained = row.status === "drained";
  const wrong = mishaps(row);
  return (
    <li data-status={row.status}>
      <div class="who">
        <span class="dot" />
        <span class="name" title={`${row.server}${row.version === "" ? "" : `, ComfyUI ${row.version}`}`}>
          {host(row.server)}
        </span>
        <span class="status">{row.status}</span>
      </div>
      <span class="model" title={row.model}>
        {model(row.model)}
      </span>
      <span class="queue">{queue(row)}</span>
      <span class="work">
        {work(row)}
        {wrong !== "" && <em> {wrong}</em>}
      </span>
      <div class="acts">
        <button
          type="button"
          class="small"
          title={isDrained ? "Give it work again" : "Give it nothing more; what is there ends there"}
          onClick={() => onAct(isDrained ? "resume" : "drain", row.server)}
        >
          {isDrained ? "Resume" : "Drain"}
        </button>
        {state.rows.length > 1 && (
          <button
            type="button"
            class="small"
            title="Take it out of the fleet; what waits there goes to others"
            onClick={() => onAct("remove", row.server)}
          >
            Remove
          </button>
        )}
      </div>
      <div class="lane" role="img" aria-label={`What ${host(row.server)} did`}>
        {bars(state, number).map(({ left, width, outcome, title }) => (
          <span
            key={title + left}
            data-outcome={outcome}
            title={title}
            style={{ left: `${left}%`, width: `${width}%` }}
          />
        ))}
      </div>
      {row.trouble !== "" && <p class="trouble">{row.trouble}</p>}
    </li>
  );
}

/** An address, and a button that takes it in. */
class AddServer extends Component<{ onAdd(server: string): void }, { server: string }> {
  override state = { server: "" };

  #add = (event: Event) => {
    event.preventDefault();
    const server = this.state.server.trim();
    if (server === "") return;
    this.props.onAdd(server);
    this.setState({ server: "" });
  };

  override render(_: unknown, { server }: { server: string }) {
    return (
      <form onSubmit={this.#add}>
        <input
          type="text"
          inputMode="url"
          aria-label="Address of a server"
          placeholder="Address, with its port"
          value={server}
          onInput={(event) => this.setState({ server: event.currentTarget.value })}
        />
        <button type="submit" class="small" aria-disabled={server.trim() === ""}>
          Add server
        </button>
      </form>
    );
  }
}
