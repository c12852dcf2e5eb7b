/** Files that are dropped anywhere on a widget, or pasted anywhere in it. */
import { render } from "preact";
import { Offer } from "../components/offer";
import { carriesValues, fieldFor } from "../lib/files";
import type { Link } from "../lib/link";
import type { Field } from "../lib/wire";
import css from "../style/files.css?inline";

export interface FileTarget {
  fields: readonly Field[];
  onUpload: (field: Field, file: File) => void;
  link: Link;
}

/** Listen at `root` until the signal ends; `target` tells what takes files at that moment. */
export function takeFiles(root: HTMLElement, target: () => FileTarget, ended: AbortSignal): void {
  const page = root.ownerDocument;
  const style = page.createElement("style");
  style.textContent = css;
  const refusal = page.createElement("p");
  refusal.className = "refusal";
  refusal.setAttribute("role", "alert");
  const place = page.createElement("div");
  place.className = "offer-place";
  root.append(style, refusal, place);
  const endOffer = () => render(null, place);
  ended.addEventListener("abort", () => {
    style.remove();
    refusal.remove();
    endOffer();
    place.remove();
  });

  // Each element that is entered is told before the one before it is left.
  let depth = 0;
  const setDepth = (next: number) => {
    depth = Math.max(0, next);
    root.dataset.over = String(depth > 0);
  };
  const hasFiles = (event: DragEvent) => event.dataTransfer?.types.includes("Files") === true;

  /** Give the file to a field, at best to the one under the pointer or the cursor. */
  const take = async (event: DragEvent | ClipboardEvent, files: FileList | undefined) => {
    const file = files?.[0];
    if (file === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    const { fields, onUpload, link } = target();
    // An event knows its path only while it is handled.
    const row = event.composedPath().find((at) => at instanceof HTMLElement && at.dataset.name !== undefined);
    const field = fieldFor(fields, file, (row as HTMLElement | undefined)?.dataset.name);
    endOffer();
    if (await carriesValues(file)) {
      refusal.textContent = "";
      const props = { file, field, link, onUpload, onEnd: endOffer };
      // By its key each file has a choice of its own.
      render(<Offer key={Math.random()} {...props} />, place);
      return;
    }
    refusal.textContent =
      field === undefined ? `No field of this workflow takes ${file.name || "this file"}.` : "";
    if (field !== undefined) onUpload(field, file);
  };

  const on = <Type extends "dragenter" | "dragleave" | "dragover" | "drop" | "paste">(
    type: Type,
    heard: (event: HTMLElementEventMap[Type]) => void,
  ) => root.addEventListener(type, heard, { signal: ended });
  on("paste", (event) => take(event, event.clipboardData?.files));
  on("dragenter", (event) => {
    if (hasFiles(event)) setDepth(depth + 1);
  });
  on("dragleave", () => setDepth(depth - 1));
  on("dragover", (event) => {
    if (hasFiles(event)) event.preventDefault();
  });
  on("drop", (event) => {
    setDepth(0);
    // Text that is dragged into a field goes its own way.
    if (hasFiles(event)) take(event, event.dataTransfer?.files);
  });
  // The next thing that a person does takes the refusal away.
  root.addEventListener(
    "pointerdown",
    () => {
      refusal.textContent = "";
    },
    { signal: ended },
  );
}
