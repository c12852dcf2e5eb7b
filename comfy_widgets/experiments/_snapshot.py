"""An experiment as the browser gets it: one dict about all, and a short list for each cell.

The TypeScript half of this contract is ``js/src/lib/sweep.ts``; a saved page holds the same data.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ._cell import Cell, Cells
from ._labels import axis_name

Row = list[Any]
_LONGEST = 200


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
        "axes": [{"name": name, "labels": [_short(label) for label in labels]} for name, labels in of.labels.items()],
        "total": total,
        "price": price,
        "error": error,
        "left": left,
    }


def rows_of(of: Cells, cells: Iterable[Cell]) -> list[Row]:
    """Return cells as short lists, which JSON can hold.

    Parameters
    ----------
    of : Experiment
        The experiment that they belong to.
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
                _short(cell.error),
            ]
        )
    return rows


def thumbnails_of(of: Cells, cells: Iterable[Cell]) -> dict[int, bytes]:
    """Return a small image for each cell that has one.

    Parameters
    ----------
    of : Experiment
        The experiment that they belong to.
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


def words_of(cell: Cell) -> str:
    """Return the values of a cell in words: ``"seed 3, cfg 5"``."""
    return ", ".join(f"{axis_name(name)} {_short(label)}" for name, label in cell.labels.items())


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
