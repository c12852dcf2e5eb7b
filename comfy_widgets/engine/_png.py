"""Writes PNG files fast, with ComfyUI's text chunks."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_TRUECOLOUR_8_BIT = bytes((8, 2, 0, 0, 0))
_FILTER_UP = 2


def encode_png(pixels: npt.NDArray[np.uint8], texts: Mapping[str, Any]) -> bytes:
    """Encode an RGB image.

    One filter (Up) for all rows and the fastest deflate level: for smooth images about as small as an encoder that
    tries every filter, in a third of the time.

    Parameters
    ----------
    pixels : npt.NDArray[np.uint8]
        Shape (height, width, 3).
    texts : dict
        Keyword -> value for tEXt chunks; the value is written as JSON.
    """
    height, width, _ = pixels.shape
    rows = np.empty((height, 1 + width * 3), np.uint8)
    flat = pixels.reshape(height, width * 3)
    rows[:, 0] = _FILTER_UP
    rows[0, 1:] = flat[0]
    np.subtract(flat[1:], flat[:-1], out=rows[1:, 1:])
    parts = [_SIGNATURE, _chunk(b"IHDR", struct.pack(">II", width, height) + _TRUECOLOUR_8_BIT)]
    for keyword, value in texts.items():
        parts.append(_chunk(b"tEXt", keyword.encode("latin-1", "replace") + b"\0" + json.dumps(value).encode()))
    parts.append(_chunk(b"IDAT", zlib.compress(rows.tobytes(), 1)))
    parts.append(_chunk(b"IEND", b""))
    return b"".join(parts)


def to_bytes(image: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    """Turn an image of shape (height, width, 3), 0..1, into bytes; values outside are clipped."""
    pixels: npt.NDArray[np.uint8] = (np.clip(image[:, :, :3], 0.0, 1.0) * np.float32(255) + np.float32(0.5)).astype(
        np.uint8
    )
    return pixels


def write_png(path: Path, pixels: npt.NDArray[np.uint8], texts: Mapping[str, Any]) -> None:
    """Write an image; see `encode_png`."""
    path.write_bytes(encode_png(pixels, texts))


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
