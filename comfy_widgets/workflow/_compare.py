"""What differs between two prompts, in words; and a fingerprint of what a prompt does."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

from ._prompt import Prompt, flow_order, is_link, unique_titles, unwrap
from ._specs import NodeSpecs

_SHOWN = 48


def differences(before: Prompt, after: Prompt, specs: NodeSpecs | None = None) -> list[str]:
    """Return the changes from one prompt to another as sentences, such as ``"KSampler.steps 20 → 30"``.

    Nodes are the same if id and class agree, or, for the rest, class and title. A title alone makes no difference.
    """
    old_titles, new_titles = unique_titles(before, specs), unique_titles(after, specs)
    pairs = _pair(before, after, old_titles, new_titles)
    told = [f"removed {old_titles[i]} ({before[i]['class_type']})" for i in flow_order(before) if i not in pairs]
    met = set(pairs.values())
    told += [f"added {new_titles[i]} ({after[i]['class_type']})" for i in flow_order(after) if i not in met]
    for old_id in flow_order(before):
        if old_id in pairs:
            new_id = pairs[old_id]
            told += [
                f"{new_titles[new_id]}.{line}"
                for line in _inputs(before[old_id], after[new_id], pairs, old_titles, new_titles)
            ]
    return told


def _pair(before: Prompt, after: Prompt, old_titles: dict[str, str], new_titles: dict[str, str]) -> dict[str, str]:
    pairs = {i: i for i in before if i in after and before[i]["class_type"] == after[i]["class_type"]}
    open_new = {(after[i]["class_type"], title): i for i, title in new_titles.items() if i not in set(pairs.values())}
    for old_id, title in old_titles.items():
        if old_id not in pairs and (before[old_id]["class_type"], title) in open_new:
            pairs[old_id] = open_new.pop((before[old_id]["class_type"], title))
    return pairs


def _inputs(
    old: dict[str, Any],
    new: dict[str, Any],
    pairs: dict[str, str],
    old_titles: dict[str, str],
    new_titles: dict[str, str],
) -> Iterator[str]:
    for name in dict.fromkeys([*old["inputs"], *new["inputs"]]):
        if name not in new["inputs"]:
            yield f"{name} {_show(old['inputs'][name], old_titles)} → nothing"
        elif name not in old["inputs"]:
            yield f"{name} nothing → {_show(new['inputs'][name], new_titles)}"
        else:
            a, b = old["inputs"][name], new["inputs"][name]
            moved = [pairs.get(a[0], a[0]), a[1]] if is_link(a) else a
            if canonical(moved) != canonical(b):
                yield f"{name} {_show(a, old_titles)} → {_show(b, new_titles)}"


def _show(value: Any, titles: dict[str, str]) -> str:
    if is_link(value):
        return f"{titles.get(value[0], value[0])}[{value[1]}]"
    text = json.dumps(unwrap(value), ensure_ascii=False)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 3]}..."


def canonical(value: Any) -> str:
    """Return a text that is equal for equal values: key order does not matter, and 1 is 1.0."""
    return json.dumps(_integral(value), sort_keys=True, separators=(",", ":"))


def _integral(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {key: _integral(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_integral(item) for item in value]
    return value


def fingerprint(prompt: Prompt) -> str:
    """Return a hash of what a prompt does.

    It is made of the classes, the values and how they are connected. Ids, titles, other notes, the order in the file
    and the difference between 1 and 1.0 do not enter: they change nothing in what runs. Nodes that lead nowhere
    do enter.

    Parameters
    ----------
    prompt : dict
        API format.

    Returns
    -------
    str
        64 hexadecimal digits.

    Examples
    --------
    >>> fingerprint({"1": {"class_type": "A", "inputs": {"x": 1}}}) == fingerprint(
    ...     {"9": {"class_type": "A", "inputs": {"x": 1.0}}}
    ... )
    True
    """
    digests: dict[str, str] = {}
    for start in prompt:
        stack = [start]
        open_ids: set[str] = set()
        while stack:
            node_id = stack[-1]
            wanted = [
                value[0]
                for value in prompt[node_id]["inputs"].values()
                if is_link(value) and value[0] in prompt and value[0] not in digests and value[0] not in open_ids
            ]
            open_ids.add(node_id)
            if node_id not in digests and wanted:
                stack += wanted
            else:
                stack.pop()
                digests.setdefault(node_id, _digest(prompt[node_id], digests))
    return hashlib.sha256("\n".join(sorted(digests.values())).encode()).hexdigest()


def _digest(node: dict[str, Any], digests: dict[str, str]) -> str:
    # A link into a cycle, or to nothing, counts by its slot alone: such a graph does not run anyway.
    inputs = {
        name: ["link", digests.get(value[0], ""), value[1]] if is_link(value) else ["value", value]
        for name, value in node["inputs"].items()
    }
    return hashlib.sha256(canonical([node["class_type"], inputs]).encode()).hexdigest()
