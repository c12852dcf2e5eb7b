"""Boxes in boxes (ISO base media): MP4 and MOV videos with texts as metadata keys, AVIF images with EXIF."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from .exif import exif_texts
from .reader import Broken, Reader, Texts, decode

_Box = tuple[bytes, int, int]
"""Kind, and where its content begins and ends."""

_MAX_KEY = 256


def mp4_texts(reader: Reader) -> Texts:
    """Yield the metadata of an MP4 or MOV video: named keys, and the classic comment."""
    for movie in _find(reader, (0, reader.size), b"moov"):
        for data in _find(reader, movie, b"udta"):
            for meta in _find(reader, data, b"meta"):
                yield from _meta(reader, meta)
        for meta in _find(reader, movie, b"meta"):
            yield from _meta(reader, meta)


def avif_texts(reader: Reader) -> Texts:
    """Yield the texts in the EXIF item of an AVIF or HEIC image."""
    for start, end in _find(reader, (0, reader.size), b"meta"):
        parts = {kind: (begin, stop) for kind, begin, stop in _boxes(reader, start + 4, end)}
        if b"iinf" in parts and b"iloc" in parts:
            items = _exif_items(reader, *parts[b"iinf"])
            for offset, length in _locations(reader, *parts[b"iloc"], items):
                item = reader.at(offset, length)
                # The item begins with the distance to its TIFF header.
                yield from exif_texts(item[4 + int.from_bytes(item[:4], "big") :], reader)


def _boxes(reader: Reader, offset: int, end: int) -> Iterator[_Box]:
    while offset + 8 <= end:
        header = reader.at(offset, 8)
        size, begin = int.from_bytes(header[:4], "big"), offset + 8
        if size == 1:
            size, begin = int.from_bytes(reader.at(offset + 8, 8), "big"), offset + 16
        stop = end if size == 0 else min(offset + size, end)
        if stop < begin:
            return
        yield header[4:], begin, stop
        offset = stop


def _find(reader: Reader, within: tuple[int, int], wanted: bytes) -> Iterator[tuple[int, int]]:
    return ((begin, stop) for kind, begin, stop in _boxes(reader, *within) if kind == wanted)


def _meta(reader: Reader, where: tuple[int, int]) -> Texts:
    begin, end = where
    # MP4 puts a version before the first box, QuickTime does not.
    if reader.upto(begin + 4, 4) != b"hdlr":
        begin += 4
    keys: list[str] = []
    parts = {kind: (start, stop) for kind, start, stop in _boxes(reader, begin, end)}
    if b"keys" in parts:
        # Each key is a box whose kind is the namespace ("mdta").
        start, stop = parts[b"keys"]
        keys = [decode(reader.at(at, min(until - at, _MAX_KEY))) for _, at, until in _boxes(reader, start + 8, stop)]
    for kind, start, stop in _boxes(reader, *parts.get(b"ilst", (0, 0))):
        index = int.from_bytes(kind, "big")
        key = keys[index - 1] if 0 < index <= len(keys) else "comment" if kind == b"\xa9cmt" else ""
        for inner, at, until in _boxes(reader, start, stop):
            if inner == b"data" and key:
                yield key, partial(_text, reader, at + 8, until)


def _text(reader: Reader, begin: int, end: int) -> str:
    return decode(reader.at(begin, max(0, end - begin)))


def _exif_items(reader: Reader, begin: int, end: int) -> set[int]:
    version = reader.at(begin, 1)[0]
    items = set()
    for kind, start, stop in _boxes(reader, begin + (6 if version == 0 else 8), end):
        if kind == b"infe" and stop - start >= 12:
            entry = reader.at(start, min(stop - start, 14))
            # Version 3 has a wider id than version 2; older ones name no type.
            width = {2: 2, 3: 4}.get(entry[0], 0)
            if width and entry[4 + width + 2 :][:4] == b"Exif":
                items.add(int.from_bytes(entry[4 : 4 + width], "big"))
    return items


def _locations(reader: Reader, begin: int, end: int, wanted: set[int]) -> Iterator[tuple[int, int]]:
    data = reader.at(begin, end - begin)
    at = 4

    def number(width: int) -> int:
        nonlocal at
        if at + width > len(data):
            raise Broken("its table of items is cut off")
        at += width
        return int.from_bytes(data[at - width : at], "big")

    version = data[0] if data else 0
    sizes = number(2)
    offset_size, length_size, base_size = sizes >> 12, sizes >> 8 & 15, sizes >> 4 & 15
    index_size = sizes & 15 if version in (1, 2) else 0
    for _ in range(number(2 if version < 2 else 4)):
        item = number(2 if version < 2 else 4)
        method = number(2) & 15 if version in (1, 2) else 0
        number(2)
        base = number(base_size)
        for _ in range(number(2)):
            # The sizes of all fields may be zero: such extents take no place in the file.
            reader.step()
            number(index_size)
            offset, length = number(offset_size), number(length_size)
            if item in wanted and method == 0:
                yield base + offset, length
