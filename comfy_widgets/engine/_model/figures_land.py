"""Paints what stands on the land or swims: houses, trees, towers, boats."""

from __future__ import annotations

import numpy as np

from .arrays import Array
from .canvas import Canvas, box, circle, ellipse, polygon, segment, smooth_step
from .look import Look, darker, lighter, named
from .palette import rgb
from .spot import Spot
from .terrain import ground

_WALL = named(rgb("#f4e8d4"))
_WOOD = named(rgb("#7c5238"))
_LAMP = named(rgb("#ffd884"))
_PANE = named(rgb("#5b7b96"))
_STONE = named(rgb("#c9bfb2"))
_SMOKE = named((1.0, 1.0, 1.0))


def _window_colour(look: Look) -> Array:
    """Return lamp light when it is dark, a bluish pane by day."""
    pane = look.lit(_PANE)
    mixed: Array = pane + (_LAMP - pane) * np.clip(look.amount("dark") * 1.4, 0.0, 1.0)[:, None]
    return mixed


def _lamp_glow(part: Canvas, look: Look, x: Array, y: Array, reach: Array) -> None:
    """The glow of a lit window in the dark."""
    away = np.hypot(part.x - x, part.y - y)
    part.add_light((np.exp(-((away / reach) ** 2)) * look.amount("dark") * 0.4), _LAMP)


def paint_house(part: Canvas, look: Look, spot: Spot) -> None:
    """A cottage: cream walls, a coloured roof, a door and two windows, and smoke from the chimney."""
    s, x, y = spot.size, spot.x, spot.y
    roof, wall = look.lit(spot.colour), look.lit(_WALL)
    for number in range(3):
        puff = circle(part, x + s * (0.3 + 0.09 * number), y - s * (1.12 + 0.17 * number), s * (0.055 + 0.03 * number))
        part.paint(part.coverage(puff) * np.float32(0.5 - 0.12 * number), _SMOKE)
    part.fill(box(part, x + s * 0.27, y - s * 0.86, s * 0.06, s * 0.17), look.lit(darker(_STONE, 0.2)))
    part.fill(box(part, x, y - s * 0.27, s * 0.47, s * 0.27), wall)
    shade = box(part, x + s * 0.33, y - s * 0.27, s * 0.14, s * 0.27)
    part.paint(part.coverage(shade) * 0.5, darker(wall, 0.14))
    gable = polygon(
        part,
        [
            (x - s * 0.6, y - s * 0.5),
            (x - s * 0.28, y - s * 0.98),
            (x + s * 0.28, y - s * 0.98),
            (x + s * 0.6, y - s * 0.5),
        ],
    )
    part.fill(gable, roof)
    eaves = box(part, x, y - s * 0.5, s * 0.6, s * 0.025)
    part.fill(eaves, darker(roof, 0.25))
    part.fill(box(part, x - s * 0.02, y - s * 0.16, s * 0.08, s * 0.16, s * 0.02), look.lit(_WOOD))
    window = _window_colour(look)
    for side in (-0.28, 0.26):
        part.fill(box(part, x + s * side, y - s * 0.28, s * 0.085, s * 0.095), window)
        cross = np.minimum(np.abs(part.x - x - s * side), np.abs(part.y - y + s * 0.28)) - s * 0.012
        pane = box(part, x + s * side, y - s * 0.28, s * 0.085, s * 0.095)
        part.fill(np.maximum(cross, pane), wall)
        _lamp_glow(part, look, x + s * side, y - s * 0.28, s * 0.17)


def paint_pine(part: Canvas, look: Look, spot: Spot) -> None:
    """A fir of three tiers, one side in shade."""
    s = spot.size * (0.72 + 0.5 * spot.other_die)
    x, y = spot.x, spot.y
    part.fill(box(part, x, y - s * 0.06, s * 0.04, s * 0.1), look.lit(_WOOD, 0.1))
    green = look.lit(darker(spot.colour, 0.28 + 0.0 * 1), 0.12)
    dark = darker(green, 0.2)
    side = smooth_step(-0.02, 0.02, ((part.x - x) / s))[:, None]
    tone = green + (dark - green) * side
    for base, top, half in ((0.08, 0.62, 0.33), (0.36, 0.90, 0.26), (0.64, 1.2, 0.18)):
        tier = polygon(part, [(x - s * half, y - s * base), (x, y - s * top), (x + s * half, y - s * base)])
        part.paint(part.coverage(tier), tone)


def paint_tree(part: Canvas, look: Look, spot: Spot) -> None:
    """A round tree: a crown of discs with light from the upper left."""
    s, x, y = spot.size, spot.x, spot.y
    wood = look.lit(_WOOD)
    part.fill(
        polygon(
            part, [(x - s * 0.055, y), (x - s * 0.03, y - s * 0.55), (x + s * 0.03, y - s * 0.55), (x + s * 0.055, y)]
        ),
        wood,
    )
    part.fill(segment(part, x, y - s * 0.36, x + s * 0.17, y - s * 0.56, s * 0.035), wood)
    part.fill(segment(part, x, y - s * 0.30, x - s * 0.15, y - s * 0.5, s * 0.03), wood)
    leaf = look.lit(darker(spot.colour, 0.06))
    lean = (spot.die - 0.5) * 0.1
    discs = ((0.0, 0.82, 0.30), (-0.24, 0.66, 0.21), (0.25, 0.68, 0.22), (0.1, 0.98, 0.2), (-0.13, 0.96, 0.19))
    for dx, dy, tone, shrink in (
        (0.03, -0.03, darker(leaf, 0.2), 1.0),
        (0.0, 0.0, leaf, 0.96),
        (-0.06, 0.05, lighter(leaf, 0.16), 0.62),
    ):
        crown: Array | None = None
        for cx, cy, radius in discs:
            disc = circle(part, x + s * (cx + lean + dx), y - s * (cy + dy), s * radius * shrink)
            crown = disc if crown is None else np.minimum(crown, disc)
        assert crown is not None
        part.fill(crown, tone)


def paint_boat(part: Canvas, look: Look, spot: Spot) -> None:
    """A sailing boat, and its reflection."""
    s, x, y = spot.size, spot.x, spot.y
    sail, hull = look.lit(spot.colour), look.lit(_WOOD)
    ripple = 0.03 * np.sin(part.y / s * 46.0)
    mirrored = Canvas(part.pixels, part.x + s * ripple, 2 * (y + s * 0.12) - part.y, part.pixel)
    depth = (part.y - y) / s - 0.12
    below = (depth > 0) * np.exp(depth * -3.0) * 0.4
    for canvas_part, strength in ((mirrored, below), (part, 1.0)):
        main = polygon(
            canvas_part, [(x + s * 0.02, y - s * 0.06), (x + s * 0.02, y - s * 1.0), (x + s * 0.44, y - s * 0.06)]
        )
        jib = polygon(
            canvas_part, [(x - s * 0.03, y - s * 0.06), (x - s * 0.36, y - s * 0.06), (x - s * 0.03, y - s * 0.82)]
        )
        mast = box(canvas_part, x, y - s * 0.48, s * 0.014, s * 0.54)
        shape = polygon(
            canvas_part,
            [
                (x - s * 0.52, y - s * 0.02),
                (x + s * 0.54, y - s * 0.02),
                (x + s * 0.34, y + s * 0.15),
                (x - s * 0.36, y + s * 0.15),
            ],
        )
        part.paint(part.coverage(mast) * strength, darker(hull, 0.2))
        part.paint(part.coverage(main) * strength, sail)
        part.paint(part.coverage(jib) * strength, lighter(sail, 0.35))
        part.paint(part.coverage(shape) * strength, hull)
    stripe = box(part, x + s * 0.01, y + s * 0.01, s * 0.5, s * 0.018)
    part.fill(stripe, look.lit(_WALL))


def paint_beam(canvas: Canvas, look: Look, spot: Spot) -> None:
    """The beam of a lighthouse in the dark, to both sides."""
    dark = np.clip(look.amount("dark") - 0.2, 0.0, 1.0)
    across, up = canvas.x - spot.x, canvas.y - spot.y + spot.size * 0.83
    angle = np.abs(np.arctan2(up, np.abs(across) + 1e-6) + 0.06)
    beam = smooth_step(0.16, 0.0, angle) * np.exp(np.hypot(across, up) * -2.0)
    canvas.add_light(beam * dark * 0.75, _LAMP)
    _lamp_glow(canvas, look, spot.x, spot.y - spot.size * 0.83, spot.size * 0.4)


def paint_lighthouse(part: Canvas, look: Look, spot: Spot) -> None:
    """A striped tower on its rock."""
    s, x, y = spot.size, spot.x, spot.y
    dark = look.amount("dark")
    rock = look.lit(named(rgb("#6e6a72")), 0.1)
    for dx, width, height, deep in ((-0.18, 0.36, 0.16, 0.1), (0.2, 0.34, 0.12, 0.0), (0.0, 0.32, 0.22, -0.1)):
        mound = ellipse(part, x + s * dx, y + s * 0.06, s * width, s * height)
        part.fill(np.maximum(mound, part.y - y - s * 0.06), darker(rock, deep))
    white, band = look.lit(_WALL), look.lit(spot.colour)
    up = (y - part.y) / s
    half = s * (0.135 - 0.055 * up)
    tower = np.maximum(np.abs(part.x - x) - half, np.maximum(y - s * 0.74 - part.y, part.y - y + s * 0.06))
    bands = np.clip(0.5 + np.sin(up * 2 * np.pi * 3.4 + 0.6) * 0.06 * s / part.pixel * 3, 0.0, 1.0)[:, None]
    side = smooth_step(0.0, 0.9, ((part.x - x) / half))[:, None]
    tone = white + (band - white) * bands
    part.paint(part.coverage(tower), (tone * (1 - 0.22 * side)))
    part.fill(box(part, x, y - s * 0.755, s * 0.125, s * 0.018), darker(band, 0.35))
    lamp = np.clip(dark * 1.5, 0.25, 1.0)[:, None]
    glass = look.lit(_PANE)
    part.fill(box(part, x, y - s * 0.83, s * 0.07, s * 0.065), (glass + (_LAMP - glass) * lamp))
    part.fill(polygon(part, [(x - s * 0.11, y - s * 0.89), (x, y - s * 1.03), (x + s * 0.11, y - s * 0.89)]), band)


def paint_windmill(part: Canvas, look: Look, spot: Spot) -> None:
    """A windmill with four sails."""
    s, x, y = spot.size, spot.x, spot.y
    wall = look.lit(lighter(spot.colour, 0.25), 0.08)
    body = polygon(
        part, [(x - s * 0.25, y), (x - s * 0.16, y - s * 0.7), (x + s * 0.16, y - s * 0.7), (x + s * 0.25, y)]
    )
    side = smooth_step(-0.05, 0.2, ((part.x - x) / s))[:, None]
    part.paint(part.coverage(body), (wall * (1 - 0.16 * side)))
    cap = look.lit(named(rgb("#9c4a3c")), 0.08)
    part.fill(np.maximum(circle(part, x, y - s * 0.7, s * 0.19), part.y - y + s * 0.68), cap)
    part.fill(box(part, x, y - s * 0.1, s * 0.055, s * 0.1, s * 0.03), look.lit(_WOOD))
    part.fill(circle(part, x, y - s * 0.42, s * 0.045), _window_colour(look))
    wing, lattice = look.lit(named(rgb("#fbf6ea"))), look.lit(_WOOD)
    turn = spot.die * (np.pi / 2)
    hub_y = y - s * 0.74
    for quarter in range(4):
        angle = turn + quarter * np.pi / 2
        c, d = np.cos(angle), np.sin(angle)
        along = (part.x - x) * c + (part.y - hub_y) * d
        across = (part.y - hub_y) * c - (part.x - x) * d
        blade = np.maximum(np.abs(along - s * 0.38) - s * 0.24, np.abs(across - s * 0.055) - s * 0.055)
        part.paint(part.coverage(blade) * 0.92, wing)
        arm = np.maximum(np.abs(along - s * 0.31) - s * 0.31, np.abs(across) - s * 0.014)
        part.fill(arm, lattice)
    part.fill(circle(part, x, hub_y, s * 0.035), lattice)


def paint_castle(part: Canvas, look: Look, spot: Spot) -> None:
    """Towers with pointed roofs on a hill."""
    s, x, y = spot.size, spot.x, spot.y
    hill = look.land(ground(look, 0.35))
    hill = hill + (look.haze() - hill) * 0.15
    mound = ellipse(part, x, y + s * 0.16, s * 0.85, s * 0.3)
    part.fill(np.maximum(mound, part.y - y - s * 0.16), hill)
    wall = look.lit(lighter(spot.colour, 0.3), 0.14)
    roof = look.lit(named(rgb("#5a5f9e")), 0.1)
    window = _window_colour(look)
    part.fill(box(part, x, y - s * 0.24, s * 0.42, s * 0.24), wall)
    notch = np.mod((part.x - x) / (s * 0.105), 1.0) < 0.5
    crown = box(part, x, y - s * 0.5, s * 0.42, s * 0.035)
    part.paint(part.coverage(crown) * notch, wall)
    for dx, width, height in ((-0.42, 0.1, 0.62), (0.42, 0.1, 0.58), (-0.14, 0.085, 0.86), (0.16, 0.11, 0.72)):
        tower_x = x + s * dx
        part.fill(box(part, tower_x, y - s * height * 0.5, s * width, s * height * 0.5), wall)
        shade = box(part, tower_x + s * width * 0.6, y - s * height * 0.5, s * width * 0.4, s * height * 0.5)
        part.paint(part.coverage(shade), darker(wall, 0.12))
        tip = [
            (tower_x - s * width * 1.25, y - s * height),
            (tower_x, y - s * (height + 0.32)),
            (tower_x + s * width * 1.25, y - s * height),
        ]
        part.fill(polygon(part, tip), roof)
        part.fill(box(part, tower_x, y - s * height * 0.75, s * 0.025, s * 0.05, s * 0.02), window)
    gate = np.minimum(circle(part, x, y - s * 0.14, s * 0.085), box(part, x, y - s * 0.07, s * 0.085, s * 0.07))
    part.fill(gate, look.lit(_WOOD, 0.1))
