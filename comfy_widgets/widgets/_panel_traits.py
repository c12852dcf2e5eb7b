"""The public traits of a panel: what observers and links see of its runs."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, ClassVar

from ..client import Progress
from ._lazy_images import LazyImages
from ._live import LiveTrait, announce
from ._panel_view import PanelView
from ._pump import worker

if TYPE_CHECKING:
    from ..client import Job, Result
    from ..errors import ComfyError
    from ._panel_run import PanelRun

_ANNOUNCED = ("job", "status", "progress", "error", "result", "images")


class PanelTraits(PanelView):
    """A view of a panel with read-only traits about its runs; `ComfyPanel` documents them."""

    _bundle: ClassVar[str] = "panel"

    status: LiveTrait = LiveTrait(
        "idle", lambda panel: panel._read_status(), help="The status of the newest job; read-only."
    )
    progress: LiveTrait = LiveTrait(
        Progress(), lambda panel: panel._read_progress(), help="How far the job is; read-only."
    )
    job: LiveTrait = LiveTrait(None, lambda panel: panel._read_job(), help="The newest job; read-only.")
    result: LiveTrait = LiveTrait(None, lambda panel: panel._read_result(), help="What the last job left; read-only.")
    images: LiveTrait = LiveTrait(
        LazyImages(), lambda panel: panel._read_images(), help="The result's images; read-only."
    )
    selected: LiveTrait = LiveTrait([], lambda panel: panel._read_selected(), help="Selected images; read-only.")
    starred: LiveTrait = LiveTrait([], lambda panel: panel._read_starred(), help="Starred images; read-only.")
    error: LiveTrait = LiveTrait(None, lambda panel: panel._read_error(), help="Why there is no result; read-only.")

    def __init__(self, *args: Any, **options: Any) -> None:
        self._announcing = threading.Lock()
        self._announce_again = False
        self._announce_queued = False
        self._told_selection = 0
        self._images_read = LazyImages()
        super().__init__(*args, **options)
        self._run_core.watch(self._queue_announcement)

    @property
    def runs(self) -> tuple[PanelRun, ...]:
        """All runs so far, oldest first, each with its `job`, `values`, `result` and `images`."""
        return tuple(run for run in self._run_core if run.phase != "idle")

    def _read_result(self) -> Result | None:
        return self._run_core.latest_result

    def _read_selected(self) -> list[Any]:
        return self._run_core.opened(self._run_core.marks()["selected"])

    def _read_starred(self) -> list[Any]:
        return self._run_core.opened(self._run_core.marks()["starred"])

    def _read_job(self) -> Job | None:
        run = self._run_core.newest
        return run.job if run is not None else None

    def _read_status(self) -> str:
        run = self._run_core.newest
        if run is None or run.phase == "idle":
            return "idle"
        return run.job.status if run.job is not None else "failed"

    def _read_progress(self) -> Progress:
        job = self._read_job()
        return job.progress if job is not None else Progress()

    def _read_error(self) -> ComfyError | None:
        run = self._run_core.newest
        if run is None or run.job is None:
            return run.refusal if run is not None else None
        return run.job.exception(timeout=0) if run.job.done() else None

    def _read_images(self) -> LazyImages:
        result = self._run_core.latest_result
        if self._images_read.result is not result:
            self._images_read = LazyImages(result)
        return self._images_read

    def _queue_announcement(self) -> None:
        if not self._announce_queued:
            self._announce_queued = True
            worker.submit(self._announce)

    def _announce(self) -> None:
        """Tell observers what has changed; one thread at a time, and what changes meanwhile in another round."""
        self._announce_queued = False
        self._announce_again = True
        while self._announce_again and self._announcing.acquire(blocking=False):
            try:
                self._announce_again = False
                selection = self._run_core.selection
                # Opening images is dear, so this one is told only when it has changed.
                selected = ["selected", "starred"] if selection != self._told_selection else []
                self._told_selection = selection
                for name in (*_ANNOUNCED, *selected):
                    try:
                        announce(self, name)
                    except Exception as error:
                        self._state.warn(f"An observer of {name!r}", error)
            finally:
                self._announcing.release()
