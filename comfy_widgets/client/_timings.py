"""How long node classes take on each server."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ._state import StateFile, parse, seconds

logger = logging.getLogger(__name__)

_SAVE_EVERY = 30.0
_KEPT = 100
"""Servers: the embedded engine is another one, by its port, each time it is started."""


class Timings:
    """Seconds that each node class took on one server: a moving mean, kept across processes.

    Parameters
    ----------
    directory : Path or None
        Where they are kept; None keeps them in memory only.
    url : str
        The server.
    """

    def __init__(self, directory: Path | None, url: str) -> None:
        self._file = StateFile(directory / "timings.json") if directory is not None else None
        self._url = url
        self._lock = threading.Lock()
        self._seconds: dict[str, float] | None = None
        self._saved = time.monotonic()

    def get(self, class_type: str) -> float | None:
        """What it took before; None where it is not known."""
        with self._lock:
            return self._known().get(class_type)

    def learn(self, classes: Mapping[str, str], durations: Mapping[str, float]) -> None:
        """Take in what the nodes of a job took; both by node id."""
        with self._lock:
            known = self._known()
            for node, took in durations.items():
                name = classes.get(node)
                if name:
                    known[name] = 0.5 * (known.get(name, took) + took)
            due = time.monotonic() - self._saved > _SAVE_EVERY
        if due:
            self.save()

    def save(self) -> None:
        """Write to disk; other servers' and other processes' entries stay."""
        with self._lock:
            if self._file is None or not self._seconds:
                return
            self._saved = time.monotonic()
            mine = {name: round(took, 4) for name, took in self._seconds.items()}
            try:
                with self._file.locked():
                    everything = _read(self._file)
                    # The newest stands last, and the oldest go.
                    everything.pop(self._url, None)
                    everything[self._url] = mine
                    newest = dict(list(everything.items())[-_KEPT:])
                    self._file.replace(json.dumps(newest).encode())
            except OSError as error:
                logger.info("timings cannot be written: %s", error)

    def _known(self) -> dict[str, float]:
        if self._seconds is None:
            mine = _read(self._file).get(self._url) if self._file is not None else None
            entries = mine.items() if isinstance(mine, dict) else ()
            self._seconds = {name: took for name, value in entries if (took := seconds(value)) is not None}
        return self._seconds


def _read(file: StateFile) -> dict[str, Any]:
    try:
        content = file.read()
    except OSError as error:
        logger.info("timings cannot be read: %s", error)
        return {}
    if not content:
        return {}
    try:
        value = parse(content)
    except ValueError:
        file.set_aside("cannot be read")
        return {}
    return value if isinstance(value, dict) else {}
