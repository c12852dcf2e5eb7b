"""An experiment as the browser gets it: one dict about all, and a short list for each cell.

The TypeScript half of this contract is ``js/src/lib/sweep.ts``; a saved page holds the same data.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

from ..client import JobStatus
from ._cell import Cells
from ._labels import axis_name
from ._store import Store, StoredFile

Row = list[Any]
_LONGEST = 200


class _Stored(Protocol):
    """An experiment, or a folder of images."""

    @property
    def store(self) -> Store: ...


class _Shown(Protocol):
    """One cell of it."""

    @property
    def number(self) -> int: ...

    @property
    def key(self) -> str: ...

    @property
    def indices(self) -> tuple[int, ...]: ...

    @property
    def labels(self) -> dict[str, str]: ...

    @property
    def status(self) -> JobStatus: ...

    @property
    def error(self) -> str: ...

    @property
    def seconds(self) -> float | None: ...

    @property
    def from_cache(self) -> bool: ...

    @property
    def files(self) -> tuple[StoredFile, ...]: ...


def state_of(of: Cells, *, status: str, total: int, price: str, error: str = "", left: str = "") -> dict[str, Any]:
    """Return what is to be known beside the cells.

    Parameters
    ----------
    of : Experiment
    status : str
    total : int
        How many cells there will be.
    price : str
        What was known before anything ran.
    error : str
        Why it paused.
    left : str
        Time left, in words.
    """
    return {
        "title": of.name,
        "status": status,
        "axes": [{"name": name, "labels": [short(label) for label in labels]} for name, labels in of.labels.items()],
        "total": total,
        "price": price,
        "error": error,
        "left": left,
    }


def rows_of(of: _Stored, cells: Iterable[_Shown]) -> list[Row]:
    """Return cells as short lists, which JSON can hold.

    Parameters
    ----------
    of : Experiment
        What they belong to; the images of a folder do too.
    cells : iterable of Cell
        Those that are asked for.

    Returns
    -------
    list of list
        For each cell: indices, status, seconds on the server or None, stars, 1 where it was rejected, 1 where it came
        from the server's cache, and the error.

    Examples
    --------
    >>> indices, status, seconds, stars, rejected, from_cache, error = rows_of(run, run.cells)[1]
    >>> indices, status, rejected, error
    ([1], 'completed', 0, '')
    """
    listed = list(cells)
    ratings = of.store.ratings(cell.key for cell in listed)
    rows = []
    for cell in listed:
        rating = ratings.get(cell.key)
        seconds = cell.seconds
        rows.append(
            [
                list(cell.indices),
                str(cell.status),
                round(seconds, 3) if seconds is not None else None,
                rating.stars if rating is not None else 0,
                int(rating is not None and rating.rejected),
                int(cell.from_cache),
                short(cell.error),
            ]
        )
    return rows


def thumbnails_of(of: _Stored, cells: Iterable[_Shown]) -> dict[int, bytes]:
    """Return a small image for each cell that has one.

    Parameters
    ----------
    of : Experiment
        What they belong to; the images of a folder do too.
    cells : iterable of Cell
        Those that are asked for.

    Returns
    -------
    dict of bytes
        WebP, by the number of the cell.

    Examples
    --------
    >>> thumbnails_of(run, run.cells)[0][:4]
    b'RIFF'
    """
    first = {
        cell.number: file.sha256
        for cell in cells
        if (file := next((file for file in cell.files if file.kind == "image"), None)) is not None
    }
    found = of.store.thumbnails(set(first.values()))
    return {number: found[digest][2] for number, digest in first.items() if digest in found}


def words_of(cell: _Shown) -> str:
    """Return the values of a cell in words: ``"seed 3, cfg 5"``."""
    return ", ".join(f"{axis_name(name)} {short(label)}" for name, label in cell.labels.items())


def short(text: str) -> str:
    """Return a text in one line that is not too long to stand over a column.

    Parameters
    ----------
    text : str

    Returns
    -------
    str
        At most 200 characters.

    Examples
    --------
    >>> short("a cat,\\n  red")
    'a cat, red'
    """
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
