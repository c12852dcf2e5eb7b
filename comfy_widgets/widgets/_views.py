"""Widgets that show a job or images, each usable alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

import traitlets
from traitlets import HasTraits, TraitError, TraitType

from ..client import Job, Result
from ._base import Handler, Widget
from ._feed import RunFeed
from ._fields import frame_of_prompt
from ._images import Missing, Shown, encoded, original, shown
from ._lazy_images import ImagesTrait, LazyImages
from ._run_state import idle
from ._runs import Runs
from ._schema import Images, Original, WantOriginal

if TYPE_CHECKING:
    from PIL.Image import Image


class JobTrait(TraitType[Any, Any]):
    """A trait that takes a job, several of them, or None."""

    default_value: Any = None
    info_text = "a Job, or a sequence of jobs"

    def validate(self, obj: HasTraits, value: Any) -> Any:
        """Return a job, a tuple of jobs, or None."""
        if value is None or isinstance(value, Job):
            return value
        jobs = tuple(value) if isinstance(value, Iterable) else (None,)
        if not all(isinstance(job, Job) for job in jobs):
            raise TraitError(f"job is {value!r}, but must be a Job, as client.submit gives it, or a sequence of jobs.")
        return jobs or None


class JobView(Widget):
    """A widget that follows one job after the other, or several as one."""

    _previews: ClassVar[bool] = False

    _run = traitlets.Dict().tag(sync=True)

    job: JobTrait = JobTrait(help="The job that it follows, or several; may be set at any time.")

    def __init__(self, job: Job | Iterable[Job] | None = None, *, layout: Any = None) -> None:
        super().__init__(_run=idle(), layout=layout)
        self._runs = Runs(images=False)
        self._feed = RunFeed(self, self._runs, previews=self._previews, images=False)
        self.job = job

    @traitlets.observe("job")
    def _on_job(self, _: object) -> None:
        self._runs.close()
        jobs = self.job if isinstance(self.job, tuple) else () if self.job is None else (self.job,)
        self._runs = Runs(images=False, together=len(jobs) > 1)
        for job in jobs:
            self._runs.start(job, frame_of_prompt(job.prompt))
        self._feed.follow(self._runs)

    def close(self) -> None:
        """End the widget in the browser, and free what it holds. The job goes on.

        Examples
        --------
        >>> job = client.submit(example(), width=64, height=64, steps=1)
        >>> bar = JobProgress(job)
        >>> bar.close()
        """
        # ipywidgets closes a widget whose constructor failed, too.
        if hasattr(self, "_feed"):
            self._feed.stop()
            self._runs.close()
        super().close()

    def _on_hello(self, message: Any, buffers: list[memoryview]) -> None:
        super()._on_hello(message, buffers)
        self._feed.repeat()


class JobProgress(JobView):
    """The progress bar of a job: node, step, time left, place in the queue.

    Parameters
    ----------
    job : Job, or sequence of Job, optional
        The job that it follows; several are shown as one.
    layout : ipywidgets.Layout, optional
        Its size and place, as for every widget of ipywidgets.

    Attributes
    ----------
    job : Job, tuple of Job, or None
        What it follows; may be set and linked.

    Examples
    --------
    >>> from comfy_widgets import JobProgress, example
    >>> bar = JobProgress(client.submit(example(), steps=2))
    >>> bar.job = client.submit(example(), steps=3)
    """

    _bundle: ClassVar[str] = "progress"


class LivePreview(JobView):
    """The image of a job as it forms.

    Parameters
    ----------
    job : Job, or sequence of Job, optional
        The job that it follows; several are shown as one.
    layout : ipywidgets.Layout, optional
        Its size and place, as for every widget of ipywidgets.

    Attributes
    ----------
    job : Job, tuple of Job, or None
        What it follows; may be set and linked.

    Examples
    --------
    >>> from comfy_widgets import LivePreview, example
    >>> preview = LivePreview(client.submit(example(), previews="auto", steps=2))
    """

    _bundle: ClassVar[str] = "preview"
    _previews: ClassVar[bool] = True


class ImageGrid(Widget):
    """Images in a grid; a click shows one at its full size.

    Parameters
    ----------
    images : Result, or iterable of PIL images, optional
        The images of a result go to the browser byte for byte.
    labels : sequence of str, optional
        A caption for each image.
    layout : ipywidgets.Layout, optional
        Its size and place, as for every widget of ipywidgets.

    Attributes
    ----------
    images : sequence of PIL images
        What it shows; may be set, also to a `Result`, and linked. Setting it takes the labels away.
    labels : tuple of str
        The captions; may be set, one for each image. Empty where there are none.

    Raises
    ------
    ValueError
        There are not as many labels as images.

    Examples
    --------
    >>> from PIL import Image
    >>> from comfy_widgets import ImageGrid
    >>> grid = ImageGrid([Image.new("RGB", (64, 64), color) for color in ("red", "blue")], labels=["one", "two"])
    >>> grid.images = client.run(example(), steps=2)
    >>> len(grid.images)
    1
    """

    _bundle: ClassVar[str] = "grid"

    _run = traitlets.Dict().tag(sync=True)

    images: ImagesTrait = ImagesTrait(help="What it shows; may be set, also to a Result, and linked.")
    labels: traitlets.Tuple = traitlets.Tuple(help="A caption for each image; empty where there are none.")

    def __init__(
        self,
        images: Result | Iterable[Image] = (),
        labels: Sequence[str] | None = None,
        *,
        layout: Any = None,
    ) -> None:
        self._shown: list[Shown] = []
        self._version = 0
        self._is_quiet = True
        super().__init__(_run=idle(), layout=layout)
        self.images = images
        if labels is not None:
            self.labels = tuple(labels)
        self._is_quiet = False
        self._show()

    @traitlets.validate("labels")
    def _check_labels(self, proposal: Any) -> tuple[str, ...]:
        labels = tuple(map(str, proposal["value"]))
        if labels and len(labels) != len(self._shown):
            raise ValueError(f"There are {len(self._shown)} images, but {len(labels)} labels; give one for each.")
        return labels

    @traitlets.observe("labels")
    def _on_labels(self, _: object) -> None:
        labels = self.labels or [""] * len(self._shown)
        self._shown = [replace(image, label=text) for image, text in zip(self._shown, labels, strict=True)]
        self._show()

    @traitlets.observe("images")
    def _on_images(self, _: object) -> None:
        images = self.images
        if isinstance(images, LazyImages):
            found = shown(images.result) if images.result is not None else ()
            self._shown = [one for one in found if not isinstance(one, Missing)]
        else:
            self._shown = [encoded(image) for image in images]
        self._version += 1
        if self.labels:
            self.labels = ()
        else:
            self._show()

    def _show(self) -> None:
        if self._is_quiet:
            return
        width, height = self._shown[0].size or (1, 1) if self._shown else (1, 1)
        state = idle({"width": width, "height": height, "count": len(self._shown)})
        state["run"] = self._version
        self.set_trait("_run", state)
        items = [image.item(index) for index, image in enumerate(self._shown)]
        message: Images = {"kind": "images", "run": self._version, "total": len(items), "items": items}
        if items or self._version > 1:
            self.send(message, [image.content for image in self._shown])

    def _message_handlers(self) -> Mapping[str, Handler]:
        return {**super()._message_handlers(), "original": self._on_original}

    def _on_hello(self, message: Any, buffers: list[memoryview]) -> None:
        super()._on_hello(message, buffers)
        self._show()

    def _on_original(self, message: WantOriginal, buffers: list[memoryview]) -> None:
        images, index = self.images, message["index"]
        if message["run"] != self._version or not 0 <= index < len(self._shown):
            return
        if isinstance(images, LazyImages) and images.result is not None:
            whole = original(images.result, self._shown[index].source)
            if whole is not None:
                answer: Original = {**message, "mime": whole.mime}
                self.send(answer, [whole.content])
