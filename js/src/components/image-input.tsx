import { useRef, useState } from "preact/hooks";
import { BlobImage } from "./blob-image";
import { Choice } from "./choice";
import type { ControlProps } from "./control";
import { Picture } from "./icons";
import { TextInput } from "./text-input";

interface Props extends ControlProps {
  thumbnail: Blob | undefined;
  onUpload: (file: File) => void;
}

/** A picture or another file on the server: chosen from its list, or uploaded by button or by dropping it. */
export function ImageInput({ thumbnail, onUpload, ...control }: Props) {
  const file = useRef<HTMLInputElement>(null);
  const [isOver, setIsOver] = useState(false);
  const take = (files: FileList | null | undefined) => {
    const chosen = files?.[0];
    if (chosen) onUpload(chosen);
  };
  return (
    <fieldset
      class="image-input"
      aria-label={control.field.label}
      data-over={isOver}
      onDragOver={(event) => {
        event.preventDefault();
        setIsOver(true);
      }}
      onDragLeave={() => setIsOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setIsOver(false);
        take(event.dataTransfer?.files);
      }}
    >
      <div class="thumbnail">{thumbnail ? <BlobImage blob={thumbnail} alt="" /> : <Picture />}</div>
      <div class="parts">
        {control.field.choices === null ? <TextInput {...control} /> : <Choice {...control} />}
        <button type="button" class="button" onClick={() => file.current?.click()}>
          Upload a file
        </button>
        <input
          ref={file}
          type="file"
          accept={control.field.accept}
          hidden
          onChange={(event) => take(event.currentTarget.files)}
        />
      </div>
    </fieldset>
  );
}
