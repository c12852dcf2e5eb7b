"""A prompt as a graph: its links, and the order in which nodes run."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Iterable, Iterator
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


def ancestors(prompt: Prompt, targets: list[str]) -> set[str]:
    """Return nodes and all above them."""
    found: set[str] = set()
    stack = list(targets)
    while stack:
        node_id = stack.pop()
        if node_id not in found:
            found.add(node_id)
            stack.extend(sources(prompt[node_id]))
    return found


class Order:
    """Hands out nodes when all their inputs are there: results the user can see come as early as possible.

    Parameters
    ----------
    prompt : Prompt
        A validated prompt; it may grow.
    targets : list of str
        The output nodes to reach.
    done : collection of str
        Nodes whose results are in the cache: they hold nobody up, and what lies above them is not visited.
    is_output : callable
        Tells whether a node is of an output class.
    is_async : callable
        Tells whether a node goes on by itself once it has begun: then it begins as early as possible.
    is_lazy : callable
        Tells of a node and one of its inputs whether it is only computed when the node asks for it.
    """

    def __init__(
        self,
        prompt: Prompt,
        targets: list[str],
        done: Collection[str],
        is_output: Callable[[str], bool],
        is_async: Callable[[str], bool],
        is_lazy: Callable[[str, str], bool],
    ) -> None:
        self._prompt = prompt
        self._waiting: dict[str, set[str]] = {}
        self._followers: dict[str, set[str]] = {}
        self._done = set(done)
        self._held: set[str] = set()
        self._is_output = is_output
        self._is_async = is_async
        self._is_lazy = is_lazy
        self._add(list(reversed(targets)))

    def _add(self, stack: list[str]) -> None:
        while stack:
            node_id = stack.pop()
            if node_id in self._waiting:
                continue
            inputs = [] if node_id in self._done else self._prompt[node_id]["inputs"].items()
            links = [value[0] for name, value in inputs if is_link(value) and not self._is_lazy(node_id, name)]
            needs = [source for source in dict.fromkeys(links) if source not in self._done]
            self._waiting[node_id] = set(needs)
            for source in needs:
                self._followers.setdefault(source, set()).add(node_id)
            stack.extend(needs)

    def need(self, node_id: str, sources: Iterable[str]) -> None:
        """Let a node that was handed out wait for more nodes."""
        for source in dict.fromkeys(sources):
            if source not in self._done:
                self._add([source])
                self._waiting[node_id].add(source)
                self._followers.setdefault(source, set()).add(node_id)

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def remaining(self) -> list[str]:
        """Return the ids not finished yet."""
        return list(self._waiting)

    def hold(self, node_id: str) -> None:
        """Keep back a node that was handed out and goes on by itself."""
        self._held.add(node_id)

    def release(self, node_id: str) -> None:
        """Hand a node out again."""
        self._held.discard(node_id)

    def pick(self) -> str | None:
        """Return the node to run next: an output if one is ready, else one that leads to an output in one or two steps.

        None where nothing can run until a node is released.

        Raises
        ------
        RuntimeError
            When every remaining node waits for another one.
        """
        ready = [node_id for node_id, needs in self._waiting.items() if not needs and node_id not in self._held]
        if not ready:
            if self._held:
                return None
            raise RuntimeError("The nodes wait for each other in a circle: " + ", ".join(self._waiting))
        return min(ready, key=self._distance)

    def _distance(self, node_id: str) -> int:
        if self._is_output(node_id) or self._is_async(node_id):
            return 0
        followers = self._followers.get(node_id, set())
        if any(map(self._is_output, followers)):
            return 1
        return (
            2
            if any(self._is_output(each) for next_one in followers for each in self._followers.get(next_one, ()))
            else 3
        )

    def finish(self, node_id: str) -> None:
        """Take a node out; those that waited for it may become ready."""
        del self._waiting[node_id]
        self._done.add(node_id)
        for follower in self._followers.get(node_id, ()):
            if follower in self._waiting:
                self._waiting[follower].discard(node_id)
