import { Component, createRef } from "preact";
import { fitted, heightFor, revealed, type Size, type View, zoomed } from "../lib/view";
import type { Graph, GraphNode, NodeRow, Nodes } from "../lib/wire";
import { nodeWords } from "../lib/words-of-nodes";

interface Props {
  graph: Graph;
  nodes: Nodes;
  selected: string | null;
  onSelect: (node: string | null) => void;
}

interface State {
  view: View | null;
  frame: Size;
}

const STEP = 60;
const ZOOM = 1.25;

/** The graph of a workflow, to be moved and zoomed; its nodes show how they stand. */
export class GraphView extends Component<Props, State> {
  override state: State = { view: null, frame: { width: 0, height: 0 } };
  readonly #window = createRef<HTMLDivElement>();
  #resized: ResizeObserver | undefined;
  #drag: { x: number; y: number; moved: boolean } | null = null;
  /** Somebody has moved it, and so it stays where it is. */
  #isHeld = false;

  override componentDidMount(): void {
    const window = this.#window.current;
    if (window === null) return;
    this.#resized = new ResizeObserver(([entry]) => {
      const width = entry?.contentRect.width ?? 0;
      if (width > 0 && width !== this.state.frame.width) this.#place(width);
    });
    this.#resized.observe(window);
    // As a listener of its own: a wheel that zooms must not scroll the page.
    window.addEventListener("wheel", this.#wheel, { passive: false });
  }

  override componentWillUnmount(): void {
    this.#resized?.disconnect();
  }

  override componentDidUpdate(before: Props): void {
    const { graph, nodes } = this.props;
    if (before.graph !== graph) {
      this.#isHeld = false;
      this.#place(this.state.frame.width);
    } else if (nodes !== before.nodes) {
      if (nodes.run !== before.nodes.run) this.#isHeld = false;
      this.#follow();
    }
  }

  #place(width: number): void {
    const frame = { width, height: heightFor(this.props.graph, width) };
    this.setState({ frame, view: fitted(this.props.graph, frame) }, () => this.#follow());
  }

  /** Keep the node that works in sight, unless somebody looks elsewhere. */
  #follow(): void {
    const { graph, nodes } = this.props;
    const { view, frame } = this.state;
    if (this.#isHeld || view === null) return;
    const working = nodes.rows.find(({ status }) => status === "running" || status === "failed");
    const node = working && graph.nodes.find(({ id }) => id === working.id);
    if (node) this.#move(revealed(view, node, frame));
  }

  #move(view: View): void {
    if (view !== this.state.view) this.setState({ view });
  }

  #by(x: number, y: number): void {
    const { view } = this.state;
    if (view === null) return;
    this.#isHeld = true;
    this.#move({ ...view, x: view.x + x, y: view.y + y });
  }

  #zoom(factor: number, x = this.state.frame.width / 2, y = this.state.frame.height / 2): void {
    if (this.state.view === null) return;
    this.#isHeld = true;
    this.#move(zoomed(this.state.view, factor, x, y));
  }

  #fit = (): void => {
    this.#isHeld = true;
    this.#move(fitted(this.props.graph, this.state.frame, true));
  };

  #wheel = (event: WheelEvent): void => {
    const box = this.#window.current?.getBoundingClientRect();
    if (box === undefined) return;
    if (event.ctrlKey || event.metaKey) {
      this.#zoom(Math.exp(-event.deltaY / 200), event.clientX - box.left, event.clientY - box.top);
    } else if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      this.#by(-event.deltaX, 0);
    } else return;
    event.preventDefault();
  };

  #down = (event: PointerEvent): void => {
    if (event.button === 0) this.#drag = { x: event.clientX, y: event.clientY, moved: false };
  };

  #dragged = (event: PointerEvent): void => {
    const drag = this.#drag;
    if (drag === null) return;
    const x = event.clientX - drag.x;
    const y = event.clientY - drag.y;
    // A hand is never quite still in a click.
    if (!drag.moved && Math.hypot(x, y) < 4) return;
    if (!drag.moved) this.#window.current?.setPointerCapture(event.pointerId);
    this.#drag = { x: event.clientX, y: event.clientY, moved: true };
    this.#by(x, y);
  };

  #up = (event: PointerEvent): void => {
    const moved = this.#drag?.moved;
    this.#drag = null;
    if (!moved && event.target === event.currentTarget) this.props.onSelect(null);
  };

  #key = (event: KeyboardEvent): void => {
    const moves: Record<string, () => void> = {
      ArrowLeft: () => this.#by(STEP, 0),
      ArrowRight: () => this.#by(-STEP, 0),
      ArrowUp: () => this.#by(0, STEP),
      ArrowDown: () => this.#by(0, -STEP),
      "+": () => this.#zoom(ZOOM),
      "=": () => this.#zoom(ZOOM),
      "-": () => this.#zoom(1 / ZOOM),
      "0": this.#fit,
      Escape: () => this.props.onSelect(null),
    };
    const move = event.ctrlKey || event.metaKey || event.altKey ? undefined : moves[event.key];
    if (move === undefined) return;
    event.preventDefault();
    move();
  };

  override render({ graph, nodes, selected, onSelect }: Props, { view, frame }: State) {
    const states = new Map(nodes.rows.map((row) => [row.id, row]));
    const wired = (id: string) => states.get(id)?.status;
    return (
      <div class="graph">
        <div
          ref={this.#window}
          class="window"
          role="application"
          aria-label="Workflow graph"
          // biome-ignore lint/a11y/noNoninteractiveTabindex: it is moved and zoomed by keys
          tabIndex={0}
          style={{ height: `${frame.height || 180}px` }}
          onKeyDown={this.#key}
          onPointerDown={this.#down}
          onPointerMove={this.#dragged}
          onPointerUp={this.#up}
          onPointerCancel={this.#up}
        >
          {view !== null && (
            <svg width={frame.width} height={frame.height} role="presentation">
              <g transform={`translate(${view.x} ${view.y}) scale(${view.scale})`}>
                {graph.wires.map(({ path, color, origin, target }) => (
                  <path
                    key={`${origin} ${target} ${path}`}
                    class="wire"
                    d={path}
                    stroke={color}
                    data-dim={wired(origin) === "cached" && wired(target) === "cached"}
                  />
                ))}
                {graph.nodes.map((node) => (
                  <Card
                    key={node.id}
                    node={node}
                    row={states.get(node.id)}
                    isSelected={node.id === selected}
                    onSelect={() => onSelect(node.id === selected ? null : node.id)}
                  />
                ))}
              </g>
            </svg>
          )}
        </div>
        <div class="tools">
          <button
            type="button"
            class="plain"
            aria-label="Zoom out"
            title="Zoom out (-)"
            onClick={() => this.#zoom(1 / ZOOM)}
          >
            −
          </button>
          <button
            type="button"
            class="plain"
            aria-label="Zoom in"
            title="Zoom in (+)"
            onClick={() => this.#zoom(ZOOM)}
          >
            +
          </button>
          <button type="button" class="plain fit" title="Show all of it (0)" onClick={this.#fit}>
            Fit
          </button>
        </div>
      </div>
    );
  }
}

interface CardProps {
  node: GraphNode;
  row: NodeRow | undefined;
  isSelected: boolean;
  onSelect: () => void;
}

function Card({ node, row, isSelected, onSelect }: CardProps) {
  const { x, y, width, height } = node;
  const words = row === undefined ? "" : nodeWords(row);
  const done = row?.status === "running" ? row.fraction : 0;
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    onSelect();
  };
  return (
    // biome-ignore lint/a11y/useSemanticElements: a button cannot stand in an SVG
    <g
      class="card"
      role="button"
      // As SVG spells it; in capitals it would be another attribute.
      tabindex={0}
      aria-pressed={isSelected}
      aria-label={[node.title, words || "waiting"].join(": ")}
      data-status={row?.status ?? "pending"}
      data-node={node.id}
      transform={`translate(${x} ${y})`}
      onClick={onSelect}
      onKeyDown={onKeyDown}
    >
      <title>{node.title === node.class_type ? node.title : `${node.title}\n${node.class_type}`}</title>
      <rect class="paper" width={width} height={height} rx={7} />
      <rect x={7} y={9} width={3.5} height={height - 18} rx={1.75} fill={node.color} />
      <text class="title" x={19} y={20}>
        {node.short}
      </text>
      <text class="state" x={19} y={37}>
        {words}
      </text>
      {row?.status === "running" && (
        <g class="done">
          <rect x={19} y={height - 6} width={width - 30} height={2.5} rx={1.25} />
          <rect class="share" x={19} y={height - 6} width={(width - 30) * done} height={2.5} rx={1.25} />
        </g>
      )}
    </g>
  );
}
