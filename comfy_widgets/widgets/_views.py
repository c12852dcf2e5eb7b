"""Widgets that show a job, each usable alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import traitlets
from traitlets import HasTraits, TraitError, TraitType

from ..client import Job
from ._base import Handler, Widget
from ._feed import RunFeed
from ._fields import frame_of_prompt
from ._nodes import no_nodes
from ._run_state import idle
from ._runs import Runs

if TYPE_CHECKING:
    from ._schema import WantNodes


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
    _nodes = traitlets.Dict().tag(sync=True)

    job: JobTrait = JobTrait(help="The job that it follows, or several; may be set at any time.")

    def __init__(self, job: Job | Iterable[Job] | None = None, *, layout: Any = None) -> None:
        super().__init__(_run=idle(), _nodes=no_nodes(), layout=layout)
        self._runs = Runs(images=False)
        self._feed = RunFeed(self, self._runs, previews=self._previews, images=False)
        self.job = job

    def _about(self) -> str:
        job = self.job
        if job is None:
            return "of no job"
        return f"of {len(job)} jobs" if isinstance(job, tuple) else f"of job {job.prompt_id[:8]}"

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

    def _message_handlers(self) -> Mapping[str, Handler]:
        return {**super()._message_handlers(), "nodes": self._on_nodes}

    def _on_hello(self, message: Any, buffers: list[memoryview]) -> None:
        super()._on_hello(message, buffers)
        self._feed.repeat()

    def _on_nodes(self, message: WantNodes, buffers: list[memoryview]) -> None:
        self._feed.follow_nodes(message["wanted"])


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
