import { toBlob } from "./bytes";
import type { Incoming } from "./wire";

export interface Picture {
  name: string;
  caption: string;
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

/** The pictures after a message; the same object if the message is about something else. */
export function takePicture(pictures: Pictures, message: Incoming, bytes: DataView): Pictures {
  if (message.kind === "picture" && message.run >= pictures.run) {
    const { run, total, index, name, caption, whole } = message;
    const isSame = run === pictures.run && pictures.items.length === total;
    const kept = isSame ? pictures.items : Array<Picture | null>(total).fill(null);
    return { run, items: kept.with(index, { name, caption, whole, blob: toBlob(bytes, message.mime) }) };
  }
  if (message.kind === "original" && message.run === pictures.run) {
    const old = pictures.items[message.index];
    if (!old) return pictures;
    const picture = { ...old, whole: true, blob: toBlob(bytes, message.mime) };
    return { ...pictures, items: pictures.items.with(message.index, picture) };
  }
  return pictures;
}
