import { useLayoutEffect, useState } from "preact/hooks";
import type { Link } from "../lib/link";
import type { Values } from "../lib/wire";
import css from "../style/repeat.css?inline";
import { ChevronDown } from "./icons";

const COUNTS = [1, 2, 3, 4, 6, 8, 12, 16];

/** How many runs a press starts. */
export function Repeat({ link, onChange }: { link: Link; onChange: (count: number) => void }) {
  const [count, setCount] = useState(1);
  const [isFixed, setFixed] = useState(false);
  useLayoutEffect(() => {
    const ending = new AbortController();
    link.onTrait<Values>("_values", ending.signal, ({ modes }) => {
      const all = Object.values(modes);
      setFixed(all.length > 0 && all.every((mode) => mode === "fixed"));
    });
    return () => ending.abort();
  }, [link]);
  const hasNote = count > 1 && isFixed;
  return (
    <div class="select repeat">
      <style>{css}</style>
      {hasNote && <small id="repeat-note">Repeats get seeds of their own</small>}
      <select
        class="control"
        aria-label="Number of runs"
        aria-describedby={hasNote ? "repeat-note" : undefined}
        title="Number of runs"
        onChange={(event) => {
          const chosen = Number(event.currentTarget.value);
          setCount(chosen);
          onChange(chosen);
        }}
      >
        {COUNTS.map((count) => (
          <option key={count} value={count}>
            ×{count}
          </option>
        ))}
      </select>
      <ChevronDown />
    </div>
  );
}
