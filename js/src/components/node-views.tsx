import { Component } from "preact";
import type { Link } from "../lib/link";
import type { Graph, GraphNode, Nodes } from "../lib/wire";
import { nodeWords } from "../lib/words-of-nodes";
import css from "../style/nodes.css?inline";
import { GraphView } from "./graph-view";
import { Timeline } from "./timeline";

interface Props {
  link: Link;
  timeline?: boolean;
  graph?: boolean;
  /** The node that Python has selected. */
  selected?: string | null;
  onSelect?: (node: GraphNode | null) => void;
}

interface State {
  nodes: Nodes;
  graph: Graph | null;
  selected: string | null;
}

/** What is told of the nodes of a run: their times, and the graph that they stand in. */
export class NodeViews extends Component<Props, State> {
  override state: State = {
    nodes: { run: 0, rows: [], seconds: null, error: "" },
    graph: null,
    selected: this.props.selected ?? null,
  };
  readonly #ending = new AbortController();

  override componentDidMount(): void {
    const { link, graph } = this.props;
    // Empty until somebody looks: a panel is kept small in a saved notebook.
    link.onTrait<Nodes>("_nodes", this.#ending.signal, (nodes) => nodes.rows && this.setState({ nodes }));
    link.onMessage(this.#ending.signal, (message) => {
      if (message.kind === "graph") this.setState({ graph: message });
    });
    link.send({ kind: "nodes", wanted: true });
    if (graph) link.send({ kind: "graph" });
  }

  override componentDidUpdate(before: Props): void {
    const { link, graph, selected } = this.props;
    if (graph && !before.graph) link.send({ kind: "graph" });
    if (selected !== before.selected) this.setState({ selected: selected ?? null });
  }

  override componentWillUnmount(): void {
    this.#ending.abort();
    this.props.link.send({ kind: "nodes", wanted: false });
  }

  #select = (id: string | null): void => {
    this.setState({ selected: id });
    this.props.onSelect?.(this.state.graph?.nodes.find((node) => node.id === id) ?? null);
  };

  override render({ timeline, graph: isGraph }: Props, { nodes, graph, selected }: State) {
    const node = graph?.nodes.find(({ id }) => id === selected);
    return (
      <div class="nodes">
        <style>{css}</style>
        {timeline && <Timeline nodes={nodes} />}
        {isGraph && graph !== null && graph.error !== "" && <p class="nothing">{graph.error}</p>}
        {isGraph && graph !== null && graph.nodes.length > 0 && (
          <GraphView graph={graph} nodes={nodes} selected={selected} onSelect={this.#select} />
        )}
        {isGraph && node !== undefined && <About node={node} nodes={nodes} />}
      </div>
    );
  }
}

/** A node in words: what it is, how it stands, what it was given. */
function About({ node, nodes }: { node: GraphNode; nodes: Nodes }) {
  const row = nodes.rows.find(({ id }) => id === node.id);
  const words = row === undefined ? "" : nodeWords(row);
  return (
    <section class="node" aria-label={node.title}>
      <div class="head">
        <strong>{node.title}</strong>
        <span>{[node.class_type, `node ${node.id}`, words].filter(Boolean).join(" · ")}</span>
      </div>
      {row?.status === "failed" && nodes.error && <p class="why">{nodes.error}</p>}
      <dl>
        {node.values.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
