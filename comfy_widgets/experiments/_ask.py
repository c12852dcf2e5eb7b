"""Cells that somebody proposes one after the other: any object with ``ask`` and ``tell``, such as an Optuna study."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from ..protocol import WorkflowError
from ..workflow import did_you_mean
from ._cell import Cell
from ._sample import Indices
from ._space import Space

logger = logging.getLogger(__name__)


class Asking:
    """Asks for cells, and tells how good they were.

    Parameters
    ----------
    source : object
        Has ``ask()``, which gives a mapping of axes to values or a trial with ``suggest_categorical`` as Optuna's, and
        ``tell(asked, score)``.
    space : Space
        Its axes are what can be asked for.
    count : int
        How many cells.
    score : callable
        Takes a PIL image and gives a number.
    """

    def __init__(self, source: Any, space: Space, count: int, score: Callable[[Any], float]) -> None:
        if not callable(getattr(source, "ask", None)) or not callable(getattr(source, "tell", None)):
            raise WorkflowError(f"ask needs an object with ask() and tell(), such as an Optuna study, not {source!r}.")
        self.count = count
        self._source = source
        self._space = space
        self._score = score
        self._asked: dict[int, Any] = {}

    def next(self, number: int) -> Indices:
        """Ask for the values of the cell with this number.

        Raises
        ------
        WorkflowError
            What was answered is no combination of the axes' values.
        """
        try:
            answer = self._source.ask()
        except Exception as error:
            raise WorkflowError(f"ask() failed: {type(error).__name__}: {error}") from error
        if hasattr(answer, "suggest_categorical"):
            indices = tuple(
                int(answer.suggest_categorical(f"{axis.name}_index", list(range(len(axis)))))
                if len({repr(option.value) for option in axis.options}) < len(axis)
                else self._index(axis.name, answer.suggest_categorical(axis.name, [o.value for o in axis.options]))
                for axis in self._space.axes
            )
        elif isinstance(answer, Mapping):
            unknown = [name for name in answer if name not in [axis.name for axis in self._space.axes]]
            if unknown:
                names = [axis.name for axis in self._space.axes]
                raise WorkflowError(f"ask() named an axis {unknown[0]!r}.{did_you_mean(unknown[0], names)}")
            missing = [axis.name for axis in self._space.axes if axis.name not in answer]
            if missing:
                raise WorkflowError(f"ask() gave no value for {', '.join(missing)}.")
            indices = tuple(self._index(axis.name, answer[axis.name]) for axis in self._space.axes)
        else:
            raise WorkflowError(f"ask() gave {answer!r}, which is neither a mapping of values nor a trial.")
        self._asked[number] = answer
        return indices

    def _index(self, name: str, value: Any) -> int:
        axis = next(axis for axis in self._space.axes if axis.name == name)
        for index, option in enumerate(axis.options):
            if option.value == value or option.label == value:
                return index
        labels = ", ".join(option.label for option in axis.options[:12])
        raise WorkflowError(f"ask() gave {name}={value!r}, which is none of the axis' values: {labels}.")

    def changed(self, cell: Cell) -> None:
        """Tell the score of a cell that has ended; one that failed has none."""
        if cell.status not in ("completed", "failed", "cancelled") or cell.number not in self._asked:
            return
        asked = self._asked.pop(cell.number)
        try:
            image = cell.image if cell.status == "completed" else None
            self._source.tell(asked, float(self._score(image)) if image is not None else None)
        except Exception:
            # Its own sentence stands in the log; the images are kept whatever it makes of them.
            logger.exception("the score of cell %d could not be told", cell.number)
