"""Paints the sky: gradient, stars, sun and moon, clouds, rainbow."""

from __future__ import annotations

import numpy as np

from .arrays import Array
from .canvas import Canvas, circle, smooth_step
from .look import Look, named
from .palette import MOOD_NAMES, rgb

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
    if np.any(look.scenes.mood == MOOD_NAMES.index("galaxy")):
        _some(canvas, look, look.scenes.mood == MOOD_NAMES.index("galaxy"), _nebula)
    _some(canvas, look, look.amount("stars").ravel() > 0, _stars)
    _some(canvas, look, look.scenes.mood != MOOD_NAMES.index("storm"), _orb)
    _some(canvas, look, look.scenes.weather == 3, _rainbow)
    _clouds(canvas, look)


def _some(canvas: Canvas, look: Look, mask: np.typing.NDArray[np.bool_], painter: object) -> None:
    on_some(canvas, look, np.flatnonzero(mask), painter)


def on_some(canvas: Canvas, look: Look, index: np.typing.NDArray[np.int64], painter: object) -> None:
    """Let a painter work on some of the pictures only."""
    assert callable(painter)
    if index.size == len(canvas.pixels):
        painter(canvas, look)
    elif index.size:
        part = Canvas(canvas.pixels[index], canvas.x, canvas.y, canvas.pixel)
        painter(part, look.take(index))
        canvas.pixels[index] = part.pixels


def _nebula(canvas: Canvas, look: Look) -> None:
    """A milky band across the sky, woven of a few waves."""
    turn = (look.die(1) - 0.5) * 1.4
    along = canvas.x * np.cos(turn) + canvas.y * np.sin(turn)
    across = canvas.y * np.cos(turn) - canvas.x * np.sin(turn) + 0.12
    bend = 0.07 * np.sin(along * 5 + look.die(2) * 6.3) + 0.04 * np.sin(along * 11 + look.die(3) * 6.3)
    for number, colour in enumerate(_NEBULA):
        offset = across + bend + (number - 0.5) * 0.1
        strength = np.exp(-((offset / 0.13) ** 2)) * (0.42 + 0.2 * np.sin(along * 7 + number * 2 + look.die(4) * 6.3))
        canvas.add_light(strength.astype(np.float32), colour)


def _stars(canvas: Canvas, look: Look) -> None:
    """One star in each cell of a grid, somewhere in it; most are small."""
    upper = canvas.window(-look.half_width, look.half_width, -look.half_height, look.horizon)
    if 0 in upper.pixels.shape:
        return
    columns = np.floor(upper.x / _STAR_CELL).astype(np.int64)
    rows = np.floor(upper.y / _STAR_CELL).astype(np.int64)
    salt = (look.scenes.dice[:, 5] * 65536).astype(np.int64)[:, None, None]
    seed = _scramble(columns * 7919 + rows * 104729 + salt)
    u = upper.x / _STAR_CELL - columns - (0.2 + 0.6 * _part(seed, 0))
    v = upper.y / _STAR_CELL - rows - (0.2 + 0.6 * _part(seed, 8))
    size = (0.0016 + 0.0042 * _part(seed, 16) ** 4) / _STAR_CELL
    distance = (np.hypot(u, v) - size) * _STAR_CELL
    fade = smooth_step(0.0, 0.25, look.horizon - upper.y)
    shown = (_part(seed, 24) < look.amount("stars") * 0.8).astype(np.float32)
    upper.paint((upper.coverage(distance.astype(np.float32)) * fade * shown * 0.95).astype(np.float32), _WHITE)


def _scramble(values: np.typing.NDArray[np.int64]) -> np.typing.NDArray[np.uint32]:
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
    return ((values >> np.uint32(shift)) & np.uint32(255)).astype(np.float32) / np.float32(255)


def orb_place(look: Look) -> tuple[Array, Array]:
    """Return where sun or moon stands."""
    from .scenes import column

    x = look.across(look.scenes.orb_x * 0.85)
    y = look.horizon - column(look.scenes.orb_y) * (look.horizon + np.float32(look.half_height))
    return x, y


def _orb(canvas: Canvas, look: Look) -> None:
    """Sun or moon, with a halo."""
    x, y = orb_place(look)
    dark = look.amount("dark")
    radius = 0.062 + 0.035 * look.die(6) + np.where(dark < 0.5, 0.012, 0.0)
    away = circle(canvas, x, y, radius)
    strength = look.amount("glow_strength")
    halo = strength * (0.55 * np.exp(-np.maximum(away, 0) / 0.11) + 0.45 * np.exp(-np.maximum(away, 0) / 0.38))
    canvas.add_light(np.where(away > 0, halo, 0.0).astype(np.float32) * 0.75, look.tone("glow"))
    disc = canvas.coverage(away.astype(np.float32))
    crescent = (dark > 0.9) & (look.die(7) < 0.6)
    bite = circle(canvas, x + radius * 0.48, y - radius * 0.28, radius * 0.86)
    keep = np.where(crescent, 1.0 - canvas.coverage(bite.astype(np.float32)), 1.0)
    canvas.paint((disc * keep).astype(np.float32), look.tone("orb"))
    marked = (dark > 0.9) & ~crescent
    if marked.any():
        for dx, dy, size in ((-0.3, -0.2, 0.22), (0.25, 0.25, 0.3), (0.32, -0.35, 0.14)):
            spot = circle(canvas, x + radius * dx, y + radius * dy, radius * size).astype(np.float32)
            canvas.paint((canvas.coverage(spot) * np.where(marked, 0.12, 0.0)).astype(np.float32), look.tone("glow"))


def _rainbow(canvas: Canvas, look: Look) -> None:
    centre = look.across(look.scenes.dice[:, 8] - 0.5)
    radius = 0.62 + 0.15 * look.die(9)
    away = np.hypot(canvas.x - centre, canvas.y - look.horizon - 0.12)
    for number, colour in enumerate(_RAINBOW):
        ring = np.abs(away - radius + number * 0.017) - 0.0088
        canvas.paint(canvas.coverage(ring.astype(np.float32)) * np.float32(0.5), colour)


def _clouds(canvas: Canvas, look: Look) -> None:
    """Flat-bottomed heaps of discs, in two tones."""
    height = look.horizon + np.float32(look.half_height)
    for number in range(4):
        shown = (look.scenes.clouds > 0.2 + 0.2 * number) | (look.scenes.weather == 1)
        _some(canvas, look, shown, lambda part, its, number=number: _cloud(part, its, number))
    del height


def _cloud(canvas: Canvas, look: Look, number: int) -> None:
    first = 10 + number * 3
    width = 0.085 + 0.075 * look.die(first)
    x = look.across((np.mod(look.scenes.dice[:, first + 1] + number * 0.47, 1.0) * 2 - 1) * 1.05)
    sky = look.horizon + np.float32(look.half_height)
    y = look.horizon - sky * (0.42 + 0.5 * look.die(first + 2))
    part = canvas.window(x - width * 2, x + width * 2, y - width * 1.2, y + width)
    if 0 in part.pixels.shape:
        return
    lean = look.die(first) * 0.5 + 0.6
    heap = np.minimum(
        np.minimum(circle(part, x, y - width * 0.32, width * 0.62), circle(part, x - width * 0.8 * lean, y, width * 0.42)),
        np.minimum(circle(part, x + width * 0.85, y, width * 0.46), circle(part, x + width * 0.38, y - width * 0.22, width * 0.5)),
    )
    bar = np.maximum(np.abs(part.x - x) - width * 1.15, np.abs(part.y - y - width * 0.2) - width * 0.22)
    heap = np.minimum(heap, bar)
    heap = np.maximum(heap, part.y - (y + width * 0.3)).astype(np.float32)
    soft = part.coverage(heap) * np.float32(0.88)
    cloud = look.tone("cloud")
    shade = cloud + (look.sky(1) - cloud) * np.float32(0.35)
    belly = smooth_step(-0.35, 0.3, (part.y - y) / width)[:, None]
    part.paint(soft, (cloud + (shade - cloud) * belly).astype(np.float32))
