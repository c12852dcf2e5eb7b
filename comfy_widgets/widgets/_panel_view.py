"""Widgets that show a panel, whole or in part: `RunStage`, `RunControls`, and what `ComfyPanel` shares with them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import traitlets

from ..errors import ComfyError
from ._feed import RunFeed
from ._film import write
from ._form import FormWidget
from ._nodes import graph_of
from ._pump import worker
from ._run_rows import details, differences, values_of
from ._run_state import idle
from ._stories import Origin, facts, story
from ._stories import differences as told_differences

if TYPE_CHECKING:
    from ._base import Handler
    from ._form_state import FormState
    from ._panel_run import PanelRun
    from ._runs import Runs
    from ._schema import (
        Cancel,
        FilmFile,
        ForgetRun,
        Marks,
        RunNext,
        RunRequest,
        SaveFilm,
        Select,
        ShowRun,
        Star,
        UseImage,
        UseRun,
        WantDetails,
        WantDifferences,
        WantFilm,
        WantGraph,
        WantHistory,
        WantImages,
        WantNodes,
        WantOriginal,
        WantRuns,
        WantStory,
    )

logger = logging.getLogger(__name__)

NO_MARKS: Marks = {"selected": [], "starred": []}

MAX_REPEAT = 100
"""Runs that one press starts at most."""


class PanelView(FormWidget):
    """A widget whose browser shows a form and runs, or a part of both.

    Parameters
    ----------
    state : FormState
        The form, however many widgets show it.
    runs : Runs
        The runs, likewise.
    start : callable
        What Run does; it takes values in place of the form's.
    part : str
        What is shown: "panel" for everything, "stage" or "controls".
    layout : ipywidgets.Layout, optional
        Its size and place.
    """

    _bundle: ClassVar[str] = "panel"

    _run = traitlets.Dict().tag(sync=True)
    _part = traitlets.Unicode().tag(sync=True)
    _runs = traitlets.Dict().tag(sync=True)
    _marks = traitlets.Dict().tag(sync=True)
    _film = traitlets.Dict().tag(sync=True)
    _history = traitlets.Dict().tag(sync=True)
    _nodes = traitlets.Dict().tag(sync=True)

    def __init__(
        self,
        state: FormState,
        runs: Runs,
        start: Callable[[Mapping[str, Any]], object],
        *,
        part: str,
        layout: Any = None,
    ) -> None:
        self._run_core = runs
        self._start = start
        super().__init__(
            state,
            layout=layout,
            _run=idle(),
            _part=part,
            _runs={"rows": [], "shown": 0, "past": None},
            _history={},
            _marks=NO_MARKS,
            _nodes={},
            _film={},
        )
        self._feed = RunFeed(self, runs, differences=self._differences)

    def close(self) -> None:
        """End the widget in the browser, and free what it holds. Jobs go on."""
        # ipywidgets closes a widget whose constructor failed, too.
        if hasattr(self, "_feed"):
            self._feed.stop()
        super().close()

    def _message_handlers(self) -> Mapping[str, Handler]:
        return {
            **super()._message_handlers(),
            "run": self._on_run,
            "cancel": self._on_cancel,
            "next": self._on_next,
            "show": self._on_show,
            "use": self._on_use,
            "details": self._on_details,
            "runs": self._on_runs,
            "nodes": self._on_nodes,
            "graph": self._on_graph,
            "history": self._on_history,
            "forget": self._on_forget,
            "select": self._on_select,
            "star": self._on_star,
            "use_image": self._on_use_image,
            "story": self._on_story,
            "differences": self._on_differences,
            "film": self._on_film,
            "save_film": self._on_save_film,
            "original": self._on_original,
            "images": self._on_images,
        }

    @traitlets.observe("_values")
    def _on_form(self, _: object) -> None:
        # What differs from the form is said of each run. Values also come before there is a feed.
        if hasattr(self, "_feed"):
            self._feed.wake()

    def _differences(self, run: PanelRun) -> list[str]:
        return differences(self._state.definitions, run.values, self._state.params.to_dict(), seeds_of=run.values)

    def _on_hello(self, message: Any, buffers: list[memoryview]) -> None:
        super()._on_hello(message, buffers)
        self._feed.repeat()

    def _on_run(self, message: RunRequest, buffers: list[memoryview]) -> None:
        edit = message["edit"]
        if edit is not None and not self._state.take(edit):
            self._run_core.refuse(self._state.refused_error(), self._state.frame)
            return
        try:
            for index in range(max(1, min(int(message["count"]), MAX_REPEAT))):
                # Twice the same run would give the same images.
                self._start(self._state.seeds.of_its_own() if index else {})
        except ComfyError as error:
            # The panel shows it; raised in a message handler, nobody would see it.
            logger.info("no job came about: %s", error)
        except Exception as error:
            # The browser waits for an answer, whatever happens.
            logger.exception("no job came about")
            failure = ComfyError(f"The run could not start. {type(error).__name__}: {error}")
            self._run_core.refuse(failure, self._state.frame)

    def _on_cancel(self, message: Cancel, buffers: list[memoryview]) -> None:
        number = message["run"]
        run = self._run_core.current if number is None else self._run_core.find(number)
        if run is not None:
            self._run_core.cancel(run)

    def _on_next(self, message: RunNext, buffers: list[memoryview]) -> None:
        run = self._run_core.find(message["run"])
        if run is not None and run.job is not None:
            run.job.move_to_front()

    def _on_show(self, message: ShowRun, buffers: list[memoryview]) -> None:
        self._feed.show(message["run"])

    def _on_use(self, message: UseRun, buffers: list[memoryview]) -> None:
        run = self._run_core.find(message["run"])
        if run is not None:
            self._state.use(run.values)

    def _on_details(self, message: WantDetails, buffers: list[memoryview]) -> None:
        run = self._run_core.find(message["run"])
        if run is not None:
            self.send(details(run, self._state.definitions, self._state.spec["server"]["text"]))

    def _on_runs(self, message: WantRuns, buffers: list[memoryview]) -> None:
        self._feed.repeat_thumbnails()

    def _on_nodes(self, message: WantNodes, buffers: list[memoryview]) -> None:
        self._feed.follow_nodes(message["wanted"])

    def _on_graph(self, message: WantGraph, buffers: list[memoryview]) -> None:
        self.send(graph_of(self._state.workflow, self._state.definitions))

    def _on_history(self, message: WantHistory, buffers: list[memoryview]) -> None:
        history = self._run_core.host.history
        if history is not None:
            self.send(*history.page(message))

    def _on_forget(self, message: ForgetRun, buffers: list[memoryview]) -> None:
        history = self._run_core.host.history
        if history is not None:
            history.forget(message)
            self._run_core.changed()

    def _on_select(self, message: Select, buffers: list[memoryview]) -> None:
        run = self._run_core.find(message["run"])
        if run is not None:
            self._run_core.select(run, message["images"])

    def _on_star(self, message: Star, buffers: list[memoryview]) -> None:
        run = self._run_core.find(message["run"])
        if run is not None:
            self._run_core.star(run, message["images"])

    def _on_use_image(self, message: UseImage, buffers: list[memoryview]) -> None:
        run = self._run_core.find(message["run"])
        image = run.original(message["index"]) if run is not None else None
        if image is not None:
            self._state.files.use_image(message["field"], image.name, image.content)

    def _on_story(self, message: WantStory, buffers: list[memoryview]) -> None:
        origin = self._origin((message["run"], message["index"]))
        if origin is not None:
            self.send(*story(message["run"], message["index"], origin))

    def _on_differences(self, message: WantDifferences, buffers: list[memoryview]) -> None:
        origins = self._origin(message["a"]), self._origin(message["b"])
        self.send(told_differences(message, origins))

    def _on_film(self, message: WantFilm, buffers: list[memoryview]) -> None:
        worker.submit(self._feed.send_film)

    def _on_save_film(self, message: SaveFilm, buffers: list[memoryview]) -> None:
        form = "webp" if message["form"] == "webp" else "gif"
        # Making it takes its time, in which the kernel does other things.
        worker.submit(lambda: self._send_film_file(message["run"], form, min(60.0, max(0.5, float(message["fps"])))))

    def _send_film_file(self, number: int, form: str, fps: float) -> None:
        film = self._run_core.film.frames()
        answer: FilmFile = {
            "kind": "film_file",
            "run": number,
            "name": f"run_{number}.{form}",
            "mime": f"image/{form}",
            "error": "",
        }
        content = b""
        try:
            if film is None or film[0].number != number:
                raise ValueError("The previews of this run are not kept any more.")
            content = write([image for image, _ in film[1]], form, fps)
        except Exception as error:
            answer["error"] = str(error)
        self.send(answer, [content])

    def _origin(self, place: tuple[int, int]) -> Origin | None:
        """Return where an image comes from, named by the number of its run and its index."""
        run = self._run_core.find(place[0])
        image = run.original(place[1]) if run is not None else None
        if run is None or image is None:
            return None
        server = run.past.server if run.past is not None else self._state.spec["server"]["text"]
        details = [*values_of(run, self._state.definitions), *facts(run.result, image.size, image.name, server)]
        return Origin(image.content, image.caption, run.result, details, usable=True)

    def _on_images(self, message: WantImages, buffers: list[memoryview]) -> None:
        self._feed.send_wanted(message)

    def _on_original(self, message: WantOriginal, buffers: list[memoryview]) -> None:
        self._feed.send_original(message)


class RunStage(PanelView):
    """The stage of a panel: the live preview of a run, and then its images. Made by `ComfyPanel.stage`."""


class RunControls(PanelView):
    """The controls of a panel: Run and Cancel, progress, and what went wrong. Made by `ComfyPanel.controls`."""
