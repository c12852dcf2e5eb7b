"""Sizes that nodes share."""

from __future__ import annotations

MAX_SIDE = 4096
MAX_BATCH_PIXELS = 64 * 1024 * 1024


def check_size(width: int, height: int, count: int) -> None:
    """Refuse images that are too much for a small engine.

    Raises
    ------
    ValueError
        A side is longer than 4096 pixels, or a batch larger than 64 megapixels.
    """
    if max(width, height) > MAX_SIDE or width * height * count > MAX_BATCH_PIXELS:
        raise ValueError(
            f"The embedded engine makes images of at most {MAX_SIDE} pixels a side, 64 megapixels in a batch; "
            f"{count} of {width} x {height} are too much. Choose a smaller size or batch."
        )


def wanted_size(old_width: int, old_height: int, width: int, height: int) -> tuple[int, int]:
    """Return a size of which one side may be 0: it then follows from the other one and the aspect ratio."""
    if width == 0:
        width = max(1, round(old_width * height / old_height))
    if height == 0:
        height = max(1, round(old_height * width / old_width))
    return width, height


def size_by(width: int, height: int, factor: float) -> tuple[int, int]:
    """Return a size times a factor."""
    return max(1, round(width * factor)), max(1, round(height * factor))
