import { inView } from "../lib/rows-in-view";
import { axisName, captionOf, inWords, type Layout, type Look, type SweepAxis } from "../lib/sweep";
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
  onPin: (at: "x" | "y", index: number) => void;
}

/** All places of a grid, of which only those in view are drawn; heads stay while it is scrolled. */
export function SweepSpace(props: Props) {
  const { axes, layout, look, heads, scroll, view, size } = props;
  const { columns, rows, order, places, several } = layout;
  const pins = {
    x: !props.captions && look.pinned.x !== undefined,
    y: !props.captions && look.pinned.y !== undefined,
  };
  const [firstColumn, endColumn] = inView(scroll[0], view[0], size, columns.length);
  const [firstRow, endRow] = inView(scroll[1], view[1], size, rows.length);
  const shown = [];
  // What is pinned is drawn wherever the rest is scrolled to.
  const across = range(firstColumn, endColumn, pins.x);
  const down = range(firstRow, endRow, pins.y);
  const leftOf = (column: number) => (pins.x && column === 0 ? scroll[0] : column * size);
  const topOf = (row: number) => (pins.y && row === 0 ? scroll[1] : row * size);
  for (const row of down) {
    for (const column of across) {
      const place = row * columns.length + column;
      const cell = places[place];
      if (cell === undefined) continue;
      const title = inWords(axes, cell);
      shown.push(
        <SweepCell
          key={cell.number}
          cell={cell}
          title={title}
          thumbnail={props.thumbnails.get(cell.number)}
          preview={props.previews.get(cell.number)}
          left={leftOf(column)}
          top={topOf(row)}
          pinned={Number(pins.x && column === 0) + Number(pins.y && row === 0)}
          size={size}
          several={several.get(place) ?? 1}
          caption={props.captions ? captionOf(axes, cell) : ""}
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
        {(props.captions ? [] : across).map((column) => {
          const index = order.x[column] ?? column;
          const pinned = pins.x && column === 0;
          return (
            <Head
              key={index}
              name={axisName(look.x)}
              label={columns[column] ?? ""}
              pinned={pinned}
              style={{ left: `${leftOf(column)}px`, width: `${size}px` }}
              onPin={columns.length < 2 ? undefined : () => props.onPin("x", index)}
            />
          );
        })}
      </div>
      <div class="down">
        {(props.captions ? [] : down).map((row) => {
          const index = order.y[row] ?? row;
          const pinned = pins.y && row === 0;
          return (
            <Head
              key={index}
              name={axisName(look.y)}
              label={rows[row] ?? ""}
              pinned={pinned}
              style={{ top: `${topOf(row)}px`, height: `${size}px` }}
              onPin={rows.length < 2 ? undefined : () => props.onPin("y", index)}
            />
          );
        })}
      </div>
      <div class="body">{shown}</div>
    </div>
  );
}

function range(first: number, end: number, pinned: boolean): number[] {
  const places = Array.from({ length: Math.max(0, end - first) }, (_, index) => first + index);
  return pinned && first > 0 ? [0, ...places] : places;
}

interface HeadProps {
  name: string;
  label: string;
  pinned: boolean;
  style: Record<string, string>;
  onPin: (() => void) | undefined;
}

/** The head of a row or a column; a click pins it. */
function Head({ name, label, pinned, style, onPin }: HeadProps) {
  const words = (
    <span>
      <span class="quiet">{name}</span> {label}
    </span>
  );
  return (
    <div class={pinned ? "head pinned" : "head"} title={label} style={style}>
      {onPin === undefined ? (
        <div>{words}</div>
      ) : (
        <button
          type="button"
          aria-pressed={pinned}
          title={pinned ? `${label}: let it go` : `${label}: keep it in view`}
          onClick={(event) => {
            event.stopPropagation();
            onPin();
          }}
        >
          {words}
        </button>
      )}
    </div>
  );
}
