import { toBlob } from "./bytes";
import type { ToBrowser } from "./wire";

/** The pictures of a widget that teaches, by name. */
export type Pictures = ReadonlyMap<string, Blob>;

/** The pictures after a message; the same map if it is about something else. */
export function takePictures(known: Pictures, message: ToBrowser, buffers: readonly DataView[]): Pictures {
  if (message.kind !== "pictures") return known;
  const pictures = new Map(known);
  message.names.forEach((name, index) => {
    const bytes = buffers[index];
    if (bytes !== undefined) pictures.set(name, toBlob(bytes, message.mime));
  });
  return pictures;
}
