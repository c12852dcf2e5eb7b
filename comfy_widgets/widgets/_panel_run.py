"""One run of a widget, as it is kept: its job, its values, and what it left."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from . import _run_state as state
from ._images import Shown, chosen, original

if TYPE_CHECKING:
    from ..client import Job, Result
    from ..errors import ComfyError
    from ..experiments import PastRun
    from ._schema import Frame, Phase

_PLAYER = (6, 1)
"""The shape of a player of audio, which is nothing but its buttons."""


@dataclass(eq=False)
class PanelRun:
    """One run: from the press of Run until its images are in the browser.

    Attributes
    ----------
    number : int
        Counts the runs of the widget, from 1.
    job : Job or None
        None where no job came about.
    refusal : ComfyError or None
        Why no job came about.
    phase : str
        How it stands where it has no job.
    values : Mapping
        The values of the form when it was started, by name.
    outputs : tuple of str
        Ids of the nodes whose outputs are shown; empty for all.
    images : list of Shown
        What is ready for the browser; it grows while they are loaded.
    loaded : bool
        Whether all of them are there, or of very many the first.
    complete : bool
        Whether all of them are there.
    finished : bool
        Whether all that its end causes is done.
    abandoned : bool
        Whether it is waited for no longer, although the server has not told of its end.
    thumbnail : bytes or None
        A small WebP of its first image.
    selected, starred : list of int
        Which images are selected and starred in the browser.
    created : float
        When it was started, in seconds since 1970.
    past : PastRun or None
        The run of the history that it is; `number` is negative then.
    """

    number: int
    frame: Frame
    job: Job | None = None
    refusal: ComfyError | None = None
    phase: Phase = "failed"
    values: Mapping[str, Any] = field(default_factory=dict)
    outputs: tuple[str, ...] = ()
    images: list[Shown] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    loaded: bool = False
    complete: bool = False
    finished: bool = False
    ending: bool = False
    abandoned: bool = False
    thumbnail: bytes | None = None
    selected: list[int] = field(default_factory=list)
    starred: list[int] = field(default_factory=list)
    created: float = field(default_factory=time.time)
    past: PastRun | None = None
    past_result: Result | None = field(default=None, repr=False)

    def __repr__(self) -> str:
        status = self.job.status if self.job is not None else self.phase
        count = len(self.images)
        return f"<PanelRun {self.number}: {status}, {count} image{'s' * (count != 1)}>"

    @property
    def result(self) -> Result | None:
        """What the job left; None before its end."""
        return state.result_of(self.job) if self.job is not None else self.past_result

    @property
    def shown_result(self) -> Result | None:
        """What is shown of the result."""
        result = self.result
        return chosen(result, self.outputs) if result is not None and self.outputs else result

    @property
    def expected(self) -> int:
        """How many images there will be, as far as is known."""
        result = None if self.complete else self.shown_result
        known = len(result.image_files) + len(result.streamed) if result is not None else 0
        return max(known, len(self.images))

    def original(self, index: int) -> Shown | None:
        """Return one image at its full size, for a browser that has only a stand-in."""
        result = self.shown_result
        if result is None or not 0 <= index < len(self.images):
            return None
        return original(result, self.images[index].source)

    @property
    def final_frame(self) -> Frame:
        """The frame that the first image makes."""
        if not self.images:
            return self.frame
        first = self.images[0]
        # Audio is nothing but its player.
        size = _PLAYER if first.mime.startswith("audio/") else first.size
        return {"width": size[0], "height": size[1], "count": self.expected} if size is not None else self.frame
