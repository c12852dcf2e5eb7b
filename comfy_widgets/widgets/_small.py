"""Images made small: as stand-ins in the browser, and as one sheet for the saved notebook."""

from __future__ import annotations

import base64
import io
import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

from .._grid import make_grid

if TYPE_CHECKING:
    from PIL.Image import Image

logger = logging.getLogger(__name__)

SHEET_SIZE = 1000
"""Pixels of a sheet in a notebook: wide enough to see, small enough to keep."""
FULL_SIZE = 4096
_SHEET_BYTES = 200_000
"""Bytes of such a sheet; as text, a third more."""
_GAP_COLOR = "#808080"
"""Between images; neither bright in a dark notebook nor dark in a bright one."""
_MARK = b"comfy-widgets-record"


def thumbnail(content: bytes, size: int) -> bytes | None:
    """Return a small WebP of an encoded image, at most `size` pixels wide and high; None if Pillow cannot read it."""
    image = _small(content, size)
    return encode(image, "WEBP", quality=80, method=0) if image is not None else None


def quick_thumbnail(content: bytes, size: int) -> tuple[bytes, str] | None:
    """Return a small version of an encoded image and its type, ten times as fast and nearly as good as `thumbnail`."""
    image = _small(content, size, quick=True)
    return encode_quickly(image) if image is not None else None


def encode_quickly(image: Image) -> tuple[bytes, str]:
    """Return a small image as the bytes of a file, and their type."""
    if image.mode == "RGBA":
        return encode(image, "WEBP", quality=80, method=0), "image/webp"
    return encode(image, "JPEG", quality=82), "image/jpeg"


def sheet(contents: Sequence[bytes], size: int = SHEET_SIZE) -> tuple[str, tuple[int, int]] | None:
    """Return encoded images on one JPEG of at most `size` pixels in width, as base64, and its size.

    A comment in the file says what it is: by it the browser finds the record beside a live widget.
    """
    cols = _columns(len(contents))
    room = max(size // max(cols, 1), 64)
    small = [image for content in contents if (image := _small(content, room)) is not None]
    if not small:
        return None
    grid = make_grid(small, cols=min(cols, len(small)), gap=4 if len(small) > 1 else 0, background=_GAP_COLOR)
    grid.thumbnail((size, 4 * size))
    content = encode(grid, "JPEG", quality=85, comment=_MARK)
    # Images full of detail: a coarser sheet is better than a notebook that nobody wants to commit.
    for quality in (75, 65, 55, 55, 55, 55) if size <= SHEET_SIZE else ():
        if len(content) <= _SHEET_BYTES:
            break
        if quality == 55:
            grid.thumbnail((int(0.8 * grid.width), int(0.8 * grid.height)))
        content = encode(grid, "JPEG", quality=quality, comment=_MARK)
    return base64.b64encode(content).decode("ascii"), grid.size


def size_of(content: bytes) -> tuple[int, int] | None:
    """Return width and height of an encoded image; None if Pillow cannot read it."""
    found = header_of(content)
    return found[0] if found is not None else None


def header_of(content: bytes) -> tuple[tuple[int, int], bool] | None:
    """Return width and height of an encoded image, and whether it has alpha; None if Pillow cannot read it."""
    from PIL import Image as Pillow

    try:
        with Pillow.open(io.BytesIO(content)) as image:
            return image.size, has_alpha(image)
    except Exception:
        return None


def has_alpha(image: Image) -> bool:
    """Tell whether parts of an image may be transparent."""
    return "A" in image.getbands() or "transparency" in image.info


def encode(image: Image, form: str, **options: object) -> bytes:
    """Return an image as the bytes of a file."""
    stream = io.BytesIO()
    image.save(stream, form, **options)
    return stream.getvalue()


def _columns(count: int) -> int:
    return count if count <= 3 else 2 if count == 4 else 3 if count <= 9 else 4 if count <= 16 else 6


def _small(content: bytes, size: int, *, quick: bool = False) -> Image | None:
    from PIL import Image as Pillow

    try:
        image: Image = Pillow.open(io.BytesIO(content))
        # A JPEG is decoded at an eighth of the cost this way.
        image.draft("RGB", (size, size))
        return shrunk(image, size, quick=quick)
    except Exception as error:
        logger.warning("an image cannot be made small: %s", error)
        return None


def shrunk(image: Image, size: int, *, quick: bool = False) -> Image:
    """Return an image of at most `size` pixels in width and height, as RGB or RGBA."""
    from PIL.Image import Resampling

    small = _in_colour(image)
    # By a whole number, which costs a fifth of what other sizes do, and may be a little too small.
    factor = round(max(small.size) / size) if quick else 1
    if factor > 1:
        small = small.reduce(factor)
    elif small is image:
        small = image.copy()
    small.thumbnail((size, size), Resampling.BILINEAR if quick else Resampling.BICUBIC)
    return small


def _in_colour(image: Image) -> Image:
    """Return an image as RGB or RGBA: the numbers of a palette, and 16 bits, cannot be made smaller as they are."""
    if image.mode.startswith("I"):
        image = image.convert("I").point(lambda value: value * (1 / 257)).convert("L")
    mode = "RGBA" if has_alpha(image) else "RGB"
    return image if image.mode == mode else image.convert(mode)
