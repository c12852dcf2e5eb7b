"""WebM and MKV films: the texts are tags."""

from __future__ import annotations

from collections.abc import Iterator

from .reader import Broken, Reader, decode

_SEGMENT, _TAGS, _TAG, _SIMPLE, _NAME, _STRING = 0x18538067, 0x1254C367, 0x7373, 0x67C8, 0x45A3, 0x4487
_CLUSTER = 0x1F43B675
# What may follow a cluster whose length is unknown, as a live recording writes it.
_TOP_LEVEL = frozenset({0x114D9B74, 0x1549A966, 0x1654AE6B, 0x1C53BB6B, 0x1941A469, 0x1043A770, _TAGS, _CLUSTER})


def matroska_texts(reader: Reader) -> dict[str, str]:
    """Return the tags of a WebM or MKV film, their names in lower case."""
    texts: dict[str, str] = {}
    for kind, begin, end in _elements(reader, 0, reader.size):
        if kind == _SEGMENT:
            for part, start, stop in _elements(reader, begin, end):
                if part == _TAGS:
                    texts.update(_tags(reader, start, stop))
    return texts


def _tags(reader: Reader, begin: int, end: int) -> dict[str, str]:
    texts: dict[str, str] = {}
    for tag, start, stop in _elements(reader, begin, end):
        if tag != _TAG:
            continue
        for simple, first, last in _elements(reader, start, stop):
            if simple == _SIMPLE:
                values = {kind: reader.text(a, b - a) for kind, a, b in _elements(reader, first, last)}
                if _NAME in values and _STRING in values:
                    texts.setdefault(decode(values[_NAME]).lower(), decode(values[_STRING]))
    return texts


def _elements(reader: Reader, offset: int, end: int) -> Iterator[tuple[int, int, int]]:
    while offset < end:
        reader.step()
        kind, offset = _number(reader, offset, keep_marker=True)
        size, begin = _number(reader, offset, keep_marker=False)
        if size is None:
            stop = _end_of_cluster(reader, begin, end) if kind == _CLUSTER else end
        else:
            stop = min(begin + size, end)
        yield kind or 0, begin, stop
        offset = stop


def _end_of_cluster(reader: Reader, offset: int, end: int) -> int:
    while offset < end:
        reader.step()
        kind, after = _number(reader, offset, keep_marker=True)
        if kind in _TOP_LEVEL:
            return offset
        size, begin = _number(reader, after, keep_marker=False)
        offset = end if size is None else begin + size
    return end


def _number(reader: Reader, offset: int, *, keep_marker: bool) -> tuple[int | None, int]:
    """Read a number of variable width; None stands for "unknown"."""
    first = reader.at(offset, 1)[0]
    width = 9 - first.bit_length()
    if width > 8:
        raise Broken("there is no element where one should be")
    value = int.from_bytes(reader.at(offset, width), "big")
    if not keep_marker:
        value -= 1 << (7 * width)
        if value == (1 << (7 * width)) - 1:
            return None, offset + width
    return value, offset + width
