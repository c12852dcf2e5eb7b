"""Panels of a notebook cell that is run again: those that nobody can reach any more are closed.

Every widget is known to ipywidgets until it is closed, so thirty runs of a cell would keep thirty panels with all of
their images. A panel is closed when the cell that made it has been run again, and neither a variable, nor a box, nor
the output of another cell holds it.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

import ipywidgets

_DEPTH = 3
_WIDTH = 1000
"""How deep and how far lists, dicts and objects of the user are searched for a panel."""


class _Cells:
    """Which panels each cell has made."""

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self._cell: str | None = None
        self._made: dict[str, list[weakref.ref[ipywidgets.Widget]]] = {}
        self._before: list[weakref.ref[ipywidgets.Widget]] = []
        self._shown: weakref.WeakKeyDictionary[ipywidgets.Widget, set[str]] = weakref.WeakKeyDictionary()
        shell.events.register("pre_run_cell", self._begin)
        shell.events.register("post_run_cell", self._end)

    def made(self, panel: ipywidgets.Widget) -> None:
        cell = self._current()
        if cell is not None:
            self._made.setdefault(cell, []).append(weakref.ref(panel))

    def shown(self, panel: ipywidgets.Widget) -> None:
        cell = self._current()
        if cell is not None:
            self._shown.setdefault(panel, set()).add(cell)

    def _current(self) -> str | None:
        if self._cell is None and hasattr(self._shell, "get_parent"):
            # The cell in which the first panel is made began before anybody listened.
            self._cell = self._shell.get_parent().get("metadata", {}).get("cellId")
        return self._cell

    def _begin(self, info: Any) -> None:
        self._cell = getattr(info, "cell_id", None)
        self._before = self._made.pop(self._cell, []) if self._cell is not None else []

    def _end(self, _: object) -> None:
        before, self._before = self._before, []
        for ref in before:
            panel = ref()
            if panel is None:
                continue
            if self._is_needed(panel):
                self.made(panel)
            else:
                panel.close()
                self._forget_output(panel)

    def _is_needed(self, panel: ipywidgets.Widget) -> bool:
        if self._shown.get(panel, set()) - {self._cell}:
            return True
        names = self._shell.user_ns
        # What IPython itself has put there: its memory of outputs, and a way to all that there is.
        hidden = {"_", "__", "___", "Out", "_oh", *getattr(self._shell, "user_ns_hidden", ())}
        users = (v for name, v in names.items() if name not in hidden and not name.lstrip("_").isdigit())
        boxes = (w.children for w in list(ipywidgets.Widget.widgets.values()) if isinstance(w, ipywidgets.Box))
        return _holds(users, panel, _DEPTH) or any(panel in children for children in boxes)

    def _forget_output(self, panel: ipywidgets.Widget) -> None:
        """Take a closed panel out of IPython's own memory of what cells have returned."""
        names = self._shell.user_ns
        for number in [n for n, value in names.get("_oh", {}).items() if value is panel]:
            del names["_oh"][number]
        for name in [name for name, value in names.items() if value is panel]:
            names[name] = ""


def _holds(values: Iterable[Any], wanted: object, depth: int) -> bool:
    for value in values:
        if value is wanted:
            return True
        if depth and _holds(_inside(value), wanted, depth - 1):
            return True
    return False


def _inside(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        yield from islice(list(value.values()), _WIDTH)
    elif isinstance(value, (list, tuple, set, frozenset)):
        yield from islice(list(value), _WIDTH)
    elif hasattr(value, "__dict__") and not isinstance(value, type) and type(value).__name__ != "module":
        yield from list(vars(value).values())


_cells: _Cells | None = None


def _known() -> _Cells | None:
    global _cells
    from IPython.core.getipython import get_ipython

    shell = get_ipython()
    if _cells is None and shell is not None:
        _cells = _Cells(shell)
    return _cells


def made(panel: ipywidgets.Widget) -> None:
    """Note that the cell that runs now has made a panel."""
    cells = _known()
    if cells is not None:
        cells.made(panel)


def shown(panel: ipywidgets.Widget) -> None:
    """Note that the cell that runs now shows a panel."""
    cells = _known()
    if cells is not None:
        cells.shown(panel)
