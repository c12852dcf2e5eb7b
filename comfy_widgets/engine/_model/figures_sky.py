"""Paints what flies: balloons, birds, rockets."""

from __future__ import annotations

import numpy as np

from .canvas import Canvas, box, circle, ellipse, polygon, segment, smooth_step
from .look import Look, darker, lighter, named
from .palette import rgb
from .spot import Spot

_BASKET = named(rgb("#8a5a3b"))
_METAL = named(rgb("#eef1f4"))
_FLAME = named(rgb("#ffb347"))
_CORE = named(rgb("#fff0b0"))


def paint_balloon(part: Canvas, look: Look, spot: Spot) -> None:
    """A hot-air balloon in gores of two tones, with a basket."""
    s, x, y = spot.size, spot.x, spot.y
    radius = s * 0.40
    v = np.clip((part.y - y + s * 0.14) / s, 0.0, 1.0)
    narrow = 1.0 - 0.9 * smooth_step(0.05, 0.62, v)
    envelope = np.maximum(
        np.hypot(part.x - x, part.y - y + s * 0.14) - radius,
        -1.0,
    )
    skirt = np.maximum(np.abs(part.x - x) - radius * narrow * 0.96, np.abs(part.y - y - s * 0.08) - s * 0.25)
    skirt = np.where(part.y > y - s * 0.02, skirt, 1.0)
    body = np.minimum(envelope, skirt)
    colour = look.lit(spot.colour, 0.04)
    accent = look.lit(lighter(spot.colour, 0.62), 0.04)
    deep = look.lit(darker(spot.colour, 0.22), 0.04)
    # Gores are meridians: seen from the side they bunch up towards the edge.
    width = np.maximum(
        radius
        * np.where(
            part.y > y - s * 0.02, narrow, np.sqrt(np.maximum(1.0 - ((part.y - y + s * 0.14) / radius) ** 2, 0.02))
        ),
        1e-4,
    )
    meridian = np.arcsin(np.clip((part.x - x) / width, -1.0, 1.0)) / np.pi + 0.5
    soft = 0.5 + np.sin(meridian * np.pi * 2 * 3.5) * 6.0
    stripe = np.clip(soft, 0.0, 1.0)[:, None]
    tone = colour + (accent - colour) * stripe
    shadow = smooth_step(0.35, 1.0, meridian)[:, None]
    tone = tone + (deep - tone) * shadow * 0.55
    light = np.exp(-((part.x - x + radius * 0.35) ** 2 + (part.y - y + s * 0.28) ** 2) / (0.06 * s * s))[:, None]
    tone = tone + (1.0 - tone) * light * 0.22
    ropes = np.minimum(
        segment(part, x - s * 0.07, y + s * 0.30, x - s * 0.05, y + s * 0.46, s * 0.012),
        segment(part, x + s * 0.07, y + s * 0.30, x + s * 0.05, y + s * 0.46, s * 0.012),
    )
    part.fill(ropes, look.lit(darker(_BASKET, 0.3)))
    part.fill(box(part, x, y + s * 0.52, s * 0.065, s * 0.06, s * 0.015), look.lit(_BASKET))
    part.fill(box(part, x, y + s * 0.47, s * 0.075, s * 0.014, s * 0.01), look.lit(lighter(_BASKET, 0.2)))
    part.paint(part.coverage(body), tone)


def paint_bird(part: Canvas, look: Look, spot: Spot) -> None:
    """Two wings."""
    s = spot.size * (0.7 + 0.5 * spot.die)
    x, y = spot.x, spot.y - spot.size * (spot.other_die - 0.5) * 3
    u = np.abs(part.x - x) / s
    wing = y - s * (0.55 * np.sin(np.clip(u, 0.0, 1.0) * np.pi * (0.62 + 0.2 * spot.die)) - 0.1)
    thick = s * 0.13 * (1.02 - np.clip(u, 0.0, 1.0))
    shape = np.maximum(np.abs(part.y - wing) - thick, (u - 0.95) * s)
    part.paint(part.coverage(shape) * 0.9, look.lit(spot.colour, 0.1))


def paint_rocket(part: Canvas, look: Look, spot: Spot) -> None:
    """A round-bellied rocket on its flame."""
    s, x, y = spot.size, spot.x, spot.y
    for reach, width, tone in ((0.34, 0.11, _FLAME), (0.2, 0.06, _CORE)):
        part.fill(ellipse(part, x, y + s * (0.42 + reach * 0.35), s * width, s * reach), tone)
    fin = look.lit(spot.colour)
    for side in (-1.0, 1.0):
        points = [
            (x + side * s * 0.12, y + s * 0.08),
            (x + side * s * 0.29, y + s * 0.5),
            (x + side * s * 0.10, y + s * 0.42),
        ]
        part.fill(polygon(part, points if side > 0 else points[::-1]), fin)
    up = np.clip((y + s * 0.45 - part.y) / s, 0.0, 1.0)
    half = s * 0.17 * np.sqrt(np.maximum(np.sin(np.clip(up * 1.02 + 0.12, 0.0, 1.0) * np.pi), 0.0))
    hull = np.maximum(np.abs(part.x - x) - half, np.abs(part.y - y + s * 0.02) - s * 0.47)
    lit, shade = look.lit(_METAL), look.lit(darker(_METAL, 0.2))
    t = smooth_step(-0.1, 0.15, ((part.x - x) / s))[:, None]
    part.paint(part.coverage(hull), (lit + (shade - lit) * t))
    nose = np.maximum(hull, part.y - (y - s * 0.26))
    part.fill(nose, fin)
    part.fill(circle(part, x, y - s * 0.05, s * 0.085), fin)
    part.fill(circle(part, x, y - s * 0.05, s * 0.058), look.lit(named(rgb("#9fd8ef"))))
