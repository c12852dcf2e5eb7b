"""`SweepGrid`: a sweep as a grid that fills while it runs."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import traitlets

from ..experiments import Cell, Experiment, FoundImage, ImageIndex
from ._base import Handler, Widget
from ._found import FoundCell, FoundCells, Shown, ShownCell
from ._record import NotebookRecord, finish_before_cells_end
from ._sweep_feed import SweepFeed

if TYPE_CHECKING:
    from PIL.Image import Image

    from ._schema import CellOriginal, RateCells, SelectCells, SweepAct, WantCellOriginal

logger = logging.getLogger(__name__)

_MIMES = {"png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg", "webp": "image/webp", "gif": "image/gif"}


class SweepGrid(Widget):
    """A sweep as a grid: two axes at a time, filled while it runs; or the images of a folder, by what made them.

    The image under the pointer is magnified; the keys 1 to 5 rate, x rejects, space selects, c compares two; a click on
    the head of a row or column keeps it in view. Ratings are kept with the results.

    Parameters
    ----------
    experiment : Experiment or ImageIndex
        What `comfy_widgets.sweep` returned, or `comfy_widgets.images`; of a folder the newest 5,000 files are shown.
    score : callable, optional
        Takes a PIL image and gives a number; cells can then be sorted and filtered by it. Called in a thread of its
        own, once for each image that comes.
    layout : ipywidgets.Layout, optional
        Its size and place, as for every widget of ipywidgets.

    Attributes
    ----------
    experiment : Experiment or ImageIndex
        What it shows.
    selected : tuple of Cell or FoundImage
        The cells, or files, that are selected; observe and link it.

    Raises
    ------
    TypeError
        `experiment` is neither, or `score` no function.

    Examples
    --------
    >>> grid = SweepGrid(run)  # of `sweep` or `resume`
    >>> grid.experiment.wait()[0].rate(5)
    >>> grid.images
    []

    A folder of ComfyUI's files:

    >>> from comfy_widgets import images
    >>> saved = result.save("output")
    >>> grid = SweepGrid(images("output").where("steps < 5"))
    """

    _bundle: ClassVar[str] = "sweep"

    _sweep = traitlets.Dict().tag(sync=True)

    selected: traitlets.Tuple = traitlets.Tuple(help="The cells that are selected.")

    def __init__(
        self, experiment: Experiment | ImageIndex, *, score: Callable[[Image], float] | None = None, layout: Any = None
    ) -> None:
        if not isinstance(experiment, (Experiment, ImageIndex)):
            raise TypeError(f"SweepGrid shows what sweep() or images() returns, not a {type(experiment).__name__}.")
        if score is not None and not callable(score):
            raise TypeError(f"score is {score!r}, but must be a function that takes an image and gives a number.")
        self.experiment = experiment
        self.score = score
        self._shown: Shown = FoundCells(experiment) if isinstance(experiment, ImageIndex) else experiment
        super().__init__(_sweep=self._shown.snapshot(), layout=layout)
        self._record = NotebookRecord()
        self._feed = SweepFeed(self, self._shown, self._record)

    @property
    def scores(self) -> dict[Cell | FoundImage, float]:
        """What the score function gave, by cell; cells that have no image yet, or of which it failed, are left out."""
        cells = [(cell, self._feed.scores.get(cell.key)) for cell in self._shown.cells]
        return {_public(cell): value for cell, value in cells if value is not None}

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
            if isinstance(self._shown, FoundCells):
                self._shown.close()
        super().close()

    def write_record(self) -> None:
        """Put the grid as an image into the notebook, for those who see no widget.

        Examples
        --------
        >>> SweepGrid(run).write_record()
        """
        stream = io.BytesIO()
        self._shown.grid().save(stream, "PNG", compress_level=1)
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
        acts = {"start": self._shown.start, "pause": self._shown.pause, "cancel": self._shown.cancel}
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
        self.set_trait("selected", tuple(map(_public, self._cells(message["numbers"]))))

    def _on_cell_original(self, message: WantCellOriginal, buffers: list[memoryview]) -> None:
        for cell in self._cells([message["number"]]):
            file = next((file for file in cell.files if file.kind == "image"), None)
            mime = _MIMES.get(file.path.suffix.lstrip(".")) if file is not None else None
            if file is not None and mime is not None:
                try:
                    content = file.path.read_bytes()
                except OSError as error:
                    # A folder is other people's too.
                    logger.warning("%s cannot be read (%s)", file.path, error.strerror or error)
                    continue
                answer: CellOriginal = {"kind": "cell-original", "number": cell.number, "mime": mime}
                self.send(answer, [content])

    def _cells(self, numbers: Iterable[int]) -> list[ShownCell]:
        cells = self._shown.cells
        return [cells[number] for number in numbers if isinstance(number, int) and 0 <= number < len(cells)]


def _public(cell: ShownCell) -> Any:
    """What a person gets of a cell."""
    return cell.found if isinstance(cell, FoundCell) else cell
