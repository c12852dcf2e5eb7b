import type { Pictures } from "../lib/pictures";
import type { LessonState } from "../lib/teaching";
import { BlobImage } from "./blob-image";

/** An image with its name below. */
export function Picture({ blob, name }: { blob: Blob | undefined; name: string }) {
  return (
    <figure class="picture">
      {blob !== undefined && <BlobImage blob={blob} alt={name} />}
      <figcaption>{name}</figcaption>
    </figure>
  );
}

interface GivenProps {
  state: LessonState;
  answer: unknown;
  pictures: Pictures;
  /** Within a sentence: words alone. */
  isInline?: boolean;
}

/** An answer: a number, an option, or options in order. */
export function Given({ state, answer, pictures, isInline }: GivenProps) {
  const { kind, options, unit } = state;
  if (kind === "estimate") {
    return <strong>{`${showNumber(Number(answer))}${unit === "" ? "" : ` ${unit}`}`}</strong>;
  }
  const indices = Array.isArray(answer) ? answer.map(Number) : [Number(answer)];
  const chosen = indices.map((index) => options[index]).filter((option) => option !== undefined);
  if (isInline) return <strong>{chosen.map(({ label }) => label).join(", ")}</strong>;
  if (chosen.every(({ picture }) => picture === "")) {
    return kind === "order" ? (
      <ol class="given">
        {chosen.map(({ label }) => (
          <li key={label}>{label}</li>
        ))}
      </ol>
    ) : (
      <strong>{chosen[0]?.label}</strong>
    );
  }
  return (
    <div class="results">
      {chosen.map(({ label, picture }) => (
        <Picture key={label} blob={pictures.get(picture)} name={label} />
      ))}
    </div>
  );
}

export function showNumber(value: number): string {
  return String(Math.round(value * 1e4) / 1e4);
}
