"""The images of a run as an ordinary output beside the widget.

A widget is no record: in a notebook that is opened again it says "model not found". What GitHub, nbconvert and a
colleague see is this output: one small sheet of the images, put in place of an empty output as soon as a run ends.
While the live widget is in the browser, it hides the output next to it (``js/src/host/record.ts``).
"""

from __future__ import annotations

import logging
import uuid
from html import escape
from typing import TYPE_CHECKING, Any, Literal, get_args

from ._images import image_contents
from ._pump import pump
from ._sendable import sendable
from ._small import FULL_SIZE, SHEET_SIZE, sheet

if TYPE_CHECKING:
    from ..client import Result

logger = logging.getLogger(__name__)

_EMPTY = {"text/html": '<div class="comfy-widgets-record" hidden></div>', "text/plain": ""}
_TIMEOUT = 30.0
MOST_ON_SHEET = 48
"""Images on a sheet: of more, nothing could be seen."""


Keep = Literal["thumbs", "full", "none"]


class NotebookRecord:
    """The output beside every display of one widget.

    Parameters
    ----------
    keep : str
        "thumbs" for one small sheet of the images, "full" for a large one, "none" for no record at all.

    Raises
    ------
    ValueError
        `keep` is something else.
    """

    def __init__(self, keep: Keep = "thumbs") -> None:
        if keep not in get_args(Keep):
            raise ValueError(f'keep is {keep!r}, but must be "thumbs", "full" or "none".')
        self._keep = keep
        self._id = f"comfy-widgets-{uuid.uuid4().hex}"
        self._bundle: tuple[dict[str, Any], dict[str, Any]] = (_EMPTY, {})
        self._shown = False

    @property
    def is_shown(self) -> bool:
        """Whether it stands anywhere."""
        return self._shown

    def show(self) -> None:
        """Display it here; it is empty until there are images."""
        if self._keep != "none":
            self._shown = True
            self._display(update=False)

    def write(self, result: Result, words: str) -> None:
        """Put a result's images into it, wherever it is displayed. From any thread.

        Parameters
        ----------
        result : Result
        words : str
            What the images show: the text in their place, where they cannot be seen.
        """
        if self._keep == "none":
            return
        made = sheet(image_contents(result, MOST_ON_SHEET), FULL_SIZE if self._keep == "full" else SHEET_SIZE)
        if made is not None:
            content, (width, height) = made
            self._bundle = (
                {"image/jpeg": content, "text/plain": words},
                {"image/jpeg": {"width": min(width, SHEET_SIZE), "height": _scaled(width, height), "alt": words}},
            )
        elif result.texts or result.files:
            self._bundle = (_in_words(result, words), {})
        else:
            return
        if self._shown:
            self._display(update=True)

    def write_sheet(self, content: bytes, words: str) -> None:
        """Put an image that was drawn already into it, wherever it is displayed. From any thread."""
        made = sheet([content])
        if made is None:
            return
        jpeg, (width, height) = made
        self._bundle = (
            {"image/jpeg": jpeg, "text/plain": words},
            {"image/jpeg": {"width": width, "height": height, "alt": words}},
        )
        if self._shown:
            self._display(update=True)

    def _display(self, update: bool) -> None:
        from IPython.display import display

        data, metadata = self._bundle
        display(  # type: ignore[no-untyped-call]
            sendable(data), raw=True, metadata=sendable(metadata), display_id=self._id, update=update
        )


def _scaled(width: int, height: int) -> int:
    return round(height * min(1.0, SHEET_SIZE / width))


def _in_words(result: Result, words: str) -> dict[str, Any]:
    """What stands in the notebook of a run without images: its texts, and the names of its files."""
    lines = [words, *result.texts, *(file.filename for file in result.files)]
    html = "".join(f"<pre>{escape(line)}</pre>" for line in lines)
    return {"text/html": f'<div class="comfy-widgets-record">{html}</div>', "text/plain": "\n".join(lines)}


_hooked = False


def finish_before_cells_end() -> None:
    """From now on, let no cell end before what its finished jobs left is in the notebook.

    nbconvert and other programs that run notebooks stop listening to a cell when it ends. The record of a job that
    ended within the cell is written a moment later; this waits for that moment, and for nothing that still runs.
    """
    global _hooked
    from IPython.core.getipython import get_ipython

    shell = get_ipython()
    if shell is not None and not _hooked:
        shell.events.register("post_execute", _drain)
        _hooked = True


def _drain() -> None:
    if not pump.drain(_TIMEOUT):
        logger.warning("the images of a run were not ready in time for the notebook's record")
