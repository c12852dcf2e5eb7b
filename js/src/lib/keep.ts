/** Taking something out of the page: as a file, or to the clipboard. */

export function save(blob: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  // The download has taken its own hold of the blob once the click has been handled.
  setTimeout(() => URL.revokeObjectURL(link.href));
}

/** Put an image on the clipboard; browsers take nothing but PNG there. */
export async function copy(image: Promise<Blob>): Promise<void> {
  // The promise goes in as it is: after the first await the click would not count any more.
  await navigator.clipboard.write([new ClipboardItem({ "image/png": image.then(toPng) })]);
}

async function toPng(blob: Blob): Promise<Blob> {
  if (blob.type === "image/png") return blob;
  const bitmap = await createImageBitmap(blob);
  const canvas = document.createElement("canvas");
  canvas.width = bitmap.width;
  canvas.height = bitmap.height;
  canvas.getContext("2d")?.drawImage(bitmap, 0, 0);
  bitmap.close();
  const png = await new Promise<Blob | null>((made) => canvas.toBlob(made, "image/png"));
  if (png === null) throw new Error("This image cannot be turned into a PNG.");
  return png;
}
