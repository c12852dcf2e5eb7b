import { toBlob } from "./bytes";
import type { Images, ToBrowser } from "./wire";

export interface ShownImage {
  name: string;
  caption: string;
  /** A caption for all to see, or nothing. */
  label: string;
  mime: string;
  /** Made when it is asked for: of thousands of images few are looked at. */
  readonly blob: Blob;
  /** It is sent when somebody scrolls there. */
  isLater: boolean;
  /** False for a smaller stand-in of a very large image. */
  whole: boolean;
}

export interface ShownImages {
  run: number;
  /** A place that is still empty has no image yet. */
  items: readonly (ShownImage | null)[];
}

export const NO_IMAGES: ShownImages = { run: 0, items: [] };

/** The images after a message, which may be those of an earlier run; the same object if the message is about something else. */
export function takeImages(
  images: ShownImages,
  message: ToBrowser,
  buffers: readonly DataView[],
): ShownImages {
  if (message.kind === "images") return takeBatch(images, message, buffers);
  const [bytes] = buffers;
  if (message.kind === "original" && message.run === images.run && bytes !== undefined) {
    const old = images.items[message.index];
    if (!old) return images;
    const image = shownImage({ ...old, whole: true, mime: message.mime }, bytes);
    return { ...images, items: images.items.with(message.index, image) };
  }
  return images;
}

export function shownImage(about: Omit<ShownImage, "blob" | "isLater">, bytes: DataView): ShownImage {
  let blob: Blob | undefined;
  return {
    ...about,
    isLater: bytes.byteLength === 0,
    get blob() {
      blob ??= toBlob(bytes, about.mime);
      return blob;
    },
  };
}

/** Places are kept free for the images that follow in other messages. */
function takeBatch(
  images: ShownImages,
  { run, total, items }: Images,
  buffers: readonly DataView[],
): ShownImages {
  const kept = run === images.run ? images.items : [];
  const all: (ShownImage | null)[] = Array.from({ length: total }, (_, index) => kept[index] ?? null);
  items.forEach(({ index, ...about }, position) => {
    const bytes = buffers[position];
    // One that is here already is not given back.
    if (bytes && (bytes.byteLength || !all[index])) all[index] = shownImage(about, bytes);
  });
  return { run, items: all };
}
