"""Bytes of a server to PIL images, with a bound on their pixels."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from ._errors import ComfyError

if TYPE_CHECKING:
    from PIL.Image import Image

_PROGRAMS = frozenset({"EPS", "WMF", "MPEG"})

MAX_PIXELS = 1_000_000_000
"""Of all images of one result: three gigabytes of RGB, and the bound where a server sends bombs."""


def decode(content: bytes, name: str, *, room: int = MAX_PIXELS, fit: int | None = None) -> Image:
    """The bytes of an image as a PIL image, with Pillow's limit on its size.

    Parameters
    ----------
    content : bytes
    name : str
        What to call it in an error.
    room : int
        How many pixels it may have at most; Pillow's own limit holds too.
    fit : int, optional
        Edge of a square in which it must fit; it is made smaller as it is read.

    Raises
    ------
    ComfyError
        It is no image that Pillow reads, or one that is dangerously large.
    """
    from PIL import Image as Pillow

    try:
        image = _opened(content)
        if image.width * image.height > room:
            raise ComfyError(
                f"{name} has {image.width} x {image.height} pixels, and all images of a result together may have "
                f"{MAX_PIXELS:,}. .open() gives one at a time, .bytes() the file as it is."
            )
        if fit is None:
            image.load()
        else:
            # A JPEG is decoded at an eighth of the cost this way.
            image.draft("RGB", (fit, fit))
            image.thumbnail((fit, fit))
    except ComfyError:
        raise
    except Pillow.DecompressionBombError as error:
        raise ComfyError(
            f"{name} is too large an image to open safely ({error}). Raise PIL.Image.MAX_IMAGE_PIXELS if you trust "
            "the server; .bytes() gives the file as it is."
        ) from error
    except Exception as error:
        # Pillow's readers raise whatever a damaged file leads them to.
        raise ComfyError(f"{name} cannot be opened as an image: {error}. .bytes() gives the file as it is.") from error
    return image


def _opened(content: bytes) -> Image:
    """Only formats that are data: Pillow hands PostScript to Ghostscript, and a file here is a stranger's."""
    from PIL import Image as Pillow
    from PIL import UnidentifiedImageError

    try:
        # The usual formats are known before all others are loaded.
        return Pillow.open(io.BytesIO(content), formats=[name for name in Pillow.OPEN if name not in _PROGRAMS])
    except UnidentifiedImageError:
        Pillow.init()
        return Pillow.open(io.BytesIO(content), formats=[name for name in Pillow.OPEN if name not in _PROGRAMS])
