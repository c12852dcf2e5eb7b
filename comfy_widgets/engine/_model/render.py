"""Paints scenes at any size."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .arrays import Array
from .backdrop import paint_sky
from .canvas import Canvas
from .figures_land import (
    paint_beam,
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
from .scenes import FIGURES, LANDS, NONE, Scenes, column, usual_colours
from .spot import Spot
from .terrain import lake_lines, near_ground_line, paint_land, paint_near_ground
from .weather import paint_weather

_GROUP_PIXELS = 262_144
"""Scenes are painted in groups of about so many pixels: enough to keep numpy busy, few enough for the cache."""


@dataclass(frozen=True)
class _Kind:
    """How a kind of figure is placed.

    Parameters
    ----------
    paint : callable
        Paints one figure in each of some scenes, on a patch around it.
    size : float
        Usual size, in canvas units.
    place : str
        "sky", "far", "shore", "middle", "water" or "near".
    reach : tuple (float, float, float)
        How far it extends from its spot, in its sizes: to either side, up, down.
    spacing : float
        Distance between several, in their sizes.
    glow : callable, optional
        Paints what goes beyond the patch, before the figure.
    """

    paint: Callable[[Canvas, Look, Spot], None]
    size: float
    place: str
    reach: tuple[float, float, float]
    spacing: float = 1.5
    glow: Callable[[Canvas, Look, Spot], None] | None = None


_KINDS: dict[str, _Kind] = {
    "castle": _Kind(paint_castle, 0.21, "far", (0.9, 1.25, 0.2)),
    "windmill": _Kind(paint_windmill, 0.20, "far", (0.7, 1.4, 0.05)),
    "lighthouse": _Kind(paint_lighthouse, 0.27, "shore", (0.56, 1.08, 0.1), glow=paint_beam),
    "house": _Kind(paint_house, 0.155, "middle", (0.65, 1.65, 0.05), 1.9),
    "pine": _Kind(paint_pine, 0.17, "middle", (0.42, 1.5, 0.1), 0.62),
    "boat": _Kind(paint_boat, 0.17, "water", (0.58, 1.05, 0.6), 1.6),
    "birds": _Kind(paint_bird, 0.045, "sky", (1.2, 2.2, 2.2), 1.8),
    "balloon": _Kind(paint_balloon, 0.26, "sky", (0.44, 0.58, 0.6), 1.15),
    "rocket": _Kind(paint_rocket, 0.26, "sky", (0.34, 0.55, 0.95), 1.5),
    "tree": _Kind(paint_tree, 0.30, "near", (0.6, 1.25, 0.05), 0.95),
    "flower": _Kind(paint_flower, 0.11, "near", (0.5, 1.7, 0.1), 1.0),
    "mushroom": _Kind(paint_mushroom, 0.12, "near", (0.7, 1.3, 0.1), 1.2),
    "cat": _Kind(paint_cat, 0.20, "near", (0.6, 1.1, 0.05), 1.2),
    "bottle": _Kind(paint_bottle, 0.30, "near", (0.3, 1.15, 0.05), 0.9),
}


def render(scenes: Scenes, height: int, width: int) -> Array:
    """Paint scenes.

    Parameters
    ----------
    scenes : Scenes
        n scenes.
    height, width : int
        Size in pixels.

    Returns
    -------
    Array
        Shape (n, 3, height, width), float32, values 0..1.
    """
    pictures = np.empty((len(scenes), 3, height, width), np.float32)
    group = max(1, _GROUP_PIXELS // (height * width))
    for start in range(0, len(scenes), group):
        part = scenes.take(slice(start, start + group))
        canvas = Canvas.blank(len(part), height, width)
        look = Look.of(part, canvas)
        paint_sky(canvas, look)
        paint_land(canvas, look)
        for kind, name in enumerate(FIGURES):
            if name == "tree":
                # From here on figures stand on the ground before us.
                paint_near_ground(canvas, look)
            _paint_kind(canvas, look, kind, _KINDS[name])
        paint_weather(canvas, look)
        np.clip(canvas.pixels, 0.0, 1.0, out=pictures[start : start + group])
    pictures[scenes.flipped] = pictures[scenes.flipped][..., ::-1]
    return pictures


def _paint_kind(canvas: Canvas, look: Look, kind: int, style: _Kind) -> None:
    counts = look.scenes.count[:, kind]
    side, up, down = style.reach
    for number in range(int(counts.max(initial=0))):
        index = np.flatnonzero(counts > number)
        its = look.take(index)
        spot = _spot(its, kind, style, number)
        x, y, size = spot.x, spot.y, spot.size
        if style.glow is not None:
            canvas.on_some(index, _with(style.glow, its, spot))
        with canvas.patch(index, x - size * side, x + size * side, y - size * up, y + size * down) as part:
            style.paint(part, its, spot)


def _with(paint: Callable[[Canvas, Look, Spot], None], look: Look, spot: Spot) -> Callable[[Canvas], None]:
    return lambda part: paint(part, look, spot)


def _spot(look: Look, kind: int, style: _Kind, number: int) -> Spot:
    """Return where the number-th figure of a kind stands in each scene, how big it is, and its colour."""
    scenes = look.scenes
    several = scenes.count[:, kind] > 1
    jitter = np.mod(scenes.dice[:, (kind * 5 + number * 3) % 37] + number * 0.618, 1.0)
    other = np.mod(scenes.dice[:, (kind * 3 + number * 7 + 11) % 37] + number * 0.414, 1.0)
    # Narrow images have less room.
    room = style.size * min(1.0, max(0.6, 1.25 * look.half_width * 2))
    smaller = 1.0 - 0.22 * several * (number > 0) * jitter
    size = column(scenes.size[:, kind] * smaller * room)
    # The figures of a group take places from its middle outwards, alternating sides.
    step = (number + 1) // 2 * (1 if number % 2 else -1)
    shift = style.spacing * step + (jitter - 0.5) * 0.5 * (number > 0)
    x = look.across(scenes.x[:, kind] * 0.86) + size * column(shift)
    limit = 1.02 * look.half_width
    x = np.where(np.abs(x) > limit, np.mod(x + limit, 2 * limit) - limit, x)
    y = _foot(look, style.place, x, size, column(jitter), column(other))
    colour = scenes.colour[:, kind]
    choices = usual_colours(FIGURES[kind])
    mixed = choices[(np.floor(scenes.dice[:, kind] * 97).astype(np.int64) + number * 5) % len(choices)]
    colour = np.where(colour == NONE, mixed, colour)
    return Spot(x, y, size, of_table(colour), column(jitter), column(other), number)


def _foot(look: Look, place: str, x: Array, size: Array, jitter: Array, other: Array) -> Array:
    """Return the height at which a figure stands, or floats."""
    sea = column(look.scenes.land == LANDS.index("sea"))
    wet = np.maximum(sea, column(look.scenes.lake))
    if place == "sky":
        return look.horizon - (look.horizon + look.half_height) * (0.42 + 0.3 * other)
    if place == "far":
        return look.line(0.12 + 0.06 * other)
    if place == "shore":
        return look.line(0.16 + 0.05 * other)
    if place == "middle":
        # On the far shore if there is water, else half-way to us.
        return look.line(0.42 + 0.2 * jitter + wet * (0.05 * jitter - 0.26 - 0.2 * jitter))
    if place == "water":
        far, near = lake_lines(look)
        far = far + sea * (look.line(0.1) - far)
        return far + (near - far) * (0.3 + 0.4 * other)
    return near_ground_line(x, look) + size * (0.02 + 0.12 * other)
