import { Component } from "preact";
import { numberOf } from "../lib/number-of";
import { axisName, type Cell, type SweepAxis } from "../lib/sweep";

interface Props {
  axes: readonly SweepAxis[];
  cells: readonly Cell[];
}

interface Own {
  column: number;
  down: boolean;
  all: boolean;
}

const FIRST = 300;

/** All cells as a table; a click on a head sorts. */
export class SweepTable extends Component<Props, Own> {
  override state: Own = { column: -1, down: false, all: false };

  #sort(column: number): void {
    this.setState(({ column: old, down }) => ({ column, down: old === column ? !down : false }));
  }

  override render() {
    const { axes, cells } = this.props;
    const { column, down, all } = this.state;
    const heads = [...axes.map(({ name }) => axisName(name)), "status", "seconds", "stars"];
    const values = (cell: Cell): (string | number)[] => [
      ...cell.indices,
      cell.status,
      cell.seconds ?? Infinity,
      cell.rejected ? -1 : cell.stars,
    ];
    const sorted = [...cells];
    if (column >= 0) sorted.sort((one, other) => compare(values(one)[column], values(other)[column]));
    if (down) sorted.reverse();
    const shown = all ? sorted : sorted.slice(0, FIRST);
    return (
      <details class="table">
        <summary>Table of {numberOf(cells.length, "cell")}</summary>
        <table>
          <thead>
            <tr>
              {heads.map((head, index) => (
                <th key={head} aria-sort={index !== column ? "none" : down ? "descending" : "ascending"}>
                  <button type="button" onClick={() => this.#sort(index)}>
                    {head}
                  </button>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {shown.map((cell) => (
              <tr key={cell.number}>
                {axes.map((axis, index) => (
                  <td key={axis.name}>{axis.labels[cell.indices[index] ?? 0]}</td>
                ))}
                <td title={cell.error}>{cell.status.replace("_", " ")}</td>
                <td class="number">
                  {cell.seconds?.toFixed(2) ?? ""}
                  {cell.fromCache ? " (cached)" : ""}
                </td>
                <td>{cell.rejected ? "rejected" : "★".repeat(cell.stars)}</td>
              </tr>
            ))}
          </tbody>
        </table>
        {shown.length < sorted.length && (
          <button type="button" class="button small" onClick={() => this.setState({ all: true })}>
            Show all {sorted.length}
          </button>
        )}
      </details>
    );
  }
}

function compare(one: string | number | undefined, other: string | number | undefined): number {
  if (one === other || one === undefined || other === undefined) return 0;
  return one < other ? -1 : 1;
}
