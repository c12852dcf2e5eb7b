/** Let the browser save a file. */
export function download(file: Blob, name: string): void {
  const url = URL.createObjectURL(file);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  // The browser has begun to read it when the click returns; a moment later it has a hold of its own.
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
