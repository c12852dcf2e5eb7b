"""The runs of one widget: which there are, which is shown, and what is done when one ends."""

from __future__ import annotations

import logging
import threading
import time
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from . import _run_state as state
from ._film import NewestFilm
from ._images import FIRST, Missing, marked, shown, words_of
from ._lazy_images import LazyImages
from ._panel_run import PanelRun
from ._pump import worker
from ._small import thumbnail

if TYPE_CHECKING:
    from PIL.Image import Image

    from ..client import Job, Result
    from ..errors import ComfyError
    from ..protocol import Preview
    from ._history import PanelHistory
    from ._schema import Frame, Marks, Phase, RunState

logger = logging.getLogger(__name__)

_THUMBNAIL_SIZE = 192


class Host:
    """What runs ask of the widget that they belong to. These answers suit a widget without a form."""

    def fields(self) -> Mapping[state.Place, state.FieldName]:
        """Return the form's fields by node id and input name."""
        return {}

    def connected(self) -> bool:
        """Tell whether progress can come at all."""
        return True

    def run_ended(self, run: PanelRun) -> None:
        """Do what a run's end causes; slow work may be done here."""

    @property
    def history(self) -> PanelHistory | None:
        """The history that the runs are kept in."""
        return None


class Runs:
    """The runs of one widget.

    Parameters
    ----------
    host : Host
    images : bool
        Whether images are loaded when a run ends.
    together : bool
        Whether the state of all of them is told as that of one.

    Attributes
    ----------
    selection : int
        Counts how often images were selected or starred in the browser.
    film : NewestFilm
        The previews of the newest run that had any.
    """

    def __init__(self, host: Host | None = None, *, images: bool = True, together: bool = False) -> None:
        self.host: Host = host or Host()
        self.selection: int = 0
        self._images = images
        self._together = together
        self._lock = threading.Lock()
        self._runs: list[PanelRun] = []
        self._count = 0
        self._latest: PanelRun | None = None
        self._listeners: list[Callable[[], object]] = []
        self._preview_listeners: list[Callable[[], object]] = []
        self._subscriptions: dict[PanelRun, list[Callable[[], object]]] = {}
        self.film: NewestFilm = NewestFilm()
        self._closed = False

    # Reading

    def __iter__(self) -> Iterator[PanelRun]:
        with self._lock:
            return iter([*self._runs])

    @property
    def current(self) -> PanelRun | None:
        """The run at work; while there is none, the first that waits; else the newest that has ended."""
        open_runs = [(run, run.job) for run in self if run.job is not None and not run.loaded]
        for run, job in open_runs:
            if job.status != "pending":
                return run
        return open_runs[0][0] if open_runs else self._latest

    @property
    def newest(self) -> PanelRun | None:
        """The run that was started last."""
        with self._lock:
            return self._runs[-1] if self._runs else None

    @property
    def shown(self) -> PanelRun | None:
        """The newest run that has images; they stay in the browser when a later run gives none."""
        with self._lock:
            return next((run for run in reversed(self._runs) if run.images), None)

    @property
    def latest_result(self) -> Result | None:
        """What the newest job that has ended left."""
        ended = [run.job for run in self if run.job is not None and run.job.done()]
        return state.result_of(ended[-1]) if ended else None

    @property
    def ending(self) -> bool:
        """Whether a job has ended, and what that causes is not done yet."""
        return any(run.job is not None and run.job.done() and not run.finished for run in self)

    def find(self, number: int) -> PanelRun | None:
        """Return the run of this number; negative ones are those of the history."""
        if number < 0:
            return self._recall(number)
        return next((run for run in self if run.number == number), None)

    def _recall(self, number: int) -> PanelRun | None:
        history = self.host.history
        run = history.recall(number) if history is not None else None
        if run is not None and not run.ending:
            run.ending = True
            steps = self._take_in(run)
            worker.submit(lambda: self._step(steps))
        return run

    def state_of(self, run: PanelRun, *, loaded: bool, warnings: Sequence[str] = ()) -> RunState:
        """Return what the browser shows of a run; with `loaded`, it has all of its images."""
        found = self._state_of(run, loaded, warnings)
        return state.together([one.job for one in self if one.job is not None], found) if self._together else found

    def _state_of(self, run: PanelRun, loaded: bool, warnings: Sequence[str]) -> RunState:
        if run.refusal is not None:
            return state.refused(run.refusal, run.number, run.frame, self.host.fields(), phase=run.phase)
        if run.job is None:
            return state.idle(run.frame)
        if run.abandoned:
            return state.abandoned(run.job, run.number, run.frame)
        if not loaded:
            working = state.working(run.job, run.number, run.frame, [*run.warnings, *warnings])
            newest = self.newest
            if newest is not None and newest.refusal is not None:
                # This one goes on, but the next did not come about.
                working["error"] = state.describe(newest.refusal, self.host.fields())
            return working
        images = run.images if self._images and run.complete else None
        return state.ended(
            run.job,
            run.number,
            run.final_frame,
            self.host.fields(),
            result=run.shown_result,
            images=images,
            warnings=run.warnings,
        )

    # Changing

    def start(
        self, job: Job, frame: Frame, values: Mapping[str, Any] | None = None, outputs: tuple[str, ...] = ()
    ) -> PanelRun:
        """Add a job that was just submitted, or any other; of these nodes the outputs are shown, or of all."""
        run = self._add(frame, job=job, values=values or {}, outputs=outputs)
        me = weakref.ref(self)

        def seen(preview: Preview) -> None:
            runs = me()
            if runs is not None:
                runs.film.of(run).add(preview)
                runs._tell_preview()

        def heard(_: object) -> None:
            runs = me()
            if runs is not None:
                runs.changed()

        listening: list[Callable[[], object]] = [
            job.on("progress", heard).cancel,
            job.on("status", heard).cancel,
            job.on("preview", seen).cancel,
        ]
        with self._lock:
            self._subscriptions[run] = listening
        job.add_done_callback(heard)
        self.changed()
        return run

    def refuse(self, error: ComfyError, frame: Frame, phase: Phase = "failed") -> PanelRun:
        """Add a run of which no job came about, or will come about."""
        run = self._add(frame, refusal=error, phase=phase, loaded=True, finished=True)
        self.changed()
        return run

    def select(self, run: PanelRun, indices: Sequence[int]) -> None:
        """Take these images of a run as selected, in place of those that were."""
        run.selected = marked(indices, len(run.images))
        self.selection += 1
        self.changed()

    def star(self, run: PanelRun, indices: Sequence[int]) -> None:
        """Take these images of a run as starred, in place of those that were."""
        run.starred = marked(indices, len(run.images))
        if self.host.history is not None:
            self.host.history.star(run)
        self.selection += 1
        self.changed()

    def marks(self) -> Marks:
        """Return which images of all runs are selected and starred."""
        history = self.host.history
        runs = [*(history.recalled if history is not None else ()), *self]
        return {
            "selected": [(run.number, index) for run in runs for index in run.selected],
            "starred": [(run.number, index) for run in runs for index in run.starred],
        }

    def opened(self, places: Iterable[tuple[int, int]]) -> list[Image]:
        """Open images of any runs, each named by the number of its run and its index."""
        found = []
        for number, index in places:
            run = self.find(number)
            result = run.shown_result if run is not None else None
            if run is not None and result is not None and run.images[index].mime.startswith("image/"):
                found.append(LazyImages(result).at(run.images[index].source))
        return found

    def cancel(self, run: PanelRun) -> bool:
        """Cancel a run; where that was asked for already, or the server is not heard, wait for it no longer.

        Returns
        -------
        bool
            False where it has ended.
        """
        job = run.job
        if job is None or job.done():
            return False
        if job.progress.phase == "cancelling" or not self.host.connected():
            run.abandoned = run.loaded = True
            with self._lock:
                self._latest = run
        job.cancel()
        self.changed()
        return True

    def _add(self, frame: Frame, **options: Any) -> PanelRun:
        with self._lock:
            # What is told before the first run is none.
            is_notice = options.get("phase") == "idle"
            self._count += not is_notice
            run = PanelRun(0 if is_notice else self._count, frame, **options)
            self._runs.append(run)
            if run.finished:
                self._latest = run
            return run

    def clear(self) -> None:
        """Forget all runs. Their jobs go on."""
        with self._lock:
            subscriptions, self._subscriptions = self._subscriptions, {}
            self._runs, self._latest = [], None
        self.film.clear()
        for cancel in (cancel for listening in subscriptions.values() for cancel in listening):
            cancel()
        self.changed()

    @property
    def closed(self) -> bool:
        """Whether nobody follows them any more."""
        return self._closed

    def close(self) -> None:
        """Forget all runs and listeners. What is being done for one of them is waited for."""
        self._closed = True
        with self._lock:
            self._listeners = []
            self._preview_listeners = []
        self.clear()
        worker.wait()

    def watch(self, listener: Callable[[], object], preview: Callable[[], object] | None = None) -> None:
        """Call ``listener`` when something has changed, ``preview`` when a preview has come; neither may wait."""
        with self._lock:
            self._listeners.append(listener)
            if preview is not None:
                self._preview_listeners.append(preview)

    def unwatch(self, *listeners: Callable[[], object]) -> None:
        """Call these no more."""
        with self._lock:
            self._listeners = [known for known in self._listeners if known not in listeners]
            self._preview_listeners = [known for known in self._preview_listeners if known not in listeners]

    def _tell_preview(self) -> None:
        with self._lock:
            listeners = [*self._preview_listeners]
        for listener in listeners:
            listener()

    def changed(self) -> None:
        """Tell the listeners, and begin the end of jobs that have ended. From any thread."""
        if self._closed:
            return
        for run in self:
            if run.job is not None and run.job.done():
                self._begin_end(run)
        with self._lock:
            listeners = [*self._listeners]
        for listener in listeners:
            listener()

    # The end of a run

    def _begin_end(self, run: PanelRun) -> None:
        with self._lock:
            if run.ending:
                return
            run.ending = True
            listening = self._subscriptions.pop(run, [])
        for cancel in listening:
            cancel()
        steps = self._end(run)
        worker.submit(lambda: self._step(steps))

    def wait_loaded(self, timeout: float = 60.0) -> None:
        """Wait until the images of all jobs that have ended are loaded; not where the worker's own thread asks."""
        self.changed()
        until = time.monotonic() + timeout
        while not self._closed and not worker.is_here and (left := until - time.monotonic()) > 0:
            if not any(run.job is not None and run.job.done() and not run.complete for run in self):
                return
            worker.wait(left)

    def _step(self, steps: Iterator[None]) -> None:
        """Do a part of the work and queue the rest, so that other widgets get their turn."""
        until = time.monotonic() + 0.05
        while not self._closed:
            if next(steps, self) is self:
                return
            if time.monotonic() > until:
                worker.submit(lambda: self._step(steps))
                return

    def _end(self, run: PanelRun) -> Iterator[None]:
        try:
            if self._images:
                yield from self._load(run)
            run.complete = True
            self._settle(run)
            yield
            if run.images and run.images[0].mime.startswith("image/"):
                run.thumbnail = thumbnail(run.images[0].content, _THUMBNAIL_SIZE)
                self.changed()
                yield
            self.host.run_ended(run)
        finally:
            run.loaded = run.complete = run.finished = True
            self.changed()

    def _take_in(self, run: PanelRun) -> Iterator[None]:
        """Load the images of a run of the history."""
        yield from self._load(run)
        run.loaded = run.complete = run.finished = True
        self.changed()

    def _settle(self, run: PanelRun) -> None:
        """Show a run as ended: its images are there, or those that are seen first."""
        with self._lock:
            latest = self._latest
            # Whichever has its images first, the newest run stays.
            if run in self._runs and not run.abandoned and (latest is None or latest.number < run.number):
                self._latest = run
            run.loaded, run.abandoned = True, False
        self.changed()

    def _load(self, run: PanelRun) -> Iterator[None]:
        missing: list[Missing] = []
        try:
            result = run.shown_result
            for one in shown(result, later=True) if result is not None else ():
                if isinstance(one, Missing):
                    missing.append(one)
                else:
                    run.images.append(one)
                    if len(run.images) == FIRST:
                        self._settle(run)
                    else:
                        self.changed()
                yield
        except Exception as error:
            logger.exception("the images of a run could not be loaded")
            run.warnings.append(f"The images could not be shown: {error}")
        run.warnings += words_of(missing)
