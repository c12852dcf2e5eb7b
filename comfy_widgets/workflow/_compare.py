"""What differs between two prompts, in words; and a fingerprint of what a prompt does."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from ._param import Param, in_words
from ._prompt import Prompt, flow_order, is_link, unique_titles, unwrap
from ._specs import NodeSpecs

_SHOWN = 48


class _Names:
    """What nodes, inputs and values are called: as in the prompt, which programs read.

    Parameters
    ----------
    before, after : dict
        The two prompts.
    specs : NodeSpecs, optional
        Definitions of the server.
    """

    def __init__(self, before: Prompt, after: Prompt, specs: NodeSpecs | None) -> None:
        self.old, self.new = unique_titles(before, specs), unique_titles(after, specs)

    def input(self, node_id: str, name: str) -> str:
        return f"{self.new[node_id]}.{name}"

    def link(self, title: str, slot: int) -> str:
        return f"{title}[{slot}]"

    def text(self, value: Any) -> str:
        return json.dumps(value, ensure_ascii=False)


class _Labels(_Names):
    """As in a form, which people read: an input by its label, with its node only where another has the same label."""

    def __init__(self, before: Prompt, after: Prompt, specs: NodeSpecs | None, params: Iterable[Param]) -> None:
        super().__init__(before, after, specs)
        self._labels = {(param.node_id, param.input_name): param.label for param in params}
        self._shared = Counter(self._labels.values())

    def input(self, node_id: str, name: str) -> str:
        label = self._labels.get((node_id, name))
        if label is not None and self._shared[label] == 1:
            return label
        return f"{self.new[node_id]}: {label or in_words(name)}"

    def link(self, title: str, slot: int) -> str:
        return title if slot == 0 else super().link(title, slot)

    def text(self, value: Any) -> str:
        # Quotes tell where a prompt ends; the name of a sampler or a file is clear without them.
        return value if isinstance(value, str) and value and " " not in value else super().text(value)


def differences(
    before: Prompt, after: Prompt, specs: NodeSpecs | None = None, params: Iterable[Param] | None = None
) -> list[str]:
    """Return the changes from one prompt to another as sentences, such as ``"KSampler.steps 20 → 30"``.

    Nodes are the same if id and class agree, or, for the rest, class and title. A title alone makes no difference.
    With the parameters of `after` inputs have their labels: ``"Steps 20 → 30"``.
    """
    names = _Names(before, after, specs) if params is None else _Labels(before, after, specs, params)
    pairs = _pair(before, after, names.old, names.new)
    told = [f"removed {names.old[i]} ({before[i]['class_type']})" for i in flow_order(before) if i not in pairs]
    met = set(pairs.values())
    told += [f"added {names.new[i]} ({after[i]['class_type']})" for i in flow_order(after) if i not in met]
    for old_id in flow_order(before):
        if old_id in pairs:
            new_id = pairs[old_id]
            told += [
                f"{names.input(new_id, name)} {change}"
                for name, change in _inputs(before[old_id], after[new_id], pairs, names)
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
    old: dict[str, Any], new: dict[str, Any], pairs: dict[str, str], names: _Names
) -> Iterator[tuple[str, str]]:
    for name in dict.fromkeys([*old["inputs"], *new["inputs"]]):
        if name not in new["inputs"]:
            yield name, f"{_show(old['inputs'][name], names, names.old)} → nothing"
        elif name not in old["inputs"]:
            yield name, f"nothing → {_show(new['inputs'][name], names, names.new)}"
        else:
            a, b = old["inputs"][name], new["inputs"][name]
            moved = [pairs.get(a[0], a[0]), a[1]] if is_link(a) else a
            if canonical(moved) != canonical(b):
                yield name, f"{_show(a, names, names.old)} → {_show(b, names, names.new)}"


def _show(value: Any, names: _Names, titles: dict[str, str]) -> str:
    if is_link(value):
        return names.link(titles.get(value[0], value[0]), value[1])
    text = names.text(unwrap(value))
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
