import { toBlob } from "./bytes";
import type { Images, ToBrowser } from "./wire";

export interface Picture {
  name: string;
  caption: string;
  /** A caption for all to see, or nothing. */
  label: string;
  blob: Blob;
  /** False for a smaller stand-in of a very large picture. */
  whole: boolean;
}

export interface Pictures {
  run: number;
  /** A place that is still empty has no picture yet. */
  items: readonly (Picture | null)[];
}

export const NO_PICTURES: Pictures = { run: 0, items: [] };

/** The pictures after a message, which may be those of an earlier run; the same object if the message is about something else. */
export function takePictures(pictures: Pictures, message: ToBrowser, buffers: readonly DataView[]): Pictures {
  if (message.kind === "images") return takeBatch(pictures, message, buffers);
  const [bytes] = buffers;
  if (message.kind === "original" && message.run === pictures.run && bytes !== undefined) {
    const old = pictures.items[message.index];
    if (!old) return pictures;
    const picture = { ...old, whole: true, blob: toBlob(bytes, message.mime) };
    return { ...pictures, items: pictures.items.with(message.index, picture) };
  }
  return pictures;
}

/** Places are kept free for the images that follow in other messages. */
function takeBatch(
  pictures: Pictures,
  { run, total, items }: Images,
  buffers: readonly DataView[],
): Pictures {
  const kept = run === pictures.run ? pictures.items : [];
  const all: (Picture | null)[] = Array.from({ length: total }, (_, index) => kept[index] ?? null);
  items.forEach(({ index, name, caption, label, whole, mime }, position) => {
    const bytes = buffers[position];
    if (bytes !== undefined) all[index] = { name, caption, label, whole, blob: toBlob(bytes, mime) };
  });
  return { run, items: all };
}
