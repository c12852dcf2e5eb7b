"""WebP and JPEG: the texts are in EXIF data."""

from __future__ import annotations

from functools import partial

from .exif import exif_texts
from .reader import Broken, Reader, Texts, decode


def webp_texts(reader: Reader) -> Texts:
    """Yield the texts in the EXIF chunks of a WebP image, still or animated."""
    offset = 12
    while offset + 8 <= reader.size:
        header = reader.at(offset, 8)
        length = int.from_bytes(header[4:], "little")
        if header[:4] == b"EXIF":
            yield from exif_texts(reader.at(offset + 8, length), reader)
        offset += 8 + length + length % 2
    if offset > reader.size + 1:
        raise Broken("it is cut off")


def jpeg_texts(reader: Reader) -> Texts:
    """Yield the texts in the EXIF and comment segments of a JPEG image."""
    offset = 2
    while offset + 4 <= reader.size:
        header = reader.at(offset, 4)
        if header[0] != 0xFF:
            raise Broken("there is no segment where one should be")
        marker, length = header[1], int.from_bytes(header[2:], "big")
        if marker in (0xDA, 0xD9):
            break
        if marker == 0xFF:
            offset += 1
            continue
        if marker == 0xE1:
            yield from exif_texts(reader.at(offset + 4, length - 2), reader)
        elif marker == 0xFE:
            yield "comment", partial(decode, reader.at(offset + 4, length - 2))
        offset += 2 + length
