"""What outlives a process: a journal of submitted prompts, and how long node classes take on each server.

Both are small files where the user's platform keeps state (`platformdirs`); ``COMFY_WIDGETS_STATE`` names another
directory, or "off" to keep nothing. Neither holds prompts, pictures or credentials.
"""

from __future__ import annotations

import json
import logging
import os
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TextIO

from ._status import JobStatus

logger = logging.getLogger(__name__)

_KEPT = 1000
_STATUSES = frozenset(status.value for status in JobStatus)
_SAVE_EVERY = 30.0


def state_directory() -> Path | None:
    """Where state is kept; None where nothing is."""
    named = os.environ.get("COMFY_WIDGETS_STATE", "").strip()
    if named.lower() in ("off", "0", "none"):
        return None
    if named:
        return Path(named).expanduser()
    from platformdirs import user_state_path

    return user_state_path("comfy_widgets", appauthor=False)


@dataclass(frozen=True)
class JournalEntry:
    """A prompt that was submitted from this machine.

    Attributes
    ----------
    prompt_id : str
    url : str
        The server, without credentials.
    client_id : str
    submitted_at : float
        Seconds since 1970.
    status : JobStatus
        The last that was known here.
    """

    prompt_id: str
    url: str
    client_id: str
    submitted_at: float
    status: JobStatus = JobStatus.PENDING

    @property
    def ended(self) -> bool:
        """Whether its end was seen here."""
        return self.status.ended


class Journal:
    """The file that names every submitted prompt; lines are only ever added, so processes may share it."""

    def __init__(self, directory: Path | None) -> None:
        self._path = directory / "journal.jsonl" if directory is not None else None
        self._lock = threading.Lock()
        self._stream: TextIO | None = None

    def submitted(self, prompt_id: str, url: str, client_id: str) -> None:
        """Note a prompt, before it is sent."""
        self._write({"prompt_id": prompt_id, "url": url, "client_id": client_id, "submitted_at": time.time()})

    def ended(self, prompt_id: str, status: JobStatus) -> None:
        """Note how it ended."""
        self._write({"prompt_id": prompt_id, "status": status})

    def entries(self) -> list[JournalEntry]:
        """All noted prompts, newest first."""
        found: dict[str, JournalEntry] = {}
        for line in self._lines():
            prompt_id = line.get("prompt_id")
            if not isinstance(prompt_id, str):
                continue
            if "url" in line:
                started = line.get("submitted_at")
                found[prompt_id] = JournalEntry(
                    prompt_id,
                    str(line["url"]),
                    str(line.get("client_id")),
                    started if isinstance(started, (int, float)) else 0.0,
                )
            elif prompt_id in found and line.get("status") in _STATUSES:
                found[prompt_id] = replace(found[prompt_id], status=JobStatus(line["status"]))
        return sorted(found.values(), key=lambda entry: entry.submitted_at, reverse=True)

    def _write(self, line: Mapping[str, Any]) -> None:
        if self._path is None:
            return
        try:
            with self._lock:
                if self._stream is None:
                    self._path.parent.mkdir(parents=True, exist_ok=True)
                    self._shorten()
                    self._stream = self._path.open("a", encoding="utf-8")
                self._stream.write(json.dumps(line) + "\n")
                self._stream.flush()
        except OSError as error:
            # A full or read-only disk must not cost anybody a picture.
            logger.info("the journal cannot be written: %s", error)
            self._path = None

    def _shorten(self) -> None:
        """Keep the newest runs, once per process and only where the file has grown long."""
        assert self._path is not None
        lines = list(self._lines())
        if len(lines) <= 4 * _KEPT:
            return
        kept = "".join(json.dumps(line) + "\n" for line in lines[-2 * _KEPT :])
        fresh = self._path.with_suffix(f".{os.getpid()}.tmp")
        fresh.write_text(kept, encoding="utf-8")
        fresh.replace(self._path)

    def _lines(self) -> Iterator[dict[str, Any]]:
        try:
            text = self._path.read_text(encoding="utf-8") if self._path is not None else ""
        except OSError:
            return
        for line in text.splitlines():
            try:
                value = json.loads(line)
            except ValueError:
                continue
            if isinstance(value, dict):
                yield value


class Timings:
    """Seconds that each node class took on one server: a moving mean, kept across processes."""

    def __init__(self, directory: Path | None, url: str) -> None:
        self._path = directory / "timings.json" if directory is not None else None
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
            if self._path is None or not self._seconds:
                return
            self._saved = time.monotonic()
            everything = self._read()
            everything[self._url] = {name: round(took, 4) for name, took in self._seconds.items()}
            try:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                fresh = self._path.with_suffix(f".{os.getpid()}.tmp")
                fresh.write_text(json.dumps(everything), encoding="utf-8")
                fresh.replace(self._path)
            except OSError as error:
                logger.info("timings cannot be written: %s", error)

    def _known(self) -> dict[str, float]:
        if self._seconds is None:
            mine = self._read().get(self._url)
            entries = mine.items() if isinstance(mine, dict) else ()
            self._seconds = {name: float(took) for name, took in entries if isinstance(took, (int, float))}
        return self._seconds

    def _read(self) -> dict[str, Any]:
        try:
            value = json.loads(self._path.read_text(encoding="utf-8")) if self._path is not None else {}
        except (OSError, ValueError):
            return {}
        return value if isinstance(value, dict) else {}
