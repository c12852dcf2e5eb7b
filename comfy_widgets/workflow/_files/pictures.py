"""WebP and JPEG: the texts are in EXIF data."""

from __future__ import annotations

from .exif import exif_texts
from .reader import Broken, Reader, decode


def webp_texts(reader: Reader) -> dict[str, str]:
    """Return the texts in the EXIF chunks of a WebP picture, still or animated."""
    texts: dict[str, str] = {}
    offset = 12
    while offset + 8 <= reader.size:
        reader.step()
        header = reader.at(offset, 8)
        length = int.from_bytes(header[4:], "little")
        if header[:4] == b"EXIF":
            texts.update(exif_texts(reader.text(offset + 8, length)))
        offset += 8 + length + length % 2
    if offset > reader.size + 1 and not texts:
        raise Broken("it is cut off")
    return texts


def jpeg_texts(reader: Reader) -> dict[str, str]:
    """Return the texts in the EXIF and comment segments of a JPEG picture."""
    texts: dict[str, str] = {}
    offset = 2
    while offset + 4 <= reader.size:
        reader.step()
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
            texts.update(exif_texts(reader.at(offset + 4, length - 2)))
        elif marker == 0xFE:
            texts.setdefault("comment", decode(reader.at(offset + 4, length - 2)))
        offset += 2 + length
    return texts
