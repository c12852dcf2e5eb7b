import { useContext, useEffect, useState } from "preact/hooks";
import type { Features } from "../lib/features";
import { FeatureContext } from "./feature-context";

/** A feature, from when it is in the page; before, and where it cannot be had, null. */
export function useFeature<Name extends keyof Features>(
  name: Name,
  isWanted: boolean,
): Features[Name] | null {
  const load = useContext(FeatureContext);
  const [feature, setFeature] = useState<Features[Name] | null>(null);
  useEffect(() => {
    // What is missing has a plain stand-in, so a failure is no reason to stop.
    if (isWanted)
      load(name).then(
        (found) => setFeature(found),
        () => undefined,
      );
  }, [isWanted]);
  return feature;
}
