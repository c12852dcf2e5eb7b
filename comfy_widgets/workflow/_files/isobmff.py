"""Boxes in boxes (ISO base media): MP4 and MOV films with texts as metadata keys, AVIF pictures with EXIF."""

from __future__ import annotations

from collections.abc import Iterator

from .exif import exif_texts
from .reader import Reader, decode

_Box = tuple[bytes, int, int]
"""Kind, and where its content begins and ends."""


def film_texts(reader: Reader) -> dict[str, str]:
    """Return the metadata of an MP4 or MOV film: named keys, and the classic comment."""
    texts: dict[str, str] = {}
    for meta in _find(reader, (0, reader.size), (b"moov", b"udta", b"meta")):
        texts.update(_meta(reader, meta))
    for meta in _find(reader, (0, reader.size), (b"moov", b"meta")):
        texts.update(_meta(reader, meta))
    return texts


def avif_texts(reader: Reader) -> dict[str, str]:
    """Return the texts in the EXIF item of an AVIF or HEIC picture."""
    texts: dict[str, str] = {}
    for start, end in _find(reader, (0, reader.size), (b"meta",)):
        parts = {kind: (begin, stop) for kind, begin, stop in _boxes(reader, start + 4, end)}
        if b"iinf" in parts and b"iloc" in parts:
            items = _exif_items(reader, *parts[b"iinf"])
            for offset, length in _locations(reader, *parts[b"iloc"], items):
                item = reader.text(offset, length)
                # The item begins with the distance to its TIFF header.
                texts.update(exif_texts(item[4 + int.from_bytes(item[:4], "big") :]))
    return texts


def _boxes(reader: Reader, offset: int, end: int) -> Iterator[_Box]:
    while offset + 8 <= end:
        reader.step()
        header = reader.at(offset, 8)
        size, begin = int.from_bytes(header[:4], "big"), offset + 8
        if size == 1:
            size, begin = int.from_bytes(reader.at(offset + 8, 8), "big"), offset + 16
        stop = end if size == 0 else min(offset + size, end)
        if stop < begin:
            return
        yield header[4:], begin, stop
        offset = stop


def _find(reader: Reader, within: tuple[int, int], path: tuple[bytes, ...]) -> Iterator[tuple[int, int]]:
    for kind, begin, stop in _boxes(reader, *within):
        if kind == path[0]:
            if len(path) == 1:
                yield begin, stop
            else:
                yield from _find(reader, (begin, stop), path[1:])


def _meta(reader: Reader, where: tuple[int, int]) -> dict[str, str]:
    begin, end = where
    # MP4 puts a version before the first box, QuickTime does not.
    if reader.upto(begin + 4, 4) != b"hdlr":
        begin += 4
    keys: list[str] = []
    texts: dict[str, str] = {}
    parts = {kind: (start, stop) for kind, start, stop in _boxes(reader, begin, end)}
    if b"keys" in parts:
        # Each key is a box whose kind is the namespace ("mdta").
        start, stop = parts[b"keys"]
        keys = [decode(reader.text(at, until - at)) for _, at, until in _boxes(reader, start + 8, stop)]
    for kind, start, stop in _boxes(reader, *parts.get(b"ilst", (0, 0))):
        index = int.from_bytes(kind, "big")
        key = keys[index - 1] if 0 < index <= len(keys) else "comment" if kind == b"\xa9cmt" else ""
        for inner, at, until in _boxes(reader, start, stop):
            if inner == b"data" and key:
                texts.setdefault(key, decode(reader.text(at + 8, max(0, until - at - 8))))
    return texts


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
    data = reader.text(begin, end - begin)
    at = 4

    def number(width: int) -> int:
        nonlocal at
        at += width
        return int.from_bytes(data[at - width : at], "big")

    version = data[0] if data else 0
    sizes = number(2)
    offset_size, length_size, base_size = sizes >> 12, sizes >> 8 & 15, sizes >> 4 & 15
    index_size = sizes & 15 if version in (1, 2) else 0
    for _ in range(number(2 if version < 2 else 4)):
        if at >= len(data):
            return
        item = number(2 if version < 2 else 4)
        method = number(2) & 15 if version in (1, 2) else 0
        number(2)
        base = number(base_size)
        for _ in range(number(2)):
            if at >= len(data):
                return
            number(index_size)
            offset, length = number(offset_size), number(length_size)
            if item in wanted and method == 0:
                yield base + offset, length
