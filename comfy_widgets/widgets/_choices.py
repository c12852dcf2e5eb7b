"""The choices of a form: which one was meant, and what is new in the server's lists."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..workflow import Params, nearest


class Hints:
    """The nearest choice for each value that is none; looked for once, as it is asked for at each key."""

    def __init__(self) -> None:
        self._near: dict[tuple[str, str], str] = {}

    def of(self, params: Params, values: Mapping[str, Any]) -> dict[str, str]:
        """Return the hints by the names of parameters; of those where nothing is near none."""
        hints = {}
        for name, param in params.items():
            value, choices = values[name], param.choices
            if param.kind not in ("choice", "file") or not choices or not isinstance(value, str) or value in choices:
                continue
            if (name, value) not in self._near:
                self._near[name, value] = next(iter(nearest(value, choices, 1)), "")
            hints[name] = self._near[name, value]
        return {name: hint for name, hint in hints.items() if hint}


def news(before: Params, now: Params) -> str:
    """Say in words which choices are new, and how many are gone."""
    more, less = [], 0
    for name, param in now.items():
        if name not in before or before[name].choices is None or param.choices is None:
            continue
        old, new = set(before[name].choices or ()), set(param.choices)
        more += [f"{len(new - old)} in {param.label}"] if new - old else []
        less += len(old - new)
    words = [f"New: {', '.join(more)}." if more else "", f"{less} gone." if less else ""]
    return " ".join(filter(None, words)) or "Nothing new."
