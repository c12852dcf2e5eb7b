"""The server as those see it who look after jobs: a few questions, each with a deadline of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from ..protocol import HistoryEntry, Queue
from ..protocol.requests import get
from ._calls import Calls
from ._errors import ComfyError
from ._prompt_routes import PromptRoutes

_CLOCK_ERROR = 5.0
"""Seconds by which a line of the log may seem older than it is."""


class ServerView:
    """What the watch and the tracker ask; each call raises `ServerError` where the server does not answer.

    Parameters
    ----------
    calls : Calls
    process_ended : callable
        Tells whether the server's process is known to have ended.
    """

    def __init__(self, calls: Calls, process_ended: Callable[[], bool]) -> None:
        self._calls = calls
        self.process_ended = process_ended

    def queue(self, seconds: float) -> Queue:
        """What runs and what waits."""
        return self._routes(seconds).queue()

    def history(self, prompt_id: str, seconds: float) -> HistoryEntry | None:
        """What became of a prompt."""
        return self._routes(seconds).history(prompt_id)

    def interrupt(self, prompt_id: str, seconds: float) -> None:
        """Stop a prompt that runs."""
        self._routes(seconds).interrupt(prompt_id)

    def worker_died(self, since: float | None, seconds: float) -> bool:
        """Whether the server's log tells of the end of its worker thread.

        Parameters
        ----------
        since : float or None
            In seconds since 1970: what was logged before is no news. The log has the server's local time, which is
            taken to be ours.
        """
        try:
            body = Calls(self._calls.transport, seconds=self._within(seconds)).json_object(
                get("/internal/logs/raw"), "Reading the log"
            )
        except ComfyError:
            return False
        entries = body.get("entries")
        return _tells_of_death(entries if isinstance(entries, list) else [], since)

    def _routes(self, seconds: float) -> PromptRoutes:
        calls = self._calls
        return PromptRoutes(Calls(calls.transport, calls.client_id, seconds=self._within(seconds)))

    def _within(self, seconds: float) -> float:
        return min(seconds, self._calls.transport.options.read_timeout)


def _tells_of_death(entries: list[Any], since: float | None) -> bool:
    died = False
    for logged, line in _lines(entries):
        if "Exception in thread" in line and "prompt_worker" in line:
            died = since is None or logged is None or logged >= since - _CLOCK_ERROR
        elif line.startswith("Prompt executed in"):
            # Only a worker that lives says so.
            died = False
    return died


def _lines(entries: list[Any]) -> Iterator[tuple[float | None, str]]:
    """The lines of a log and when they began; a line may come in many entries, and an entry may have many lines."""
    began: float | None = None
    line = ""
    for entry in entries:
        if not isinstance(entry, Mapping):
            continue
        for piece in str(entry.get("m", "")).splitlines(keepends=True):
            began = began if line else _time(entry.get("t"))
            line += piece
            if piece.endswith("\n"):
                yield began, line.rstrip("\n")
                line = ""
    if line:
        yield began, line


def _time(text: object) -> float | None:
    try:
        return datetime.fromisoformat(str(text)).timestamp()
    except (ValueError, OverflowError, OSError):
        return None
