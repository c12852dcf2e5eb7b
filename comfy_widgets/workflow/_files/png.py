"""PNG and APNG: the chunks are walked here, because their checksums are not to be trusted.

A quarter of ComfyUI's own example pictures were edited by tools that left a wrong CRC behind, and Pillow refuses those.
Animated pictures of ComfyUI keep their texts in private ``comf`` chunks after the image data, which Pillow skips.
"""

from __future__ import annotations

import zlib

from .reader import MAX_TEXT, Broken, Reader, decode

SIGNATURE = b"\x89PNG\r\n\x1a\n"


def png_texts(reader: Reader) -> dict[str, str]:
    """Return the texts of a PNG by keyword."""
    texts: dict[str, str] = {}
    offset = len(SIGNATURE)
    try:
        while offset < reader.size:
            reader.step()
            header = reader.at(offset, 8)
            length, kind = int.from_bytes(header[:4], "big"), header[4:]
            if not kind.isalpha():
                raise Broken("there is no chunk where one should be")
            if kind in _READERS:
                key, text = _READERS[kind](reader.text(offset + 8, length))
                texts.setdefault(key, text)
            elif kind == b"IEND":
                break
            offset += 12 + length
    except Broken:
        # A picture that was cut off while downloading still has the texts at its front.
        if not texts.keys() & {"prompt", "workflow"}:
            raise
    return texts


def _plain(data: bytes) -> tuple[str, str]:
    key, _, text = data.partition(b"\0")
    return decode(key), decode(text)


def _compressed(data: bytes) -> tuple[str, str]:
    key, _, rest = data.partition(b"\0")
    return decode(key), decode(_inflate(rest[1:]))


def _international(data: bytes) -> tuple[str, str]:
    key, _, rest = data.partition(b"\0")
    _, _, text = rest[2:].partition(b"\0")
    _, _, text = text.partition(b"\0")
    return decode(key), decode(_inflate(text) if rest[:1] == b"\1" else text)


def _inflate(data: bytes) -> bytes:
    unpacker = zlib.decompressobj()
    try:
        text = unpacker.decompress(data, MAX_TEXT)
    except zlib.error:
        raise Broken("a compressed text in it is damaged") from None
    if unpacker.unconsumed_tail:
        raise Broken(f"a compressed text in it unpacks to more than {MAX_TEXT // 2**20} MB")
    return text


_READERS = {b"tEXt": _plain, b"comf": _plain, b"zTXt": _compressed, b"iTXt": _international}
