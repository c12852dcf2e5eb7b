"""`SweepGrid`: a sweep as a grid that fills while it runs."""

from __future__ import annotations

import io
import logging
import math
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import traitlets

from ..experiments import Cell, Experiment, in_words, rows_of, thumbnails_of
from ._base import Handler, Widget
from ._pump import pump, worker
from ._record import NotebookRecord, finish_before_cells_end

if TYPE_CHECKING:
    from PIL.Image import Image

    from ._schema import (
        CellOriginal,
        CellPreview,
        CellScores,
        RateCells,
        SelectCells,
        SweepAct,
        SweepCells,
        SweepThumbnails,
        WantCellOriginal,
    )

logger = logging.getLogger(__name__)

_ROWS = 500
_THUMBNAILS = 120
_PREVIEWS_EVERY = 0.07
_MIMES = {"png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg", "webp": "image/webp", "gif": "image/gif"}


class SweepGrid(Widget):
    """A sweep as a grid: two axes at a time, filled while it runs.

    The image under the pointer is magnified; the keys 1 to 5 rate, x rejects, space selects, c compares two; a click on
    the head of a row or column keeps it in view. Ratings are kept with the results.

    Parameters
    ----------
    experiment : Experiment
        What `comfy_widgets.sweep` returned.
    score : callable, optional
        Takes a PIL image and gives a number; cells can then be sorted and filtered by it. Called in a thread of its
        own, once for each image that comes.
    layout : ipywidgets.Layout, optional
        Its size and place, as for every widget of ipywidgets.

    Attributes
    ----------
    experiment : Experiment
        What it shows.
    selected : tuple of Cell
        The cells that are selected; observe and link it.

    Raises
    ------
    TypeError
        `experiment` is no experiment, or `score` no function.

    Examples
    --------
    >>> grid = SweepGrid(run)  # of `sweep` or `resume`
    >>> grid.experiment.wait()[0].rate(5)
    >>> grid.images
    []
    """

    _bundle: ClassVar[str] = "sweep"

    _sweep = traitlets.Dict().tag(sync=True)

    selected: traitlets.Tuple = traitlets.Tuple(help="The cells that are selected.")

    def __init__(
        self, experiment: Experiment, *, score: Callable[[Image], float] | None = None, layout: Any = None
    ) -> None:
        if not isinstance(experiment, Experiment):
            raise TypeError(f"SweepGrid shows what sweep() returns, not a {type(experiment).__name__}.")
        if score is not None and not callable(score):
            raise TypeError(f"score is {score!r}, but must be a function that takes an image and gives a number.")
        self.experiment = experiment
        self.score = score
        self._scores: dict[str, float | None] = {}
        super().__init__(_sweep=experiment.snapshot(), layout=layout)
        self._record = NotebookRecord()
        self._feed = _SweepFeed(self, experiment)

    @property
    def scores(self) -> dict[Cell, float]:
        """What the score function gave, by cell; cells that have no image yet, or of which it failed, are left out."""
        cells = {cell: self._scores.get(cell.key) for cell in self.experiment.cells}
        return {cell: value for cell, value in cells.items() if value is not None}

    @property
    def images(self) -> list[Image]:
        """The first image of each selected cell, as PIL images."""
        return [image for cell in self.selected if (image := cell.image) is not None]

    def close(self) -> None:
        """End the widget in the browser. The sweep goes on.

        Examples
        --------
        >>> grid = SweepGrid(run)
        >>> grid.close()
        """
        if hasattr(self, "_feed"):
            self._feed.stop()
        super().close()

    def write_record(self) -> None:
        """Put the grid as an image into the notebook, for those who see no widget.

        Examples
        --------
        >>> SweepGrid(run).write_record()
        """
        stream = io.BytesIO()
        self.experiment.grid().save(stream, "PNG", compress_level=1)
        self._record.write_sheet(stream.getvalue(), repr(self.experiment))

    def _ipython_display_(self, **kwargs: Any) -> None:
        from IPython.display import display

        bundle = self._repr_mimebundle_()
        if bundle is None:
            return
        data, metadata = bundle
        data = {**data, "text/plain": repr(self.experiment)}
        display(data, metadata=metadata, raw=True)  # type: ignore[no-untyped-call]
        self._record.show()
        finish_before_cells_end()
        self._feed.repeat_record()

    def _message_handlers(self) -> Mapping[str, Handler]:
        return {
            **super()._message_handlers(),
            "act": self._on_act,
            "rate": self._on_rate,
            "select-cells": self._on_select,
            "cell-original": self._on_cell_original,
        }

    def _on_hello(self, message: Any, buffers: list[memoryview]) -> None:
        super()._on_hello(message, buffers)
        self._feed.repeat()

    def _on_act(self, message: SweepAct, buffers: list[memoryview]) -> None:
        acts = {"start": self.experiment.start, "pause": self.experiment.pause, "cancel": self.experiment.cancel}
        acts[message["act"]]()

    def _on_rate(self, message: RateCells, buffers: list[memoryview]) -> None:
        cells = self._cells(message["numbers"])
        for cell in cells:
            if message["rejected"]:
                cell.reject()
            else:
                cell.rate(message["stars"])
        self._feed.mark(cells)

    def _on_select(self, message: SelectCells, buffers: list[memoryview]) -> None:
        self.set_trait("selected", tuple(self._cells(message["numbers"])))

    def _on_cell_original(self, message: WantCellOriginal, buffers: list[memoryview]) -> None:
        for cell in self._cells([message["number"]]):
            file = next((file for file in cell.files if file.kind == "image"), None)
            mime = _MIMES.get(file.path.suffix.lstrip(".")) if file is not None else None
            if file is not None and mime is not None:
                answer: CellOriginal = {"kind": "cell-original", "number": cell.number, "mime": mime}
                self.send(answer, [file.path.read_bytes()])

    def _cells(self, numbers: Iterable[int]) -> list[Cell]:
        cells = self.experiment.cells
        return [cells[number] for number in numbers if isinstance(number, int) and 0 <= number < len(cells)]


class _SweepFeed:
    """Tells the browser what is new of a sweep; what leaves, leaves from the pump's thread."""

    def __init__(self, widget: SweepGrid, experiment: Experiment) -> None:
        self._widget = widget
        self._experiment = experiment
        self._lock = threading.Lock()
        self._changed: dict[int, None] = dict.fromkeys(range(len(experiment.cells)))
        self._images: dict[int, None] = dict.fromkeys(range(len(experiment.cells)))
        self._previews: dict[int, int] = {}
        self._recorded = ""
        self._began = (time.monotonic(), experiment.counts.get("completed", 0))
        self._stopped = False
        self._unsubscribe = experiment.on_change(self._on_change)
        pump.wake(self)

    @property
    def ending(self) -> bool:
        """Whether the sweep has ended, but the browser or the record does not know it yet."""
        return self._experiment.done() and (bool(self._changed or self._images) or self._recorded != self._mark)

    @property
    def _mark(self) -> str:
        return repr(self._experiment)

    def mark(self, cells: Iterable[Cell]) -> None:
        """Tell of these cells again, but not of their images."""
        with self._lock:
            self._changed.update(dict.fromkeys(cell.number for cell in cells))
        pump.wake(self)

    def repeat(self) -> None:
        """Tell everything again, to a page that has missed it."""
        with self._lock:
            everything = dict.fromkeys(range(len(self._experiment.cells)))
            self._changed.update(everything)
            self._images.update(everything)
            self._previews.clear()
        pump.wake(self)

    def repeat_record(self) -> None:
        """Write the record again, as it is displayed now."""
        self._recorded = ""
        pump.wake(self)

    def stop(self) -> None:
        """Tell the browser nothing more."""
        self._stopped = True
        self._unsubscribe()
        pump.drop(self)

    def _on_change(self, cell: Cell | None) -> None:
        if cell is not None:
            with self._lock:
                self._changed[cell.number] = None
                if cell.files:
                    self._images[cell.number] = None
        if not self._stopped:
            pump.wake(self)

    def flush(self) -> float | None:
        """Tell the browser what is new."""
        if self._stopped:
            return None
        # Read before the cells are, so that the last state is told after the last cell.
        running = self._experiment.status == "running"
        done = self._experiment.done()
        self._send_rows()
        self._send_thumbnails()
        previewing = self._send_previews()
        state = self._experiment.snapshot(left=self._left() if running else "")
        if state != self._widget._sweep:
            self._widget.set_trait("_sweep", state)
        if self._changed or self._images:
            return 0.0
        if done and self._recorded != self._mark:
            self._recorded = self._mark
            self._widget.write_record()
        return _PREVIEWS_EVERY if previewing else None

    def _take(self, waiting: dict[int, None], count: int) -> list[Cell]:
        cells = self._experiment.cells
        with self._lock:
            numbers = list(waiting)[:count]
            for number in numbers:
                del waiting[number]
        return [cells[number] for number in numbers if number < len(cells)]

    def _send_rows(self) -> None:
        while cells := self._take(self._changed, _ROWS):
            message: SweepCells = {
                "kind": "cells",
                "numbers": [cell.number for cell in cells],
                "rows": rows_of(self._experiment, cells),  # type: ignore[typeddict-item]
            }
            self._widget.send(message)

    def _send_thumbnails(self) -> None:
        cells = self._take(self._images, _THUMBNAILS)
        images = thumbnails_of(self._experiment, cells)
        if images:
            message: SweepThumbnails = {"kind": "thumbnails", "numbers": list(images), "mime": "image/webp"}
            self._widget.send(message, list(images.values()))
        if cells and self._widget.score is not None:
            worker.submit(lambda: self._score(cells))

    def _score(self, cells: list[Cell]) -> None:
        """Score images; in the worker, for nobody knows how long it takes."""
        function, known = self._widget.score, self._widget._scores
        assert function is not None
        for cell in cells:
            if self._stopped:
                return
            if cell.key in known:
                continue
            try:
                image = cell.image
                value = float(function(image)) if image is not None else None
                known[cell.key] = value if value is None or math.isfinite(value) else None
            except Exception:
                logger.exception("the score of cell %d failed", cell.number)
                known[cell.key] = None
        message: CellScores = {
            "kind": "cell-scores",
            "numbers": [cell.number for cell in cells],
            "scores": [known[cell.key] for cell in cells],
        }
        self._widget.send(message)

    def _send_previews(self) -> bool:
        """Send the newest preview of each cell that runs; return whether there may be more."""
        jobs = [(cell.number, cell.job) for cell in self._experiment.cells if cell.job is not None]
        for number, job in jobs:
            preview = job.preview
            if preview is not None and self._previews.get(number) != preview.seq:
                self._previews[number] = preview.seq
                message: CellPreview = {"kind": "cell-preview", "number": number, "mime": preview.mime}
                self._widget.send(message, [preview.image])
        return bool(jobs)

    def _left(self) -> str:
        began, before = self._began
        counts = self._experiment.counts
        done = counts.get("completed", 0) - before
        waiting = counts.get("pending", 0) + counts.get("in_progress", 0)
        return in_words((time.monotonic() - began) / done * waiting) if done > 1 else ""
