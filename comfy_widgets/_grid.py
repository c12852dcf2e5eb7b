"""Several pictures on one: a PIL image, no widget needed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageFont import FreeTypeFont, ImageFont

Color = str | tuple[int, int, int]


def make_grid(
    images: Sequence[Image],
    cols: int | None = None,
    labels: Sequence[str] | None = None,
    *,
    gap: int | None = None,
    background: Color = "white",
    color: Color = "#333333",
    cell: tuple[int, int] | None = None,
) -> Image:
    """Put pictures on one sheet, row by row.

    Parameters
    ----------
    images : sequence of PIL images
        Any sizes and modes; a picture smaller than its cell is centred in it, a larger one is scaled down.
    cols : int, optional
        Pictures in a row; the default makes the sheet about as wide as high.
    labels : sequence of str, optional
        One line under each picture, cut where it is too long.
    gap : int, optional
        Pixels between pictures; 2 % of the cell by default.
    background, color : colour
        Of the sheet and of the labels.
    cell : (width, height), optional
        Pixels of each cell; the largest width and height of the pictures by default.

    Returns
    -------
    PIL.Image.Image
        Mode RGB.

    Raises
    ------
    ValueError
        There are no pictures, ``cols`` is less than 1, or there are not as many labels as pictures.
    """
    from PIL import Image as Pillow
    from PIL import ImageDraw

    pictures = list(images)
    if not pictures:
        raise ValueError("make_grid needs at least one picture, but got none.")
    if cols is None:
        cols = math.ceil(math.sqrt(len(pictures)))
    if cols < 1:
        raise ValueError(f"cols is {cols}, but must be at least 1.")
    if labels is not None and len(labels) != len(pictures):
        raise ValueError(
            f"There are {len(pictures)} pictures, but {len(labels)} labels; give one label for each picture."
        )
    cols = min(cols, len(pictures))
    rows = math.ceil(len(pictures) / cols)
    width, height = cell or (max(p.width for p in pictures), max(p.height for p in pictures))
    space = max(2, round(width * 0.02)) if gap is None else gap
    font = _font(max(11, width // 24)) if labels is not None else None
    line = _line_height(font) + space if font is not None else 0
    size = (cols * width + (cols + 1) * space, rows * (height + line) + (rows + 1) * space)
    sheet = Pillow.new("RGB", size, background)
    draw = ImageDraw.Draw(sheet)
    for index, picture in enumerate(pictures):
        row, col = divmod(index, cols)
        left, top = space + col * (width + space), space + row * (height + line + space)
        shown = picture
        if picture.width > width or picture.height > height:
            shown = picture.copy()
            shown.thumbnail((width, height), Pillow.Resampling.LANCZOS)
        at = (left + (width - shown.width) // 2, top + (height - shown.height) // 2)
        if shown.mode in ("RGBA", "LA", "PA") or "transparency" in shown.info:
            shown = shown.convert("RGBA")
            sheet.paste(shown, at, shown)
        else:
            sheet.paste(shown.convert("RGB"), at)
        if labels is not None and font is not None:
            text = _cut(str(labels[index]), font, width)
            draw.text((left + width / 2, top + height + space // 2), text, fill=color, font=font, anchor="ma")
    return sheet


def _font(size: int) -> FreeTypeFont | ImageFont:
    from PIL import ImageFont

    return ImageFont.load_default(size)


def _line_height(font: FreeTypeFont | ImageFont) -> int:
    _, top, _, bottom = font.getbbox("Ágjy")
    return math.ceil(bottom - min(0, top))


def _cut(text: str, font: FreeTypeFont | ImageFont, width: float) -> str:
    text = " ".join(text.split())
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(text + "…") > width:
        text = text[:-1]
    return text.rstrip() + "…"
