"""A small antialiased painter in numpy that draws many images at once.

Coordinates: the middle of the image is (0, 0), x grows to the right, y downwards, and the shorter side is 1 long; so
a scene composes well in every aspect ratio and at every size. Shapes are given as signed distances (negative inside),
from which soft, exact edges follow at any resolution.

All parameters are columns of shape (n, 1, 1), one value for each image, or plain numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeAlias

import numpy as np

from .arrays import Array, Bools, Ints

Column: TypeAlias = "Array | np.floating[Any] | float"
"""A value for each image, shape (n, 1, 1), or one for all."""


class Canvas:
    """n images of one size, or a rectangular part of them.

    Parameters
    ----------
    pixels : array
        Shape (n, 3, height, width), values 0..1. Painted on in place.
    x, y : array
        Coordinates of the columns, shape (1, 1, width), and of the rows, shape (1, height, 1).
    pixel : float
        Width of a pixel in these coordinates.
    """

    def __init__(self, pixels: Array, x: Array, y: Array, pixel: float) -> None:
        self.pixels = pixels
        self.x = x
        self.y = y
        self.pixel = pixel

    @classmethod
    def blank(cls, count: int, height: int, width: int) -> Canvas:
        """Return black images."""
        short = min(height, width)
        x = (np.arange(width, dtype=np.float32) + 0.5 - width / 2) / short
        y = (np.arange(height, dtype=np.float32) + 0.5 - height / 2) / short
        pixels = np.zeros((count, 3, height, width), np.float32)
        return cls(pixels, x.astype(np.float32)[None, None, :], y.astype(np.float32)[None, :, None], 1.0 / short)

    def band(self, top: Column, bottom: Column) -> Canvas:
        """Return the rows that hold these heights of all images; painting on them paints on this canvas."""
        margin = 2 * self.pixel
        low, high = float(np.min(top)) - margin, float(np.max(bottom)) + margin
        start, stop = np.searchsorted(self.y.ravel(), [low, high])
        # At least one row, so that nobody has to think of empty bands.
        start = min(int(start), self.y.size - 1)
        rows = slice(start, max(int(stop), start + 1))
        return Canvas(self.pixels[:, :, rows], self.x, self.y[:, rows], self.pixel)

    @contextmanager
    def patch(self, index: Ints, left: Array, right: Array, top: Array, bottom: Array) -> Iterator[Canvas]:
        """Give a canvas of small patches, one from each of some images, and put them back when it is left.

        Parameters
        ----------
        index : Ints
            Which images.
        left, right, top, bottom : array
            What each patch has to hold; columns, one value for each image in `index`. What lies outside the image
            is left out.
        """
        columns = _patch_axis(self.x.ravel(), left, right, self.pixel)
        rows = _patch_axis(self.y.ravel(), top, bottom, self.pixel)
        x, y = self.x.ravel()[columns][:, None, :], self.y.ravel()[rows][:, :, None]
        if len(self.pixels) == 1:
            across = slice(int(columns[0, 0]), int(columns[0, -1]) + 1)
            down = slice(int(rows[0, 0]), int(rows[0, -1]) + 1)
            yield Canvas(self.pixels[:, :, down, across], x, y, self.pixel)
            return
        place = (
            index[:, None, None, None],
            np.arange(3)[None, :, None, None],
            rows[:, None, :, None],
            columns[:, None, None],
        )
        part = Canvas(self.pixels[place], x, y, self.pixel)
        yield part
        self.pixels[place] = part.pixels

    def on_some(self, index: Ints, paint: Callable[[Canvas], None]) -> None:
        """Let `paint` work on whole images, but only on some of them."""
        if index.size == len(self.pixels):
            paint(self)
        elif index.size:
            part = Canvas(self.pixels[index], self.x, self.y, self.pixel)
            paint(part)
            self.pixels[index] = part.pixels

    def coverage(self, distance: Array) -> Array:
        """Return how much of each pixel lies inside a shape, from signed distances."""
        covered = np.float32(0.5) - distance * np.float32(1.0 / self.pixel)
        result: Array = np.clip(covered, 0.0, 1.0, out=covered)
        return result

    def paint(self, coverage: Array, colour: Array) -> None:
        """Lay a colour over the images.

        Parameters
        ----------
        coverage : array
            0..1, shape (n, height, width) or broadcastable to it.
        colour : array
            Shape (n or 1, 3, 1, 1), or a field of shape (n or 1, 3, height, width).
        """
        change = colour - self.pixels
        change *= coverage[:, None]
        self.pixels += change

    def fill(self, distance: Array, colour: Array) -> None:
        """Paint the inside of a shape."""
        self.paint(self.coverage(distance), colour)

    def add_light(self, amount: Array, colour: Array) -> None:
        """Brighten towards a colour, as a glow does (screen blending)."""
        light = amount[:, None] * colour
        self.pixels += light * (1.0 - self.pixels)


def _patch_axis(axis: Array, low: Array, high: Array, pixel: float) -> Ints:
    """Return the pixel numbers of equally long patches along one axis, inside the image; shape (n, length)."""
    first = np.floor((low.ravel() - axis[0]) / pixel).astype(np.int64) - 1
    length = int(np.ceil(np.max(high - low) / pixel)) + 4
    length = min(length, axis.size)
    result: Ints = np.clip(first, 0, axis.size - length)[:, None] + np.arange(length)
    return result


def circle(canvas: Canvas, cx: Column, cy: Column, radius: Column) -> Array:
    """Signed distance to a circle."""
    dx, dy = canvas.x - cx, canvas.y - cy
    # Not np.hypot: its care about overflow costs three times as much.
    distance = dx * dx + dy * dy
    np.sqrt(distance, out=distance)
    distance -= radius
    return distance


def ellipse(canvas: Canvas, cx: Column, cy: Column, rx: Column, ry: Column) -> Array:
    """Signed distance to an ellipse (first order, exact at the edge)."""
    u, v = (canvas.x - cx) / rx, (canvas.y - cy) / ry
    level = np.sqrt(u * u + v * v)
    slope = np.sqrt((u / rx) ** 2 + (v / ry) ** 2)
    distance: Array = level * (level - 1) / np.maximum(slope, 1e-6)
    return distance


def box(canvas: Canvas, cx: Column, cy: Column, half_width: Column, half_height: Column, corner: Column = 0.0) -> Array:
    """Signed distance to a rectangle with round corners."""
    u = np.abs(canvas.x - cx) - half_width + corner
    v = np.abs(canvas.y - cy) - half_height + corner
    outside = np.hypot(np.maximum(u, 0.0), np.maximum(v, 0.0))
    distance: Array = outside + np.minimum(np.maximum(u, v), 0.0) - corner
    return distance


def polygon(canvas: Canvas, corners: Sequence[tuple[Column, Column]]) -> Array:
    """Signed distance to a convex polygon, its corners in clockwise order on the screen."""
    distance: Array | None = None
    for (x0, y0), (x1, y1) in zip(corners, [*corners[1:], corners[0]], strict=True):
        dx, dy = x1 - x0, y1 - y0
        length = np.maximum(np.hypot(dx, dy), 1e-9)
        side = (canvas.x - x0) * (dy / length) - (canvas.y - y0) * (dx / length)
        distance = side if distance is None else np.maximum(distance, side)
    assert distance is not None
    return distance


def segment(canvas: Canvas, x0: Column, y0: Column, x1: Column, y1: Column, thickness: Column) -> Array:
    """Signed distance to a line with round ends."""
    dx, dy = x1 - x0, y1 - y0
    px, py = canvas.x - x0, canvas.y - y0
    along = np.clip((px * dx + py * dy) / np.maximum(dx * dx + dy * dy, 1e-12), 0.0, 1.0)
    distance: Array = np.hypot(px - along * dx, py - along * dy) - thickness * 0.5
    return distance


def smooth_step(low: Column, high: Column, value: Array) -> Array:
    """0 below `low`, 1 above `high`, smooth between."""
    t = np.clip((value - low) / (high - low), 0.0, 1.0)
    stepped: Array = t * t * (3.0 - 2.0 * t)
    return stepped


def choose(condition: Bools, yes: float, no: float) -> Array:
    """Return one of two numbers for each element, as float32 (numpy's `where` would make them float64)."""
    result: Array = np.where(condition, np.float32(yes), np.float32(no))
    return result
