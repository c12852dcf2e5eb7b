"""The parts of a panel that follow a job, each a widget of its own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from ..client import Result
from ._base import Json, Widget
from ._follow import Follower
from ._pictures import encode, for_page, messages
from ._run import idle
from ._wire import frame_of_prompt

if TYPE_CHECKING:
    from PIL.Image import Image

    from ..client import Job


class _JobWidget(Widget):
    """A widget that follows one job."""

    _previews: ClassVar[bool] = False
    _pictures: ClassVar[bool] = False

    def __init__(self, job: Job, *, layout: Any = None) -> None:
        self._follower = Follower(self._tell, self._to_page, previews=self._previews, pictures=self._pictures)
        super().__init__(**({} if layout is None else {"layout": layout}))
        self._follower.follow(job, frame_of_prompt(job.prompt))

    @property
    def job(self) -> Job | None:
        """The job that it follows."""
        return self._follower.job

    def close(self) -> None:
        """End the widget in the page, and free what it holds. The job goes on."""
        if hasattr(self, "_follower"):
            self._follower.stop()
        super().close()

    def _on_hello(self, message: Json, buffers: list[memoryview]) -> None:
        super()._on_hello(message, buffers)
        self._follower.repeat()


class JobProgress(_JobWidget):
    """The progress bar of a job: node, step, time left, place in the queue.

    Parameters
    ----------
    job : Job
    layout : ipywidgets.Layout, optional
    """

    _bundle: ClassVar[str] = "progress"


class LivePreview(_JobWidget):
    """The picture of a job as it forms.

    Parameters
    ----------
    job : Job
    layout : ipywidgets.Layout, optional
    """

    _bundle: ClassVar[str] = "preview"
    _previews: ClassVar[bool] = True


class ImageGrid(Widget):
    """Pictures in a grid; a click shows one at its full size.

    Parameters
    ----------
    images : Result, or iterable of PIL images
        The pictures of a result go to the page byte for byte.
    labels : sequence of str, optional
        A caption for each picture.
    layout : ipywidgets.Layout, optional

    Raises
    ------
    ValueError
        There are not as many labels as pictures.
    """

    _bundle: ClassVar[str] = "grid"

    def __init__(
        self, images: Result | Iterable[Image], labels: Sequence[str] | None = None, *, layout: Any = None
    ) -> None:
        self._pictures = for_page(images) if isinstance(images, Result) else [encode(image) for image in images]
        if labels is not None:
            self._label(labels)
        size = self._pictures[0].size if self._pictures else None
        width, height = size or (1, 1)
        super().__init__(
            _run=idle({"width": width, "height": height, "count": len(self._pictures)}),
            **({} if layout is None else {"layout": layout}),
        )
        self._show()

    def _label(self, labels: Sequence[str]) -> None:
        if len(labels) != len(self._pictures):
            raise ValueError(f"There are {len(self._pictures)} pictures, but {len(labels)} labels; give one for each.")
        self._pictures = [replace(picture, label=text) for picture, text in zip(self._pictures, labels, strict=True)]

    def _show(self) -> None:
        for message, content in messages(self._pictures, 0):
            self._to_page(message, [content])

    def _on_hello(self, message: Json, buffers: list[memoryview]) -> None:
        super()._on_hello(message, buffers)
        self._show()
