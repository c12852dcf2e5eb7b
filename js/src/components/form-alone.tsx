import type { ComponentChildren } from "preact";
import { useRef } from "preact/hooks";
import type { FileTarget } from "../features/files";
import { useFiles } from "./use-files";

/** The place of a form that stands without a panel around it. */
export function FormAlone({ children, ...target }: FileTarget & { children: ComponentChildren }) {
  const root = useRef<HTMLElement>(null);
  useFiles(root, target);
  return (
    <section ref={root} class="alone form">
      {children}
    </section>
  );
}
