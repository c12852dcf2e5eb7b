import type { GridAxes } from "../lib/wire";
import type { Heads } from "./grid";

/** The heads of a grid of an experiment: its columns on top, and its rows on the left. They stay while it scrolls. */
export function headsOf(axes: GridAxes | undefined): Heads | null {
  // A notebook that an older version has saved knows of no axes.
  if (!axes?.x || !axes.y) return null;
  const { x, y } = axes;
  const columns = x.labels.length;
  return {
    columns,
    top: (
      <>
        <div class="corner">
          <span>{y.name}</span>
          <span>{x.name}</span>
        </div>
        {x.labels.map((label, index) => (
          // Two columns may have the same head.
          <div key={`x${index}`} class="head">
            {label}
          </div>
        ))}
      </>
    ),
    before: (index) =>
      index % columns === 0 ? (
        <div key={`y${index}`} class="head row">
          {y.labels[index / columns]}
        </div>
      ) : null,
  };
}
