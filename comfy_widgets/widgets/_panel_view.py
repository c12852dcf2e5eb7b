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
from ._run_state import idle
from ._runs import Runs
from ._schema import Cancel, RunRequest, WantOriginal

logger = logging.getLogger(__name__)


class PanelView(FormWidget):
    """A widget whose browser shows a form and runs, or a part of both.

    Parameters
    ----------
    state : FormState
        The form, however many widgets show it.
    runs : Runs
        The runs, likewise.
    start : callable
        What Run does.
    part : str
        What is shown: "panel" for everything, "stage" or "controls".
    layout : ipywidgets.Layout, optional
        Its size and place.
    """

    _bundle: ClassVar[str] = "panel"

    _run = traitlets.Dict().tag(sync=True)
    _part = traitlets.Unicode().tag(sync=True)

    def __init__(
        self, state: FormState, runs: Runs, start: Callable[[], object], *, part: str, layout: Any = None
    ) -> None:
        self._runs = runs
        self._start = start
        super().__init__(state, layout=layout, _run=idle(), _part=part)
        self._feed = RunFeed(self, runs)

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
            "original": self._on_original,
        }

    def _on_hello(self, message: Any, buffers: list[memoryview]) -> None:
        super()._on_hello(message, buffers)
        self._feed.repeat()

    def _on_run(self, message: RunRequest, buffers: list[memoryview]) -> None:
        edit = message["edit"]
        if edit is not None and not self._state.take(edit):
            return
        try:
            self._state.draw_seeds()
            self._start()
        except ComfyError as error:
            # The panel shows it; raised in a message handler, nobody would see it.
            logger.info("no job came about: %s", error)
        except Exception as error:
            # The browser waits for an answer, whatever happens.
            logger.exception("no job came about")
            failure = ComfyError(f"The run could not start. {type(error).__name__}: {error}")
            self._runs.refuse(failure, self._state.frame)

    def _on_cancel(self, message: Cancel, buffers: list[memoryview]) -> None:
        run = self._runs.current
        if run is not None and run.job is not None:
            run.job.cancel()

    def _on_original(self, message: WantOriginal, buffers: list[memoryview]) -> None:
        self._feed.send_original(message)


class RunStage(PanelView):
    """The stage of a panel: the live preview of a run, and then its images. Made by `ComfyPanel.stage`."""


class RunControls(PanelView):
    """The controls of a panel: Run and Cancel, progress, and what went wrong. Made by `ComfyPanel.controls`."""
