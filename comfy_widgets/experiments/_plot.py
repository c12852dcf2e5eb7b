"""What a score, a rating or the seconds do along an axis, drawn with matplotlib where it is installed."""

from __future__ import annotations

import io
from collections.abc import Callable
from statistics import fmean
from typing import Any

from ..protocol import printable
from ._cell import Cell, Cells
from ._errors import ExperimentError
from ._labels import axis_name

_MOST_LINES = 10


def plot(of: Cells, x: str | None, by: str | None, score: Callable[[Any], float] | None) -> Any:
    """Draw one axis to the right, a line for each value of another one, and a dot for each cell.

    Raises
    ------
    ImportError
        matplotlib is not installed.
    ExperimentError
        There is no such axis, or nothing to draw yet.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise ImportError("plot() needs matplotlib: pip install matplotlib. table() needs nothing.") from None

    class Plot(Figure):  # type: ignore[misc, unused-ignore]
        # Made without pyplot, which would show it a second time at the end of the cell.
        def _repr_png_(self) -> bytes:
            stream = io.BytesIO()
            self.savefig(stream, format="png", dpi=120)
            return stream.getvalue()

    x, by = _axes(of, x, by)
    what, values = _measured(of, score)
    numbers = _numbers(of.axes[x])
    figure = Plot(figsize=(7, 4), layout="constrained")
    drawing = figure.subplots()
    at = list(of.axes).index(x)
    lines = list(enumerate(of.labels[by])) if by is not None else [(0, "")]
    for line, label in lines[:_MOST_LINES]:
        own = [cell for cell in values if by is None or cell.indices[list(of.axes).index(by)] == line]
        points = sorted((numbers[cell.indices[at]], values[cell]) for cell in own)
        if not points:
            continue
        means = {place: fmean(value for other, value in points if other == place) for place, _ in points}
        name = _drawable(f"{axis_name(by)} {label}") if by is not None else None
        (drawn,) = drawing.plot(list(means), list(means.values()), marker="o", label=name)
        if len(points) > len(means):
            places, heights = zip(*points, strict=True)
            drawing.plot(places, heights, ".", color=drawn.get_color(), alpha=0.4)
    drawing.set_xlabel(_drawable(axis_name(x)))
    drawing.set_ylabel(_drawable(what))
    if numbers == list(range(len(numbers))):
        texts = [_drawable(label if len(label) <= 24 else f"{label[:23]}…") for label in of.labels[x]]
        drawing.set_xticks(numbers, texts, rotation=30 if max(map(len, texts)) > 8 else 0)
    if by is not None:
        drawing.legend(frameon=False)
    drawing.spines[["top", "right"]].set_visible(False)
    drawing.grid(alpha=0.25)
    return figure


def _axes(of: Cells, x: str | None, by: str | None) -> tuple[str, str | None]:
    """Choose what is not named: the longest axis of numbers to the right, the shortest of the others as lines."""
    for name in (x, by):
        if name is not None and name not in list(of.axes):
            raise ExperimentError(f"There is no axis {name!r}; there are {', '.join(of.axes) or 'none'}.")
    if not of.axes:
        raise ExperimentError("An experiment of one cell has no axis to draw.")
    free = [name for name in of.axes if name not in (x, by)]
    if x is None:
        numeric = [name for name in free if all(map(_is_number, of.axes[name]))]
        x = max(numeric or free, key=lambda name: len(of.axes[name]))
        free.remove(x)
    if by is None:
        short = [name for name in free if 1 < len(of.axes[name]) <= _MOST_LINES]
        by = min(short, key=lambda name: len(of.axes[name]), default=None)
    return x, by


def _measured(of: Cells, score: Callable[[Any], float] | None) -> tuple[str, dict[Cell, float]]:
    """What is drawn upwards: the score, else the stars, else the seconds."""
    if score is not None:
        scored = {cell: _score(score(image), cell) for cell in of.cells if (image := cell.image) is not None}
        return _named(getattr(score, "__name__", "score"), scored)
    ratings = of.store.ratings(cell.key for cell in of.cells)
    stars = {cell: float(ratings[cell.key].stars) for cell in of.cells if cell.key in ratings}
    if any(stars.values()):
        return "stars", {cell: value for cell, value in stars.items() if value}
    seconds = {cell: cell.seconds for cell in of.cells if cell.seconds is not None and not cell.from_cache}
    return _named("seconds", seconds)


def _score(value: Any, cell: Cell) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        raise ExperimentError(f"The score of cell {cell.number} is {value!r}, but must be a number.") from None


def _named(what: str, values: dict[Cell, float]) -> tuple[str, dict[Cell, float]]:
    if not values:
        raise ExperimentError("There is nothing to draw yet: no cell has a result.")
    return "score" if what == "<lambda>" else what.replace("_", " "), values


def _drawable(text: str) -> str:
    """Return a text as matplotlib draws it: a dollar begins no formula, and of half an emoji the escape is shown."""
    return printable(text).replace("$", r"\$")


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _numbers(values: list[Any]) -> list[float]:
    """Where each value stands: at itself, or at its place where one of them is no number."""
    return [float(value) for value in values] if all(map(_is_number, values)) else list(range(len(values)))
