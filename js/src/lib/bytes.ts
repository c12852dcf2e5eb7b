/** A Blob of a buffer from the kernel. The view may be a window on a larger buffer. */
export function toBlob(view: DataView, mime: string): Blob {
  return new Blob([new Uint8Array(view.buffer as ArrayBuffer, view.byteOffset, view.byteLength)], {
    type: mime,
  });
}

/** Jupyter closes the connection on a message of 10 MB, so a file goes up in parts. */
export const PART_SIZE = 2 * 1024 * 1024;

export function splitBytes(bytes: ArrayBuffer, size: number = PART_SIZE): ArrayBuffer[] {
  const parts: ArrayBuffer[] = [];
  for (let at = 0; at < bytes.byteLength; at += size) parts.push(bytes.slice(at, at + size));
  return parts.length > 0 ? parts : [bytes];
}
