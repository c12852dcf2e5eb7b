"""Paints scenes at any size."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .arrays import Array, Ints
from .backdrop import on_some, paint_sky
from .canvas import Canvas
from .figures_land import (
    paint_boat,
    paint_castle,
    paint_house,
    paint_lighthouse,
    paint_pine,
    paint_tree,
    paint_windmill,
)
from .figures_near import paint_bottle, paint_cat, paint_flower, paint_mushroom
from .figures_sky import paint_balloon, paint_bird, paint_rocket
from .look import Look, of_table
from .scenes import FIGURES, LANDS, Scenes, column
from .spot import Spot
from .terrain import lake_lines, near_ground_line, paint_land, paint_near_ground
from .weather import paint_weather

_CHUNK_PIXELS = 65_536
"""Scenes are painted in groups of about so many pixels, which then stay in the processor's cache."""

_FAR_ROW, _NEAR_ROW = 0.16, 0.42


@dataclass(frozen=True)
class _Kind:
    """How a kind of figure is placed.

    Parameters
    ----------
    paint
        Paints one figure in each of some scenes.
    scale
        Usual size, in canvas units.
    place
        "sky", "far" (beyond the middle), "middle", "water" or "near".
    spacing
        Distance between several, in their sizes.
    """

    paint: Callable[[Canvas, Look, Spot], None]
    scale: float
    place: str
    spacing: float = 1.5


_KINDS: dict[str, _Kind] = {
    "castle": _Kind(paint_castle, 0.21, "far"),
    "windmill": _Kind(paint_windmill, 0.20, "far"),
    "lighthouse": _Kind(paint_lighthouse, 0.27, "shore"),
    "house": _Kind(paint_house, 0.13, "middle", 1.9),
    "pine": _Kind(paint_pine, 0.15, "middle", 0.62),
    "boat": _Kind(paint_boat, 0.17, "water", 1.6),
    "birds": _Kind(paint_bird, 0.045, "sky", 1.8),
    "balloon": _Kind(paint_balloon, 0.26, "sky", 1.15),
    "rocket": _Kind(paint_rocket, 0.26, "sky", 1.5),
    "tree": _Kind(paint_tree, 0.30, "near", 0.95),
    "flower": _Kind(paint_flower, 0.10, "near", 0.9),
    "mushroom": _Kind(paint_mushroom, 0.12, "near", 1.2),
    "cat": _Kind(paint_cat, 0.20, "near", 1.2),
    "bottle": _Kind(paint_bottle, 0.30, "near", 0.9),
}


def render(scenes: Scenes, height: int, width: int) -> Array:
    """Paint scenes.

    Parameters
    ----------
    scenes
        n scenes.
    height, width
        Size in pixels.

    Returns
    -------
    Array
        Shape (n, 3, height, width), values 0..1.
    """
    pictures = np.empty((len(scenes), 3, height, width), np.float32)
    group = max(1, _CHUNK_PIXELS // (height * width))
    for start in range(0, len(scenes), group):
        part = scenes.take(slice(start, start + group))
        canvas = Canvas.blank(len(part), height, width)
        look = Look.of(part, canvas)
        paint_sky(canvas, look)
        paint_land(canvas, look)
        for kind, name in enumerate(FIGURES):
            if name == "tree":
                paint_near_ground(canvas, look)
            _paint_kind(canvas, look, kind, _KINDS[name])
        paint_weather(canvas, look)
        np.clip(canvas.pixels, 0.0, 1.0, out=pictures[start : start + group])
    return pictures


def _paint_kind(canvas: Canvas, look: Look, kind: int, style: _Kind) -> None:
    counts = look.scenes.count[:, kind]
    for number in range(int(counts.max(initial=0))):
        index = np.flatnonzero(counts > number)

        def paint(part: Canvas, its: Look, number: int = number) -> None:
            style.paint(part, its, _spot(part, its, kind, style, number))

        on_some(canvas, look, index, paint)


def _spot(canvas: Canvas, look: Look, kind: int, style: _Kind, number: int) -> Spot:
    """Return where the number-th figure of a kind stands in each scene, how big it is, and its colour."""
    scenes = look.scenes
    count = scenes.count[:, kind]
    jitter = np.mod(scenes.dice[:, (kind * 5 + number * 3) % 37] + number * 0.618, 1.0)
    other = np.mod(scenes.dice[:, (kind * 3 + number * 7 + 11) % 37] + number * 0.414, 1.0)
    room = float(np.clip(min(1.0, 1.25 * look.half_width * 2), 0.6, 1.0))
    size = column(scenes.size[:, kind] * (1.0 - 0.22 * (count > 1) * (number > 0) * jitter)) * np.float32(style.scale * room)
    # The figures of a group take places from its middle outwards, alternating sides.
    step = (number + 1) // 2 * (1 if number % 2 else -1)
    x = look.across(scenes.x[:, kind] * 0.86) + size * np.float32(style.spacing * step)
    x = x + size * column((jitter - 0.5) * 0.5 * (number > 0))
    limit = np.float32(look.half_width * 1.02)
    x = np.where(np.abs(x) > limit, np.mod(x + limit, 2 * limit) - limit, x).astype(np.float32)
    y = _foot(canvas, look, style.place, x, size, column(jitter), column(other))
    colour = of_table(scenes.colour[:, kind])
    return Spot(x, y, size, colour, column(jitter), column(other), number)


def _foot(canvas: Canvas, look: Look, place: str, x: Array, size: Array, jitter: Array, other: Array) -> Array:
    lake = column(look.scenes.lake) * column(look.scenes.land != LANDS.index("sea"))
    sea = column(look.scenes.land == LANDS.index("sea"))
    if place == "sky":
        height = look.horizon + np.float32(look.half_height)
        return look.horizon - height * (0.42 + 0.3 * other)
    if place == "far":
        return look.line(0.12 + 0.06 * other) - sea * look.line(0.02) * 0
    if place == "shore":
        return look.line(0.16 + 0.05 * other)
    if place == "middle":
        near = look.line(_NEAR_ROW + 0.2 * jitter)
        far = look.line(_FAR_ROW + 0.05 * jitter)
        return np.where(lake + sea > 0, far, near).astype(np.float32)
    if place == "water":
        far, shore = lake_lines(look)
        far = np.where(sea > 0, look.line(0.0 * jitter + 0.1), far)
        return (far + (shore - far) * (0.3 + 0.4 * other)).astype(np.float32)
    line = near_ground_line(x, look)
    return (line + size * (0.02 + 0.12 * other)).astype(np.float32)


def kinds_in(scenes: Scenes, row: int) -> Ints:
    """Return the kinds of figures in one scene."""
    return np.flatnonzero(scenes.count[row] > 0)
