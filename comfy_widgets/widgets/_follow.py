"""Following one job after the other for one widget, and telling its page."""

from __future__ import annotations

import logging
import threading
import time
import weakref
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from . import _run as state
from ._pictures import Picture, for_page, messages, original
from ._pump import pump

if TYPE_CHECKING:
    from ..client import Job, Result
    from ..errors import ComfyError

logger = logging.getLogger("comfy_widgets")

Json = dict[str, Any]

_PLAYER = (6, 1)
_BLINK = 2.0
"""Seconds for which nobody needs to hear that the connection is down."""


class Follower:
    """Reads a job when the pump beats, and tells a page what is new.

    All that the page hears of a run goes through here and leaves from the pump's thread: so `_run` has one writer, and
    its last value is the last one sent.

    Parameters
    ----------
    tell : callable
        Takes the new run state.
    send : callable
        Takes a message and its buffers.
    places : callable
        Gives the form's fields by node id and input name.
    connected : callable
        Tells whether progress can come at all.
    previews, pictures : bool
        Whether the page wants them.
    on_end : callable
        Takes a job that has ended, after its pictures were sent; slow work may be done there.
    """

    def __init__(
        self,
        tell: Callable[[Json], None],
        send: Callable[[Json, list[bytes]], None],
        *,
        places: Callable[[], Mapping[state.Place, str]] = dict,
        connected: Callable[[], bool] = lambda: True,
        previews: bool = True,
        pictures: bool = True,
        on_end: Callable[[Job, str], None] = lambda job, words: None,
    ) -> None:
        self._tell = tell
        self._send = send
        self._places = places
        self._connected = connected
        self._down_since: float | None = None
        self._previews = previews
        self._pictures = pictures
        self._on_end = on_end
        self._lock = threading.Lock()
        self._run = 0
        self._job: Job | None = None
        self._frame: Mapping[str, Any] = state.ONE
        self._told: Json | None = None
        self._refused: Json | None = None
        self._preview = 0
        self._ended = True
        self._stopped = False
        self._resend = False
        # The newest run that gave pictures; they stay in the page when a later run gives none.
        self._shown: tuple[int, Result] | None = None

    @property
    def job(self) -> Job | None:
        """The newest job."""
        return self._job

    @property
    def ending(self) -> bool:
        """Whether the job has ended, but the page and the record do not know it yet."""
        job = self._job
        return not self._ended and job is not None and job.done()

    def follow(self, job: Job, frame: Mapping[str, Any]) -> None:
        """Follow this job from now on, in place of the one before."""
        with self._lock:
            self._run += 1
            self._job, self._frame, self._refused = job, frame, None
            self._preview, self._ended, self._down_since = 0, False, None
        pump.wake(self)
        me = weakref.ref(self)

        def done(_: Job) -> None:
            follower = me()
            if follower is not None and not follower._stopped:
                pump.wake(follower)

        job.add_done_callback(done)

    def refuse(self, error: ComfyError, frame: Mapping[str, Any], phase: str = "failed") -> None:
        """Show why no job came about, or will come about."""
        with self._lock:
            self._run += 1
            self._refused = state.refused(error, self._run, frame, self._places(), phase=phase)
            self._job, self._ended = None, False
        pump.wake(self)

    def stop(self) -> None:
        """Tell the page nothing more, and hold no job. The job goes on."""
        with self._lock:
            self._stopped, self._job, self._shown = True, None, None
        pump.drop(self)

    def repeat(self) -> None:
        """Send preview and pictures again, to a page that has missed them."""
        self._resend = True
        pump.wake(self)

    def send_original(self, run: int, index: int) -> None:
        """Send one picture at its full size."""
        shown = self._shown
        picture = original(shown[1], index) if shown is not None and shown[0] == run else None
        if picture is not None:
            message = {"kind": "original", "run": run, "index": index, "mime": picture.mime}
            self._send(message, [picture.content])

    def beat(self) -> bool:
        """Tell the page what is new; True as long as the job goes on."""
        with self._lock:
            job, run, frame, refused = self._job, self._run, self._frame, self._refused
            was_ended, resend = self._ended, self._resend
            self._resend = False
        if refused is not None:
            self._change(refused)
            self._finish(run)
            return False
        if resend and self._shown is not None:
            self._send_pictures(*self._shown)
        if job is None or was_ended:
            return False
        # Asked before the snapshot is taken, so that a snapshot of a job that has ended is its last.
        done = job.done()
        self._change({**state.working(job, run, frame), **self._connection(job)})
        if not done:
            self._send_preview(job, run, resend)
            return True
        self._end(job, run, frame)
        return self._run != run

    def _connection(self, job: Job) -> Json:
        """A warning while nothing is heard of the server; the client tries again all the while."""
        now = time.monotonic()
        self._down_since = None if self._connected() else self._down_since or now
        if self._down_since is None or now - self._down_since < _BLINK:
            return {}
        return {"warnings": [*job.warnings, "No live connection to the server. Trying again."]}

    def _end(self, job: Job, run: int, frame: Mapping[str, Any]) -> None:
        shown: list[Picture] | None = None
        note = ""
        try:
            result = state.result_of(job)
            if self._pictures and result is not None:
                shown = self._send_pictures(run, result)
                frame = {**frame, **_frame_of(shown)}
        except Exception as error:
            logger.exception("the pictures could not be sent to the page")
            note = f"The pictures could not be shown: {error}"
        final = state.ended(job, run, frame, self._places(), shown=shown, note=note)
        self._change(final)
        try:
            self._on_end(job, final["summary"])
        finally:
            self._finish(run)

    def _finish(self, run: int) -> None:
        with self._lock:
            if self._run == run:
                self._ended = True

    def _change(self, new: Json) -> None:
        if new != self._told:
            self._told = new
            self._tell(new)

    def _send_preview(self, job: Job, run: int, again: bool) -> None:
        preview = job.preview
        if not self._previews or preview is None or (preview.seq == self._preview and not again):
            return
        self._preview = preview.seq
        message = {"kind": "preview", "run": run, "seq": preview.seq, "mime": preview.mime}
        self._send(message, [preview.image])

    def _send_pictures(self, run: int, result: Result) -> list[Picture]:
        """Send the pictures, and return them."""
        pictures = for_page(result)
        for message, content in messages(pictures, run):
            self._send(message, [content])
        if pictures:
            self._shown = (run, result)
        return pictures


def _frame_of(pictures: Sequence[Picture]) -> Json:
    """The frame that the first picture makes."""
    if not pictures:
        return {}
    # A sound is nothing but its player.
    size = _PLAYER if pictures[0].mime.startswith("audio/") else pictures[0].size
    return {"width": size[0], "height": size[1], "count": len(pictures)} if size is not None else {}
