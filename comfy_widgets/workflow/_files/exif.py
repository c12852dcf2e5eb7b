"""Texts in EXIF data, where WebP, JPEG and AVIF images keep a workflow."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from functools import partial

from .reader import Reader, Texts, decode_utf16

_Decoder = Callable[[bytes, Reader], str]

_ASCII, _UNDEFINED, _LONG = 2, 7, 4
_SUB_FOLDERS = (0x8769,)
_USER_COMMENT = 0x9286
_PREFIXES = ("prompt", "workflow")
_PEEK = 64
"""Bytes in which a prefix must stand. Entries may overlap, so no text is copied before it is wanted."""


def exif_texts(data: bytes, reader: Reader) -> Texts:
    """Yield the ``prompt`` and ``workflow`` in EXIF data, in either byte order.

    Writers disagree about the tag (0x0110 and 0x010F are usual) but not about the form ``workflow:{...}``, so every
    text is looked at. A user comment may be a JSON object with both.

    Parameters
    ----------
    data : bytes
        A TIFF structure, with or without ``Exif`` and two zeros before it.
    reader : Reader
        Of the file, whose budget pays for it.
    """
    data = data.removeprefix(b"Exif\0\0")
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(data[:4])
    if order is None:
        return
    for tag, begin, end in _entries(data, order, reader):
        text_of = _user_comment if tag == _USER_COMMENT else _plain
        head = text_of(data[begin : min(end, begin + _PEEK)], reader)
        key, colon, _ = head.partition(":")
        if colon and key.strip().lower() in _PREFIXES:
            yield key.strip().lower(), partial(_value, data, begin, end, reader, text_of)
        elif head.startswith("{"):
            yield "comment", partial(_whole, data, begin, end, reader, text_of)
        if tag == _USER_COMMENT and head:
            # What other programs write into a PNG under this key stands here in their other images.
            yield "parameters", partial(_whole, data, begin, end, reader, text_of)


def _whole(data: bytes, begin: int, end: int, reader: Reader, text_of: _Decoder) -> str:
    raw = data[begin:end]
    reader.spend(len(raw))
    return text_of(raw, reader)


def _value(data: bytes, begin: int, end: int, reader: Reader, text_of: _Decoder) -> str:
    return _whole(data, begin, end, reader, text_of).partition(":")[2].strip()


def _plain(raw: bytes, _: Reader) -> str:
    return raw.decode("utf-8", "replace").rstrip("\0")


def _user_comment(raw: bytes, reader: Reader) -> str:
    code, text = raw[:8], raw[8:]
    if code.startswith(b"UNICODE"):
        # The byte order of the text is not the structure's, but whatever its writer had.
        little = text[:2] == b"\xff\xfe" or (text[1:2] == b"\0" and text[:1] != b"\0")
        return decode_utf16(text, "utf-16-le" if little else "utf-16-be", reader).strip("\ufeff\0")
    return (text if code[:5] in (b"ASCII", b"\0\0\0\0\0") else raw).decode("utf-8", "replace").strip("\0")


def _entries(data: bytes, order: str, reader: Reader) -> Iterator[tuple[int, int, int]]:
    """Yield tag, begin and end of each text, over all image file directories."""
    todo = [_number(data, 4, order + "I")]
    seen: set[int] = set()
    for start in todo:
        if start in seen or not 8 <= start < len(data):
            continue
        seen.add(start)
        count = _number(data, start, order + "H")
        for index in range(count):
            reader.step()
            at = start + 2 + 12 * index
            if at + 12 > len(data):
                return
            tag, kind, length = struct.unpack_from(order + "HHI", data, at)
            offset = _number(data, at + 8, order + "I")
            if tag in _SUB_FOLDERS and kind == _LONG:
                todo.append(offset)
            elif kind in (_ASCII, _UNDEFINED):
                begin = at + 8 if length <= 4 else offset
                yield tag, begin, begin + length
        todo.append(_number(data, start + 2 + 12 * count, order + "I"))


def _number(data: bytes, at: int, form: str) -> int:
    size = struct.calcsize(form)
    return int(struct.unpack_from(form, data, at)[0]) if at + size <= len(data) else 0
