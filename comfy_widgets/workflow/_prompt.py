"""The API form of a workflow, ``{id: {"class_type", "inputs", "_meta"}}``: what its values mean, and its order.

Everything here is a pure function of a prompt. A *link* is a list of exactly a node id and a slot number; a literal
list travels wrapped as ``{"__value__": [...]}``, because the server takes every bare list for a link.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeGuard, TypeVar

from ..protocol import WorkflowError

if TYPE_CHECKING:
    from ._specs import NodeSpecs

Prompt = dict[str, dict[str, Any]]
ObjectInfo = Mapping[str, Any]
Place = tuple[str, str]
"""Where a value stands: the node's id and the input's name."""

# The server writes these into the prompts it embeds in images, and trusts them when they come back: an `is_changed`
# from last week would serve last week's result.
_SERVER_KEYS = frozenset({"is_changed", "_loop_body", "_loop_end"})


_MODEL_FILES = (".safetensors", ".ckpt", ".pt", ".pth", ".bin", ".gguf", ".sft", ".onnx", ".engine")
_T = TypeVar("_T")


def copied(value: _T) -> _T:
    """Copy a JSON value, several times faster than `copy.deepcopy`, which looks for cycles; a tuple becomes a list."""
    if isinstance(value, dict):
        return {key: copied(item) for key, item in value.items()}  # type: ignore[return-value]
    if isinstance(value, (list, tuple)):
        return [copied(item) for item in value]  # type: ignore[return-value]
    return value


def is_link(value: object) -> TypeGuard[list[Any]]:
    """Tell whether a value is a link, ``[node id, slot]``.

    Parameters
    ----------
    value : object

    Returns
    -------
    bool

    Examples
    --------
    >>> is_link(["4", 0]), is_link([4, 0]), is_link("4")
    (True, False, False)
    """
    return (
        isinstance(value, list)
        and len(value) == 2
        and isinstance(value[0], str)
        and isinstance(value[1], int)
        and not isinstance(value[1], bool)
    )


def is_model_file(value: object) -> bool:
    """Tell whether a value names a file with a model's weights."""
    return isinstance(value, str) and value.lower().endswith(_MODEL_FILES)


def unwrap(value: Any) -> Any:
    """Take a literal list out of its ``{"__value__": [...]}``; leave anything else as it is."""
    if isinstance(value, dict) and set(value) == {"__value__"}:
        return value["__value__"]
    return value


def wrap(value: Any) -> Any:
    """Put a literal list into ``{"__value__": [...]}``, so that the server does not take it for a link."""
    return {"__value__": value} if isinstance(value, list) else value


def normalise(prompt: Mapping[Any, Any]) -> Prompt:
    """Make a clean, deep copy of an API prompt.

    Ids become strings (also in links), what the server adds on its own is dropped, and literal lists are wrapped.

    Raises
    ------
    WorkflowError
        If a node is not an object with ``class_type`` and ``inputs``.
    """
    ids = {str(key) for key in prompt}
    clean: Prompt = {}
    for key, node in prompt.items():
        node_id = str(key)
        if not isinstance(node, Mapping) or not isinstance(node.get("class_type"), str):
            raise WorkflowError(
                f"Node {node_id!r} of the prompt has no class_type, so it is not a workflow in API format.",
                node_id=node_id,
            )
        inputs = node.get("inputs")
        inputs = {} if inputs is None else inputs
        if not isinstance(inputs, Mapping):
            raise WorkflowError(
                f"The inputs of node {node_id!r} ({node['class_type']}) are not an object.",
                node_id=node_id,
                class_type=node["class_type"],
            )
        kept = {k: copied(v) for k, v in node.items() if k not in _SERVER_KEYS and k != "inputs"}
        kept["inputs"] = {str(name): _normal_value(value, ids) for name, value in inputs.items()}
        clean[node_id] = kept
    return clean


def _normal_value(value: Any, ids: set[str]) -> Any:
    if isinstance(value, (list, tuple)):
        items = list(value)
        if len(items) == 2 and isinstance(items[1], int) and not isinstance(items[1], bool):
            # A link that names its node by number is meant as a link if that node is there.
            if isinstance(items[0], str):
                return items
            if isinstance(items[0], int) and str(items[0]) in ids:
                return [str(items[0]), items[1]]
        return {"__value__": copied(items)}
    return copied(value)


def links(node: Mapping[str, Any]) -> Iterator[tuple[str, str, int]]:
    """Yield ``(input name, origin id, origin slot)`` for each linked input of a node."""
    for name, value in node.get("inputs", {}).items():
        if is_link(value):
            yield name, value[0], value[1]


def id_key(node_id: str) -> tuple[tuple[int, int, str], ...]:
    """Sort key of node ids: ``3 < 10 < 57:2 < 57:10``."""
    parts = re.split(r"[:.]", node_id)
    return tuple((0, int(part), "") if is_number(part) else (1, 0, part) for part in parts)


def is_number(node_id: str) -> bool:
    """Tell whether an id is a number as editors give it out; other ids may look like anything."""
    return re.fullmatch(r"[0-9]{1,18}", node_id) is not None


def depths(prompt: Prompt) -> dict[str, int]:
    """Return how many nodes lie before each node, on its longest way from a node without links.

    Links to nothing do not count. In a cycle, the link that closes it does not count, so that every graph gets an
    answer; a cycle is for the check to report.
    """
    done: dict[str, int] = {}
    for start in sorted(prompt, key=id_key):
        stack = [(start, iter(list(links(prompt[start]))))] if start not in done else []
        open_ids = {start}
        best = {start: 0}
        while stack:
            node_id, rest = stack[-1]
            for _, origin, _ in rest:
                if origin in done:
                    best[node_id] = max(best[node_id], done[origin] + 1)
                elif origin in prompt and origin not in open_ids:
                    open_ids.add(origin)
                    best[origin] = 0
                    stack.append((origin, iter(list(links(prompt[origin])))))
                    break
            else:
                stack.pop()
                open_ids.discard(node_id)
                done[node_id] = best[node_id]
                if stack:
                    parent = stack[-1][0]
                    best[parent] = max(best[parent], best[node_id] + 1)
    return done


def flow_order(prompt: Prompt) -> list[str]:
    """Return the node ids in the order a reader follows: by depth, then by id.

    It does not depend on the order in the file, so names made from it survive saving the workflow again.
    """
    depth = depths(prompt)
    return sorted(prompt, key=lambda node_id: (depth[node_id], id_key(node_id)))


def node_title(node: Mapping[str, Any], specs: NodeSpecs | None = None) -> str:
    """Return a node's title: its own, else its class's display name, else its class."""
    meta = node.get("_meta")
    title = meta.get("title") if isinstance(meta, Mapping) else None
    if isinstance(title, str) and title.strip():
        return title.strip()
    class_type = str(node["class_type"])
    return specs[class_type].display_name if specs is not None and class_type in specs else class_type


def unique_titles(prompt: Prompt, specs: NodeSpecs | None = None) -> dict[str, str]:
    """Give each node a title of its own: of several alike, the first in flow order keeps it, then comes ``"... 2"``."""
    raw = {node_id: node_title(prompt[node_id], specs) for node_id in flow_order(prompt)}
    taken = set(raw.values())
    seen: dict[str, int] = {}
    unique: dict[str, str] = {}
    for node_id, title in raw.items():
        number = seen.get(title, 0) + 1
        name = title
        while number > 1 and (name := f"{title} {number}") in taken:
            number += 1
        seen[title] = number
        taken.add(name)
        unique[node_id] = name
    return unique
