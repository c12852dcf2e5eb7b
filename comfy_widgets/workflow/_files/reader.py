"""Bounded reading: what every container reader stands on."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from functools import partial
from typing import IO, Any, TypeAlias

MAX_BYTES = 32 * 2**20
"""How much is read and unpacked of one file, in all. Real workflows are below 2 MB."""

MAX_STEPS = 100_000
"""How many parts of one file are visited, in all. Videos of an hour have some thousands before their texts."""

Texts: TypeAlias = "Iterator[tuple[str, Callable[[], str]]]"
"""Keys and how to get at their texts: nothing is unpacked or decoded that nobody wants."""


class Broken(Exception):
    """The container ends too early or contradicts itself; the text says how, as the end of a sentence."""


class Reader:
    """Random access to a seekable stream that never reads past its end, nor more than the budget of a file.

    Parameters
    ----------
    stream : binary file
        Seekable.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.size = stream.seek(0, os.SEEK_END)
        self._steps = 0
        self._bytes = 0

    def at(self, offset: int, count: int) -> bytes:
        """Return exactly `count` bytes from `offset`, or raise `Broken`."""
        self.step()
        if offset < 0 or count < 0 or offset + count > self.size:
            raise Broken("it is cut off")
        self.spend(count)
        self._stream.seek(offset)
        data = self._stream.read(count)
        if len(data) != count:
            raise Broken("it is cut off")
        return data

    def upto(self, offset: int, count: int) -> bytes:
        """Return at most `count` bytes from `offset`."""
        return self.at(offset, max(0, min(count, self.size - offset)))

    def step(self, count: int = 1) -> None:
        """Count visited parts; raise `Broken` where there are too many."""
        self._steps += count
        if self._steps > MAX_STEPS:
            raise Broken("it consists of too many parts")

    @property
    def bytes_left(self) -> int:
        """How many bytes may still be read or unpacked."""
        return MAX_BYTES - self._bytes

    def spend(self, count: int) -> None:
        """Count bytes that were read or unpacked; raise `Broken` where there are too many."""
        if count > self.bytes_left:
            raise Broken(f"it has more than {MAX_BYTES // 2**20} MB of texts")
        self._bytes += count


def decode(data: bytes) -> str:
    """Decode a text that should be UTF-8 and, where it is not, is taken for Latin-1."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def decode_utf16(data: bytes, codec: str, reader: Reader) -> str:
    """Decode UTF-16; half characters in it become replacement characters."""
    try:
        return data.decode(codec)
    except UnicodeDecodeError:
        # Python replaces them one by one, and slowly.
        reader.step(len(data) // 16)
        return data.decode(codec, "replace")


def texts_in(value: Any) -> Texts:
    """Yield the entries of a metadata object as texts, whether they are JSON objects or texts of JSON."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield key, partial(_as_text, item)


def _as_text(item: Any) -> str:
    return item if isinstance(item, str) else json.dumps(item)
