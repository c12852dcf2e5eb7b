"""`prefer`: two images at a time, until it is known which one is liked best."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

from .._writing import json_bytes, replace_file
from ..protocol import ComfyError
from ._cell import Cell
from ._display import make_view
from ._errors import ExperimentError
from ._experiment import Experiment
from ._snapshot import words_of
from ._taste import Answer, Taste, learn, next_pair

Choice = Literal["left", "right", "same"]
_SHARES: dict[Choice, float] = {"left": 1.0, "right": 0.0, "same": 0.5}
_FILE = "preferences.json"
SURE = 0.9
"""How likely the best has to be the best for it to be called so."""


def prefer(run: Experiment) -> Preferences:
    """Ask which of two images is liked better, again and again, and learn which is liked best.

    In a notebook the two stand side by side; the arrow keys choose. Without one, `Preferences.pair` gives the cells and
    `Preferences.choose` takes the answer. Answers are kept in the experiment's folder.

    Parameters
    ----------
    run : Experiment
        Its finished cells are compared, those that finish later too; cells that were rejected are left out.

    Returns
    -------
    Preferences
        It shows itself in a notebook.

    Examples
    --------
    >>> likes = prefer(run)
    >>> left, right = likes.pair
    >>> likes.choose("left")
    >>> likes.ranking[0][0] == likes.best
    True
    >>> likes.undo()
    """
    return Preferences(run)


class Preferences:
    """What somebody likes among the images of an experiment; made by `prefer`.

    Parameters
    ----------
    run : Experiment
        Its finished cells are compared.

    Attributes
    ----------
    run : Experiment
        What is compared.

    Examples
    --------
    >>> likes = prefer(run)
    >>> len(likes)  # answers
    0
    """

    def __init__(self, run: Experiment) -> None:
        if not isinstance(run, Experiment):
            raise TypeError(f"prefer() takes what sweep() returns, not a {type(run).__name__}.")
        self.run: Experiment = run
        self._path = run.folder / _FILE
        self._lock = threading.RLock()
        self._answers = _read(self._path)
        self._listeners: list[Callable[[], object]] = []
        self._view: Any = None

    @property
    def cells(self) -> list[Cell]:
        """The cells that are compared: finished, with an image, not rejected; of equal prompts the first."""
        ratings = self.run.store.ratings(cell.key for cell in self.run.cells)
        found: dict[str, Cell] = {}
        for cell in self.run.cells:
            rejected = cell.key in ratings and ratings[cell.key].rejected
            if not rejected and any(file.kind == "image" for file in cell.files):
                found.setdefault(cell.key, cell)
        return list(found.values())

    def _learned(self) -> tuple[dict[str, Cell], Taste]:
        cells = {cell.key: cell for cell in self.cells}
        with self._lock:
            return cells, learn(list(cells), self._answers)

    @property
    def pair(self) -> tuple[Cell, Cell] | None:
        """The two cells to compare next, chosen so that the answer tells most; None where there are not two yet."""
        cells, taste = self._learned()
        asked: dict[Any, int] = {}
        with self._lock:
            count = len(self._answers)
            for answer in self._answers:
                pair = frozenset((answer.one, answer.other))
                asked[pair] = asked.get(pair, 0) + 1
        found = next_pair(taste, asked)
        if found is None:
            return None
        # Which one stands on the left must not tell anything.
        one, other = found if (count + len(cells)) % 2 else found[::-1]
        return cells[one], cells[other]

    def choose(self, choice: Choice, pair: tuple[Cell, Cell] | None = None) -> None:
        """Say which of two is liked better.

        Parameters
        ----------
        choice : str
            ``"left"``, ``"right"`` or ``"same"``.
        pair : tuple of Cell, optional
            The two that were compared; `pair` by default.

        Raises
        ------
        ValueError
            It is none of the three, or `pair` no two cells.
        ExperimentError
            There are not two images to compare yet.

        Examples
        --------
        >>> likes = prefer(run)
        >>> likes.choose("left", (run[0], run[1]))
        >>> len(likes)
        1
        >>> likes.undo()  # takes it back
        """
        if not isinstance(choice, str) or choice not in _SHARES:
            raise ValueError(f"Choose 'left', 'right' or 'same', not {choice!r}.")
        found = self.pair if pair is None else pair
        if found is None:
            raise ExperimentError("There are not two images to compare yet.")
        if not isinstance(found, (tuple, list)) or len(found) != 2 or not all(isinstance(cell, Cell) for cell in found):
            raise ValueError(f"pair is {found!r}, but must be two cells of the experiment.")
        left, right = found
        with self._lock:
            self._answers.append(Answer(left.key, right.key, _SHARES[choice]))
            self._keep()
        self._tell()

    def undo(self) -> None:
        """Take the last answer back; nothing happens where there is none.

        Examples
        --------
        >>> prefer(run).undo()
        """
        with self._lock:
            if self._answers:
                self._answers.pop()
                self._keep()
        self._tell()

    def _keep(self) -> None:
        rows = [[answer.one, answer.other, answer.share] for answer in self._answers]
        replace_file(self._path, json_bytes({"preferences": rows}))

    # What was learned

    @property
    def best(self) -> Cell | None:
        """The cell that is liked best, as far as is known; None where nothing was answered yet."""
        cells, taste = self._learned()
        return cells[taste.best] if any(taste.seen.values()) else None

    @property
    def confidence(self) -> float:
        """How likely it is that `best` is liked better than each of the others, 0 to 1."""
        _, taste = self._learned()
        return taste.confidence if any(taste.seen.values()) else 0.0

    @property
    def sure(self) -> bool:
        """Whether `best` is known with a confidence of 90 % or more, every cell having been seen."""
        _, taste = self._learned()
        return bool(taste.seen) and all(taste.seen.values()) and taste.confidence >= SURE

    @property
    def ranking(self) -> list[tuple[Cell, float]]:
        """All cells with their worth, the best first: 0 where nothing is known, 1 more wins 2.7 times as often."""
        cells, taste = self._learned()
        return [(cells[key], taste.worth[key]) for key in sorted(cells, key=lambda key: -taste.worth[key])]

    def __len__(self) -> int:
        with self._lock:
            return len(self._answers)

    def __iter__(self) -> Iterator[tuple[Cell, float]]:
        return iter(self.ranking)

    def on_change(self, callback: Callable[[], object]) -> Callable[[], None]:
        """Call ``callback`` after each answer.

        Parameters
        ----------
        callback : callable
            Takes nothing; what it returns is not used.

        Returns
        -------
        callable
            Call it to stop.

        Examples
        --------
        >>> stop = prefer(run).on_change(print)
        >>> stop()
        """
        self._listeners.append(callback)
        return lambda: self._listeners.remove(callback) if callback in self._listeners else None

    def _tell(self) -> None:
        for callback in list(self._listeners):
            callback()

    def __str__(self) -> str:
        best = self.best
        if best is None:
            return "Nothing was compared yet."
        count = f"{len(self)} answer{'s' * (len(self) != 1)}"
        what = words_of(best) or "the workflow as it is"
        if self.sure:
            return f"Sure ({self.confidence:.0%}) after {count}: {what} is liked best."
        return f"Not sure yet after {count}: {what} leads, {self.confidence:.0%} likely the best."

    def __repr__(self) -> str:
        return f"<Preferences among {len(self.cells)} cells of {self.run.name!r}: {self}>"

    def _ipython_display_(self, **kwargs: Any) -> None:
        from IPython.display import display

        if self._view is None:
            self._view = make_view(self, "preferences")
        display(self._view if self._view is not None else repr(self))  # type: ignore[no-untyped-call]


def _read(path: Path) -> list[Answer]:
    """Read the answers of before; the file is left as it is where it is not ours."""
    try:
        rows = json.loads(path.read_bytes())["preferences"]
        return [Answer(str(one), str(other), float(share)) for one, other, share in rows]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, TypeError, KeyError, RecursionError, OverflowError) as error:
        raise ComfyError(
            f"{path} holds no preferences that can be read ({error}). Move it away to begin anew."
        ) from error
