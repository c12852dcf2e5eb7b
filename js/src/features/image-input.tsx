import type { ComponentChildren } from "preact";
import { useRef, useState } from "preact/hooks";
import { BlobImage } from "../components/blob-image";
import { ImageIcon } from "../components/icons";
import { isImageInput } from "../lib/fields";
import type { Link } from "../lib/link";
import type { Field } from "../lib/wire";
import css from "../style/image-input.css?inline";
import type * as mask from "./mask";

export interface ImageInputProps {
  field: Field;
  /** The name of the file. */
  value: string;
  link: Link;
  thumbnail: Blob | undefined;
  onUpload: (file: File) => void;
  /** The control that names the file. */
  children: ComponentChildren;
}

/** A file on the server: chosen from its list, or uploaded by a button; the panel around it takes drops and pastes. */
export function ImageInput({ field, value, link, thumbnail, onUpload, children }: ImageInputProps) {
  const [editor, setEditor] = useState<typeof mask | null>(null);
  // Where it cannot be had, the button has done nothing, and may be pressed again.
  const paint = () =>
    link.load("mask").then(
      (found) => setEditor(found as typeof mask),
      () => undefined,
    );
  const file = useRef<HTMLInputElement>(null);
  const take = (files: FileList | null | undefined) => {
    const chosen = files?.[0];
    if (chosen) onUpload(chosen);
  };
  return (
    <fieldset class="image-input" aria-label={field.label}>
      <style>{css}</style>
      <div class="thumbnail">{thumbnail ? <BlobImage blob={thumbnail} alt="" /> : <ImageIcon />}</div>
      <div class="parts">
        {children}
        <div class="file-acts">
          <button type="button" class="button" onClick={() => file.current?.click()}>
            Upload a file
          </button>
          {isImageInput(field) && value !== "" && (
            <button type="button" class="button" onClick={paint}>
              Paint a mask
            </button>
          )}
        </div>
        <input
          ref={file}
          type="file"
          accept={field.accept}
          hidden
          onChange={(event) => take(event.currentTarget.files)}
        />
      </div>
      {editor && <editor.MaskEditor field={field} link={link} onClose={() => setEditor(null)} />}
    </fieldset>
  );
}
