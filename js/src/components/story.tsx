import type { ShownImage } from "../lib/images";
import { save } from "../lib/keep";
import type { Link } from "../lib/link";
import type { Told } from "../lib/told";

interface Props {
  image: ShownImage;
  /** Null while it is on its way. */
  told: Told | null;
  link: Link;
}

/** How an image came about: its values, and what can be done with them. */
export function Story({ image, told, link }: Props) {
  const stem = image.name.replace(/\.\w+$/, "");
  const json = told?.json ?? null;
  return (
    <aside class="story" aria-label="Details">
      {told === null && <p>Reading the details …</p>}
      {told !== null && (
        <>
          <div class="acts">
            {told.usable && (
              <button type="button" class="button" onClick={() => link.send({ kind: "use", run: told.run })}>
                Use these values
              </button>
            )}
            {json !== null && (
              <button type="button" class="button" onClick={() => save(json, `${stem}.json`)}>
                Save workflow
              </button>
            )}
          </div>
          <dl>
            {told.items.map(({ label, value }, index) => (
              // The list is replaced whole.
              <div key={index}>
                <dt>{label}</dt>
                <dd>{value}</dd>
              </div>
            ))}
          </dl>
          {told.items.length === 0 && <p>Nothing is known of how this image came about.</p>}
        </>
      )}
    </aside>
  );
}
