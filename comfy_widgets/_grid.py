"""Several images on one: a PIL image, no widget needed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ._labels import LabelFont

if TYPE_CHECKING:
    from PIL.Image import Image

Color = str | tuple[int, int, int]

MAX_PIXELS = 100_000_000
"""Of all cells of a sheet: 300 MB in memory. A wide image beside a high one would take any amount."""


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
    """Put images on one sheet, row by row.

    Parameters
    ----------
    images : sequence of PIL images
        Any sizes and modes; an image smaller than its cell is centred in it, a larger one is scaled down.
    cols : int, optional
        Images in a row; the default makes the sheet about as wide as high.
    labels : sequence of str, optional
        One line under each image, cut where it is too long. Letters that Pillow's own font lacks are drawn with a font
        of this machine.
    gap : int, optional
        Pixels between images; 2 % of the cell by default.
    background, color : colour
        Of the sheet and of the labels.
    cell : (width, height), optional
        Pixels of each cell; the largest width and height of the images by default. Cells that together would have more
        than 100 megapixels are made smaller.

    Returns
    -------
    PIL.Image.Image
        Mode RGB.

    Raises
    ------
    ValueError
        There are no images, ``cols`` is less than 1, or there are not as many labels as images.

    Warns
    -----
    UserWarning
        No font of this machine has some letters of the labels; boxes are drawn for them.

    Examples
    --------
    >>> from PIL import Image
    >>> make_grid([Image.new("RGB", (10, 10), color) for color in ("red", "lime")], gap=2).size
    (26, 14)
    """
    from PIL import Image as Pillow

    shown = list(images)
    if not shown:
        raise ValueError("make_grid needs at least one image, but got none.")
    if cols is None:
        cols = math.ceil(math.sqrt(len(shown)))
    if cols < 1:
        raise ValueError(f"cols is {cols}, but must be at least 1.")
    if labels is not None and len(labels) != len(shown):
        raise ValueError(f"There are {len(shown)} images, but {len(labels)} labels; give one label for each image.")
    cols = min(cols, len(shown))
    rows = math.ceil(len(shown) / cols)
    width, height = cell or (max(image.width for image in shown), max(image.height for image in shown))
    scale = min(1.0, math.sqrt(MAX_PIXELS / (cols * rows * width * height)))
    width, height = max(1, int(width * scale)), max(1, int(height * scale))
    space = max(2, round(width * 0.02)) if gap is None else gap
    texts = [str(label) for label in labels] if labels is not None else []
    font = LabelFont(max(11, width // 24), texts) if labels is not None else None
    line = font.height + space if font is not None else 0
    size = (cols * width + (cols + 1) * space, rows * (height + line) + (rows + 1) * space)
    sheet = Pillow.new("RGB", size, background)
    for index, image in enumerate(shown):
        row, col = divmod(index, cols)
        left, top = space + col * (width + space), space + row * (height + line + space)
        small = _fitted(image, width, height)
        at = (left + (width - small.width) // 2, top + (height - small.height) // 2)
        sheet.paste(small, at, small if small.mode == "RGBA" else None)
        if font is not None:
            at = (left + width // 2, top + height + space // 2)
            font.draw(sheet, at, font.cut(texts[index], width), color, "ma")
    return sheet


def _fitted(image: Image, width: int, height: int) -> Image:
    """The image, smaller where it must be, in a mode that can be pasted."""
    from PIL import Image as Pillow

    mode = "RGBA" if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info else "RGB"
    scale = min(width / image.width, height / image.height)
    if scale >= 1:
        return image.convert(mode)
    if image.mode in ("1", "P", "PA"):
        image = image.convert(mode)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    # Made smaller before it is converted, and by whole factors first: a copy of a large image is what costs.
    return image.resize(size, Pillow.Resampling.LANCZOS, reducing_gap=3.0).convert(mode)
