"""The nodes of a run as the browser shows them: how each stands, and the drawing of the graph."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..errors import ComfyError, ExecutionFailed
from ..workflow import is_link

if TYPE_CHECKING:
    from ..client import Job
    from ..workflow import Param, Workflow
    from ._schema import Graph, GraphNode, NodeRow, Nodes

_MAX_VALUES = 40
_MAX_VALUE = 500


def no_nodes() -> Nodes:
    """Return the trait `_nodes` before anybody looks."""
    return {"run": 0, "rows": [], "seconds": None, "error": ""}


def nodes_of(job: Job, run: int) -> Nodes:
    """Return the trait `_nodes` of a job; times of what still goes on are whole seconds, so that it seldom changes."""
    done = job.done()
    error = job.exception(timeout=0) if done else None
    took = None if job.started_at is None else (job.ended_at or time.time()) - job.started_at
    rows: list[NodeRow] = [
        {
            "id": state.id,
            "title": state.title,
            "status": state.status.value,
            "fraction": round(state.fraction, 2),
            "started": _rounded(state.started),
            "seconds": _rounded(state.seconds, 0 if state.status == "running" else 3),
        }
        for state in job.nodes.values()
    ]
    words = f"{error.exception_type}: {error.exception_message}" if isinstance(error, ExecutionFailed) else ""
    return {"run": run, "rows": rows, "seconds": _rounded(took, 3 if done else 0), "error": words}


def _rounded(value: float | None, digits: int = 3) -> float | None:
    return None if value is None else round(value, digits)


def graph_of(
    workflow: Workflow, params: Mapping[str, Param] | None = None, prompt: Mapping[str, Any] | None = None
) -> Graph:
    """Return the drawing of a workflow, and which fields of a form belong to each node.

    Parameters
    ----------
    workflow : Workflow
        With the server's definitions, where they are known.
    params : Mapping, optional
        The fields of the form by name, where there is one.
    prompt : Mapping, optional
        A prompt whose values are told in place of the workflow's.
    """
    try:
        drawing = workflow.to_drawing()
        inputs = {node.id: node.inputs for node in workflow}
        inputs |= {node_id: node.get("inputs", {}) for node_id, node in (prompt or {}).items()}
    except ComfyError as error:
        return {"kind": "graph", "width": 0.0, "height": 0.0, "nodes": [], "wires": [], "error": str(error)}
    titles = {node.id: node.title for node in drawing.nodes}
    fields: dict[str, list[str]] = {}
    for name, param in (params or {}).items():
        fields.setdefault(str(param.node_id), []).append(name)
    nodes: list[GraphNode] = [
        {
            "id": node.id,
            "title": node.title,
            "short": node.short,
            "class_type": node.class_type,
            "x": node.x,
            "y": node.y,
            "width": node.width,
            "height": node.height,
            "color": node.color,
            "fields": fields.get(node.id, []),
            "values": _values(inputs.get(node.id, {}), titles),
        }
        for node in drawing.nodes
    ]
    return {
        "kind": "graph",
        "width": drawing.width,
        "height": drawing.height,
        "nodes": nodes,
        "wires": [
            {"path": wire.path, "color": wire.color, "origin": wire.origin, "target": wire.target}
            for wire in drawing.wires
        ],
        "error": "",
    }


def _values(inputs: Mapping[str, Any], titles: Mapping[str, str]) -> list[tuple[str, str]]:
    """The inputs of a node in words; of a link the node that it comes from."""
    found = []
    for name, value in list(inputs.items())[:_MAX_VALUES]:
        text = f"from {titles.get(value[0], value[0])}" if is_link(value) else str(value)
        found.append((name, text if len(text) <= _MAX_VALUE else f"{text[: _MAX_VALUE - 1]}…"))
    return found
