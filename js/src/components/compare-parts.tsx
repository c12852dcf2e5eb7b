import type { RefObject } from "preact";
import type { Size } from "../lib/zoom";
import { Minus, Plus } from "./icons";
import { Whole } from "./image-icons";
import type { ZoomArea } from "./zoom-area";

/** What one press zooms by. */
export const ZOOM = 1.5;

/** What differs between the two workflows. */
export interface Words {
  lines: readonly string[];
  /** Why that cannot be told. */
  unknown: string;
}

export const sizeWords = ({ width, height }: Size) => `${width} × ${height}`;

/** What differs between the two workflows, in words. */
export function Differing({ words }: { words: Words | null }) {
  if (words === null) return <p class="told">Comparing the workflows …</p>;
  if (words.unknown !== "") return <p class="told">{words.unknown}</p>;
  if (words.lines.length === 0) return <p class="told">The workflows are the same.</p>;
  return (
    <ul class="differing" aria-label="Differences between the workflows">
      {words.lines.map((line, index) => (
        // The list is replaced whole.
        <li key={index}>{line}</li>
      ))}
    </ul>
  );
}

/** Buttons that zoom. */
export function ZoomTools({ area, onFit }: { area: RefObject<ZoomArea | null>; onFit: () => void }) {
  return (
    <span class="set">
      <button
        type="button"
        class="plain"
        aria-label="Zoom out"
        onClick={() => area.current?.zoomBy(1 / ZOOM)}
      >
        <Minus />
      </button>
      <button
        type="button"
        class="plain actual"
        aria-label="Actual size"
        onClick={() => area.current?.actual()}
      >
        1:1
      </button>
      <button type="button" class="plain" aria-label="Zoom in" onClick={() => area.current?.zoomBy(ZOOM)}>
        <Plus />
      </button>
      <button type="button" class="plain" aria-label="Fit" onClick={onFit}>
        <Whole />
      </button>
    </span>
  );
}
