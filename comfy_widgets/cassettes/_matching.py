"""Which recorded run a prompt is, and which is nearest where it is none of them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ._secrets import scrubbed

Prompt = Mapping[str, Any]
Place = tuple[str, str]
"""Node id and input name."""

_SHOWN = 12


def key_of(prompt: Prompt) -> str:
    """Return the hash of what a prompt makes: node classes and inputs, and no titles."""
    nodes = {str(node): [_class(body), _inputs(body)] for node, body in prompt.items()}
    text = json.dumps(_plain(scrubbed(nodes)), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()


def same_run(one: Prompt, other: Prompt) -> bool:
    """Return whether two prompts make the same, for a cassette: titles do not count, nor whether 7 is written 7.0.

    Parameters
    ----------
    one, other : dict
        In API format.

    Returns
    -------
    bool

    Examples
    --------
    >>> prompt = example().to_prompt()
    >>> same_run(prompt, example().with_params(seed=8).to_prompt())
    False
    """
    return key_of(one) == key_of(other)


@dataclass(frozen=True)
class Difference:
    """One value of a prompt that the nearest recorded run has otherwise.

    Parameters
    ----------
    place : (str, str)
        Node id and input name.
    title : str
        Of the node.
    wanted, nearest : object
        The prompt's value, and that of the run.
    recorded : tuple of object
        All values that were recorded there.
    """

    place: Place
    title: str
    wanted: Any
    nearest: Any
    recorded: tuple[Any, ...]

    def words(self) -> str:
        """Return what is to be done, in one sentence."""
        if self.wanted in self.recorded:
            return f"{self.place[1]} {_show(self.wanted)} was recorded with other values only; here it is {self._one()}"
        return f"{self.place[1]} {_show(self.wanted)} was not recorded; nearest is {self._one()} {self._choice()}"

    def _one(self) -> str:
        return _show(self.nearest)

    def _choice(self) -> str:
        shown = ", ".join(_show(value) for value in self.recorded[:_SHOWN])
        more = len(self.recorded) - _SHOWN
        return f"(recorded: {shown}{f' and {more} more' if more > 0 else ''})"


def nearest_run(prompt: Prompt, recorded: Sequence[Prompt]) -> list[Difference] | None:
    """Return what the nearest recorded run of the same workflow has otherwise; None where there is none of it."""
    shape = _shape(prompt)
    alike = [other for other in recorded if _shape(other) == shape]
    if not alike:
        return None
    values = [_values(other) for other in alike]
    wanted = _values(prompt)
    known = {place: _in_order(one[place] for one in values if place in one) for place in wanted}
    best = min(values, key=lambda one: _distance(wanted, one, known))
    return [
        Difference(place, _title(prompt, place[0]), value, best.get(place), tuple(known[place]))
        for place, value in wanted.items()
        if not _equal(value, best.get(place))
    ]


def varied(recorded: Sequence[Prompt]) -> dict[Place, list[Any]]:
    """Return the inputs that differ between recorded runs of one workflow, with all their values in order."""
    values = [_values(prompt) for prompt in recorded]
    places = dict.fromkeys(place for one in values for place in one)
    found = {place: _in_order(one[place] for one in values if place in one) for place in places}
    return {place: known for place, known in found.items() if len(known) > 1}


def _distance(
    wanted: Mapping[Place, Any], one: Mapping[Place, Any], known: Mapping[Place, list[Any]]
) -> tuple[int, float]:
    """Return how many values differ, and how far they are apart in units of what was recorded."""
    differing, far = 0, 0.0
    for place, value in wanted.items():
        other = one.get(place)
        if _equal(value, other):
            continue
        differing += 1
        numbers = [number for number in known[place] if _is_number(number)]
        if _is_number(value) and other is not None and _is_number(other) and numbers:
            far += abs(value - other) / ((max(numbers) - min(numbers)) or abs(other) or 1)
        else:
            far += 1
    return differing, far


def _shape(prompt: Prompt) -> str:
    """Return node classes and connections, without values."""
    nodes = {
        str(node): [_class(body), {name: value if _is_link(value) else None for name, value in _inputs(body).items()}]
        for node, body in prompt.items()
    }
    return json.dumps(_plain(nodes), sort_keys=True)


def _values(prompt: Prompt) -> dict[Place, Any]:
    return {
        (str(node), name): _plain(scrubbed({name: value}))[name]
        for node, body in prompt.items()
        for name, value in _inputs(body).items()
        if not _is_link(value)
    }


def _class(body: Any) -> str:
    return str(body.get("class_type", "")) if isinstance(body, Mapping) else ""


def _inputs(body: Any) -> dict[str, Any]:
    inputs = body.get("inputs") if isinstance(body, Mapping) else None
    return {str(name): value for name, value in inputs.items()} if isinstance(inputs, Mapping) else {}


def _title(prompt: Prompt, node: str) -> str:
    meta = prompt[node].get("_meta")
    title = meta.get("title") if isinstance(meta, Mapping) else None
    return str(title or _class(prompt[node]))


def _is_link(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and isinstance(value[0], str) and isinstance(value[1], int)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _equal(one: Any, other: Any) -> bool:
    return type(one) is type(other) and bool(one == other)


def _in_order(values: Iterable[Any]) -> list[Any]:
    known: list[Any] = []
    for value in values:
        if not any(_equal(value, other) for other in known):
            known.append(value)
    return sorted(known) if all(map(_is_number, known)) else known


def _plain(value: Any) -> Any:
    """Write whole numbers in one way: a form makes 7.0 of what a file has as 7."""
    if isinstance(value, Mapping):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner) for inner in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _show(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}..."
