"""The nodes of a workflow, to look at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from ._prompt import Prompt, flow_order, unique_titles, unwrap
from ._specs import NodeSpecs


@dataclass(frozen=True)
class Node:
    """One node of a workflow, to look at.

    Attributes
    ----------
    id : str
        Its id in the API format.
    title : str
        Unique: of several nodes with one title, the first is ``"KSampler"``, the next ``"KSampler 2"``.
    class_type : str
        Its class on the server.
    inputs : Mapping of str to object
        Values by name; a link is ``[node id, slot]``.

    Examples
    --------
    >>> from comfy_widgets import example
    >>> node = example()["KSampler"]
    >>> node.class_type, node.inputs["steps"]
    ('KSampler', 20)
    """

    id: str
    title: str
    class_type: str
    inputs: Mapping[str, Any]


def nodes_of(prompt: Prompt, specs: NodeSpecs | None) -> Iterator[Node]:
    """Iterate over the nodes of a prompt, in the order in which the work flows."""
    titles = unique_titles(prompt, specs)
    for node_id in flow_order(prompt):
        inputs = {name: unwrap(value) for name, value in prompt[node_id]["inputs"].items()}
        yield Node(node_id, titles[node_id], prompt[node_id]["class_type"], MappingProxyType(inputs))
