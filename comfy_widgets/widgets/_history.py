"""The history of a panel: runs that a folder keeps, of this kernel and of earlier ones."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import ComfyError
from ..experiments import PastRun, RunHistory
from ._panel_run import PanelRun
from ._run_rows import differences
from ._stories import details_of

if TYPE_CHECKING:
    from ._form_state import FormState
    from ._schema import ForgetRun, HistoryPage, HistoryRow, HistoryState, Phase, WantHistory

logger = logging.getLogger(__name__)

MAX_PAGE = 120
"""Runs that one message tells of."""
_MAX_RECALLED = 4
"""Runs of the folder whose images are kept at hand: the one that is shown, and a few that were."""
_MAX_PROMPT = 300
_PHASES: dict[str, Phase] = {"completed": "done", "cancelled": "cancelled"}


class PanelHistory:
    """What a panel does with the folder that keeps its runs.

    Parameters
    ----------
    folder : str or Path
    form : FormState
        The form that the values of runs are compared with.

    Raises
    ------
    ExperimentError
        The folder cannot be used.
    ValueError
        `folder` is none.

    Attributes
    ----------
    kept : RunHistory
        The runs in the folder.
    """

    def __init__(self, folder: str | Path, form: FormState) -> None:
        if not isinstance(folder, (str, os.PathLike)) or not os.fspath(folder).strip():
            raise ValueError(f'history is {folder!r}, but must be a folder, such as history="runs".')
        self.kept: RunHistory = RunHistory(folder)
        self._form = form
        self._total = len(self.kept)
        self._version = 0
        self._numbers: dict[str, int] = {}
        self._recalled: OrderedDict[int, PanelRun] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def state(self) -> HistoryState:
        """The trait `_history`."""
        return {"folder": self.kept.folder.name, "total": self._total, "version": self._version}

    @property
    def recalled(self) -> Iterable[PanelRun]:
        """The runs of the folder that were looked at last."""
        with self._lock:
            return [*self._recalled.values()]

    def keep(self, run: PanelRun, title: str) -> None:
        """Keep a run that has ended. What keeps it from that is told in the form; the run is as good without it."""
        result = run.shown_result
        if result is None or run.job is None or (result.status == "cancelled" and not run.images):
            return
        error = run.job.exception(timeout=0)
        try:
            number = self.kept.add(
                result,
                title=title,
                started=run.created,
                finished=time.time(),
                values=run.values,
                details=[
                    (one["label"], one["value"], one["group"]) for one in details_of(self._form.definitions, run.values)
                ],
                count=len(run.images),
                error=str(error) if error is not None and result.status != "cancelled" else "",
                server=self._form.spec["server"]["text"],
            )
            self._numbers[result.prompt_id] = number
            if run.starred:
                self.kept.star(number, run.starred)
            self._changed()
        except ComfyError as failure:
            self._form.warn("Keeping this run in the history", failure)

    def star(self, run: PanelRun) -> None:
        """Keep which images of a run have a star."""
        number = -run.number
        if run.job is not None:
            # One that has not ended yet is kept with its stars.
            number = self._numbers.get(run.job.prompt_id, 0)
        if number > 0:
            try:
                self.kept.star(number, run.starred)
                self._changed()
            except ComfyError as failure:
                self._form.warn("Keeping a star in the history", failure)

    def recall(self, number: int) -> PanelRun | None:
        """Return a run of the folder as one of the panel's; its number is negative."""
        with self._lock:
            run = self._recalled.get(number) or self._read(number)
            if run is not None:
                self._recalled[number] = run
                self._recalled.move_to_end(number)
                while len(self._recalled) > _MAX_RECALLED:
                    self._recalled.popitem(last=False)
            return run

    def _read(self, number: int) -> PanelRun | None:
        try:
            past = self.kept.find(-number)
            return _as_run(past, self._form) if past is not None else None
        except ComfyError as failure:
            self._form.warn("Reading the history", failure)
            return None

    def forget(self, message: ForgetRun) -> None:
        """Remove a run from the folder."""
        number = message["run"]
        try:
            self.kept.remove(-number)
        except ComfyError as failure:
            self._form.warn("Removing a run from the history", failure)
            return
        with self._lock:
            self._recalled.pop(number, None)
        self._changed()

    def page(self, message: WantHistory) -> tuple[HistoryPage, list[bytes]]:
        """Return the rows that a browser has asked for, and their small images."""
        start, count = max(0, int(message["start"])), max(1, min(int(message["count"]), MAX_PAGE))
        text, starred = str(message["text"]), bool(message["starred"])
        answer: HistoryPage = {
            "kind": "history",
            "text": text,
            "starred": starred,
            "start": start,
            "total": 0,
            "rows": [],
            "error": "",
        }
        try:
            runs = self.kept.page(start, count, text, starred=starred)
            answer["total"] = self.kept.count(text, starred=starred)
            covers = self.kept.covers(runs)
            if not text and not starred:
                # Other kernels add to the folder, too.
                self._total = answer["total"]
        except ComfyError as failure:
            answer["error"] = str(failure)
            return answer, []
        now = self._form.params.to_dict()
        answer["rows"] = [self._row(run, now, cover=run.number in covers) for run in runs]
        return answer, [covers[run.number] for run in runs if run.number in covers]

    def _row(self, run: PastRun, now: Mapping[str, Any], *, cover: bool) -> HistoryRow:
        name = self._prompt_of(run)
        rest = {other: value for other, value in now.items() if other != name}
        return {
            "run": -run.number,
            "title": run.title if run.title != self._form.spec["title"] else "",
            "prompt": " ".join(str(run.values[name]).split())[:_MAX_PROMPT] if name is not None else "",
            "phase": _phase(run),
            "started": run.started,
            "count": run.count,
            "differs": differences(self._form.definitions, run.values, rest, seeds_of=run.values),
            "error": run.error.split("\n")[0],
            "starred": bool(run.starred),
            "cover": cover,
        }

    def _prompt_of(self, run: PastRun) -> str | None:
        """Return the name of the first text of the form that the run has."""
        for name, param in self._form.definitions.items():
            if param.kind == "text" and param.primary and str(run.values.get(name, "")).strip():
                return name
        return None

    def _changed(self) -> None:
        self._total = len(self.kept)
        self._version += 1

    def close(self) -> None:
        """Let go of the folder."""
        self.kept.close()


def _phase(run: PastRun) -> Phase:
    return _PHASES.get(run.status, "failed")


def _as_run(past: PastRun, form: FormState) -> PanelRun:
    return PanelRun(
        -past.number,
        form.frame,
        phase=_phase(past),
        values=past.values,
        created=past.started,
        past=past,
        past_result=past.result,
        starred=[*past.starred],
    )
