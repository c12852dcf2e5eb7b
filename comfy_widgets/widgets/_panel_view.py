"""Widgets that show a panel, whole or in part: `RunStage`, `RunControls`, and what `ComfyPanel` shares with them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import traitlets

from ..errors import ComfyError
from ._base import Handler
from ._feed import RunFeed
from ._form import FormWidget
from ._form_state import FormState
from ._run_rows import details, differences
from ._run_state import idle
from ._runs import PanelRun, Runs
from ._schema import Cancel, RunRequest, Select, ShowRun, UseRun, WantDetails, WantOriginal, WantRuns

logger = logging.getLogger(__name__)

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
        super().__init__(state, layout=layout, _run=idle(), _part=part, _runs={"rows": [], "shown": 0})
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
            "show": self._on_show,
            "use": self._on_use,
            "details": self._on_details,
            "runs": self._on_runs,
            "select": self._on_select,
            "original": self._on_original,
        }

    @traitlets.observe("_values")
    def _on_form(self, _: object) -> None:
        # What differs from the form is said of each run. Values also come before there is a feed.
        if hasattr(self, "_feed"):
            self._feed.wake()

    def _differences(self, run: PanelRun) -> list[str]:
        return differences(self._state.definitions, run.values, self._state.params.to_dict())

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
                self._state.draw_seeds()
                # The same values once more would give the same images: further runs get seeds of their own.
                self._start(self._state.other_seeds() if index else {})
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

    def _on_select(self, message: Select, buffers: list[memoryview]) -> None:
        run = self._run_core.find(message["run"])
        if run is not None:
            self._run_core.select(run, message["images"])

    def _on_original(self, message: WantOriginal, buffers: list[memoryview]) -> None:
        self._feed.send_original(message)


class RunStage(PanelView):
    """The stage of a panel: the live preview of a run, and then its images. Made by `ComfyPanel.stage`."""


class RunControls(PanelView):
    """The controls of a panel: Run and Cancel, progress, and what went wrong. Made by `ComfyPanel.controls`."""
