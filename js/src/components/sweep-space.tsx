import { axisName, inView, inWords, type Layout, type Look, type SweepAxis } from "../lib/sweep";
import { SweepCell } from "./sweep-cell";

interface Props {
  axes: readonly SweepAxis[];
  layout: Layout;
  look: Look;
  /** Pixels that the heads of rows and columns take. */
  heads: [width: number, height: number];
  scroll: [x: number, y: number];
  view: [width: number, height: number];
  size: number;
  /** Whether each cell says what it is, because no heads do. */
  captions: boolean;
  thumbnails: ReadonlyMap<number, Blob>;
  previews: ReadonlyMap<number, Blob>;
  focus: number | undefined;
  selected: ReadonlySet<number>;
}

/** All places of a grid, of which only those in view are drawn; heads stay while it is scrolled. */
export function SweepSpace(props: Props) {
  const { axes, layout, look, heads, scroll, view, size } = props;
  const { columns, rows, places } = layout;
  const [firstColumn, endColumn] = inView(scroll[0], view[0], size, columns.length);
  const [firstRow, endRow] = inView(scroll[1], view[1], size, rows.length);
  const shown = [];
  for (let row = firstRow; row < endRow; row += 1) {
    for (let column = firstColumn; column < endColumn; column += 1) {
      const cell = places[row * columns.length + column];
      if (cell === undefined) continue;
      const title = inWords(axes, cell);
      shown.push(
        <SweepCell
          key={cell.number}
          cell={cell}
          title={title}
          thumbnail={props.thumbnails.get(cell.number)}
          preview={props.previews.get(cell.number)}
          left={column * size}
          top={row * size}
          size={size}
          caption={props.captions ? title : ""}
          focused={cell.number === props.focus}
          selected={props.selected.has(cell.number)}
        />,
      );
    }
  }
  const template = `${heads[1]}px ${rows.length * size}px / ${heads[0]}px ${columns.length * size}px`;
  return (
    <div class="space" style={{ gridTemplate: template }}>
      <div class="corner" />
      <div class="across">
        {columns.slice(firstColumn, endColumn).map((label, index) => {
          const left = `${(firstColumn + index) * size}px`;
          return (
            <div class="head" key={left} title={label} style={{ left, width: `${size}px` }}>
              <span class="quiet">{axisName(look.x)}</span> {label}
            </div>
          );
        })}
      </div>
      <div class="down">
        {rows.slice(firstRow, endRow).map((label, index) => {
          const top = `${(firstRow + index) * size}px`;
          return (
            <div class="head" key={top} title={label} style={{ top, height: `${size}px` }}>
              <div>
                <span class="quiet">{axisName(look.y)}</span> {label}
              </div>
            </div>
          );
        })}
      </div>
      <div class="body">{shown}</div>
    </div>
  );
}
