import type { RefObject } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { FileTarget } from "../features/files";
import { useFeature } from "./feature";

/** Let an element take files, from when the feature is in the page. */
export function useFiles(root: RefObject<HTMLElement | null>, target: FileTarget): void {
  const feature = useFeature("files", true);
  const current = useRef(target);
  current.current = target;
  useEffect(() => {
    if (feature === null || root.current === null) return;
    const ending = new AbortController();
    feature.takeFiles(root.current, () => current.current, ending.signal);
    return () => ending.abort();
  }, [feature]);
}
