"""Graphs that take the place of a node, for its ``expand``."""

from __future__ import annotations

from typing import Any

from ._context import next_graph_prefix


class GraphNode:
    """One node of a `GraphBuilder`; made by `GraphBuilder.node`.

    Parameters
    ----------
    id : str
        Its id in the prompt.
    class_type : str
        The node's class.
    inputs : dict
        Values, and links as ``[id, slot]``.

    Examples
    --------
    >>> graph = GraphBuilder(prefix="7.")
    >>> graph.node("EmptyImage", width=64).out(0)
    ['7.1', 0]
    """

    def __init__(self, id: str, class_type: str, inputs: dict[str, Any]) -> None:
        self.id = id
        self.class_type = class_type
        self.inputs = inputs

    def out(self, index: int) -> list[Any]:
        """Return a link to one of its outputs, for an input of another node or for the result.

        Parameters
        ----------
        index : int
            Which output, from 0.

        Returns
        -------
        list
            ``[id, index]``.

        Examples
        --------
        >>> GraphBuilder(prefix="7.").node("EmptyImage").out(0)
        ['7.1', 0]
        """
        return [self.id, index]

    def set_input(self, name: str, value: Any) -> None:
        """Set an input.

        Parameters
        ----------
        name : str
            Of the input.
        value : object
            A value, or a link.

        Examples
        --------
        >>> node = GraphBuilder(prefix="7.").node("EmptyImage")
        >>> node.set_input("width", 64)
        """
        self.inputs[name] = value


class GraphBuilder:
    """Builds the graph that takes the place of a node, with ids that are taken by no other one, as ComfyUI's does.

    Parameters
    ----------
    prefix : str, optional
        Begins every id; made from the running node by default.

    Examples
    --------
    In the function of a node: compute a thing by other nodes.

    >>> def run(self, image):
    ...     graph = GraphBuilder(prefix="7.0.0.")
    ...     once = graph.node("ImageInvert", image=image)
    ...     twice = graph.node("ImageInvert", image=once.out(0))
    ...     return {"result": (twice.out(0),), "expand": graph.finalize()}
    >>> run(None, "an image")["result"]
    (['7.0.0.2', 0],)
    """

    def __init__(self, prefix: str | None = None) -> None:
        self._prefix = next_graph_prefix() if prefix is None else prefix
        self._nodes: dict[str, GraphNode] = {}

    def node(self, class_type: str, id: str | None = None, **inputs: Any) -> GraphNode:
        """Add a node.

        Parameters
        ----------
        class_type : str
            The node's class.
        id : str, optional
            Comes after the prefix; a number by default. An id that is there already gives that node.
        **inputs : object
            Values and links.

        Returns
        -------
        GraphNode

        Examples
        --------
        >>> GraphBuilder(prefix="7.").node("EmptyImage", id="empty", width=64).id
        '7.empty'
        """
        full = self._prefix + (str(len(self._nodes) + 1) if id is None else id)
        return self._nodes.setdefault(full, GraphNode(full, class_type, inputs))

    def finalize(self) -> dict[str, dict[str, Any]]:
        """Return the graph in API format, for ``expand``.

        Returns
        -------
        dict
            By id ``{"class_type", "inputs"}``.

        Examples
        --------
        >>> graph = GraphBuilder(prefix="7.")
        >>> _ = graph.node("EmptyImage", width=64)
        >>> graph.finalize()
        {'7.1': {'class_type': 'EmptyImage', 'inputs': {'width': 64}}}
        """
        return {node.id: {"class_type": node.class_type, "inputs": node.inputs} for node in self._nodes.values()}
