"""Which two axes are shown, and how they are called."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..protocol import WorkflowError
from ..workflow import did_you_mean
from ._cell import Cell, Cells


@dataclass(frozen=True)
class Shown:
    """Two axes of an experiment, and the cells on them.

    Attributes
    ----------
    x, y : str
        Axes of columns and rows; empty where there is none.
    columns, rows : list of str
        Their labels.
    caption : str
        The values of all other axes.
    cells : dict
        ``{(column, row): cell}``; a sparse experiment does not have all.
    """

    x: str
    y: str
    columns: list[str]
    rows: list[str]
    caption: str
    cells: dict[tuple[int, int], Cell]


def shown_axes(of: Cells, x: str | None, y: str | None, fixed: Mapping[str, Any]) -> Shown:
    """Choose the axes that are shown, and the cells on them.

    Raises
    ------
    WorkflowError
        There is no such axis, one is named twice, or a value is none of its axis.
    """
    labels, names = of.labels, list(of.labels)
    for name in (x, y, *fixed):
        if name is not None and name not in names:
            hint = did_you_mean(name, names) or f" It has: {', '.join(names) or 'none'}."
            raise WorkflowError(f"The experiment has no axis {name!r}.{hint}")
    if x is not None and x == y:
        raise WorkflowError(f"{x} cannot be both the columns and the rows.")
    free = [name for name in sorted(names, key=lambda name: -len(labels[name])) if name not in (x, y, *fixed)]
    # The longer axis goes down: pages are scrolled that way.
    y = y if y is not None else next(iter(free if x is not None or len(free) > 1 else ()), "")
    x = x if x is not None else next((name for name in free if name != y), "")
    at = {name: names.index(name) for name in names}
    held: dict[str, int] = {}
    for name in names:
        if name not in (x, y):
            held[name] = _index(name, fixed[name], of) if name in fixed else 0
    cells = {
        (cell.indices[at[x]] if x else 0, cell.indices[at[y]] if y else 0): cell
        for cell in of.cells
        if all(cell.indices[at[name]] == index for name, index in held.items())
    }
    caption = ", ".join(f"{axis_name(name)} {labels[name][index]}" for name, index in held.items())
    return Shown(x, y, _heads(x, labels), _heads(y, labels), caption, cells)


def axis_name(name: str) -> str:
    """Return an axis' name for people: ``sampler_name`` is ``sampler``."""
    return name.removesuffix("_name").replace("_", " ")


def _heads(name: str, labels: Mapping[str, list[str]]) -> list[str]:
    if not name:
        return [""]
    # A number alone does not say what it is of.
    return [f"{axis_name(name)} {label}" if len(label) < 12 else label for label in labels[name]]


def _index(name: str, value: Any, of: Cells) -> int:
    for index, (one, label) in enumerate(zip(of.axes[name], of.labels[name], strict=True)):
        if value in (one, label):
            return index
    raise WorkflowError(f"{name} has no value {value!r}; it has: {', '.join(of.labels[name][:20])}.")
