import { createContext } from "preact";
import type { LoadFeature } from "../lib/features";

/** How the components of a view load features. */
export const FeatureContext = createContext<LoadFeature>(() => new Promise(() => undefined));
