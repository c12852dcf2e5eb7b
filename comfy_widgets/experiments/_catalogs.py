"""What each server of a fleet has: the definitions of all of them as one, and what one lacks that another has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..workflow import NodeClasses
from ._schedule import Need

Definitions = Mapping[str, Mapping[str, Any]]
_KINDS = ("required", "optional")


class Catalogs:
    """The definitions of several servers.

    Parameters
    ----------
    definitions : Mapping
        ``/object_info`` by server.
    """

    def __init__(self, definitions: Mapping[str, Definitions]) -> None:
        self._own = {server: _needs_of(classes) for server, classes in definitions.items()}
        self._all: frozenset[Need] = frozenset().union(*self._own.values())
        self._met: dict[frozenset[Need], frozenset[Need]] = {}
        self.classes: NodeClasses = _merged(definitions)

    def lacks(self, server: str) -> frozenset[Need]:
        """Return what other servers have and this one has not."""
        return self._all - self._own.get(server, frozenset())

    def needs(self, prompt: Mapping[str, Any]) -> frozenset[Need]:
        """Return what a prompt needs, as far as any server has it; equal sets are one."""
        found: set[Need] = set()
        for node in prompt.values():
            name = str(node["class_type"])
            found.add((name,))
            found.update((name, key, value) for key, value in node["inputs"].items() if isinstance(value, str))
        needs = self._all & found
        return self._met.setdefault(needs, needs)

    def unknown(self, prompt: Mapping[str, Any]) -> str | None:
        """Return a node class that no server has."""
        return next((str(n["class_type"]) for n in prompt.values() if str(n["class_type"]) not in self.classes), None)


def in_words(need: Need) -> str:
    """Say what is needed."""
    kinds = {1: "node class {0!r}", 2: "{0} {1!r}", 3: "{1} {2!r} ({0})"}
    return kinds[len(need)].format(*need)


def _choices(spec: object) -> list[Any] | None:
    """Return the choices of an input, in either form that servers write them."""
    if not isinstance(spec, (list, tuple)) or not spec:
        return None
    if isinstance(spec[0], list):
        return spec[0]
    options = spec[1].get("options") if spec[0] == "COMBO" and len(spec) > 1 and isinstance(spec[1], Mapping) else None
    return options if isinstance(options, list) else None


def _inputs(definition: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
    given = definition.get("input")
    inputs = given if isinstance(given, Mapping) else {}
    return {kind: inputs[kind] for kind in _KINDS if isinstance(inputs.get(kind), Mapping)}


def _needs_of(classes: Definitions) -> frozenset[Need]:
    found: set[Need] = set()
    for name, definition in classes.items():
        found.add((name,))
        for inputs in _inputs(definition).values() if isinstance(definition, Mapping) else ():
            for key, spec in inputs.items():
                found.update((name, key, choice) for choice in _choices(spec) or () if isinstance(choice, str))
    return frozenset(found)


def _merged(definitions: Mapping[str, Definitions]) -> NodeClasses:
    """Return all classes, with the choices of all servers."""
    merged: dict[str, Any] = {}
    for classes in definitions.values():
        for name, definition in classes.items():
            known = merged.get(name)
            merged[name] = definition if known is None or known == definition else _both(known, definition)
    first = next(iter(definitions.values()), {})
    return NodeClasses(merged, lambda: first.replacements if isinstance(first, NodeClasses) else {})


def _both(one: Mapping[str, Any], other: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a definition with the choices of another one added."""
    inputs = dict(one.get("input") or {})
    for kind, known in _inputs(one).items():
        theirs = _inputs(other).get(kind, {})
        inputs[kind] = {key: _more(spec, theirs.get(key)) for key, spec in known.items()}
    return {**one, "input": inputs}


def _more(spec: Any, other: Any) -> Any:
    mine, theirs = _choices(spec), _choices(other)
    if mine is None or theirs is None or mine == theirs:
        return spec
    choices = [*mine, *(choice for choice in theirs if choice not in mine)]
    if isinstance(spec[0], list):
        return [choices, *spec[1:]]
    return [spec[0], {**spec[1], "options": choices}, *spec[2:]]
