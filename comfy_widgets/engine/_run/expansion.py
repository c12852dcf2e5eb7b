"""The prompt of a run, which grows where nodes are replaced by graphs."""

from __future__ import annotations

from dataclasses import dataclass

from .graph import Prompt


@dataclass(frozen=True)
class Place:
    """Where a node belongs.

    Parameters
    ----------
    display : str
        The node that people see for it.
    parent : str, optional
        The node that it is a part of.
    real : str
        The node of the prompt that it comes from.
    """

    display: str
    parent: str | None
    real: str


class GrowingPrompt:
    """A prompt, and the nodes that were added to it while it ran.

    Parameters
    ----------
    original : Prompt
        As it was sent.
    """

    def __init__(self, original: Prompt) -> None:
        self.original = original
        self.nodes: Prompt = dict(original)
        self._places: dict[str, Place] = {}

    def place(self, node_id: str) -> Place:
        """Return where a node belongs."""
        return self._places.get(node_id) or Place(node_id, None, node_id)

    def add(self, parent: str, graph: Prompt) -> None:
        """Add the graph that takes the place of a node.

        Raises
        ------
        ValueError
            It has an id that is taken.
        """
        above = self.place(parent)
        for node_id, node in graph.items():
            if node_id in self.nodes:
                raise ValueError(
                    f"The node {parent} was replaced by a graph with the id {node_id!r}, which is taken. GraphBuilder "
                    "of comfy_widgets.engine makes ids that are not."
                )
            self.nodes[node_id] = {**node, "inputs": dict(node.get("inputs", {}))}
            self._places[node_id] = Place(str(node.get("override_display_id") or above.display), parent, above.real)
