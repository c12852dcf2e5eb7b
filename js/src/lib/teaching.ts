/**
 * The messages between Python and the browser.
 *
 * Generated from `comfy_widgets/teaching/_schema.py` by `python -m scripts.schema`; change it there.
 */

export type QuestionKind = "choose" | "order" | "estimate" | "changed";

export type LessonPhase = "predict" | "try" | "answered";

/** The state of a `NoiseExplorer`; `scale` is what one of a pixel's values counts in units of sigma. */
export interface NoiseState {
  sigma: number;
  lowest: number;
  highest: number;
  scale: number;
  seed: number;
}

/** A schedule by its name. */
export interface NamedLevels {
  name: string;
  levels: number[];
}

/** The state of a `ScheduleEditor`: falling levels, the last of which is 0. */
export interface ScheduleState {
  levels: number[];
  lowest: number;
  highest: number;
  known: NamedLevels[];
}

/** A scene of a step: the name of its picture, what it shows, and its share. */
export interface StepScene {
  picture: string;
  words: string;
  share: number;
}

/** A step; `next` is the noise level that it leads to. */
export interface StepRow {
  sigma: number;
  next: number;
  evaluations: number;
  scenes: StepScene[];
}

/** The state of a `DiffusionSteps`; `words` says what is missing, where something is. */
export interface StepsState {
  words: string;
  caption: string;
  step: number;
  steps: StepRow[];
}

/** A value that was varied, and all its values in words. */
export interface SliderAxis {
  label: string;
  values: string[];
}

/** The state of a `ReplaySlider`: `at` is an index for each axis, a picture's name is ``0,2``. */
export interface SliderState {
  title: string;
  axes: SliderAxis[];
  at: number[];
  missing: string[];
}

/** The state of a `DrawingCanvas`; `version` counts the sheets that it has begun with. */
export interface DrawingState {
  width: number;
  height: number;
  version: number;
  colours: string[];
}

/** One of the things to choose from; the name of its picture is empty where it has none. */
export interface Option {
  label: string;
  picture: string;
}

/**
 * The state of the card of a `Lesson`.
 *
 * `answer` is what was predicted: an index, an order of indices, or a number; null before. `right` likewise,
 * null before it is known. `range` is lowest, highest and step of an estimate. `results` names pictures of
 * what came out.
 */
export interface LessonState {
  title: string;
  notes: string[];
  kind: QuestionKind;
  question: string;
  options: Option[];
  shown: Option[];
  range: number[];
  unit: string;
  phase: LessonPhase;
  action: string;
  answer: unknown;
  right: unknown;
  correct: boolean | null;
  verdict: string;
  reason: string;
  results: string[];
  problem: string;
}
