"""The colours of the little world: one coherent palette for every time of day."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .arrays import Array

Rgb = tuple[float, float, float]


def rgb(code: str) -> Rgb:
    """Turn "#rrggbb" into numbers 0..1."""
    return int(code[1:3], 16) / 255, int(code[3:5], 16) / 255, int(code[5:7], 16) / 255


COLOURS: dict[str, Rgb] = {
    "red": rgb("#d8483e"),
    "orange": rgb("#ee8a3c"),
    "yellow": rgb("#f5c451"),
    "green": rgb("#5aa469"),
    "teal": rgb("#3aa6a0"),
    "blue": rgb("#3f7fc4"),
    "purple": rgb("#8258b0"),
    "pink": rgb("#ec87a8"),
    "white": rgb("#f6f1e7"),
    "brown": rgb("#8d5f42"),
    "black": rgb("#353340"),
}
"""The colours that words can name."""
COLOUR_NAMES = tuple(COLOURS)
COLOUR_TABLE: Array = np.array([COLOURS[name] for name in COLOUR_NAMES], np.float32)


@dataclass(frozen=True)
class Mood:
    """The light of a time of day.

    Parameters
    ----------
    sky : tuple (Rgb, Rgb, Rgb)
        From the top to the horizon.
    haze : Rgb
        What distant things fade to.
    light : Rgb
        What the light does to the colours of things (multiplied), and a shade mixed in (`shade`, `shade_amount`).
    orb : Rgb
        Colour of the sun or moon; `glow` that of its halo.
    ground : tuple (Rgb, Rgb)
        Near and far ground.
    rock : Rgb
        Mountains.
    cloud : Rgb
        Clouds: lit side.
    stars : float
        How many stars, 0..1.
    """

    sky: tuple[Rgb, Rgb, Rgb]
    haze: Rgb
    light: Rgb
    shade: Rgb
    shade_amount: float
    orb: Rgb
    glow: Rgb
    glow_strength: float
    ground: tuple[Rgb, Rgb]
    rock: Rgb
    cloud: Rgb
    stars: float
    dark: float


MOODS: dict[str, Mood] = {
    "day": Mood(
        sky=(rgb("#4a9fd8"), rgb("#8cc8ea"), rgb("#dff1f5")), haze=rgb("#c9e4ee"), light=(1.0, 1.0, 1.0),
        shade=rgb("#3d5a80"), shade_amount=0.0, orb=rgb("#fff3c4"), glow=rgb("#fff0c0"), glow_strength=0.55,
        ground=(rgb("#6fae5c"), rgb("#a5c97a")), rock=rgb("#6d8fb3"), cloud=rgb("#ffffff"), stars=0.0, dark=0.0,
    ),
    "morning": Mood(
        sky=(rgb("#7fb2dc"), rgb("#f5cdb6"), rgb("#ffe7c9")), haze=rgb("#f7d9c4"), light=(1.0, 0.97, 0.93),
        shade=rgb("#e8a48c"), shade_amount=0.08, orb=rgb("#fff6da"), glow=rgb("#ffdca8"), glow_strength=0.75,
        ground=(rgb("#7ea665"), rgb("#c0c58d")), rock=rgb("#9a8fb4"), cloud=rgb("#fff0e4"), stars=0.0, dark=0.0,
    ),
    "sunset": Mood(
        sky=(rgb("#4b3f85"), rgb("#d9637a"), rgb("#ffb463")), haze=rgb("#f29a72"), light=(1.0, 0.86, 0.78),
        shade=rgb("#7a3b6c"), shade_amount=0.18, orb=rgb("#ffe9a8"), glow=rgb("#ffbf66"), glow_strength=0.9,
        ground=(rgb("#5b4a5e"), rgb("#a3686b")), rock=rgb("#7a4b80"), cloud=rgb("#ffb7a0"), stars=0.05, dark=0.35,
    ),
    "dusk": Mood(
        sky=(rgb("#27305e"), rgb("#6a5a9c"), rgb("#e0a3b0")), haze=rgb("#a886b4"), light=(0.86, 0.83, 0.94),
        shade=rgb("#3a3a70"), shade_amount=0.2, orb=rgb("#fdf3e0"), glow=rgb("#e6c6d8"), glow_strength=0.5,
        ground=(rgb("#3f4a68"), rgb("#6f6890")), rock=rgb("#55558c"), cloud=rgb("#c9a6c6"), stars=0.35, dark=0.65,
    ),
    "night": Mood(
        sky=(rgb("#0f1a3c"), rgb("#1d2f5e"), rgb("#43598c")), haze=rgb("#3d5080"), light=(0.72, 0.77, 0.94),
        shade=rgb("#16224a"), shade_amount=0.3, orb=rgb("#fbf4d9"), glow=rgb("#8fa8d8"), glow_strength=0.5,
        ground=(rgb("#1f3350"), rgb("#33507a")), rock=rgb("#2d4070"), cloud=rgb("#5a6c9c"), stars=0.9, dark=1.0,
    ),
    "galaxy": Mood(
        sky=(rgb("#140c30"), rgb("#3a1d66"), rgb("#8a4a9e")), haze=rgb("#6a3f8e"), light=(0.8, 0.73, 0.96),
        shade=rgb("#241350"), shade_amount=0.28, orb=rgb("#f6e6ff"), glow=rgb("#c58ae0"), glow_strength=0.5,
        ground=(rgb("#261d4c"), rgb("#48336f")), rock=rgb("#3d2a6b"), cloud=rgb("#8a5fb0"), stars=1.0, dark=1.0,
    ),
    "storm": Mood(
        sky=(rgb("#56657a"), rgb("#8493a3"), rgb("#c3ccd0")), haze=rgb("#a9b5bd"), light=(0.86, 0.9, 0.94),
        shade=rgb("#55667a"), shade_amount=0.2, orb=rgb("#e9edee"), glow=rgb("#d5dde0"), glow_strength=0.25,
        ground=(rgb("#5b7a66"), rgb("#869c8c")), rock=rgb("#667789"), cloud=rgb("#dfe5e8"), stars=0.0, dark=0.25,
    ),
}  # fmt: skip
MOOD_NAMES = tuple(MOODS)


def mood_table(attribute: str) -> Array:
    """Return one attribute of all moods as an array, in the order of `MOOD_NAMES`."""
    return np.array([getattr(MOODS[name], attribute) for name in MOOD_NAMES], np.float32)
