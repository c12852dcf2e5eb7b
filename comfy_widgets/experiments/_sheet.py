"""An experiment as PIL images: two axes as columns and rows, or all cells on pages."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .._grid import make_grid
from .._labels import LabelFont
from ..protocol import ComfyError, WorkflowError
from ._cell import Cell, Cells, open_image
from ._keep import THUMBNAIL
from ._labels import Shown, axis_name, shown_axes
from ._store import StoredFile

if TYPE_CHECKING:
    from PIL.Image import Image

_INK, _FAINT, _PAPER, _EMPTY = "#1f2328", "#6e7781", "white", "#eef0f2"
_MAX_SIDE = 8192
_LEAST = 32
_MOST = _MAX_SIDE // (_LEAST + 8)
"""Columns and rows of a grid: of more, its images could not be seen, nor the grid be opened."""


def draw_grid(of: Cells, x: str | None, y: str | None, fixed: Mapping[str, Any]) -> Image:
    """Draw two axes; what is not finished stays an empty field.

    Raises
    ------
    WorkflowError
        There is no such axis or value.
    """
    from PIL import Image as Pillow
    from PIL import ImageDraw

    shown = shown_axes(of, x, y, fixed)
    columns, rows = shown.columns[:_MOST], shown.rows[:_MOST]
    caption = _caption(shown)
    files = {place: file for place, cell in shown.cells.items() if (file := _file(cell, place)) is not None}
    sizes = [_size_of(file) for file in files.values()]
    largest = max(map(max, sizes), default=256)
    side = max(_LEAST, min(largest, 512, _MAX_SIDE // max(len(columns), len(rows)) - 8))
    width = min(side, max((wide * side // max(wide, high) for wide, high in sizes), default=side))
    height = min(side, max((high * side // max(wide, high) for wide, high in sizes), default=side))
    # Of so many each is small, and to open all of them would take a minute.
    is_rough = side <= THUMBNAIL and len(files) > 400
    gap = max(2, side // 48)
    statuses = {place: cell.status.replace("_", " ") for place, cell in shown.cells.items() if place not in files}
    font = LabelFont(max(12, side // 18), [caption, *columns, *rows, *set(statuses.values())])
    line = font.height + 2 * gap
    left = 2 * gap + (max(round(font.length(font.cut(row, side))) for row in rows) if shown.y else 0)
    top = (line if caption else 0) + (line if shown.x else gap)
    size = (left + len(columns) * (width + gap) + gap, top + len(rows) * (height + gap) + gap)
    sheet = Pillow.new("RGB", size, _PAPER)
    draw = ImageDraw.Draw(sheet)
    if caption:
        font.draw(sheet, (gap * 2, gap), font.cut(caption, size[0] - 4 * gap), _FAINT, "la")
    for column, label in enumerate(columns if shown.x else ()):
        middle = left + column * (width + gap) + width / 2
        font.draw(sheet, (middle, top - gap), font.cut(label, width), _INK, "md")
    for row, label in enumerate(rows if shown.y else ()):
        middle = top + row * (height + gap) + height / 2
        font.draw(sheet, (left - 1.5 * gap, middle), font.cut(label, side), _INK, "rm")
    for row in range(len(rows)):
        # One row after the other: all images of a large sweep at once would fill the memory.
        line_of = {column: files[column, row] for column in range(len(columns)) if (column, row) in files}
        images = _small_images(of, line_of, (width, height), is_rough)
        for column in range(len(columns)):
            corner = (left + column * (width + gap), top + row * (height + gap))
            image = images.get(column)
            if image is None:
                draw.rectangle((*corner, corner[0] + width - 1, corner[1] + height - 1), fill=_EMPTY)
                status = statuses.get((column, row))
                if status is not None:
                    centre = (corner[0] + width / 2, corner[1] + height / 2)
                    font.draw(sheet, centre, font.cut(status, width), _FAINT, "mm")
                continue
            sheet.paste(image, (corner[0] + (width - image.width) // 2, corner[1] + (height - image.height) // 2))
    return sheet


def _caption(shown: Shown) -> str:
    """The values that are held, and what of long axes is drawn."""
    cut = [
        f"the first {_MOST} of {len(heads):,} {what}"
        for what, heads in (("columns", shown.columns), ("rows", shown.rows))
        if len(heads) > _MOST
    ]
    return "; ".join([*([shown.caption] if shown.caption else []), *cut])


def _file(cell: Cell, place: tuple[int, int]) -> StoredFile | None:
    if max(place) >= _MOST:
        return None
    return next((file for file in cell.files if file.kind == "image"), None)


def _size_of(file: StoredFile) -> tuple[int, int]:
    """Return width and height in pixels; of a file that cannot be opened, those of an empty field."""
    if file.width and file.height:
        return file.width, file.height
    try:
        return open_image(file).size
    except ComfyError:
        return 256, 256


def _small_images(of: Cells, files: Mapping[int, StoredFile], box: tuple[int, int], is_rough: bool) -> dict[int, Image]:
    """Images that fit into a box, by column; rough ones are those that the store keeps small."""
    from PIL import Image as Pillow

    kept = of.store.thumbnails({file.sha256 for file in files.values()}) if is_rough else {}
    images = {}
    for column, file in files.items():
        try:
            small = kept.get(file.sha256)
            image = Pillow.open(io.BytesIO(small[2])) if small is not None else open_image(file)
        except ComfyError:
            # A file that somebody took out of the folder leaves its field empty.
            continue
        image = image.convert("RGB")
        image.thumbnail(box, Pillow.Resampling.LANCZOS)
        images[column] = image
    return images


def draw_sheets(of: Cells, cell: int, max_side: int) -> list[Image]:
    """Draw all finished cells with their values under them, in pages.

    Raises
    ------
    WorkflowError
        A size is too small.
    ComfyError
        No cell is finished.
    """
    if cell < 16 or max_side < 2 * cell:
        raise WorkflowError("An image on a sheet has at least 16 pixels, and a page room for two of them.")
    finished = [(one, image) for one in of.cells if (image := _image(one, (cell, cell))) is not None]
    if not finished:
        raise ComfyError("No cell has an image yet.")
    across = max(1, min(max_side // (cell + cell // 25), math.ceil(math.sqrt(len(finished)))))
    down = max(1, max_side // round(cell * 1.2 + 24))
    pages = []
    for start in range(0, len(finished), across * down):
        part = finished[start : start + across * down]
        labels = [", ".join(f"{axis_name(name)} {label}" for name, label in one.labels.items()) for one, _ in part]
        images = [image for _, image in part]
        pages.append(make_grid(images, cols=min(across, len(part)), labels=labels, cell=(cell, cell), color=_INK))
    return pages


def _image(cell: Cell, size: tuple[int, int] | None = None) -> Image | None:
    try:
        image = cell.image
    except ComfyError:
        # A file that somebody took out of the folder leaves its field empty.
        return None
    if image is not None and size is not None:
        image.thumbnail(size)
    return image
