import { numberOf } from "../lib/number-of";
import {
  ANY,
  axisName,
  type Filter,
  type Look,
  placeAxis,
  placeable,
  type Sort,
  type SweepState,
} from "../lib/sweep";

interface Props {
  state: SweepState;
  counts: { done: number; failed: number; words: string };
  look: Look;
  size: number;
  /** Whether somebody's own function scores the cells. */
  scored: boolean;
  onLook: (look: Look) => void;
  onSize: (size: number) => void;
  onAct: ((act: "start" | "pause" | "cancel") => void) | undefined;
}

const SORTS: [Sort, string][] = [
  ["axes", "by axes"],
  ["rating", "best rating first"],
  ["score", "highest score first"],
  ["time", "quickest first"],
  ["newest", "newest first"],
];
const FILTERS: [Filter, string][] = [
  ["all", "all cells"],
  ["kept", "not rejected"],
  ["rated", "with stars"],
  ["best", "4 stars and more"],
  ["top", "best quarter by score"],
  ["failed", "failed"],
];
const SIZES: [string, string][] = [
  ["96", "small"],
  ["128", "medium"],
  ["224", "large"],
];

const WORDS: Record<SweepState["status"], string> = {
  ready: "Ready",
  running: "Running",
  paused: "Paused",
  completed: "Done",
  cancelled: "Cancelled",
  found: "",
};

/** How far it is, and how it is looked at. */
export function SweepControls({ state, counts, look, size, scored, onLook, onSize, onAct }: Props) {
  const { status } = state;
  const found = status === "found";
  const axes = placeable(state.axes);
  const going = status === "running";
  const ended = status === "completed" || status === "cancelled" || found;
  const names: [string, string][] = axes.map(({ name }) => [name, axisName(name)]);
  const sorts = SORTS.filter(([sort]) => (scored || sort !== "score") && !(found && sort === "time"));
  const filters = FILTERS.filter(
    ([filter]) => (scored || filter !== "top") && !(found && filter === "failed"),
  );
  const others = axes.filter(({ name, labels }) => name !== look.x && name !== look.y && labels.length > 1);
  return (
    <header class="controls" data-status={status}>
      <div class="line">
        <span class="status">
          {state.title} <span class="quiet">{WORDS[status]}</span>
        </span>
        <span class="figures">
          {found ? numberOf(state.total, "file") : counts.words}
          {going && state.left !== "" && <span>about {state.left} left</span>}
        </span>
        {onAct !== undefined && !ended && (
          <span class="buttons">
            <button
              type="button"
              class={going ? "button" : "button primary"}
              onClick={() => onAct(going ? "pause" : "start")}
            >
              {going ? "Pause" : status === "ready" ? `Run ${numberOf(state.total, "cell")}` : "Resume"}
            </button>
            {status !== "ready" && (
              <button type="button" class="button" onClick={() => onAct("cancel")}>
                Cancel
              </button>
            )}
          </span>
        )}
      </div>
      {!found && (
        <div
          class="track"
          role="progressbar"
          aria-label="Cells that are done"
          aria-valuemin={0}
          aria-valuemax={state.total}
          aria-valuenow={counts.done}
        >
          <div
            class="bar"
            style={{ transform: `scaleX(${state.total > 0 ? counts.done / state.total : 0})` }}
          />
        </div>
      )}
      {state.error !== "" && (
        <p class="complaint" role="alert">
          {state.error}
        </p>
      )}
      {(status === "ready" || found) && state.price !== "" && <p class="quiet">{state.price}</p>}
      <div class="looks">
        {axes.length > 1 && look.sort === "axes" && (
          <>
            <Choice
              label="Columns"
              value={look.x}
              options={names}
              onChange={(name) => onLook(placeAxis(look, "x", name))}
            />
            <Choice
              label="Rows"
              value={look.y}
              options={names}
              onChange={(name) => onLook(placeAxis(look, "y", name))}
            />
            {others.map(({ name, labels }) => (
              <label key={name} class="held">
                <span class="quiet">{axisName(name)}</span>
                <input
                  type="range"
                  min={found ? ANY : 0}
                  max={labels.length - 1}
                  value={look.held[name] ?? 0}
                  aria-valuetext={labels[look.held[name] ?? 0] ?? "any"}
                  onInput={(event) =>
                    onLook({ ...look, held: { ...look.held, [name]: Number(event.currentTarget.value) } })
                  }
                />
                <output>{labels[look.held[name] ?? 0] ?? "any"}</output>
              </label>
            ))}
          </>
        )}
        <Choice
          label="Order"
          value={look.sort}
          options={
            found ? sorts.map(([sort, words]) => [sort, sort === "axes" ? "by values" : words]) : sorts
          }
          onChange={(sort) => onLook({ ...look, sort: sort as Sort })}
        />
        <Choice
          label="Show"
          value={look.filter}
          options={
            found
              ? filters.map(([filter, words]) => [filter, filter === "all" ? "all files" : words])
              : filters
          }
          onChange={(filter) => onLook({ ...look, filter: filter as Filter })}
        />
        <Choice
          label="Size"
          value={String(size)}
          options={SIZES}
          onChange={(value) => onSize(Number(value))}
        />
      </div>
    </header>
  );
}

interface ChoiceProps {
  label: string;
  value: string;
  options: readonly [value: string, words: string][];
  onChange: (value: string) => void;
}

function Choice({ label, value, options, onChange }: ChoiceProps) {
  return (
    <label class="held">
      <span class="quiet">{label}</span>
      <select value={value} onChange={(event) => onChange(event.currentTarget.value)}>
        {options.map(([option, words]) => (
          <option key={option} value={option} selected={option === value}>
            {words}
          </option>
        ))}
      </select>
    </label>
  );
}
