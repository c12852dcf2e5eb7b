import type { Cell } from "../lib/sweep";
import { BlobImage } from "./blob-image";

interface Props {
  cell: Cell;
  title: string;
  thumbnail: Blob | undefined;
  preview: Blob | undefined;
  left: number;
  top: number;
  size: number;
  /** How many there are for this place. */
  several: number;
  /** Under the image, where no heads say what it is. */
  caption: string;
  focused: boolean;
  selected: boolean;
  /** In how many pinned rows and columns it is, 0 to 2. */
  pinned: number;
}

const WORDS: Partial<Record<Cell["status"], string>> = {
  failed: "failed",
  cancelled: "cancelled",
  lost: "lost",
};

/** One cell of a sweep; it has its place from the start, and nothing moves when its image comes. */
export function SweepCell({
  cell,
  title,
  thumbnail,
  preview,
  left,
  top,
  size,
  several,
  caption,
  focused,
  selected,
  pinned,
}: Props) {
  const image = cell.status === "in_progress" ? (preview ?? thumbnail) : thumbnail;
  const classes = [
    "cell",
    cell.status,
    focused && "focused",
    selected && "selected",
    pinned > 0 && "pinned",
    cell.rejected && "rejected",
  ];
  return (
    <div
      class={classes.filter(Boolean).join(" ")}
      data-number={cell.number}
      title={cell.error}
      style={{
        left: `${left}px`,
        top: `${top}px`,
        width: `${size}px`,
        height: `${size}px`,
        zIndex: pinned || undefined,
      }}
    >
      {image !== undefined ? (
        <BlobImage blob={image} alt={title} />
      ) : (
        <span class="word">{WORDS[cell.status] ?? ""}</span>
      )}
      {several > 1 && (
        <span class="several" title={`The newest of ${several}`}>
          1 of {several}
        </span>
      )}
      {cell.stars > 0 && <span class="stars">{"★".repeat(cell.stars)}</span>}
      {caption !== "" && <span class="caption">{caption}</span>}
    </div>
  );
}
