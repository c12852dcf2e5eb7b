"""A file of the server straight to disk, in pieces; what has arrived is never thrown away."""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from .._writing import numbered, part_of
from ..protocol import File, requests
from ._calls import Calls
from ._errors import HTTPError, ServerTimeout, ServerUnreachable
from ._failures import Reply

_PAUSES = (0.2, 0.5, 1.0, 2.0, 4.0, 8.0)
"""Seconds between tries in which nothing arrived. A server that restarts, or a network that comes back, takes some."""
_MAX_TRIES = 200
_BUSY = (408, 429, 500, 502, 503, 504)
_MAX_VALIDATOR = 100


class Download:
    """The download of one file.

    Parameters
    ----------
    calls : Calls
    file : File
    gone : callable
        Makes the error for a file that the server does not have.
    sleep : callable
        Waits between tries.
    """

    def __init__(
        self,
        calls: Calls,
        file: File,
        gone: Callable[[File, str], Exception],
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._calls = calls
        self._file = file
        self._gone = gone
        self._sleep = sleep
        self._request = requests.view(file)
        self._validator = ""
        """The ETag, or the date, of what has arrived: by it the server knows whether the rest still fits."""
        self._total = ""
        """The size of the file, as the first answer told it."""

    def to(self, path: Path, *, overwrite: bool) -> Path:
        """Download it, and say where it is.

        Parameters
        ----------
        path : Path
            Without ``overwrite``, a number is added to its name where that is taken by other content.
        overwrite : bool
            Replace the file that is there, once the new one is whole.

        Raises
        ------
        FileGone, ServerError, OSError
            What has arrived is kept beside the file, and the next download goes on from there.
        """
        with self._part(path.parent) as part:
            with part.open("ab") as stream:
                self._fetch(stream)
            return _put(part, path, overwrite=overwrite)

    @contextmanager
    def _part(self, folder: Path) -> Iterator[Path]:
        """A file for what is not yet complete: this download's alone, with what an earlier one left."""
        part = part_of(folder / "download")
        name = f"{self._calls.address.base} {self._file.type}/{self._file.subfolder}/{self._file.filename}"
        key = hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()[:24]
        for kept in folder.glob(f".{key}.*.part"):
            # Only one of several processes can rename it.
            with suppress(OSError):
                kept.rename(part)
                self._validator = base64.urlsafe_b64decode(kept.name.split(".")[2].encode()).decode()
                break
        try:
            yield part
        except BaseException:
            if self._validator and part.is_file() and part.stat().st_size:
                text = base64.urlsafe_b64encode(self._validator.encode()).decode()
                part.replace(folder / f".{key}.{text}.part")
            raise
        finally:
            part.unlink(missing_ok=True)

    def _fetch(self, stream: BinaryIO) -> None:
        fruitless = 0
        for _ in range(_MAX_TRIES):
            before = stream.tell()
            try:
                if self._go_on(stream):
                    return
                error: Exception = ServerUnreachable(f"{self._file.filename} keeps breaking off.")
            except (ServerUnreachable, ServerTimeout, HTTPError) as failed:
                if isinstance(failed, HTTPError) and failed.status not in _BUSY:
                    raise
                error = failed
            fruitless = 0 if stream.tell() > before else fruitless + 1
            # Where nothing ever came, the server is not there at all.
            if fruitless > (len(_PAUSES) if stream.tell() else 1):
                raise error
            self._sleep(_PAUSES[max(0, fruitless - 1)])
        raise error

    def _go_on(self, stream: BinaryIO) -> bool:
        """Ask for what is missing; whether all is here now."""
        at = stream.tell() if self._validator or self._total else _emptied(stream)
        headers = {"Range": f"bytes={at}-"} if at else {}
        if at and self._validator:
            headers["If-Range"] = self._validator
        with self._calls.transport.stream(self._request, headers) as (status, answer, pieces):
            if status == 404:
                raise self._gone(self._file, self._calls.address.base)
            where = answer.get("Content-Range", "")
            if status == 416 and where == f"bytes */{at}":
                return True
            if status == 416 or (status == 206 and not self._follows(where, at)):
                # It is another file by now.
                self._validator = self._total = ""
                return False
            if status >= 400:
                reply = Reply(status, answer, b"", self._calls.address.base)
                path = (
                    self._file.filename if not self._file.subfolder else f"{self._file.subfolder}/{self._file.filename}"
                )
                raise self._calls.transport.failure(reply, f"Fetching {self._file.filename}", path)
            if status != 206:
                _emptied(stream)
                self._validator, self._total = _validator(answer), answer.get("Content-Length", "")
            for piece in pieces:
                stream.write(piece)
            return True

    def _follows(self, where: str, at: int) -> bool:
        """Whether a ``Content-Range`` goes on with what has arrived."""
        return where.startswith(f"bytes {at}-") and (not self._total or where.endswith(f"/{self._total}"))


def _emptied(stream: BinaryIO) -> int:
    stream.seek(0)
    stream.truncate()
    return 0


def _validator(answer: Mapping[str, str]) -> str:
    """What ``If-Range`` takes; empty where the server gives nothing exact."""
    tag = answer.get("ETag", "")
    found = tag if tag.startswith('"') else answer.get("Last-Modified", "")
    return found if found.isascii() and len(found) <= _MAX_VALIDATOR else ""


def _put(part: Path, path: Path, *, overwrite: bool) -> Path:
    if overwrite:
        part.replace(path)
        return path
    for candidate in numbered(path):
        try:
            candidate.open("xb").close()
        except FileExistsError:
            if candidate.is_file() and _same(candidate, part):
                return candidate
            continue
        part.replace(candidate)
        return candidate
    raise AssertionError("numbers do not end")


def _same(one: Path, other: Path) -> bool:
    if one.stat().st_size != other.stat().st_size:
        return False
    with one.open("rb") as left, other.open("rb") as right:
        while block := left.read(1 << 20):
            if block != right.read(1 << 20):
                return False
    return True
