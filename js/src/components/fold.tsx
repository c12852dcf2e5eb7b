import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { ChevronDown } from "./icons";

interface FoldProps {
  title: string;
  /** Something inside wants to be seen. */
  open: boolean;
  class: string;
  children: ComponentChildren;
}

/** A part that is folded away until somebody opens it. */
export function Fold({ title, open, class: name, children }: FoldProps) {
  const details = useRef<HTMLDetailsElement>(null);
  // Opened for the person, but never closed: they may be at work in it.
  useLayoutEffect(() => {
    if (open && details.current) details.current.open = true;
  }, [open]);
  return (
    <details ref={details} class={`fold ${name}`}>
      <summary>
        <ChevronDown />
        {title}
      </summary>
      <div class="inside">{children}</div>
    </details>
  );
}
