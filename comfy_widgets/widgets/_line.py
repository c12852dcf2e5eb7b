"""Jobs and results as a notebook shows them unasked: one slim live line for a cell, and images with a caption."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING, Any

import ipywidgets

from ._images import image_contents
from ._run_state import result_of, summary
from ._small import sheet
from ._views import JobProgress, LivePreview

if TYPE_CHECKING:
    from ..client import Job, Result

_PREVIEW_WIDTH = "88px"


class _CellLine:
    """The line of the cell that runs now: a bar and a small preview, folded to one line of text when the cell ends."""

    def __init__(self) -> None:
        self._clear()

    def _clear(self) -> None:
        self._jobs: list[Job] = []
        self._handle: Any = None
        self._bar: JobProgress | None = None
        self._preview: LivePreview | None = None
        self._box: ipywidgets.HBox | None = None

    def follow(self, job: Job) -> None:
        from IPython.core.getipython import get_ipython
        from IPython.display import display

        self._jobs.append(job)
        if self._bar is None or self._preview is None:
            shell = get_ipython()
            if shell is not None:
                shell.events.register("post_run_cell", self._end)
            self._bar = JobProgress(job, layout=ipywidgets.Layout(flex="1 1 auto", width="auto"))
            self._preview = LivePreview(job, layout=ipywidgets.Layout(flex=f"0 0 {_PREVIEW_WIDTH}"))
            self._box = ipywidgets.HBox([self._preview, self._bar], layout=ipywidgets.Layout(align_items="center"))
            self._handle = display(self._box, display_id=True)  # type: ignore[no-untyped-call]
        else:
            self._bar.job = self._preview.job = job

    def _end(self, _: object) -> None:
        from IPython.core.getipython import get_ipython

        shell = get_ipython()
        if shell is not None:
            shell.events.unregister("post_run_cell", self._end)
        text = caption(self._jobs)
        if self._handle is not None:
            self._handle.update(_line(text), raw=True)
        for widget in (self._box, self._bar, self._preview):
            if widget is not None:
                widget.close()
                widget.layout.close()
        self._clear()


def caption(jobs: Sequence[Job]) -> str:
    """Return one line about jobs that have ended: "3 runs · 3 images · 9.6 s"."""
    results = [result for job in jobs if (result := result_of(job)) is not None]
    if len(jobs) == 1 and len(results) == 1 and jobs[0].status == "completed":
        return summary(results[0], None)
    parts = [f"{len(jobs)} run{'s' * (len(jobs) != 1)}"]
    for status, word in (("failed", "failed"), ("cancelled", "cancelled"), ("lost", "lost")):
        count = sum(job.status == status for job in jobs)
        parts += [f"{count} {word}"] if count else []
    images = sum(len(result.image_files) + len(result.streamed) for result in results)
    parts += [f"{images} image{'s' * (images != 1)}"] if images else []
    seconds = sum(result.elapsed or 0.0 for result in results)
    return " · ".join([*parts, f"{seconds:.1f} s"])


def _line(text: str) -> dict[str, Any]:
    style = "color: var(--jp-content-font-color2, GrayText); font-size: 0.9em"
    return {"text/html": f'<div style="{style}">{escape(text)}</div>', "text/plain": text}


def _text(text: str) -> dict[str, Any]:
    return {"text/html": f'<pre style="white-space: pre-wrap">{escape(text)}</pre>', "text/plain": text}


_line_of_cell = _CellLine()


def follow_in_cell(job: Job) -> None:
    """Show a job in the line of the cell that runs now.

    Parameters
    ----------
    job : Job
        Also one that has ended. The line follows the last job of the cell.

    Examples
    --------
    >>> job = client.submit(example(), width=64, height=64, steps=1)
    >>> follow_in_cell(job)
    HBox(...)
    """
    _line_of_cell.follow(job)


def display_result(result: Result) -> None:
    """Display the images of a result as an ordinary output, and one line about them.

    Parameters
    ----------
    result : Result
        What a job gave; texts are displayed too.

    Examples
    --------
    >>> display_result(result)  # a notebook shows the image, and a line about it
    {'image/jpeg': ...
    {'text/html': ...1 image...}
    """
    from IPython.display import display

    made = sheet(image_contents(result))
    if made is not None:
        content, (width, height) = made
        words = "\n".join([repr(result), *result.texts])
        metadata = {"image/jpeg": {"width": width, "height": height, "alt": words}}
        display({"image/jpeg": content, "text/plain": words}, raw=True, metadata=metadata)  # type: ignore[no-untyped-call]
    for text in result.texts:
        display(_text(text), raw=True)  # type: ignore[no-untyped-call]
    display(_line(summary(result, None)), raw=True)  # type: ignore[no-untyped-call]
