"""Looking at a workflow: its nodes, what differs from another one, and its picture."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from ..protocol import WorkflowError
from ._compare import differences, fingerprint
from ._editing import find_node
from ._prompt import ObjectInfo, Prompt, flow_order, unique_titles, unwrap
from ._specs import NodeSpecs


@dataclass(frozen=True)
class Node:
    """One node of a workflow, to look at.

    Attributes
    ----------
    id, title, class_type : str
        Of several nodes with one title, the first is ``"KSampler"``, the next ``"KSampler 2"``.
    inputs : Mapping
        Values by name; a link is ``[node id, slot]``.
    """

    id: str
    title: str
    class_type: str
    inputs: Mapping[str, Any]


class View(ABC):
    """What can be asked of anything that amounts to a prompt."""

    @abstractmethod
    def _current(self, object_info: ObjectInfo | None = None) -> Prompt:
        """Return a fresh prompt as it stands now."""

    @property
    @abstractmethod
    def _definitions(self) -> NodeSpecs | None:
        """The server's definitions, if they are known."""

    @abstractmethod
    def _picture(self) -> tuple[dict[str, Any] | None, Prompt | None]:
        """Return what is to be drawn: the editor's form, else a prompt."""

    def __iter__(self) -> Iterator[Node]:
        """Iterate over the nodes, in the order in which the work flows."""
        prompt = self._current()
        titles = unique_titles(prompt, self._info)
        for node_id in flow_order(prompt):
            inputs = {name: unwrap(value) for name, value in prompt[node_id]["inputs"].items()}
            yield Node(node_id, titles[node_id], prompt[node_id]["class_type"], MappingProxyType(inputs))

    def __getitem__(self, id_or_title: str | int) -> Node:
        """Return a node by its id, its title, or its class if only one node is of that class."""
        node_id = find_node(self._current(), id_or_title, self._definitions)
        return next(node for node in self if node.id == node_id)

    def find(self, *, class_type: str | None = None, title: str | None = None) -> list[Node]:
        """Return the nodes of a class, or with a title, or both; none may be an answer."""
        return [
            node
            for node in self
            if class_type in (None, node.class_type) and (title is None or title.lower() in node.title.lower())
        ]

    def diff(self, other: View) -> list[str]:
        """Say in words what would turn this workflow into another: ``["KSampler.steps 20 -> 30"]``; none if nothing."""
        if not isinstance(other, View):
            raise WorkflowError(f"A workflow is compared with another workflow, not with a {type(other).__name__}.")
        return differences(self._current(), other._current(), self._info)

    @property
    def hash(self) -> str:
        """A hash of what the workflow does: of classes, values and connections.

        Ids, titles, the order in the file and the difference between 1 and 1.0 do not enter, so it stays the same when
        the workflow is saved, run, and loaded from the result.
        """
        return fingerprint(self._current())

    @property
    def _info(self) -> ObjectInfo | None:
        return self._definitions.object_info if self._definitions is not None else None

    def to_svg(self) -> str:
        """Draw the graph: where its author put the nodes if that is known, in layers from left to right otherwise."""
        from ._draw import draw

        return draw(*self._picture(), self._definitions)

    def to_mermaid(self) -> str:
        """Write the graph as a Mermaid flowchart, which GitHub and JupyterLab draw."""
        from ._draw import mermaid

        return mermaid(*self._picture(), self._definitions)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        try:
            return {"image/svg+xml": self.to_svg(), "text/plain": repr(self)}
        except WorkflowError as error:
            # The last value of a cell must show something, whatever the file holds.
            return {"text/plain": f"{self!r}\n{error}"}
