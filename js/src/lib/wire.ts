/** What the browser adds to the messages of `schema.ts`: phases that only it knows. */
import type * as schema from "./schema";

export type {
  Code as CodeMessage,
  Detail,
  Differences,
  Edit,
  Field,
  FilmState,
  FormSpec,
  Frame,
  FromBrowser,
  Graph,
  GraphNode,
  GridAxes,
  HistoryPage,
  HistoryRow,
  HistoryState,
  ImageItem,
  Images,
  Kind,
  Marks,
  NodeRow,
  Nodes,
  Offer,
  Original,
  RunDetails,
  RunError,
  RunList,
  RunRow,
  SeedMode,
  Story,
  ToBrowser,
  Values,
  Wire,
} from "./schema";

export type Phase =
  | schema.Phase
  /** Run was pressed, and Python has not answered, as while a cell runs. */
  | "sending"
  /** The kernel is gone, and with it whoever would answer. */
  | "lost";

export interface RunState extends Omit<schema.RunState, "phase"> {
  phase: Phase;
}

export const IDLE: RunState = {
  run: 0,
  phase: "idle",
  fraction: 0,
  node: null,
  step: null,
  steps: null,
  left: "",
  pace: "",
  queue: null,
  error: null,
  warnings: [],
  texts: [],
  summary: "",
  frame: { width: 1, height: 1, count: 1 },
  connected: true,
  chosen: false,
};

const BUSY = new Set<Phase>(["sending", "waiting", "running", "cancelling", "loading"]);

export function isBusy(phase: Phase): boolean {
  return BUSY.has(phase);
}
