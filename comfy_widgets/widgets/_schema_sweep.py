"""The messages about sweeps, and the axes of a grid; a part of `_schema`."""

from __future__ import annotations

from typing import Literal, TypedDict, Union

SweepStatus = Literal["ready", "running", "paused", "completed", "cancelled", "found"]
"""A folder of images is "found": nothing of it runs."""
CellStatus = Literal["pending", "in_progress", "completed", "failed", "cancelled", "lost"]


class SweepAxis(TypedDict):
    """An axis of a sweep, and its values as they stand over columns and rows."""

    name: str
    labels: list[str]


class GridAxes(TypedDict):
    """The trait `_axes`: what stands over the columns of a grid of images, and beside its rows."""

    x: SweepAxis | None
    y: SweepAxis | None


class SweepState(TypedDict):
    """The trait `_sweep`: what is known of a sweep beside its cells; `left` is the time left, in words."""

    title: str
    status: SweepStatus
    axes: list[SweepAxis]
    total: int
    price: str
    error: str
    left: str


class SweepCells(TypedDict):
    """Cells of a sweep by number: indices, status, seconds, stars, rejected, from cache, error."""

    kind: Literal["cells"]
    numbers: list[int]
    rows: list[tuple[list[int], CellStatus, float | None, int, int, int, str]]


class SweepThumbnails(TypedDict):
    """Small images of cells; each is a buffer."""

    kind: Literal["thumbnails"]
    numbers: list[int]
    mime: str


class CellScores(TypedDict):
    """What the score function of somebody gave for cells; None where it failed."""

    kind: Literal["cell-scores"]
    numbers: list[int]
    scores: list[float | None]


class CellPreview(TypedDict):
    """The image of a cell as it forms."""

    kind: Literal["cell-preview"]
    number: int
    mime: str


class CellOriginal(TypedDict):
    """The image of a cell at its full size."""

    kind: Literal["cell-original"]
    number: int
    mime: str


class SweepAct(TypedDict):
    """Run, Pause or Cancel of a sweep was pressed."""

    kind: Literal["act"]
    act: Literal["start", "pause", "cancel"]


class RateCells(TypedDict):
    """Cells were rated or rejected."""

    kind: Literal["rate"]
    numbers: list[int]
    stars: int
    rejected: bool


class SelectCells(TypedDict):
    """Other cells are selected."""

    kind: Literal["select-cells"]
    numbers: list[int]


class WantCellOriginal(TypedDict):
    """The image of a cell is wanted at its full size."""

    kind: Literal["cell-original"]
    number: int


class PairShown(TypedDict):
    """Two images to choose from, each a buffer; none where there are not two yet. `turn` counts the answers."""

    kind: Literal["pair"]
    turn: int
    words: list[str]
    mimes: list[str]
    told: str
    sure: bool


class PairChosen(TypedDict):
    """One of two images was chosen, or the last answer is taken back."""

    kind: Literal["chosen"]
    turn: int
    choice: Literal["left", "right", "same", "undo"]


FromSweep = Union[SweepAct, RateCells, SelectCells, WantCellOriginal, PairChosen]  # noqa: UP007
