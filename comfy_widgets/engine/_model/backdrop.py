"""Paints the sky: gradient, stars, sun and moon, clouds, rainbow."""

from __future__ import annotations

import numpy as np

from .arrays import Array, Ints
from .canvas import Canvas, box, choose, circle, smooth_step
from .look import Look, named
from .palette import MOOD_NAMES, rgb
from .scenes import WEATHERS, column

_STAR_CELL = 0.085
_RAINBOW = tuple(named(rgb(code)) for code in ("#e2605c", "#f0a24e", "#f5d76a", "#79c178", "#5c9fd8", "#8d6cc0"))
_WHITE = named((1.0, 1.0, 1.0))
_NEBULA = tuple(named(rgb(code)) for code in ("#e06ad0", "#5a7cf0"))


def paint_sky(canvas: Canvas, look: Look) -> None:
    """Fill the whole canvas with sky, and hang up what belongs there."""
    top, middle, low = (look.sky(index) for index in range(3))
    t = np.clip((canvas.y + look.half_height) / (look.horizon + look.half_height), 0.0, 1.0)[:, None]
    upper = np.clip(t / 0.58, 0.0, 1.0)
    lower = smooth_step(0.58, 1.0, t)
    canvas.pixels[:] = top + (middle - top) * upper + (low - middle) * lower
    look.some(canvas, look.scenes.mood == MOOD_NAMES.index("galaxy"), _nebula)
    look.some(canvas, look.amount("stars").ravel() > 0, _stars)
    look.some(canvas, look.scenes.mood != MOOD_NAMES.index("storm"), _orb)
    look.some(canvas, look.scenes.weather == WEATHERS.index("rainbow"), _rainbow)
    _clouds(canvas, look)


def _nebula(canvas: Canvas, look: Look) -> None:
    """A milky band across the sky, woven of a few waves."""
    turn = (look.die(1) - 0.5) * 1.4
    along = canvas.x * np.cos(turn) + canvas.y * np.sin(turn)
    across = canvas.y * np.cos(turn) - canvas.x * np.sin(turn) + 0.12
    bend = 0.07 * np.sin(along * 5 + look.die(2) * 6.3) + 0.04 * np.sin(along * 11 + look.die(3) * 6.3)
    for number, colour in enumerate(_NEBULA):
        offset = across + bend + (number - 0.5) * 0.1
        strength = np.exp(-((offset / 0.13) ** 2)) * (0.42 + 0.2 * np.sin(along * 7 + number * 2 + look.die(4) * 6.3))
        canvas.add_light(strength, colour)


def _stars(canvas: Canvas, look: Look) -> None:
    """One star in each cell of a grid, somewhere in it; most are small."""
    upper = canvas.band(-look.half_height, look.horizon)
    columns = np.floor(upper.x / _STAR_CELL).astype(np.int32)
    rows = np.floor(upper.y / _STAR_CELL).astype(np.int32)
    salt = (look.die(5) * 65536).astype(np.int32)
    seed = _scramble(columns * 7919 + rows * 104729 + salt)
    u = np.mod(upper.x / _STAR_CELL, 1.0) - (0.2 + 0.6 * _part(seed, 0))
    v = np.mod(upper.y / _STAR_CELL, 1.0) - (0.2 + 0.6 * _part(seed, 8))
    size = (0.0016 + 0.0042 * _part(seed, 16) ** 4) / _STAR_CELL
    distance = (np.sqrt(u * u + v * v) - size) * _STAR_CELL
    fade = smooth_step(0.0, 0.25, look.horizon - upper.y) * 0.95
    shown = _part(seed, 24) < look.amount("stars") * 0.8
    upper.paint(upper.coverage(distance) * fade * shown, _WHITE)


def _scramble(values: np.typing.NDArray[np.int32]) -> np.typing.NDArray[np.uint32]:
    """Turn integers into ones that look random (the finish of MurmurHash3)."""
    mixed = values.astype(np.uint32)
    mixed ^= mixed >> np.uint32(16)
    mixed *= np.uint32(0x85EBCA6B)
    mixed ^= mixed >> np.uint32(13)
    mixed *= np.uint32(0xC2B2AE35)
    mixed ^= mixed >> np.uint32(16)
    return mixed


def _part(values: np.typing.NDArray[np.uint32], shift: int) -> Array:
    """Return 8 of the bits as a number 0..1."""
    bits = (values >> np.uint32(shift)) & np.uint32(255)
    part: Array = bits.astype(np.float32) / 255
    return part


def orb_place(look: Look) -> tuple[Array, Array]:
    """Return where sun or moon stands."""
    x = look.across(look.scenes.orb_x * 0.85)
    y = look.horizon - column(look.scenes.orb_y) * (look.horizon + look.half_height)
    return x, y


def _orb(canvas: Canvas, look: Look) -> None:
    """Sun or moon, with a halo; some moons are crescents, full ones have spots."""
    x, y = orb_place(look)
    dark = look.amount("dark") > 0.9
    radius = 0.062 + 0.035 * look.die(6) + choose(~dark, 0.012, 0.0)
    away = np.maximum(circle(canvas, x, y, radius), 0.0)
    canvas.add_light(look.amount("glow_strength") * 0.78 / (1.0 + away * 5.0 + away * away * 38.0), look.tone("glow"))
    crescent = dark & (look.die(7) < 0.6)
    index = np.arange(len(look.scenes))
    with canvas.patch(index, x - radius, x + radius, y - radius, y + radius) as part:
        disc = part.coverage(circle(part, x, y, radius))
        bite = part.coverage(circle(part, x + radius * 0.48, y - radius * 0.28, radius * 0.86))
        part.paint(disc * (1.0 - bite * crescent), look.tone("orb"))
        spotted = choose(dark & ~crescent, 0.12, 0.0)
        for dx, dy, size in ((-0.3, -0.2, 0.22), (0.25, 0.25, 0.3), (0.32, -0.35, 0.14)):
            spot = circle(part, x + radius * dx, y + radius * dy, radius * size)
            part.paint(part.coverage(spot) * spotted, look.tone("glow"))


def _rainbow(canvas: Canvas, look: Look) -> None:
    centre = look.across(look.scenes.dice[:, 8] - 0.5)
    radius = 0.62 + 0.15 * look.die(9)
    away = circle(canvas, centre, look.horizon + 0.12, radius)
    for number, colour in enumerate(_RAINBOW):
        ring = np.abs(away + number * 0.017) - 0.0088
        canvas.paint(canvas.coverage(ring) * 0.5, colour)


def _clouds(canvas: Canvas, look: Look) -> None:
    """Up to four clouds; when it rains all four."""
    for number in range(4):
        shown = (look.scenes.clouds > 0.2 + 0.2 * number) | (look.scenes.weather == WEATHERS.index("rain"))
        index = np.flatnonzero(shown)
        if index.size:
            _cloud(canvas, look.take(index), index, number)


def _cloud(canvas: Canvas, look: Look, index: Ints, number: int) -> None:
    """A flat-bottomed heap of discs, lighter above."""
    first = 10 + number * 3
    width = 0.085 + 0.075 * look.die(first)
    x = look.across((np.mod(look.scenes.dice[:, first + 1] + number * 0.47, 1.0) * 2 - 1) * 1.05)
    y = look.horizon - (look.horizon + look.half_height) * (0.42 + 0.5 * look.die(first + 2))
    lean = look.die(first) * 0.5 + 0.6
    discs = ((0.0, -0.32, 0.62), (-0.8 * lean, 0.0, 0.42), (0.85, 0.0, 0.46), (0.38, -0.22, 0.5))
    with canvas.patch(index, x - width * 1.5, x + width * 1.5, y - width * 1.1, y + width * 0.5) as part:
        heap = box(part, x, y + width * 0.1, width * 1.1, width * 0.2, width * 0.2)
        for across, down, radius in discs:
            heap = np.minimum(heap, circle(part, x + width * across, y + width * down, width * radius))
        heap = np.maximum(heap, part.y - (y + width * 0.3))
        cloud = look.tone("cloud")
        shade = cloud + (look.sky(1) - cloud) * 0.35
        belly = smooth_step(-0.35, 0.3, (part.y - y) / width)[:, None]
        part.paint(part.coverage(heap) * 0.88, cloud + (shade - cloud) * belly)
