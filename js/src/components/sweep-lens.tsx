import type { Cell } from "../lib/sweep";
import { BlobImage } from "./blob-image";

interface Props {
  cell: Cell;
  words: string;
  image: Blob | undefined;
  /** Whether this is the image at its full size: the part under the pointer is then shown pixel by pixel. */
  whole: boolean;
  at: [x: number, y: number];
  right: boolean;
}

/** The image under the pointer, large, on the other half of the grid; nothing moves for it. */
export function SweepLens({ cell, words, image, whole, at, right }: Props) {
  const [x, y] = at.map((share) => `${Math.round(share * 100)}%`);
  return (
    <div
      class={`lens ${right ? "right" : "left"}${whole ? " whole" : ""}`}
      style={{ "--at": `${x} ${y}` }}
      onLoadCapture={showPixels}
      aria-hidden="true"
    >
      {image !== undefined && <BlobImage blob={image} alt={words} />}
      <p>
        {words}
        <span class="quiet">{facts(cell)}</span>
      </p>
    </div>
  );
}

/** Only an image that is larger than the lens is cropped; a smaller one fills it. */
function showPixels({ currentTarget, target }: Event): void {
  const image = target as HTMLImageElement;
  const larger = image.naturalWidth > image.clientWidth || image.naturalHeight > image.clientHeight;
  (currentTarget as Element).toggleAttribute("data-larger", larger);
}

export function facts(cell: Cell): string {
  const told = [];
  if (cell.seconds !== null) told.push(`${cell.seconds.toFixed(cell.seconds < 10 ? 1 : 0)} s`);
  if (cell.fromCache) told.push("from the server's cache");
  if (cell.score !== null) told.push(`score ${Number(cell.score.toPrecision(4))}`);
  if (cell.stars > 0) told.push("★".repeat(cell.stars));
  if (cell.rejected) told.push("rejected");
  if (cell.error !== "") told.push(cell.error);
  return told.join(" · ");
}
