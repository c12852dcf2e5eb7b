"""Telling one widget's browser about runs, from the pump's thread."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from ._images import Missing, Shown, original_message, words_of
from ._nodes import no_nodes, nodes_of
from ._pump import pump
from ._run_rows import MAX_ROWS, count_others, row
from ._run_state import idle
from ._wanted import send_wanted

if TYPE_CHECKING:
    from ..protocol import Preview
    from ._panel_run import PanelRun
    from ._runs import Runs
    from ._schema import (
        FilmFrames,
        FilmState,
        HistoryState,
        Images,
        Marks,
        Nodes,
        PreviewFrame,
        RunList,
        RunRow,
        RunState,
        RunThumbnail,
        WantImages,
        WantOriginal,
    )

_WARN_AFTER = 2.0
"""Seconds for which nobody needs to hear that the connection is lost."""
_POLL = 0.5
"""Seconds after which a job is looked at although it told nothing."""
_MAX_BATCH_BYTES = 4 << 20
"""Bytes of images in one message: with more, a browser does nothing else for 0.1 s when it comes."""
_BATCHES = 2
"""Messages with images that leave at once."""
_MIN_BATCH = 12
"""Images that are waited for after the first, while more are made small: so the browser draws less often."""
_MAX_BATCH = 48


class Browser(Protocol):
    """The widget whose browser is told."""

    def set_trait(self, name: str, value: Any) -> None:
        """Set the trait `_run`, which the browser follows."""

    def send(self, content: Any, buffers: Any = None) -> None:
        """Send a message."""


class _PreviewFeed:
    """The previews of a feed: told at a rate of their own, so that no preview waits because a step was told."""

    ending: bool = False

    def __init__(self, tell: Callable[[], object]) -> None:
        self._tell = tell

    def flush(self) -> None:
        """Tell the browser the newest."""
        self._tell()


class RunFeed:
    """Keeps the browser of one widget up to date about runs.

    All that the browser hears of runs leaves from the pump's thread: so the trait `_run` has one writer, and its last
    value is the last one sent.

    Parameters
    ----------
    browser : Browser
    runs : Runs
    previews, images : bool
        Whether the browser wants them.
    differences : callable, optional
        Tells in words what the values of a run have other than the form has now. With it, the traits `_runs`,
        `_marks`, `_film` and `_history` are kept up to date, too.
    """

    def __init__(
        self,
        browser: Browser,
        runs: Runs,
        *,
        previews: bool = True,
        images: bool = True,
        differences: Callable[[PanelRun], Sequence[str]] | None = None,
    ) -> None:
        self._browser = browser
        self._runs = runs
        self._previews = previews
        self._images = images
        self._told: RunState | None = None
        self._rows: RunList | None = None
        # Counts the changes of the form; and rows, each with the form that it was made for.
        self._form = 0
        self._ended_rows: dict[int, tuple[int, RunRow]] = {}
        self._marks: Marks | None = None
        self._film: FilmState | None = None
        self._history: HistoryState | None = None
        self._preview = (0, 0)
        self._sent = (0, 0, -1)
        self._differences = differences
        self._thumbnails: set[int] = set()
        self._chosen: tuple[int, int] | None = None
        self._nodes: Nodes | None = None
        self._lost_since: float | None = None
        self._stopped = False
        self._preview_feed = _PreviewFeed(self._send_newest_preview)
        self._watch(runs)

    @property
    def ending(self) -> bool:
        """Whether a run has ended, but the browser does not know it yet."""
        return self._runs.ending or self._is_behind()

    def follow(self, runs: Runs) -> None:
        """Follow other runs from now on."""
        self._runs.unwatch(self._wake, self._wake_preview)
        self._runs = runs
        self._preview = (0, 0)
        self._sent = (0, 0, -1)
        self._watch(runs)

    def repeat(self) -> None:
        """Send preview and images again, to a page that has missed them."""
        self._preview = (0, 0)
        self._sent = (0, 0, -1)
        self._wake()
        self._wake_preview()

    def repeat_thumbnails(self) -> None:
        """Send the small images of all runs again."""
        self._thumbnails = set()
        self._wake()

    def show(self, number: int | None) -> None:
        """Show the images of one run until the next has images; None for the newest."""
        self._chosen = (number, self._newest) if number is not None else None
        self._wake()

    @property
    def _newest(self) -> int:
        """The number of the newest run that has images; 0 for none."""
        newest = self._runs.shown
        return newest.number if newest is not None else 0

    def follow_nodes(self, wanted: bool) -> None:
        """Keep the trait `_nodes` up to date from now on, or no longer."""
        self._nodes = no_nodes() if wanted else None
        self._wake()

    def stop(self) -> None:
        """Tell the browser nothing more."""
        self._stopped = True
        self._runs.unwatch(self._wake, self._wake_preview)
        pump.drop(self)
        pump.drop(self._preview_feed)

    def wake(self) -> None:
        """Look for what is new after a value of the form has changed."""
        self._form += 1
        self._wake()

    def _watch(self, runs: Runs) -> None:
        runs.watch(self._wake, self._wake_preview)
        self._wake()
        self._wake_preview()

    def _wake(self) -> None:
        if not self._stopped:
            pump.wake(self)

    def _wake_preview(self) -> None:
        # Where there is none, the pump must not count this as one that was told.
        if self._previews and not self._stopped and self._newest_preview() is not None:
            pump.wake(self._preview_feed)

    def flush(self) -> float | None:
        """Tell the browser what is new."""
        runs = self._runs
        if self._stopped:
            return None
        runs.changed()
        run = runs.current
        if run is None:
            more = self._send_images(in_batches=True)
            none_yet = self._look_back(idle(), working=False)
            if self._told is not None or none_yet["chosen"]:
                self._tell(none_yet)
            return 0.0 if self._tell_rows() or more else None
        # Once a run stands as done it stays so, while the last of very many images still come.
        is_told = self._told is not None and (self._told["run"], self._told["phase"]) == (run.number, "done")
        # Read before images are sent, so that it stands as done with those that made it so.
        loaded = run.loaded
        more = self._send_images(in_batches=is_told or not loaded)
        # Read before the state is, so that the state of a job that has ended is its last.
        working = not run.finished
        warnings = self._warnings(working)
        new = runs.state_of(run, loaded=loaded and (is_told or not more), warnings=warnings)
        new["connected"] = not warnings
        self._tell(self._look_back(new, working=working))
        self._tell_nodes(run)
        return 0.0 if self._tell_rows() or more else _POLL if working else None

    def _look_back(self, new: RunState, *, working: bool) -> RunState:
        """Say in a state that the images of an earlier run are shown, if they are."""
        shown = self._shown()
        if self._chosen is not None and shown is not None and shown is not self._runs.shown:
            new["chosen"] = True
            if shown.past is not None:
                new["warnings"] = [*new["warnings"], *shown.warnings]
            if not working:
                new["frame"] = shown.final_frame
        return new

    def _tell(self, new: RunState) -> None:
        if new != self._told:
            self._told = new
            self._browser.set_trait("_run", new)

    def _tell_nodes(self, current: PanelRun) -> None:
        told = self._nodes
        run = current if current.job is not None and not current.finished else self._shown() or current
        if told is None or run.job is None:
            return
        new = nodes_of(run.job, run.number)
        if new != told and self._nodes is told:
            self._nodes = new
            self._browser.set_trait("_nodes", new)

    def _row(self, run: PanelRun, differences: Callable[[PanelRun], Sequence[str]]) -> RunRow:
        """Return the row of a run; of one that has ended, or is of the history, it changes only with the form."""
        # Read first: what is worked out from values that change meanwhile is not kept.
        form = self._form
        kept = self._ended_rows.get(run.number)
        if kept is not None and kept[0] == form:
            return kept[1].copy()
        new = row(run, differences(run))
        if run.finished:
            self._ended_rows[run.number] = form, new
        return new.copy()

    def _tell_rows(self) -> bool:
        """Tell the list of runs, and send a few of their small images; return whether there are more."""
        differences = self._differences
        if differences is None:
            return False
        shown = self._shown()
        known = [run for run in self._runs if run.phase != "idle"][-MAX_ROWS:]
        rows: RunList = {
            "rows": [self._row(run, differences) for run in known],
            "shown": shown.number if shown is not None else 0,
            "past": self._row(shown, differences) if shown is not None and shown.past is not None else None,
        }
        count_others(rows["rows"])
        if rows != self._rows:
            self._rows = rows
            self._browser.set_trait("_runs", rows)
        history = self._runs.host.history
        if history is not None:
            kept = history.state
            kept["version"] += self._form
            if kept != self._history:
                self._history = kept
                self._browser.set_trait("_history", kept)
        film = self._runs.film.state
        if film != self._film:
            self._film = film
            self._browser.set_trait("_film", film)
        marks = self._runs.marks()
        if marks != self._marks:
            self._marks = marks
            self._browser.set_trait("_marks", marks)
        unsent = [run for run in known if run.thumbnail is not None and run.number not in self._thumbnails]
        for run in unsent[:_MAX_BATCH]:
            self._thumbnails.add(run.number)
            message: RunThumbnail = {"kind": "run_thumbnail", "run": run.number, "mime": "image/webp"}
            self._browser.send(message, [run.thumbnail])
        return len(unsent) > _MAX_BATCH

    def _shown(self) -> PanelRun | None:
        newest = self._runs.shown
        if self._chosen is None or self._chosen[1] != self._newest:
            return newest
        return self._runs.find(self._chosen[0]) or newest

    def _is_behind(self) -> bool:
        run, told = self._runs.current, self._told
        if run is None or not run.loaded:
            return False
        return told is None or told["run"] != run.number or told["phase"] == "loading"

    def _warnings(self, working: bool) -> list[str]:
        """A warning while nothing is heard of the server; the client tries again all the while."""
        now = time.monotonic()
        self._lost_since = None if not working or self._runs.host.connected() else self._lost_since or now
        if self._lost_since is None or now - self._lost_since < _WARN_AFTER:
            return []
        return ["No live connection to the server. Trying again."]

    def _newest_preview(self) -> tuple[int, Preview] | None:
        """The number of the run at work, and its newest preview."""
        run = self._runs.current
        job = run.job if run is not None else None
        if run is None or job is None or job.done() or job.preview is None:
            return None
        return run.number, job.preview

    def _send_newest_preview(self) -> None:
        newest = self._newest_preview()
        if self._stopped or newest is None:
            return
        run, preview = newest
        if self._told is None or self._told["run"] != run:
            # A browser that does not know of the run yet would drop its preview.
            self.flush()
        if self._preview != (run, preview.seq):
            self._preview = (run, preview.seq)
            message: PreviewFrame = {"kind": "preview", "run": run, "seq": preview.seq, "mime": preview.mime}
            self._browser.send(message, [preview.image])

    def _send_images(self, *, in_batches: bool) -> bool:
        """Send images that are ready, a few of them only where there will be no more; return whether there are more."""
        run = self._shown() if self._images else None
        if run is None:
            if self._sent[0] != 0:
                # The run of the history that was shown is closed, or gone.
                nothing: Images = {"kind": "images", "run": 0, "total": 0, "items": []}
                self._browser.send(nothing)
                self._sent = (0, 0, -1)
            return False
        number, count, told = self._sent
        if number != run.number:
            count, told = 0, -1
        ready, total = len(run.images), run.expected
        if in_batches and not run.complete and 0 < ready - count < _MIN_BATCH and count:
            return False
        for _ in range(_BATCHES):
            batch = _batch(run.images[count:ready])
            if batch or told != total:
                items = [image.item(count + index) for index, image in enumerate(batch)]
                message: Images = {"kind": "images", "run": run.number, "total": total, "items": items}
                self._browser.send(message, [b"" if image.later else image.content for image in batch])
                count, told = count + len(batch), total
                self._sent = (run.number, count, total)
        return count < ready

    def send_wanted(self, message: WantImages) -> None:
        """Send images that somebody has scrolled to."""

        def find() -> tuple[Sequence[Shown], int] | None:
            run = self._runs.find(message["run"])
            return (run.images, run.expected) if run is not None and not self._stopped else None

        def unreadable(image: Shown) -> None:
            run = self._runs.find(message["run"])
            warnings = words_of([Missing(image.name, "it cannot be read")])
            if run is not None and not set(warnings) <= set(run.warnings):
                run.warnings += warnings
                self._wake()

        send_wanted(message, find, self._browser.send, unreadable)

    def send_film(self) -> None:
        """Send the images of the film, a few in each message."""
        film = self._runs.film.frames()
        if film is None:
            return
        run, frames = film
        start = 0
        while start < len(frames):
            end, size = start, 0
            while end < len(frames) and (end == start or size + len(frames[end][0]) <= _MAX_BATCH_BYTES):
                size += len(frames[end][0])
                end += 1
            message: FilmFrames = {
                "kind": "film",
                "run": run.number,
                "start": start,
                "total": len(frames),
                "mimes": [mime for _, mime in frames[start:end]],
            }
            self._browser.send(message, [image for image, _ in frames[start:end]])
            start = end

    def send_original(self, message: WantOriginal) -> None:
        """Send one image at its full size."""
        run = self._runs.find(message["run"])
        image = run.original(message["index"]) if run is not None else None
        if image is not None:
            answer = original_message(message, image)
            self._browser.send(answer, [image.content])


def _batch(images: Sequence[Shown]) -> list[Shown]:
    """Return the first few: no more than the browser takes at once without a pause; those that come later cost none."""
    batch: list[Shown] = []
    count = size = 0
    for image in images:
        count += not image.later
        size += image.length
        if batch and (size > _MAX_BATCH_BYTES or count > _MAX_BATCH):
            break
        batch.append(image)
    return batch
