"""Paints what falls from the sky."""

from __future__ import annotations

import numpy as np

from .canvas import Canvas
from .look import Look, named
from .scenes import WEATHERS

_WHITE = named((1.0, 1.0, 1.0))
_CELL = 0.07


def paint_weather(canvas: Canvas, look: Look) -> None:
    """Paint rain and snowflakes over everything."""
    look.some(canvas, look.scenes.weather == WEATHERS.index("rain"), _rain)
    look.some(canvas, look.scenes.weather == WEATHERS.index("snowfall"), _flakes)


def _rain(canvas: Canvas, look: Look) -> None:
    slanted = canvas.x + 0.22 * canvas.y
    lane = np.floor(slanted / 0.021)
    start = np.mod(lane * 0.7548 + look.die(20), 1.0)
    across = np.abs(slanted / 0.021 - lane - 0.5) * 0.021 - 0.0011
    along = np.abs(np.mod(canvas.y / 0.19 + start, 1.0) - 0.5) * 0.19 - 0.028
    canvas.paint(canvas.coverage(np.maximum(across, along)) * 0.34, _WHITE)


def _flakes(canvas: Canvas, look: Look) -> None:
    for layer in range(2):
        cell = np.float32(_CELL * (1.0 + 0.55 * layer))
        u, v = canvas.x / cell, canvas.y / cell + look.die(20 + layer)
        column, row = np.floor(u), np.floor(v)
        dx = u - column - (0.25 + 0.5 * np.mod(np.sin(column * 12.9898 + row * 78.233) * 437.5, 1.0))
        dy = v - row - (0.25 + 0.5 * np.mod(np.sin(column * 39.346 + row * 11.135) * 431.7, 1.0))
        distance = np.hypot(dx, dy) * cell - (0.0036 + 0.0022 * layer)
        canvas.paint(canvas.coverage(distance) * 0.85, _WHITE)
