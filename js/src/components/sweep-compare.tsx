import { type Cell, differing, inWords, type SweepAxis } from "../lib/sweep";
import { BlobImage } from "./blob-image";
import { Close } from "./icons";
import { facts } from "./sweep-lens";

interface Props {
  axes: readonly SweepAxis[];
  cells: [Cell, Cell];
  images: (Blob | undefined)[];
  onClose: () => void;
}

/** Two cells side by side, and in words what differs. */
export function SweepCompare({ axes, cells, images, onClose }: Props) {
  return (
    <div class="compare" role="dialog" aria-label="Two cells compared">
      <button type="button" class="plain close" aria-label="Close" onClick={onClose}>
        <Close />
      </button>
      <div class="pair">
        {cells.map((cell, index) => {
          const image = images[index];
          const words = inWords(axes, cell);
          return (
            <figure key={cell.number}>
              {image !== undefined ? (
                <BlobImage blob={image} alt={words} />
              ) : (
                <span class="word">{cell.status}</span>
              )}
              <figcaption>
                {words} <span class="quiet">{facts(cell)}</span>
              </figcaption>
            </figure>
          );
        })}
      </div>
      <p class="differ">{differing(axes, ...cells).join(" · ") || "The two have the same values."}</p>
    </div>
  );
}
