import type { ComponentChildren } from "preact";
import { useRef } from "preact/hooks";
import { BlobImage } from "../components/blob-image";
import { ImageIcon } from "../components/icons";
import type { Field } from "../lib/wire";
import css from "../style/image-input.css?inline";

export interface ImageInputProps {
  field: Field;
  thumbnail: Blob | undefined;
  onUpload: (file: File) => void;
  /** The control that names the file. */
  children: ComponentChildren;
}

/** A file on the server: chosen from its list, or uploaded by a button; the panel around it takes drops and pastes. */
export function ImageInput({ field, thumbnail, onUpload, children }: ImageInputProps) {
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
        <button type="button" class="button" onClick={() => file.current?.click()}>
          Upload a file
        </button>
        <input
          ref={file}
          type="file"
          accept={field.accept}
          hidden
          onChange={(event) => take(event.currentTarget.files)}
        />
      </div>
    </fieldset>
  );
}
