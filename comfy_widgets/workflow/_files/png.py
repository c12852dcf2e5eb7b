"""PNG and APNG: the chunks are walked here, because their checksums are not to be trusted.

A quarter of ComfyUI's own example images were edited by tools that left a wrong CRC behind, and Pillow refuses those.
Animated images of ComfyUI keep their texts in private ``comf`` chunks after the image data, which Pillow skips.
"""

from __future__ import annotations

import zlib
from functools import partial

from .reader import MAX_BYTES, Broken, Reader, Texts, decode

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_MAX_KEYWORD = 80
_PLAIN, _COMPRESSED, _INTERNATIONAL = (b"tEXt", b"comf"), b"zTXt", b"iTXt"


def png_texts(reader: Reader) -> Texts:
    """Yield the texts of a PNG by keyword."""
    offset = len(SIGNATURE)
    while offset < reader.size:
        header = reader.at(offset, 8)
        length, kind = int.from_bytes(header[:4], "big"), header[4:]
        if not kind.isalpha():
            raise Broken("there is no chunk where one should be")
        if kind == b"IEND":
            break
        if kind in _PLAIN or kind in (_COMPRESSED, _INTERNATIONAL):
            begin, end = offset + 8, offset + 8 + length
            key, zero, _ = reader.upto(begin, min(length, _MAX_KEYWORD)).partition(b"\0")
            yield decode(key), partial(_text, reader, kind, begin + len(key) + len(zero), end)
        offset += 12 + length


def _text(reader: Reader, kind: bytes, begin: int, end: int) -> str:
    data = reader.at(begin, max(0, end - begin))
    if kind == _COMPRESSED:
        data = _inflate(reader, data[1:])
    elif kind == _INTERNATIONAL:
        packed, rest = data[:1] == b"\1", data[2:]
        _, _, rest = rest.partition(b"\0")
        _, _, rest = rest.partition(b"\0")
        data = _inflate(reader, rest) if packed else rest
    return decode(data)


def _inflate(reader: Reader, data: bytes) -> bytes:
    unpacker = zlib.decompressobj()
    try:
        text = unpacker.decompress(data, reader.bytes_left + 1)
    except zlib.error:
        raise Broken("a compressed text in it is damaged") from None
    if len(text) > reader.bytes_left:
        raise Broken(f"a compressed text in it unpacks to more than {MAX_BYTES // 2**20} MB")
    reader.spend(len(text))
    return text
