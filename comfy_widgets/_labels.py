"""Labels that are drawn beside images."""

from __future__ import annotations

import math
from bisect import bisect_right
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont, ImageFont

_MAX_LABEL = 1000


def label_font(size: int) -> FreeTypeFont | ImageFont:
    """Return Pillow's own font, so that labels look the same everywhere."""
    from PIL import ImageFont

    return ImageFont.load_default(size)


def line_height(font: FreeTypeFont | ImageFont) -> int:
    """Return the pixels from the highest to the lowest letter."""
    _, top, _, bottom = font.getbbox("Ágjy")
    return math.ceil(bottom - min(0, top))


def cut_label(text: str, font: FreeTypeFont | ImageFont, width: float) -> str:
    """Return a text on one line, cut to a width in pixels."""
    # Half an emoji has no glyph, and Pillow no patience with it; nobody reads a label of a thousand letters.
    text = " ".join(text[: 4 * _MAX_LABEL].split())[:_MAX_LABEL].encode("utf-8", "replace").decode()
    if font.getlength(text) <= width:
        return text
    fitting = bisect_right(range(len(text)), width, key=lambda count: font.getlength(f"{text[:count]}…"))
    return f"{text[: max(fitting - 1, 0)].rstrip()}…"
