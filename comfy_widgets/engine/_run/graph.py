"""A prompt as a graph: its links, and the order in which nodes run."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterator
from typing import Any, TypeGuard

Prompt = dict[str, dict[str, Any]]
"""ComfyUI's API format: node id -> {"class_type", "inputs"}."""


def is_canonical(prompt_id: object) -> bool:
    """Tell whether something is a UUID as text, in lower case and with hyphens."""
    try:
        return isinstance(prompt_id, str) and str(uuid.UUID(prompt_id)) == prompt_id
    except ValueError:
        return False


def is_link(value: object) -> TypeGuard[list[Any]]:
    """Tell whether an input's value is ``[node id, output slot]``."""
    return (
        isinstance(value, list)
        and len(value) == 2
        and isinstance(value[0], str)
        and isinstance(value[1], (int, float))
        and not isinstance(value[1], bool)
    )


def sources(node: dict[str, Any]) -> Iterator[str]:
    """Yield the ids of the nodes that `node` is linked from, in input order, repeats included."""
    for value in node["inputs"].values():
        if is_link(value):
            yield value[0]


class Order:
    """Hands out nodes when all their inputs are there: results the user can see come as early as possible.

    Parameters
    ----------
    prompt : Prompt
        A validated prompt.
    targets : list of str
        The output nodes to reach.
    done : collection of str
        Nodes whose results are in the cache: they hold nobody up, and what lies above them is not visited.
    output_nodes : collection of str
        All nodes of an output class.
    """

    def __init__(
        self, prompt: Prompt, targets: list[str], done: Collection[str], output_nodes: Collection[str]
    ) -> None:
        self._waiting: dict[str, set[str]] = {}
        self._followers: dict[str, set[str]] = {}
        self._outputs = set(output_nodes)
        stack = list(reversed(targets))
        while stack:
            node_id = stack.pop()
            if node_id in self._waiting:
                continue
            needs = (
                [] if node_id in done else [src for src in dict.fromkeys(sources(prompt[node_id])) if src not in done]
            )
            self._waiting[node_id] = set(needs)
            for source in needs:
                self._followers.setdefault(source, set()).add(node_id)
            stack.extend(needs)

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def remaining(self) -> list[str]:
        """Return the ids not finished yet."""
        return list(self._waiting)

    def pick(self) -> str:
        """Return the node to run next: an output if one is ready, else one that leads to an output in one or two steps.

        Raises
        ------
        RuntimeError
            When every remaining node waits for another one.
        """
        ready = [node_id for node_id, needs in self._waiting.items() if not needs]
        if not ready:
            raise RuntimeError("The nodes wait for each other in a circle: " + ", ".join(self._waiting))
        return min(ready, key=self._distance)

    def _distance(self, node_id: str) -> int:
        if node_id in self._outputs:
            return 0
        followers = self._followers.get(node_id, set())
        if followers & self._outputs:
            return 1
        return 2 if any(self._followers.get(follower, set()) & self._outputs for follower in followers) else 3

    def finish(self, node_id: str) -> None:
        """Take a node out; those that waited for it may become ready."""
        del self._waiting[node_id]
        for follower in self._followers.get(node_id, ()):
            if follower in self._waiting:
                self._waiting[follower].discard(node_id)
