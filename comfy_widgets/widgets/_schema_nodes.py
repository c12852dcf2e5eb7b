"""What Python and the browser say of the nodes of a run; see `_schema.py`."""

from __future__ import annotations

from typing import Literal, TypedDict

NodeStatus = Literal["pending", "running", "cached", "finished", "failed", "cancelled"]


class GraphNode(TypedDict):
    """A node's card in a drawing: `short` is the title as far as it fits, `fields` names the form's fields of it."""

    id: str
    title: str
    short: str
    class_type: str
    x: float
    y: float
    width: float
    height: float
    color: str
    fields: list[str]
    values: list[tuple[str, str]]


class GraphWire(TypedDict):
    """A link in a drawing, as the path of an SVG."""

    path: str
    color: str
    origin: str
    target: str


class Graph(TypedDict):
    """The drawing of a workflow, in answer to `WantGraph`; `error` says why there is none."""

    kind: Literal["graph"]
    width: float
    height: float
    nodes: list[GraphNode]
    wires: list[GraphWire]
    error: str


class NodeRow(TypedDict):
    """How a node of a job stands; `started` counts from the start of the run, all times are in seconds."""

    id: str
    title: str
    status: NodeStatus
    fraction: float
    started: float | None
    seconds: float | None


class Nodes(TypedDict):
    """The trait `_nodes`: how the nodes of the run at work stand; `error` is of the node that failed.

    It is kept up to date while somebody looks at it, see `WantNodes`. `seconds` is what the run took so far.
    """

    run: int
    rows: list[NodeRow]
    seconds: float | None
    error: str


class WantNodes(TypedDict):
    """Somebody looks at the nodes of the run from now on, or no longer."""

    kind: Literal["nodes"]
    wanted: bool


class WantGraph(TypedDict):
    """The drawing of the workflow is wanted."""

    kind: Literal["graph"]


class SelectNode(TypedDict):
    """A node of the graph is selected, or none."""

    kind: Literal["select-node"]
    node: str | None
