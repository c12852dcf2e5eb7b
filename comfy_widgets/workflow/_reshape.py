"""Workflows of another shape: nodes added, taken out, connected otherwise."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any

from ._editing import add, bypass, find_node, remove, rewire
from ._prompt import Prompt
from ._view import View

if TYPE_CHECKING:
    from ._document import Workflow


class Reshape(View):
    """What changes the graph itself. The results are in API format, since the editor's form cannot follow."""

    @abstractmethod
    def _rebuilt(self, prompt: Prompt) -> Workflow:
        """Return a workflow made of a prompt of another shape."""

    def add(self, class_type: str, /, title: str | None = None, **inputs: Any) -> Workflow:
        """Return a workflow with one more node.

        Parameters
        ----------
        class_type : str
        title : str, optional
            By which the node can be named afterwards.
        **inputs
            Values, and connections as a pair of a node and an output: ``model=("Load Checkpoint", 0)`` or
            ``model=("Load Checkpoint", "MODEL")``.
        """
        return self._rebuilt(add(self._current(), class_type, inputs, title, self._definitions))

    def remove(self, node: str, /) -> Workflow:
        """Return a workflow without a node, named by id or title, and without the links that lead to it."""
        prompt = self._current()
        return self._rebuilt(remove(prompt, find_node(prompt, node, self._definitions)))

    def rewire(self, node: str, input_name: str, to: tuple[str, int | str] | None, /) -> Workflow:
        """Return a workflow in which an input is connected to ``(node, output)``, or with None to nothing."""
        prompt = self._current()
        node_id = find_node(prompt, node, self._definitions)
        return self._rebuilt(rewire(prompt, node_id, input_name, to, self._definitions))

    def bypass(self, node: str, /) -> Workflow:
        """Return a workflow in which what would enter a node goes on to its consumers instead.

        It needs the types of the sockets: `bind` the workflow first.
        """
        prompt = self._current()
        return self._rebuilt(bypass(prompt, find_node(prompt, node, self._definitions), self._definitions))
