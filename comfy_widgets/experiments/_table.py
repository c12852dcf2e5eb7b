"""An experiment as a table, and what the table says: which axis matters, and how much."""

from __future__ import annotations

import csv
import html
import io
import random
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import combinations
from statistics import fmean
from typing import TYPE_CHECKING, Any

from ._cell import Cell, Cells
from ._labels import axis_name
from ._snapshot import thumbnails_of

if TYPE_CHECKING:
    from PIL.Image import Image

_SHOWN_ROWS = 1000
_MOST_PAIRS = 1500
_SIDE = 32


class Table:
    """All cells of an experiment as rows; it shows itself in a notebook.

    Attributes
    ----------
    columns : list of str
        The axes, then ``status, seconds, loading, from_cache, stars, rejected, images, error``.
    rows : list of dict
    """

    def __init__(self, of: Cells) -> None:
        ratings = of.store.ratings(cell.key for cell in of.cells)
        self.rows: list[dict[str, Any]] = []
        for cell in of.cells:
            rating = ratings.get(cell.key)
            self.rows.append(
                {
                    **cell.values,
                    "status": cell.status,
                    "seconds": cell.seconds,
                    "loading": cell.loading,
                    "from_cache": cell.from_cache,
                    "stars": rating.stars if rating is not None else 0,
                    "rejected": rating.rejected if rating is not None else False,
                    "images": sum(file.kind == "image" for file in cell.files),
                    "error": cell.error,
                }
            )
        extra = ["status", "seconds", "loading", "from_cache", "stars", "rejected", "images", "error"]
        self.columns: list[str] = [*of.axes, *extra]

    def __len__(self) -> int:
        return len(self.rows)

    def to_csv(self) -> str:
        """Return it as CSV, with a line of names first."""
        target = io.StringIO()
        writer = csv.writer(target, lineterminator="\n")
        writer.writerow(self.columns)
        writer.writerows([_harmless(row[name]) for name in self.columns] for row in self.rows)
        return target.getvalue()

    def _repr_html_(self) -> str:
        if "itables" in sys.modules:
            # Where somebody uses it, a data frame shows itself as a table that can be searched and sorted.
            return str(self.to_frame()._repr_html_())
        heads = "".join(f"<th>{html.escape(axis_name(name))}</th>" for name in self.columns)
        lines = "".join(
            "<tr>" + "".join(f"<td>{html.escape(_text(row[name]))}</td>" for name in self.columns) + "</tr>"
            for row in self.rows[:_SHOWN_ROWS]
        )
        more = f"<p>and {len(self.rows) - _SHOWN_ROWS:,} more rows</p>" if len(self.rows) > _SHOWN_ROWS else ""
        return f"<table><thead><tr>{heads}</tr></thead><tbody>{lines}</tbody></table>{more}"

    def to_frame(self) -> Any:
        """Return it as a data frame of pandas, else of polars; ImportError where there is neither."""
        columns = {name: [row[name] for row in self.rows] for name in self.columns}
        try:
            import pandas
        except ImportError:
            try:
                import polars
            except ImportError:
                raise ImportError(
                    "frame() needs pandas or polars: pip install pandas. table() and table().to_csv() need neither."
                ) from None
            return polars.DataFrame(columns)
        return pandas.DataFrame(columns)

    def __repr__(self) -> str:
        return f"<Table of {len(self.rows)} cells: {', '.join(self.columns)}>"


def _text(value: Any) -> str:
    if value is None or value == "" or value is False:
        return ""
    return f"{value:.4g}" if isinstance(value, float) else "yes" if value is True else str(value)


def _harmless(value: Any) -> Any:
    """Keep a spreadsheet from reading a text as a formula."""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "@") else value


@dataclass(frozen=True)
class Marginal:
    """How much one axis matters.

    Attributes
    ----------
    axis : str
    effect : float
        0 to 1: with a score, the share of all differences between scores that the axis explains; without, how much
        images differ on average that differ in this axis alone.
    means : dict
        With a score, its mean for each value.
    """

    axis: str
    effect: float
    means: dict[str, float] = field(default_factory=dict)


class Marginals(list[Marginal]):
    """The axes of an experiment, the one that matters most first; as text, a sentence."""

    def __str__(self) -> str:
        if not self:
            return "There is nothing to compare yet."
        told = ", ".join(f"{axis_name(one.axis)} {one.effect:.0%}" for one in self)
        first = axis_name(self[0].axis)
        if self[0].means:
            best = max(self[0].means, key=lambda label: self[0].means[label])
            return f"{first} matters most, and {best} is its best value. Share of the score explained: {told}."
        return f"{first} matters most. Images that differ in one axis alone differ by: {told}."

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{html.escape(axis_name(one.axis))}</td><td>{one.effect:.1%}</td><td>"
            + html.escape(", ".join(f"{label}: {mean:.3g}" for label, mean in one.means.items()))
            + "</td></tr>"
            for one in self
        )
        heads = "<tr><th>axis</th><th>effect</th><th>mean score</th></tr>"
        return f"<p>{html.escape(str(self))}</p><table>{heads}{rows}</table>"


def marginals(of: Cells, score: Callable[[Any], float] | None) -> Marginals:
    """Say how much each axis matters; axes of which fewer than two values are finished are left out."""
    if score is not None:
        scores = {cell.number: float(score(image)) for cell in of.cells if (image := cell.image) is not None}
        finished = [cell for cell in of.cells if cell.number in scores]
        return _ranked([_explained(of, finished, scores, at) for at in range(len(of.axes))])
    # Thumbnails tell enough, and thousands of them are read in a moment.
    small = {number: _small(content) for number, content in thumbnails_of(of, of.cells).items()}
    finished = [cell for cell in of.cells if cell.number in small]
    return _ranked([_differing(of, finished, small, at) for at in range(len(of.axes))])


def _ranked(found: list[Marginal | None]) -> Marginals:
    return Marginals(sorted((one for one in found if one is not None), key=lambda one: -one.effect))


def _explained(of: Cells, cells: list[Cell], scores: dict[int, float], at: int) -> Marginal | None:
    """The sum of squares between the values of an axis, as a share of all."""
    name = list(of.axes)[at]
    groups: dict[int, list[float]] = {}
    for cell in cells:
        groups.setdefault(cell.indices[at], []).append(scores[cell.number])
    if len(groups) < 2:
        return None
    mean = fmean(scores.values())
    total = sum((value - mean) ** 2 for value in scores.values())
    between = sum(len(group) * (fmean(group) - mean) ** 2 for group in groups.values())
    means = {of.labels[name][index]: fmean(group) for index, group in sorted(groups.items())}
    return Marginal(name, between / total if total else 0.0, means)


def _differing(of: Cells, cells: list[Cell], small: dict[int, Image], at: int) -> Marginal | None:
    """The mean difference of images that differ in this axis alone."""
    from PIL import ImageChops, ImageStat

    rows: dict[tuple[int, ...], list[Cell]] = {}
    for cell in cells:
        rows.setdefault((*cell.indices[:at], *cell.indices[at + 1 :]), []).append(cell)
    pairs = [pair for row in rows.values() for pair in combinations(row, 2)]
    if not pairs:
        return None
    if len(pairs) > _MOST_PAIRS:
        pairs = random.Random(0).sample(pairs, _MOST_PAIRS)
    differences = [
        fmean(ImageStat.Stat(ImageChops.difference(small[a.number], small[b.number])).mean) / 255 for a, b in pairs
    ]
    return Marginal(list(of.axes)[at], fmean(differences))


def _small(content: bytes) -> Image:
    from PIL import Image as Pillow

    image: Image = Pillow.open(io.BytesIO(content)).convert("RGB").resize((_SIDE, _SIDE))
    return image
