"""Small files made to cost much time or memory."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Callable

from . import containers as make

MEGABYTE = 2**20


def _box(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", 8 + len(data)) + kind + data


def _avif(iloc: bytes, rest: bytes = b"") -> bytes:
    entry = b"\x02\0\0\0" + struct.pack(">HH", 1, 0) + b"Exif\0"
    iinf = bytes(4) + struct.pack(">H", 1) + _box(b"infe", entry)
    meta = _box(b"meta", bytes(4) + _box(b"iinf", iinf) + _box(b"iloc", iloc))
    return _box(b"ftyp", b"avif" + bytes(4)) + meta + rest


def avif_extents_of_no_size() -> bytes:
    """65,535 items of 65,535 extents each, none of which takes a byte."""
    items = struct.pack(">HHH", 1, 0, 65535) * 60
    return _avif(bytes(4) + struct.pack(">HH", 0, 65535) + items)


def avif_extents_of_one_place() -> bytes:
    """5,000 extents that all lie over the same 100 kB."""
    extent = struct.pack(">II", 8, 100_000)
    iloc = bytes(4) + struct.pack(">HHHHH", 0x4400, 1, 1, 0, 5000) + extent * 5000
    return _avif(iloc, bytes(100_000))


def _overlapping(tag: int, text: bytes, entries: int = 4000) -> bytes:
    at = 8 + 2 + 12 * entries + 4
    directory = struct.pack("<H", entries)
    directory += b"".join(struct.pack("<HHII", tag, 2, len(text) - n, at) for n in range(entries))
    return make.webp(b"II*\0" + struct.pack("<I", 8) + directory + bytes(4) + text)


def webp_entries_on_one_text() -> bytes:
    """4,000 EXIF entries of one megabyte each, all of them over the same megabyte."""
    return _overlapping(0x010E, b"\xff" * MEGABYTE)


def webp_user_comments_on_one_text() -> bytes:
    """The same in UTF-16, of half characters only."""
    return _overlapping(0x9286, b"UNICODE\0{\0" + b"\0\xd8" * (MEGABYTE // 2))


def webp_prompts_on_one_text() -> bytes:
    """The same where every entry calls itself a prompt."""
    return _overlapping(0x0110, b"prompt:" + b"\xff" * MEGABYTE)


def webp_half_characters() -> bytes:
    """One user comment of 8 MB, of half characters only."""
    return make.webp(
        b"II*\0"
        + struct.pack("<IHHHIII", 8, 1, 0x9286, 7, 8 * MEGABYTE, 26, 0)
        + b"UNICODE\0{\0"
        + b"\0\xd8" * (4 * MEGABYTE)
    )


def jpeg_of_fill_bytes() -> bytes:
    """A megabyte in which every byte may begin a segment."""
    return b"\xff\xd8" + b"\xff" * MEGABYTE


def png_of_compressed_texts() -> bytes:
    """40 texts that unpack to 30 MB each."""
    return make.png(
        *(make.bomb(f"text {n}", 30) for n in range(38)), make.bomb("prompt", 30), make.bomb("workflow", 30)
    )


def png_prompts_again_and_again() -> bytes:
    """40 texts of 30 MB that are all called the prompt."""
    return make.png(*(make.bomb("prompt", 30) for _ in range(40)))


def png_of_empty_lists() -> bytes:
    """A text of 30 MB whose every third byte is a list when it is read."""
    body = b'{"1": [' + b"[]," * (10 * MEGABYTE) + b"0]}"
    return make.png(make.chunk(b"zTXt", b"prompt\0\0" + zlib.compress(body, 1)))


def png_of_empty_chunks() -> bytes:
    """A hundred thousand chunks of no content."""
    return b"\x89PNG\r\n\x1a\n" + make.chunk(b"tEXt", b"") * 100_000


def svg_of_open_metadata() -> bytes:
    """20,000 elements that are never closed."""
    return b"<svg>" + b"<metadata>" * 20_000


def svg_of_open_tags() -> bytes:
    """The same whose tags are not even ended."""
    return b"<svg>" + b"<metadata " * 200_000


def svg_of_metadata() -> bytes:
    """Elements that are closed, and hold nothing."""
    return b"<svg>" + b"<metadata>x</metadata>" * 110_000


def svg_of_entities() -> bytes:
    """Half a million characters, each written as an entity."""
    return b"<svg><metadata>" + b"&#65;" * 500_000 + b"</metadata>"


def svg_of_a_long_number() -> bytes:
    """An entity that Python refuses to read as a number."""
    return b"<svg><metadata>&#" + b"9" * 100_000 + b";</metadata>"


def flac_of_empty_comments() -> bytes:
    """Four million comments of no length."""
    body = bytes(4) + struct.pack("<I", 2**32 - 1) + bytes(15 * MEGABYTE)
    return b"fLaC\x84" + len(body).to_bytes(3, "big") + body


def ogg_of_empty_segments() -> bytes:
    """Pages of another stream, of 255 segments without content each."""
    page = b"OggS\0\0" + bytes(8) + struct.pack("<III", 7, 0, 0) + bytes([255]) + bytes(255)
    first = b"OggS\0\0" + bytes(8) + struct.pack("<III", 77, 0, 0) + bytes([1, 3]) + b"abc"
    return first + page * 10_000


def ogg_without_end() -> bytes:
    """A packet that goes on and on."""
    page = b"OggS\0\0" + bytes(8) + struct.pack("<III", 77, 0, 0) + bytes([255]) + b"\xff" * 255 + bytes(255 * 255)
    return page * 700


def mp3_of_empty_frames() -> bytes:
    """Many frames without content."""
    frames = (b"TXXX" + bytes(6)) * 150_000
    size = bytes(len(frames) >> shift & 0x7F for shift in (21, 14, 7, 0))
    return b"ID3\4\0\0" + size + frames


def mp3_of_half_characters() -> bytes:
    """Sixteen texts in UTF-16, of half characters only."""
    body = b"\2" + b"\xd8\0" * (MEGABYTE // 2)
    frames = (b"TXXX" + struct.pack(">I", len(body)) + bytes(2) + body) * 16
    size = bytes(len(frames) >> shift & 0x7F for shift in (21, 14, 7, 0))
    return b"ID3\3\0\0" + size + frames


def mp4_of_empty_boxes() -> bytes:
    """Boxes in the place where the metadata stand, none with content."""
    return _box(b"ftyp", b"mp42") + _box(b"moov", _box(b"udta", _box(b"meta", bytes(4)) * 200_000))


def mp4_of_keys() -> bytes:
    """As many keys as texts, all of one name."""
    keys = _box(b"keys", bytes(8) + _box(b"mdta", b"prompt") * 50_000)
    item = _box(struct.pack(">I", 1), _box(b"data", bytes(8) + b"x"))
    return _box(b"ftyp", b"mp42") + _box(b"moov", _box(b"meta", bytes(4) + keys + _box(b"ilst", item * 50_000)))


def webm_of_empty_elements() -> bytes:
    """Clusters of unknown length, full of blocks without content."""
    return b"\x1a\x45\xdf\xa3\x80" + b"\x18\x53\x80\x67\xff" + (b"\x1f\x43\xb6\x75\xff" + b"\xa3\x80" * 1000) * 500


def safetensors_of_depth() -> bytes:
    """A header of brackets."""
    header = b"{" + b'"a":[' * 100_000
    return struct.pack("<Q", len(header)) + header


def glb_of_digits() -> bytes:
    """A number of a megabyte."""
    document = b'{"asset": {"extras": ' + b"9" * MEGABYTE + b"}}"
    return b"glTF" + struct.pack("<III", 2, 0, len(document)) + b"JSON" + document


def gif_of_nothing() -> bytes:
    """Megabytes of a kind that carries no workflow."""
    return b"GIF89a" + bytes(8 * MEGABYTE)


def json_of_brackets() -> bytes:
    """JSON of ten megabytes in which every third byte is a list."""
    return b'{"1": [' + b"[]," * (3 * MEGABYTE) + b"0]}"


def json_of_nodes() -> bytes:
    """Twenty thousand nodes."""
    node = {"class_type": "A", "inputs": {}}
    return json.dumps({str(n): node for n in range(20_000)}).encode()


MAKERS: list[Callable[[], bytes]] = [
    value
    for name, value in list(globals().items())
    if callable(value) and getattr(value, "__module__", "") == __name__ and not name.startswith("_")
]
