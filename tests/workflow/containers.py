"""Writers of small files that carry texts, made by hand to be right or wrong in a chosen place."""

from __future__ import annotations

import json
import struct
import zlib
from functools import cache
from typing import Any

PIXEL = b"\0\0\0\0\0"


def chunk(kind: bytes, data: bytes, *, crc: int | None = None) -> bytes:
    """A PNG chunk, on wish with a wrong checksum."""
    return (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data) if crc is None else crc)
    )


def png(*texts: bytes, after: bytes = b"") -> bytes:
    """A PNG of one pixel with chunks before and after its image data."""
    header = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    data = chunk(b"IDAT", zlib.compress(b"\0\xff\0\0"))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + b"".join(texts) + data + after + chunk(b"IEND", b"")


def text(key: str, value: Any, *, crc: int | None = None) -> bytes:
    return chunk(b"tEXt", key.encode() + b"\0" + _json(value), crc=crc)


def compressed(key: str, value: Any) -> bytes:
    return chunk(b"zTXt", key.encode() + b"\0\0" + zlib.compress(_json(value)))


def international(key: str, value: Any, *, packed: bool = False) -> bytes:
    body = zlib.compress(_json(value)) if packed else _json(value)
    return chunk(b"iTXt", key.encode() + b"\0" + bytes([packed, 0]) + b"en\0translated\0" + body)


def bomb(key: str, megabytes: int) -> bytes:
    """A compressed text that is small here and huge when unpacked."""
    return chunk(b"zTXt", key.encode() + b"\0\0" + _spaces(megabytes))


@cache
def _spaces(megabytes: int) -> bytes:
    packer = zlib.compressobj(1)
    block = b" " * 2**20
    return b"".join(packer.compress(block) for _ in range(megabytes)) + packer.flush()


def glb(extras: Any) -> bytes:
    document = json.dumps({"asset": {"version": "2.0", "extras": extras}}).encode()
    document += b" " * (-len(document) % 4)
    return b"glTF" + struct.pack("<III", 2, 20 + len(document), len(document)) + b"JSON" + document


def svg(metadata: str) -> bytes:
    return f'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg">{metadata}<path d="M0 0"/></svg>'.encode()


def vorbis(comments: dict[str, str], *, page: int = 255) -> bytes:
    """An Ogg Vorbis file: its comments spread over pages of at most `page` segments."""
    entries = [f"{key}={value}".encode() for key, value in comments.items()]
    packet = b"\x03vorbis" + struct.pack("<I", 2) + b"me" + struct.pack("<I", len(entries))
    packet += b"".join(struct.pack("<I", len(entry)) + entry for entry in entries) + b"\1"
    sizes = [255] * (len(packet) // 255) + [len(packet) % 255]
    pages = _page(0, [30], b"\x01vorbis" + bytes(23))
    at = 0
    for number, start in enumerate(range(0, len(sizes), page)):
        part = sizes[start : start + page]
        pages += _page(number + 1, part, packet[at : at + sum(part)])
        at += sum(part)
    return pages


def _page(number: int, sizes: list[int], data: bytes) -> bytes:
    return b"OggS\0\0" + bytes(8) + struct.pack("<III", 77, number, 0) + bytes([len(sizes), *sizes]) + data


def tiff(entries: dict[int, str], order: str = "<") -> bytes:
    """EXIF data in either byte order."""
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8)
    texts = [value.encode() + b"\0" for value in entries.values()]
    at = 8 + 2 + 12 * len(texts) + 4
    directory = struct.pack(order + "H", len(texts))
    for tag, value in zip(entries, texts, strict=True):
        directory += struct.pack(order + "HHII", tag, 2, len(value), at)
        at += len(value)
    return head + directory + struct.pack(order + "I", 0) + b"".join(texts)


def webp(exif: bytes) -> bytes:
    body = b"WEBP" + b"VP8X" + struct.pack("<I", 10) + bytes(10) + b"EXIF" + struct.pack("<I", len(exif)) + exif
    return b"RIFF" + struct.pack("<I", len(body)) + body


def safetensors(metadata: Any) -> bytes:
    header = json.dumps({"__metadata__": metadata}).encode()
    return struct.pack("<Q", len(header)) + header


def _json(value: Any) -> bytes:
    return (value if isinstance(value, str) else json.dumps(value)).encode()
