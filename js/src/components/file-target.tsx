import type { ComponentChildren, RefObject } from "preact";
import { useRef, useState } from "preact/hooks";
import { fieldFor } from "../lib/files";
import type { Field } from "../lib/wire";

interface Props {
  fields: readonly Field[];
  onUpload: (field: Field, file: File) => void;
  class: string;
  label?: string;
  root?: RefObject<HTMLElement | null>;
  onKeyDown?: (event: KeyboardEvent) => void;
  children: ComponentChildren;
}

/** A section that takes files: dropped anywhere on it, or pasted anywhere in it. */
export function FileTarget({ fields, onUpload, class: name, label, root, onKeyDown, children }: Props) {
  const [isOver, setIsOver] = useState(false);
  const [refusal, setRefusal] = useState("");
  // Each element that is entered is told before the one before it is left.
  const depth = useRef(0);
  const end = () => {
    depth.current = 0;
    setIsOver(false);
  };

  /** Give the file to a field, at best to the one under the pointer or the cursor; false where none takes it. */
  const take = (files: FileList | undefined, event: Event): boolean => {
    const file = files?.[0];
    if (file === undefined) return false;
    const row = event.composedPath().find((at) => at instanceof HTMLElement && at.dataset.name !== undefined);
    const field = fieldFor(fields, file, (row as HTMLElement | undefined)?.dataset.name);
    setRefusal(field === undefined ? `No field of this workflow takes ${file.name || "this file"}.` : "");
    if (field !== undefined) onUpload(field, file);
    return true;
  };

  return (
    <section
      ref={root ?? null}
      class={name}
      aria-label={label}
      data-over={isOver}
      onKeyDown={onKeyDown}
      onPaste={(event) => {
        if (take(event.clipboardData?.files, event)) event.preventDefault();
      }}
      onDragEnter={(event) => {
        if (!event.dataTransfer?.types.includes("Files")) return;
        depth.current += 1;
        setIsOver(true);
      }}
      onDragLeave={() => {
        depth.current -= 1;
        if (depth.current <= 0) end();
      }}
      onDragOver={(event) => {
        if (event.dataTransfer?.types.includes("Files")) event.preventDefault();
      }}
      onDrop={(event) => {
        end();
        // Text that is dragged into a field goes its own way.
        if (!event.dataTransfer?.types.includes("Files")) return;
        event.preventDefault();
        event.stopPropagation();
        take(event.dataTransfer.files, event);
      }}
    >
      {children}
      {refusal !== "" && (
        <p class="refusal" role="alert">
          {refusal}
          <button type="button" class="link" onClick={() => setRefusal("")}>
            Dismiss
          </button>
        </p>
      )}
    </section>
  );
}
