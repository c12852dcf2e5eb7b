"""The journal: every prompt that was submitted from this machine, and how it ended."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ._state import StateFile, parse, seconds, tell
from ._status import JobStatus

logger = logging.getLogger(__name__)

_KEPT = 1000
_MAX_LINES = 4 * _KEPT
_MAX_BYTES = 1 << 20
"""It is shortened to the newest runs when a process begins with more lines, or has made it longer than this."""
_MAX_ID = 200
_STATUSES = frozenset(status.value for status in JobStatus)


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
    """One file for all processes: each adds lines to it, and shortens it only while no other does.

    Parameters
    ----------
    directory : Path or None
        Where it is kept; None keeps nothing.
    """

    def __init__(self, directory: Path | None) -> None:
        self._file = StateFile(directory / "journal.jsonl") if directory is not None else None
        self._first = True

    def submitted(self, prompt_id: str, url: str, client_id: str) -> None:
        """Note a prompt, before it is sent."""
        self._add({"prompt_id": prompt_id, "url": url, "client_id": client_id, "submitted_at": time.time()})

    def ended(self, prompt_id: str, status: JobStatus) -> None:
        """Note how it ended."""
        self._add({"prompt_id": prompt_id, "status": status})

    def entries(self) -> list[JournalEntry]:
        """All noted prompts, newest first; what cannot be read is left out."""
        if self._file is None:
            return []
        try:
            content = self._file.read()
            lines, damaged = _lines(content)
            if damaged:
                lines = self._mended()
        except OSError as error:
            logger.info("the journal cannot be read: %s", error)
            return []
        return sorted(_entries(lines), key=lambda entry: entry.submitted_at, reverse=True)

    def _add(self, line: Mapping[str, Any]) -> None:
        if self._file is None:
            return
        try:
            with self._file.locked() as alone:
                self._file.append(json.dumps(line).encode())
                if alone and self._long(self._file):
                    self._shorten(self._file)
        except OSError as error:
            # A full or read-only disk must not cost anybody an image.
            logger.info("the journal cannot be written: %s", error)
            self._file = None

    def _long(self, file: StateFile) -> bool:
        first, self._first = self._first, False
        return file.path.stat().st_size > _MAX_BYTES or (first and file.read().count(b"\n") > _MAX_LINES)

    def _shorten(self, file: StateFile) -> None:
        lines, _ = _lines(file.read())
        newest = sorted(_entries(lines), key=lambda entry: entry.submitted_at)[-_KEPT:]
        file.replace(b"".join(json.dumps(vars(entry)).encode() + b"\n" for entry in newest))

    def _mended(self) -> list[dict[str, Any]]:
        """The lines that can be read; the others are set aside with the file that they are in."""
        assert self._file is not None
        with self._file.locked():
            # Another process may have written, or mended it, meanwhile.
            content = self._file.read()
            lines, damaged = _lines(content)
            if damaged:
                aside = self._file.path.with_name("journal.damaged.jsonl")
                aside.write_bytes(content)
                self._file.replace(b"".join(json.dumps(line).encode() + b"\n" for line in lines))
                tell(f"{damaged} lines of {self._file.path} cannot be read. They were set aside in {aside.name}.")
            return lines


def _lines(content: bytes) -> tuple[list[dict[str, Any]], int]:
    """The lines that can be read, and how many cannot; a last line without an end is still being written."""
    found: list[dict[str, Any]] = []
    damaged = 0
    *whole, last = content.split(b"\n")
    for number, line in enumerate([*whole, last]):
        if not line.strip():
            continue
        try:
            value = parse(line)
        except ValueError:
            damaged += number < len(whole)
            continue
        if isinstance(value, dict):
            found.append(value)
        else:
            damaged += 1
    return found, damaged


def _entries(lines: Iterable[Mapping[str, Any]]) -> list[JournalEntry]:
    found: dict[str, JournalEntry] = {}
    for line in lines:
        prompt_id, url, status = line.get("prompt_id"), line.get("url"), line.get("status")
        if not isinstance(prompt_id, str) or not 0 < len(prompt_id) <= _MAX_ID or not _is_text(prompt_id):
            continue
        if isinstance(url, str):
            started = seconds(line.get("submitted_at")) or 0.0
            found[prompt_id] = JournalEntry(prompt_id, url, str(line.get("client_id")), started)
        if prompt_id in found and isinstance(status, str) and status in _STATUSES:
            found[prompt_id] = replace(found[prompt_id], status=JobStatus(status))
    return list(found.values())


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
