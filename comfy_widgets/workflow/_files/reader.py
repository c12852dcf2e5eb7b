"""Bounded reading: what every container reader stands on."""

from __future__ import annotations

import json
import os
from typing import IO, Any

MAX_TEXT = 32 * 2**20
"""The longest text that is taken out of a container. Real ones are below 2 MB."""

MAX_STEPS = 400_000
"""How many parts of a container are visited before it counts as broken."""


class Broken(Exception):
    """The container ends too early or contradicts itself; the text says how, as the end of a sentence."""


class Reader:
    """Random access to a seekable stream that never reads past its end or more than asked for."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.size = stream.seek(0, os.SEEK_END)
        self._steps = 0

    def at(self, offset: int, count: int) -> bytes:
        """Return exactly `count` bytes from `offset`, or raise `Broken`."""
        if offset < 0 or offset + count > self.size:
            raise Broken("it is cut off")
        self._stream.seek(offset)
        data = self._stream.read(count)
        if len(data) != count:
            raise Broken("it is cut off")
        return data

    def upto(self, offset: int, count: int) -> bytes:
        """Return at most `count` bytes from `offset`."""
        return self.at(offset, max(0, min(count, self.size - offset)))

    def text(self, offset: int, count: int) -> bytes:
        """Return the bytes of a text, refusing one that no workflow needs."""
        if count > MAX_TEXT:
            raise Broken(f"it has a text of {count // 2**20} MB")
        return self.at(offset, count)

    def step(self) -> None:
        """Count one visited part; raise `Broken` where there are too many."""
        self._steps += 1
        if self._steps > MAX_STEPS:
            raise Broken("it consists of too many parts")


def decode(data: bytes) -> str:
    """Decode a text that should be UTF-8 and, where it is not, is taken for Latin-1."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def as_texts(value: Any) -> dict[str, str]:
    """Return the entries of a metadata object as texts, whether they were JSON objects or texts of JSON."""
    if not isinstance(value, dict):
        return {}
    return {str(key): item if isinstance(item, str) else json.dumps(item) for key, item in value.items()}
