"""WebM and MKV videos: the texts are tags."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from .reader import Broken, Reader, Texts, decode

_SEGMENT, _TAGS, _TAG, _SIMPLE, _NAME, _STRING = 0x18538067, 0x1254C367, 0x7373, 0x67C8, 0x45A3, 0x4487
_CLUSTER = 0x1F43B675
# What may follow a cluster whose length is unknown, as a live recording writes it.
_TOP_LEVEL = frozenset({0x114D9B74, 0x1549A966, 0x1654AE6B, 0x1C53BB6B, 0x1941A469, 0x1043A770, _TAGS, _CLUSTER})
_MAX_NAME = 256


def matroska_texts(reader: Reader) -> Texts:
    """Yield the tags of a WebM or MKV video, their names in lower case."""
    for kind, begin, end in _elements(reader, 0, reader.size):
        if kind == _SEGMENT:
            for part, start, stop in _elements(reader, begin, end):
                if part == _TAGS:
                    yield from _tags(reader, start, stop)


def _tags(reader: Reader, begin: int, end: int) -> Texts:
    for tag, start, stop in _elements(reader, begin, end):
        if tag != _TAG:
            continue
        for simple, first, last in _elements(reader, start, stop):
            if simple == _SIMPLE:
                parts = {kind: (a, b) for kind, a, b in _elements(reader, first, last)}
                if _NAME in parts and _STRING in parts:
                    at, until = parts[_NAME]
                    name = decode(reader.at(at, min(until - at, _MAX_NAME)))
                    yield name.lower(), partial(_text, reader, *parts[_STRING])


def _text(reader: Reader, begin: int, end: int) -> str:
    return decode(reader.at(begin, end - begin))


def _elements(reader: Reader, offset: int, end: int) -> Iterator[tuple[int, int, int]]:
    while offset < end:
        kind, size, begin = _header(reader, offset)
        if size is None:
            stop = _end_of_cluster(reader, begin, end) if kind == _CLUSTER else end
        else:
            stop = min(begin + size, end)
        yield kind, begin, stop
        offset = stop


def _end_of_cluster(reader: Reader, offset: int, end: int) -> int:
    while offset < end:
        kind, size, begin = _header(reader, offset)
        if kind in _TOP_LEVEL:
            return offset
        offset = end if size is None else begin + size
    return end


def _header(reader: Reader, offset: int) -> tuple[int, int | None, int]:
    """Read an element's kind and size, None for "unknown", and where its content begins."""
    data = reader.upto(offset, 16)
    width = _width(data, 0)
    after = width + _width(data, width)
    marked = int.from_bytes(data[width:after], "big")
    marker = 1 << (7 * (after - width))
    size = marked - marker
    return int.from_bytes(data[:width], "big"), None if size == marker - 1 else size, offset + after


def _width(data: bytes, at: int) -> int:
    """The width of the number at this place: its first byte has as many leading zeros as bytes follow it."""
    width = 9 - data[at].bit_length() if at < len(data) else 1
    if width > 8:
        raise Broken("there is no element where one should be")
    if at + width > len(data):
        raise Broken("it is cut off")
    return width
