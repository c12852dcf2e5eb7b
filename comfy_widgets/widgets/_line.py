"""Jobs and results as a notebook shows them unasked: one slim live line for a cell, and images with a caption."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

import ipywidgets

from ..errors import ComfyError
from ..workflow import Workflow
from ._images import image_contents
from ._record import MOST_ON_SHEET
from ._run_state import caption, summary
from ._sendable import sendable
from ._small import sheet, size_of
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

    def follow(self, jobs: Sequence[Job]) -> None:
        from IPython.core.getipython import get_ipython
        from IPython.display import display

        self._jobs += [job for job in jobs if job not in self._jobs]
        shown = jobs[0] if len(jobs) == 1 else tuple(jobs)
        if self._bar is None or self._preview is None:
            shell = get_ipython()
            if shell is not None:
                shell.events.register("post_run_cell", self._end)
            self._bar = JobProgress(shown, layout=ipywidgets.Layout(flex="1 1 auto", width="auto"))
            self._preview = LivePreview(shown, layout=ipywidgets.Layout(flex=f"0 0 {_PREVIEW_WIDTH}"))
            self._box = ipywidgets.HBox([self._preview, self._bar], layout=ipywidgets.Layout(align_items="center"))
            self._handle = display(self._box, display_id=True)  # type: ignore[no-untyped-call]
        else:
            self._bar.job = self._preview.job = shown

    def _end(self, _: object) -> None:
        from IPython.core.getipython import get_ipython

        shell = get_ipython()
        if shell is not None:
            shell.events.unregister("post_run_cell", self._end)
        text = caption(self._jobs)
        if self._handle is not None:
            self._handle.update(sendable(_line(text)), raw=True)
        for widget in (self._box, self._bar, self._preview):
            if widget is not None:
                widget.close()
                widget.layout.close()
        self._clear()


def _line(text: str) -> dict[str, Any]:
    style = "color: var(--jp-content-font-color2, GrayText); font-size: 0.9em"
    return {"text/html": f'<div style="{style}">{escape(text)}</div>', "text/plain": text}


def _text(text: str) -> dict[str, Any]:
    return {"text/html": f'<pre style="white-space: pre-wrap">{escape(text)}</pre>', "text/plain": text}


_line_of_cell = _CellLine()


def follow_in_cell(*jobs: Job) -> None:
    """Show jobs in the line of the cell that runs now: one bar for all of them.

    Parameters
    ----------
    *jobs : Job
        Also those that have ended. The line follows those that were given last, and in the end tells of all.

    Examples
    --------
    >>> job = client.submit(example(), width=64, height=64, steps=1)
    >>> follow_in_cell(job)
    HBox(...)
    """
    _line_of_cell.follow(jobs)


def display_result(result: Result) -> None:
    """Display the images of a result as an ordinary output, and one line about them.

    The line tells what differs from the result that was displayed before, their size, and how long they took.

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

    contents = image_contents(result, MOST_ON_SHEET)
    made = sheet(contents)
    if made is not None:
        content, (width, height) = made
        words = "\n".join([repr(result), *result.texts])
        metadata = {"image/jpeg": {"width": width, "height": height, "alt": words}}
        data = {"image/jpeg": content, "text/plain": words}
        display(sendable(data), raw=True, metadata=sendable(metadata))  # type: ignore[no-untyped-call]
    for text in result.texts:
        display(sendable(_text(text)), raw=True)  # type: ignore[no-untyped-call]
    sizes = [size for content in contents if (size := size_of(content)) is not None]
    text = " · ".join([*_since_before(result), summary(result, None, sizes)])
    display(sendable(_line(text)), raw=True)  # type: ignore[no-untyped-call]


_MAX_WORDS = 3
_displayed: list[Mapping[str, Any]] = []
"""The prompt of the result that was displayed last."""


def _since_before(result: Result) -> list[str]:
    """Return in words what a result has other than the one that was displayed before it."""
    before, _displayed[:] = [*_displayed], [result.prompt]
    if not before or before[0].keys() != result.prompt.keys():
        return []
    try:
        found = Workflow.load(before[0]).diff(Workflow.load(result.prompt), labels=True)
    except ComfyError:
        return []
    more = len(found) - _MAX_WORDS
    short = (words if len(words) <= 80 else f"{words[:79]}…" for words in found[:_MAX_WORDS])
    return [*short, *([f"{more} more"] if more > 0 else [])]
