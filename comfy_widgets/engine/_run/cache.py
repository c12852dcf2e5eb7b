"""Results of earlier runs, found again when a node and everything above it is the same."""

from __future__ import annotations

import hashlib
import json
import math
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .._nodes.registry import Registry, hidden_inputs
from .graph import Prompt, is_link, sources


@dataclass(frozen=True)
class Result:
    """What a node gave: one list for each output slot, and what it shows."""

    outputs: list[list[Any]]
    ui: dict[str, list[Any]] | None


class Cache:
    """Keeps the results of the nodes of the last prompt (ComfyUI's classic cache)."""

    def __init__(self) -> None:
        self._results: dict[str, Result] = {}

    def get(self, key: str) -> Result | None:
        """Return the result kept under a key, or None."""
        return self._results.get(key)

    def put(self, key: str, result: Result) -> None:
        """Keep a result."""
        self._results[key] = result

    def keep_only(self, keys: Iterable[str]) -> None:
        """Forget everything but these keys."""
        kept = set(keys)
        self._results = {key: result for key, result in self._results.items() if key in kept}

    def clear(self) -> None:
        """Forget everything."""
        self._results.clear()


def node_keys(
    registry: Registry,
    prompt: Prompt,
    is_changed: Callable[[str], object],
    known: Mapping[str, str],
    wanted: Iterable[str],
) -> dict[str, str]:
    """Return a key for each node that can have one: a digest of its class, its inputs and the keys above it.

    Parameters
    ----------
    registry, prompt : Registry, Prompt
        What the nodes are.
    is_changed : callable
        Gives a node's IS_CHANGED answer (None without one); NaN means "never the same".
    known : mapping
        Keys that are known already.
    wanted : iterable of str
        The nodes to give keys to.

    Returns
    -------
    dict
        All keys, by node.
    """
    keys: dict[str, str] = dict(known)
    for start in wanted:
        # Without recursion, so that a chain of nodes may be of any length.
        stack = [start]
        open_nodes: set[str] = set()
        while stack:
            node_id = stack[-1]
            try:
                above = [] if node_id in keys else [each for each in sources(prompt[node_id]) if each not in keys]
                if any(each in open_nodes for each in above):
                    break  # A circle. Only nodes that no output needs can be in one.
                if not above and node_id not in keys:
                    keys[node_id] = _key(registry, prompt, node_id, keys, is_changed(node_id))
            except (AttributeError, KeyError, TypeError):
                break  # A node that no output needs is not validated: its links may lead nowhere.
            if above:
                open_nodes.add(node_id)
                stack += reversed(above)
            else:
                open_nodes.discard(node_id)
                stack.pop()
    return keys


def _key(registry: Registry, prompt: Prompt, node_id: str, keys: Mapping[str, str], is_changed: object) -> str:
    """Return a node's key, given those of the nodes above it."""
    node = prompt[node_id]
    cls = registry.classes[node["class_type"]]
    parts: list[Any] = [node["class_type"], _fingerprint(is_changed)]
    if "UNIQUE_ID" in hidden_inputs(cls).values() or getattr(cls, "NOT_IDEMPOTENT", False):
        parts.append(node_id)
    for name, value in sorted(node["inputs"].items()):
        if is_link(value):
            parts.append([name, "link", keys[value[0]], value[1]])
        else:
            parts.append([name, "value", value])
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=repr).encode()).hexdigest()


def _fingerprint(value: object) -> object:
    if isinstance(value, float) and math.isnan(value):
        return uuid.uuid4().hex
    if isinstance(value, (list, tuple)):
        return [_fingerprint(item) for item in value]
    return value
