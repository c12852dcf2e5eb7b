"""Paints what is close to us: flowers, mushrooms, a cat, a bottle."""

from __future__ import annotations

import math

import numpy as np

from .canvas import Canvas, box, choose, circle, ellipse, polygon, segment, smooth_step
from .look import Look, darker, lighter, named, of_table
from .palette import rgb
from .scenes import NONE
from .spot import Spot

_STEM = named(rgb("#4f8a4c"))
_CREAM = named(rgb("#f7ecd8"))
_EYE = named(rgb("#f2d36b"))
_NIGHT = named(rgb("#1a1238"))
_WHITE = named((1.0, 1.0, 1.0))
_CORK = named(rgb("#b98556"))


def paint_flower(part: Canvas, look: Look, spot: Spot) -> None:
    """A tulip or a daisy on its stem."""
    s = spot.size * (0.75 + 0.55 * spot.die)
    x, y = spot.x, spot.y
    lean = (spot.other_die - 0.5) * 0.25
    head_x, head_y = x + s * lean, y - s * 0.92
    stem = look.lit(_STEM)
    part.fill(segment(part, x, y, head_x, head_y, s * 0.045), stem)
    for side in (-1.0, 1.0):
        leaf = ellipse(part, x + s * (0.12 * side + lean * 0.3), y - s * 0.3, s * 0.06, s * 0.24)
        part.fill(leaf, darker(stem, 0.12))
    petal = look.lit(spot.colour)
    if spot.number % 2 == 0:
        for dx, tone in ((-0.11, darker(petal, 0.14)), (0.11, darker(petal, 0.2)), (0.0, petal)):
            cup = ellipse(part, head_x + s * dx, head_y - s * 0.08, s * 0.11, s * 0.21)
            part.fill(cup, tone)
    else:
        for number in range(8):
            angle = number * math.pi / 4
            disc = circle(part, head_x + s * 0.15 * math.cos(angle), head_y + s * 0.15 * math.sin(angle), s * 0.085)
            part.fill(disc, petal)
        part.fill(circle(part, head_x, head_y, s * 0.095), look.lit(named(rgb("#f4bd4a"))))


def paint_mushroom(part: Canvas, look: Look, spot: Spot) -> None:
    """A toadstool with dots."""
    s = spot.size * (0.7 + 0.5 * spot.die)
    x, y = spot.x, spot.y
    stalk = look.lit(_CREAM)
    part.fill(
        polygon(part, [(x - s * 0.17, y), (x - s * 0.11, y - s * 0.6), (x + s * 0.11, y - s * 0.6), (x + s * 0.17, y)]),
        stalk,
    )
    cap = look.lit(spot.colour)
    dome = np.maximum(ellipse(part, x, y - s * 0.5, s * 0.52, s * 0.5), part.y - y + s * 0.5)
    part.fill(ellipse(part, x, y - s * 0.5, s * 0.5, s * 0.1), darker(stalk, 0.15))
    shade = smooth_step(-0.1, 0.5, ((part.x - x) / s))[:, None]
    part.paint(part.coverage(dome), (cap * (1 - 0.2 * shade)))
    for dx, dy, radius in ((-0.24, 0.64, 0.075), (0.04, 0.82, 0.09), (0.27, 0.63, 0.065), (0.0, 0.59, 0.05)):
        dot = np.maximum(circle(part, x + s * dx, y - s * dy, s * radius), dome)
        part.fill(dot, stalk)


def paint_cat(part: Canvas, look: Look, spot: Spot) -> None:
    """A sitting cat that looks at us."""
    s, x, y = spot.size, spot.x, spot.y
    fur = look.lit(spot.colour)
    side = choose(spot.die < 0.5, -1.0, 1.0)
    for number in range(16):
        t = number / 15
        tail = circle(
            part, x + side * s * (0.22 + 0.24 * math.sin(t * 2.2)), y - s * (0.05 + 0.5 * t), s * (0.06 - 0.012 * t)
        )
        part.fill(tail, fur)
    body = ellipse(part, x, y - s * 0.27, s * 0.26, s * 0.31)
    body = np.maximum(body, part.y - y)
    chest = ellipse(part, x, y - s * 0.42, s * 0.17, s * 0.3)
    head = ellipse(part, x, y - s * 0.74, s * 0.225, s * 0.19)
    shape = np.minimum(np.minimum(body, chest), head)
    for ear in (-1.0, 1.0):
        points = [
            (x + ear * s * 0.2, y - s * 0.78),
            (x + ear * s * 0.19, y - s * 1.03),
            (x + ear * s * 0.03, y - s * 0.88),
        ]
        shape = np.minimum(shape, polygon(part, points if ear < 0 else points[::-1]))
    part.fill(shape, fur)
    light = lighter(fur, 0.24)
    part.fill(ellipse(part, x, y - s * 0.4, s * 0.1, s * 0.2), light)
    for paw in (-1.0, 1.0):
        part.fill(ellipse(part, x + paw * s * 0.1, y - s * 0.03, s * 0.085, s * 0.05), light)
        inner = [
            (x + paw * s * 0.165, y - s * 0.84),
            (x + paw * s * 0.165, y - s * 0.96),
            (x + paw * s * 0.08, y - s * 0.89),
        ]
        part.fill(polygon(part, inner if paw < 0 else inner[::-1]), lighter(look.lit(named(rgb("#e8909c"))), 0.1))
        part.fill(ellipse(part, x + paw * s * 0.09, y - s * 0.76, s * 0.042, s * 0.05), _EYE)
        part.fill(ellipse(part, x + paw * s * 0.09, y - s * 0.76, s * 0.015, s * 0.042), _NIGHT)
    nose = polygon(part, [(x - s * 0.028, y - s * 0.69), (x + s * 0.028, y - s * 0.69), (x, y - s * 0.655)])
    part.fill(nose, look.lit(named(rgb("#e58a94"))))


def paint_bottle(part: Canvas, look: Look, spot: Spot) -> None:
    """A glass bottle with a small sky of stars in it."""
    s, x, y = spot.size, spot.x, spot.y
    body = box(part, x, y - s * 0.36, s * 0.26, s * 0.36, s * 0.12)
    neck = box(part, x, y - s * 0.84, s * 0.085, s * 0.16, s * 0.01)
    shoulder = ellipse(part, x, y - s * 0.64, s * 0.235, s * 0.17)
    glass = np.minimum(np.minimum(body, neck), shoulder)
    inside = part.coverage(glass)
    tint = look.lit(spot.colour)
    sky = np.where(
        look.scenes.sky_colour[:, None, None, None] != NONE,
        of_table(np.maximum(look.scenes.sky_colour, 0)),
        spot.colour,
    )
    part.paint(inside * 0.3, lighter(tint, 0.5))
    # The little galaxy: dark at the edge, a glowing spiral in the middle, and stars.
    inner = part.coverage(glass + s * 0.035) * smooth_step(0.95, 0.72, ((y - part.y) / s))
    u, v = (part.x - x) / s, (part.y - y) / s + 0.36
    radius = np.hypot(u, v * 0.85)
    swirl = np.arctan2(v, u) * 2 + np.log(radius + 0.03) * 5 + 6.3 * spot.die
    arm = (0.5 + 0.5 * np.sin(swirl)) * np.exp(-((radius / 0.2) ** 2))
    core = np.exp(-((radius / 0.07) ** 2))
    deep = _NIGHT + (sky - _NIGHT) * 0.3
    field = deep + (sky - deep) * np.clip(arm * 1.1 + 0.12, 0, 1)[:, None]
    field = field + (1.0 - field) * np.clip(core * 0.9 + arm * 0.35, 0.0, 1.0)[:, None]
    part.paint((inner * 0.9), field)
    for number in range(16):
        a = np.mod(number * 0.754878 + spot.die, 1.0) - 0.5
        b = np.mod(number * 0.569840 + spot.other_die, 1.0)
        star = circle(part, x + s * a * 0.44, y - s * (0.06 + 0.64 * b), s * (0.006 + 0.007 * (number % 3)))
        part.paint(part.coverage(star) * inner, _WHITE)
    edge = np.abs(glass + s * 0.012) - s * 0.012
    part.paint(part.coverage(edge) * 0.55, lighter(tint, 0.65))
    gleam = box(part, x - s * 0.17, y - s * 0.4, s * 0.022, s * 0.2, s * 0.02)
    part.paint(part.coverage(gleam) * 0.55, _WHITE)
    part.fill(box(part, x, y - s * 1.03, s * 0.075, s * 0.07, s * 0.02), look.lit(_CORK))
