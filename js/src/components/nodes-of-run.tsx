import { useEffect, useRef, useState } from "preact/hooks";
import type * as nodes from "../features/nodes";
import type { Link } from "../lib/link";

export interface Views {
  timeline: boolean;
  graph: boolean;
}

interface NodesProps {
  link: Link;
  views: Views;
  onToggle: (view: keyof Views) => void;
}

/** The nodes of the run, as times and as a graph; a node of the graph shows its fields in the form. */
export function NodesOfRun({ link, views, onToggle }: NodesProps) {
  const isOpen = views.timeline || views.graph;
  const [feature, setFeature] = useState<typeof nodes | null>(null);
  useEffect(() => {
    if (isOpen)
      link.load("nodes").then(
        (found) => setFeature(found as typeof nodes),
        () => undefined,
      );
  }, [isOpen]);
  const root = useRef<HTMLDivElement>(null);
  return (
    <div ref={root} class="views">
      <div class="toggles">
        {(["timeline", "graph"] as const).map((view) => (
          <button
            key={view}
            type="button"
            class="button"
            aria-expanded={views[view]}
            onClick={() => onToggle(view)}
          >
            {view === "graph" ? "Graph" : "Nodes"}
          </button>
        ))}
      </div>
      {isOpen && feature && (
        <feature.NodeViews
          link={link}
          {...views}
          onSelect={(node) => feature.findFields(root.current, node?.fields ?? [])}
        />
      )}
    </div>
  );
}
