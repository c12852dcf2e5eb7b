"""Paints the land: hills, mountains, sea, desert, city, snow, and lakes before them."""

from __future__ import annotations

import numpy as np

from .arrays import Array
from .backdrop import orb_place
from .canvas import Canvas, choose, smooth_step
from .look import Look, darker, lighter, named
from .palette import MOOD_NAMES, rgb
from .scenes import LANDS, WEATHERS, column

_SAND = np.array(rgb("#e8bd7c"), np.float32)
_SNOW = np.array(rgb("#f3f6fb"), np.float32)
_WINDOW = named(rgb("#ffd98a"))
_WHITE = named((1.0, 1.0, 1.0))


def paint_land(canvas: Canvas, look: Look) -> None:
    """Paint everything from the horizon down, except figures."""
    for number, name in enumerate(LANDS):
        look.some(canvas, look.scenes.land == number, _PAINTERS[name])
    lake = (look.scenes.lake == 1) & (look.scenes.land != LANDS.index("sea"))
    look.some(canvas, lake, _lake)
    look.some(canvas, look.scenes.weather == WEATHERS.index("mist"), _mist)


def ground(look: Look, near: float) -> Array:
    """Return the natural colour of the ground: 0 far, 1 near; shape (n, 3)."""
    pair = look.tone("ground", 0)[:, :, 0, 0], look.tone("ground", 1)[:, :, 0, 0]
    natural = pair[1] + (pair[0] - pair[1]) * near
    land = look.scenes.land
    light = look.tone("light")[:, :, 0, 0]
    shade = look.tone("shade")[:, :, 0, 0]
    amount = look.amount("shade_amount")[:, 0]
    for name, colour in (("desert", _SAND), ("snow", _SNOW)):
        lit = colour * light * (1.0 - 0.12 * near)
        lit = lit + (shade - lit) * amount
        natural = np.where((land == LANDS.index(name))[:, None], lit, natural)
    result: Array = natural
    return result


def _rolling(canvas: Canvas, look: Look, level: Array, height: float, waves: float, die: int) -> Array:
    """Return the outline of soft hills: y for each x, shape (n, 1, width)."""
    a, b = look.die(die), look.die(die + 1)
    x = canvas.x * waves
    wave = 0.6 * np.sin(x * (1.6 + a) + 6.3 * b) + 0.4 * np.sin(x * (3.1 + b) + 6.3 * a)
    outline: Array = level - height * (0.5 + 0.5 * wave)
    return outline


def _below(canvas: Canvas, outline: Array) -> Array:
    """Return the coverage of everything under an outline."""
    return canvas.coverage(outline - canvas.y)


def _slope_fill(canvas: Canvas, look: Look, outline: Array, top: Array, bottom: Array, reach: float) -> None:
    """Fill under an outline with a gradient from `top` to `bottom` colour over some depth."""
    part = canvas.band(np.min(outline), 9.0)
    t = np.clip((part.y - outline) / reach, 0.0, 1.0)[:, None]
    part.paint(_below(part, outline), (top + (bottom - top) * t))


def _hills(canvas: Canvas, look: Look) -> None:
    for number, (level, height, waves, depth) in enumerate(
        ((-0.02, 0.10, 2.4, 0.62), (0.12, 0.12, 1.9, 0.34), (0.36, 0.13, 1.5, 0.1))
    ):
        outline = _rolling(canvas, look, look.line(level), height, waves, 22 + number)
        colour = look.land(ground(look, 0.25 + 0.3 * number))
        colour = colour + (look.haze() - colour) * depth
        _slope_fill(canvas, look, outline, lighter(colour, 0.1), darker(colour, 0.08), 0.22)


def _triangle(t: Array) -> Array:
    """A wave of straight flanks between -1 and 1."""
    wave: Array = np.abs(t - np.floor(t) - 0.5) * 4.0 - 1.0
    return wave


def _ridge(
    canvas: Canvas, look: Look, level: Array, height: Array | float, waves: float, die: int
) -> tuple[Array, Array, Array]:
    """Return the outline of a ridge of peaks, and (frequency, phase) of its main peaks."""
    frequency = waves * (0.8 + 0.5 * look.die(die))
    phase = look.die(die + 1)
    main = _triangle(canvas.x * frequency + phase)
    fine = 0.42 * _triangle(canvas.x * frequency * 2.7 + look.die(die + 2) * 3) + 0.13 * _triangle(
        canvas.x * frequency * 7.3
    )
    outline = level - height * (0.55 + 0.45 * (0.72 * main + 0.5 * fine))
    return outline, frequency, phase


def _range(
    canvas: Canvas,
    look: Look,
    level: Array,
    height: Array | float,
    waves: float,
    die: int,
    depth: float,
    *,
    snowy: float,
) -> None:
    """A mountain range: a lit and a shaded flank for each peak, and snow on the high ones."""
    outline, frequency, phase = _ridge(canvas, look, level, height, waves, die)
    part = canvas.band(np.min(outline), 9.0)
    natural = look.tone("rock")[:, :, 0, 0]
    rock = look.land(natural)
    rock = rock + (look.haze() - rock) * depth
    down = part.y - outline
    # A flank's edge runs down from the peak at a slant: look at the peaks' phase a little to the side.
    slant = (part.x + 0.42 * down + 0.03 * np.sin(part.y * 31)) * frequency + phase
    shaded = smooth_step(-0.04, 0.04, np.mod(slant, 1.0) - 0.5)
    fade = np.clip(down / 0.42, 0.0, 1.0)[:, None]
    bright = lighter(rock, 0.1)
    tone = bright + (darker(rock, 0.15) - bright) * (1.0 - shaded)[:, None]
    tone = tone + (look.haze() - tone) * (fade * 0.55)
    covered = _below(part, outline)
    part.paint(covered, tone)
    if snowy > 0:
        snow = look.lit(named(rgb("#f7f8fc")), depth * 0.6)
        line = level - height * (0.98 - snowy) + 0.022 * _triangle(part.x * frequency * 6 + phase)
        cap = part.coverage(part.y - line) * covered
        part.paint(cap, (snow * (0.86 + 0.14 * shaded)[:, None]))


def _mountains(canvas: Canvas, look: Look) -> None:
    zero = look.horizon
    _range(canvas, look, zero + 0.03, 0.26, 1.25, 22, 0.55, snowy=0.0)
    _range(canvas, look, zero + 0.07, 0.30 + 0.10 * look.die(30), 1.0, 25, 0.22, snowy=0.34)
    for number, (level, depth) in enumerate(((0.13, 0.3), (0.4, 0.08))):
        outline = _rolling(canvas, look, look.line(level), 0.08, 2.1, 28 + number)
        colour = look.land(ground(look, 0.5 + 0.3 * number), 0.35)
        colour = colour + (look.haze() - colour) * depth
        _slope_fill(canvas, look, outline, lighter(colour, 0.06), darker(colour, 0.12), 0.25)


def _water_colour(look: Look) -> tuple[Array, Array]:
    """Return the water's colour at the horizon and near us: the sky's, deeper."""
    far = look.sky(2) * 0.55 + look.sky(1) * 0.4
    near = look.sky(0) * 0.72 + look.sky(1) * 0.12
    return far, near


def _water(canvas: Canvas, look: Look, top: Array, bottom: Array) -> None:
    """Water between two lines: a gradient, long soft waves, and the light of sun or moon on it."""
    part = canvas.band(np.min(top), np.max(bottom))
    far, near = _water_colour(look)
    t = np.clip((part.y - top) / np.maximum(look.half_height - top, 1e-3), 0.0, 1.0)
    inside = part.coverage(np.maximum(top - part.y, part.y - bottom) + part.x * 0)
    part.paint(inside, (far + (near - far) * (t**0.7)[:, None]))
    rows = np.sqrt(np.maximum(part.y - top, 0.0)) * 26
    dash = np.sin(part.x * (30 - 8 * t) + np.floor(rows) * 2.4 + 6.3 * look.die(31))
    stripe = (np.mod(rows, 1.0) < 0.32) & (dash > 0.72)
    part.paint((stripe * inside * 0.16), _WHITE)
    orb_x, _ = orb_place(look)
    spread = 0.025 + 0.11 * t
    beside = np.abs(part.x - orb_x + 0.02 * np.sin(rows * 2.1))
    glitter = smooth_step(1.0, 0.35, (beside / spread)) * (np.mod(rows, 1.0) < 0.55)
    strength = look.amount("glow_strength") * 0.75 * column(look.scenes.mood != MOOD_NAMES.index("storm"))
    part.add_light((glitter * inside * strength * (1 - 0.4 * t)), look.tone("glow"))


def _sea(canvas: Canvas, look: Look) -> None:
    _water(canvas, look, look.horizon, column(np.full(len(look.scenes), 9.0)))
    # A far coast on one side.
    side = choose(look.die(32) < 0.5, -1.0, 1.0)
    rise = smooth_step(-0.15, 0.5, (canvas.x * side / look.half_width))
    bumps = 0.5 + 0.5 * np.sin(canvas.x * 9 + 6.3 * look.die(33))
    outline = look.horizon + 0.004 - (0.03 + 0.05 * look.die(34)) * rise * (0.6 + 0.4 * bumps)
    coast = look.land(look.tone("rock")[:, :, 0, 0])
    coast = coast + (look.haze() - coast) * 0.45
    part = canvas.band(np.min(outline), np.max(look.horizon))
    shape = np.maximum(outline - part.y, part.y - look.horizon)
    part.fill(shape, coast)


def _desert(canvas: Canvas, look: Look) -> None:
    for number, (level, height, waves, depth) in enumerate(
        ((0.0, 0.13, 1.7, 0.45), (0.2, 0.16, 1.2, 0.2), (0.52, 0.15, 0.9, 0.0))
    ):
        a, b = look.die(22 + number), look.die(25 + number)
        x = canvas.x * waves * (1 + 0.4 * a) + 4 * b
        crest = np.abs(np.sin(x * 1.5 + 0.35 * np.sin(x * 3)))
        outline = look.line(level) - height * crest
        sand = look.land(ground(look, 0.3 * number))
        sand = sand + (look.haze() - sand) * depth
        part = canvas.band(np.min(outline), 9.0)
        down = part.y - outline
        lee = smooth_step(-0.1, 0.1, np.sin((part.x + 0.5 * down) * waves * (1 + 0.4 * a) * 3 + 8 * b + 0.4))
        tone = lighter(sand, 0.08) * (1 - 0.16 * lee * np.exp(-down / 0.22))[:, None]
        part.paint(_below(part, outline), tone)


def _city(canvas: Canvas, look: Look) -> None:
    """Three rows of houses against the sky, windows lit when it is dark."""
    rows = ((0.055, 0.10, 0.42, 0.6), (0.075, 0.06, 0.34, 0.35), (0.10, 0.02, 0.22, 0.12))
    for number, (width, low, high, depth) in enumerate(rows):
        place = canvas.x / width + number * 0.37
        cell = np.floor(place)
        # Each house takes one of the scene's dice for its height.
        die = ((cell * (7 + number) + np.floor(look.die(35) * 31)) % 32).astype(np.int64)
        roll = np.take_along_axis(look.scenes.dice, die[:, 0], axis=1)[:, None, :].astype(np.float32)
        outline = look.horizon + (0.05 + 0.05 * number - low) - (high - low) * roll**1.6
        wall = look.land(look.tone("rock")[:, :, 0, 0] * 0.92)
        wall = wall + (look.haze() - wall) * depth
        part = canvas.band(np.min(outline), 9.0)
        shade = 1.0 - 0.12 * (roll > 0.5).astype(np.float32) - 0.05 * (place - cell)
        gap = (np.abs(place - cell - 0.5) - 0.485) * width
        covered = part.coverage(np.maximum(outline - part.y, gap))
        part.paint(covered, wall * shade[:, None])
        if number > 0:
            up = (part.y - outline) / (width * 0.36)
            _light_windows(part, look, (place - cell) * 4, up, cell, covered)
    outline = look.horizon + 0.17 + canvas.x * 0
    colour = look.land(ground(look, 0.8), 0.4)
    _slope_fill(canvas, look, outline, colour, darker(colour, 0.15), 0.25)


def _light_windows(part: Canvas, look: Look, across: Array, up: Array, house: Array, covered: Array) -> None:
    """Light about every third window of a row of houses."""
    pane = (np.abs(np.mod(across, 1.0) - 0.5) < 0.24) & (np.abs(np.mod(up, 1.0) - 0.5) < 0.28) & (up > 0.6)
    lot = np.mod(house * 31 + np.floor(across) * 17 + np.floor(up) * 13, 11.0)
    amount = 0.14 + 0.75 * look.amount("dark")
    part.paint((pane & (lot < 4)) * covered * amount, _WINDOW)


def _snow(canvas: Canvas, look: Look) -> None:
    _range(canvas, look, look.horizon + 0.05, 0.30, 1.1, 22, 0.4, snowy=0.52)
    for number, (level, height, waves, depth) in enumerate(((0.06, 0.1, 2.0, 0.35), (0.34, 0.12, 1.5, 0.08))):
        outline = _rolling(canvas, look, look.line(level), height, waves, 26 + number)
        colour = look.land(ground(look, 0.2 + 0.5 * number), 0.5)
        colour = colour + (look.haze() - colour) * depth
        _slope_fill(canvas, look, outline, lighter(colour, 0.25), darker(colour, 0.08), 0.2)


def lake_lines(look: Look) -> tuple[Array, Array]:
    """Return the far and the near shore of a lake."""
    return look.line(look.die(36) * 0.06 + 0.2), look.line(look.die(36) * 0.06 + 0.74)


def _lake(canvas: Canvas, look: Look) -> None:
    far, near = lake_lines(look)
    _water(canvas, look, far, near + 0.1)
    shore = look.lit(named(rgb("#f4ead2")), 0.15)
    part = canvas.band(np.min(far) - 0.01, np.max(far) + 0.01)
    part.paint(part.coverage(np.abs(part.y - far) - 0.003 + part.x * 0) * 0.35, shore)


def _mist(canvas: Canvas, look: Look) -> None:
    """Banks of mist about the horizon."""
    for number in range(2):
        middle = look.horizon + 0.03 + 0.12 * number
        wave = 0.03 * np.sin(canvas.x * (3 + number) + 6.3 * look.die(37 - number))
        bank = np.exp(-(((canvas.y - middle + wave) / (0.07 + 0.03 * number)) ** 2)) * 0.6
        canvas.paint(bank, lighter(look.haze(), 0.25))


def near_ground_line(x: Array, look: Look) -> Array:
    """Return the outline of the nearest ground: y at places x, which broadcast against columns."""
    a, b = look.die(33), look.die(34)
    level = look.line(0.84 + 0.04 * look.die(38))
    x = x * 1.4
    wave = 0.6 * np.sin(x * (1.6 + a) + 6.3 * b) + 0.4 * np.sin(x * (3.1 + b) + 6.3 * a)
    outline: Array = level - 0.07 * (0.5 + 0.5 * wave)
    return outline


def paint_near_ground(canvas: Canvas, look: Look) -> None:
    """Paint the nearest ground, on which flowers grow and cats sit."""
    outline = near_ground_line(canvas.x, look)
    natural = ground(look, 1.0)
    sandy = (look.scenes.land == LANDS.index("sea"))[:, None]
    beach = look.lit(named(rgb("#eacb95")))[:, :, 0, 0]
    natural = np.where(sandy, beach, natural * 0.9)
    colour = look.land(natural, 0.3)
    _slope_fill(canvas, look, outline, lighter(colour, 0.06), darker(colour, 0.22), 0.2)


_PAINTERS = {
    "hills": _hills,
    "mountains": _mountains,
    "sea": _sea,
    "desert": _desert,
    "city": _city,
    "snow": _snow,
}
