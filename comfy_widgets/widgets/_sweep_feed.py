"""What the browser is told of a sweep, or of a folder of images, while it is looked at."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Protocol

from ..experiments import in_words, rows_of, thumbnails_of
from ._found import FoundCell, FoundCells, Shown, ShownCell
from ._pump import pump, worker

if TYPE_CHECKING:
    from PIL.Image import Image

    from ._record import NotebookRecord
    from ._schema import CellPreview, CellScores, SweepCells, SweepThumbnails

logger = logging.getLogger(__name__)

_ROWS = 500
_FIRST, _THUMBNAILS = 60, 250
"""Small images in the first message, which are seen at once, and in each of the others, a megabyte."""
_MADE_AT_ONCE = 12
"""Small images that are made in one go: others wait for the same thread."""
_PREVIEWS_EVERY = 0.07


class Told(Protocol):
    """The widget whose browser is told."""

    score: Callable[[Image], float] | None

    def send(self, content: Any, buffers: Any = None) -> None:
        """Send a message."""

    def set_trait(self, name: str, value: Any) -> None:
        """Set a trait, which sends it."""

    def write_record(self) -> None:
        """Put an image into the notebook."""


class SweepFeed:
    """Tells the browser what is new of a sweep; what leaves, leaves from the pump's thread."""

    def __init__(self, widget: Told, shown: Shown, record: NotebookRecord) -> None:
        self._widget = widget
        self._record = record
        self._shown = shown
        self._lock = threading.Lock()
        self._changed: dict[int, None] = dict.fromkeys(range(len(shown.cells)))
        self._images: dict[int, None] = dict.fromkeys(range(len(shown.cells)))
        self._previews: dict[int, int] = {}
        self._tried: set[int] = set()
        self._state: dict[str, Any] = {}
        self.scores: dict[str, float | None] = {}
        self._recorded = ""
        self._began = (time.monotonic(), shown.counts.get("completed", 0))
        self._stopped = False
        self._unsubscribe = shown.on_change(self._on_change)
        pump.wake(self)

    @property
    def ending(self) -> bool:
        """Whether the sweep has ended, but the browser or the record does not know it yet."""
        return self._shown.done() and (bool(self._changed or self._images) or self._is_record_due)

    @property
    def _is_record_due(self) -> bool:
        return self._record.is_shown and self._recorded != self._mark

    @property
    def _mark(self) -> str:
        return repr(self._shown)

    def mark(self, cells: Iterable[ShownCell]) -> None:
        """Tell of these cells again, but not of their images."""
        with self._lock:
            self._changed.update(dict.fromkeys(cell.number for cell in cells))
        pump.wake(self)

    def repeat(self) -> None:
        """Tell everything again, to a page that has missed it."""
        with self._lock:
            # Anew, for what is at the top is looked at first, and what was sent already would come last.
            self._changed = dict.fromkeys(range(len(self._shown.cells)))
            self._images = dict.fromkeys(range(len(self._shown.cells)))
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

    def _on_change(self, cell: ShownCell | None) -> None:
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
        running = self._shown.status == "running"
        done = self._shown.done()
        self._send_rows()
        self._send_thumbnails()
        previewing = self._send_previews()
        state = self._shown.snapshot(left=self._left() if running else "")
        if state != self._state:
            self._state = state
            self._widget.set_trait("_sweep", state)
        if self._changed or self._images:
            return 0.0
        if done and self._is_record_due:
            self._recorded = self._mark
            self._widget.write_record()
        return _PREVIEWS_EVERY if previewing else None

    def _take(self, waiting: dict[int, None], count: int) -> list[ShownCell]:
        cells = self._shown.cells
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
                "rows": rows_of(self._shown, cells),  # type: ignore[typeddict-item]
            }
            self._widget.send(message)

    def _send_thumbnails(self) -> None:
        is_first = len(self._images) == len(self._shown.cells)
        cells = self._take(self._images, _FIRST if is_first else _THUMBNAILS)
        images = thumbnails_of(self._shown, cells)
        if images:
            message: SweepThumbnails = {"kind": "thumbnails", "numbers": list(images), "mime": "image/webp"}
            self._widget.send(message, list(images.values()))
        if isinstance(self._shown, FoundCells):
            missing = [cell for cell in cells if isinstance(cell, FoundCell) and cell.number not in images]
            # The newest is looked at first.
            self._make(self._shown, [cell for cell in reversed(missing) if cell.number not in self._tried])
        if cells and self._widget.score is not None:
            worker.submit(lambda: self._score(cells))

    def _make(self, shown: FoundCells, cells: list[FoundCell]) -> None:
        """Have small images made of files that nobody has looked at yet; in the worker, some at a time."""
        part, rest = cells[:_MADE_AT_ONCE], cells[_MADE_AT_ONCE:]
        if not part or self._stopped:
            return
        self._tried.update(cell.number for cell in part)

        def make() -> None:
            if not self._stopped:
                shown.make_thumbnails(part)
                self._make(shown, rest)

        worker.submit(make)

    def _score(self, cells: list[ShownCell]) -> None:
        """Score images; in the worker, for nobody knows how long it takes."""
        function, known = self._widget.score, self.scores
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
        jobs = [(cell.number, cell.job) for cell in self._shown.cells if cell.job is not None]
        for number, job in jobs:
            preview = job.preview
            if preview is not None and self._previews.get(number) != preview.seq:
                self._previews[number] = preview.seq
                message: CellPreview = {"kind": "cell-preview", "number": number, "mime": preview.mime}
                self._widget.send(message, [preview.image])
        return bool(jobs)

    def _left(self) -> str:
        began, before = self._began
        counts = self._shown.counts
        done = counts.get("completed", 0) - before
        waiting = counts.get("pending", 0) + counts.get("in_progress", 0)
        return in_words((time.monotonic() - began) / done * waiting) if done > 1 else ""
