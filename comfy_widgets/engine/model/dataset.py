"""The pictures that a prompt draws from, and how much each of them counts.

The model is the grammar of scenes; a run works on a finite sample of it: scenes of every kind, drawn once for each
checkpoint, and scenes drawn for the positive prompt. Each conditioning gives every scene a weight, by how much of what it
asks for the scene shows.
"""

from __future__ import annotations

import hashlib

import numpy as np

from .arrays import Array, Floats
from .palette import MOOD_NAMES
from .scenes import (
    FIGURES,
    LANDS,
    WEATHERS,
    Dice,
    Scenes,
    colour_index,
    draw_scenes,
    set_mood,
    settle,
)
from .vocabulary import Meaning, Wish

_STRENGTH = 5.0
"""How much less likely, in nats, a scene is for each thing that it lacks."""
_SIZES = {"big": 1.5, "small": 0.62}
_PLACES = {"left": -0.55, "centre": 0.0, "right": 0.55}
_COMPANY = 0.1
"""How often something stands in the scene that a prompt with figures did not name."""


def general_scenes(count: int, seed: int) -> Scenes:
    """Return scenes of every kind."""
    return draw_scenes(count, Dice(seed))


def scenes_for(meaning: Meaning, count: int, seed: int) -> Scenes:
    """Return scenes that show what a prompt asks for; the same prompt always gives the same ones."""
    digest = hashlib.sha256(repr(meaning.wishes).encode()).digest()
    dice = Dice(seed ^ int.from_bytes(digest[:8], "big"))
    named = any(wish.kind == "figure" for wish in meaning.wishes)
    scenes = draw_scenes(count, dice, figures=not named)
    if any(wish.kind == "mood" and wish.value != "storm" for wish in meaning.wishes):
        # What was asked for shall be seen: no rain or mist unless the prompt says so.
        scenes.weather[:] = 0
    for wish in meaning.wishes:
        _grant(scenes, wish, dice)
    settle(scenes)
    for wish in meaning.wishes:
        if wish.kind == "figure" and wish.place is not None:
            scenes.x[:, FIGURES.index(wish.value)] = _PLACES[wish.place] + (dice.roll(count) - 0.5) * 0.2
    return scenes


def _grant(scenes: Scenes, wish: Wish, dice: Dice) -> None:
    """Make all scenes show one thing."""
    colour = None if wish.colour is None else colour_index(wish.colour)
    if wish.kind == "mood":
        set_mood(scenes, MOOD_NAMES.index(wish.value), dice)
        if colour is not None:
            scenes.sky_colour[:] = colour
    elif wish.kind == "sky" and colour is not None:
        scenes.sky_colour[:] = colour
    elif wish.kind == "land":
        scenes.land[:] = LANDS.index(wish.value)
        if colour is not None:
            scenes.land_colour[:] = colour
    elif wish.kind == "ground" and colour is not None:
        scenes.land_colour[:] = colour
    elif wish.kind == "weather":
        scenes.weather[:] = WEATHERS.index(wish.value)
    elif wish.kind == "water":
        scenes.lake[:] = 1
    elif wish.kind == "clouds":
        scenes.clouds[:] = 0.6 + 0.4 * dice.roll(len(scenes))
    elif wish.kind == "figure":
        kind = FIGURES.index(wish.value)
        count = _wanted_count(wish)
        usual = np.maximum(scenes.count[:, kind], draw_usual(wish.value, len(scenes), dice))
        scenes.count[:, kind] = usual if count is None else count
        if colour is not None:
            scenes.colour[:, kind] = colour
        if wish.size is not None:
            scenes.size[:, kind] *= _SIZES[wish.size]


def draw_usual(figure: str, count: int, dice: Dice) -> np.typing.NDArray[np.int64]:
    """Return how many of a kind stand together when no number is given."""
    from .scenes import usual_counts

    return usual_counts(count, dice)[:, FIGURES.index(figure)]


def _wanted_count(wish: Wish) -> int | None:
    """Return the number asked for; a bare plural (0) means a few."""
    return 3 if wish.count == 0 and wish.value in ("balloon", "boat", "house", "cat", "bottle", "rocket") else (
        wish.count or None
    )


def log_weights(scenes: Scenes, meaning: Meaning) -> Array:
    """Return the logarithm of how much each scene counts under a conditioning, shape (n,)."""
    lacking: Floats = np.zeros(len(scenes))
    for wish in meaning.wishes:
        lacking += wish.weight * _lack(scenes, wish)
    return (-_STRENGTH * lacking).astype(np.float32)


def _lack(scenes: Scenes, wish: Wish) -> Floats:
    """Return what each scene lacks of a wish: 0 nothing, 1 all of it."""
    colour = None if wish.colour is None else colour_index(wish.colour)
    if wish.kind == "mood":
        lack = (scenes.mood != MOOD_NAMES.index(wish.value)).astype(float)
        return lack if colour is None else np.maximum(lack, 0.5 * (scenes.sky_colour != colour))
    if wish.kind == "sky":
        return np.zeros(len(scenes)) if colour is None else (scenes.sky_colour != colour).astype(float)
    if wish.kind == "ground":
        return np.zeros(len(scenes)) if colour is None else (scenes.land_colour != colour).astype(float)
    if wish.kind == "land":
        lack = (scenes.land != LANDS.index(wish.value)).astype(float)
        return lack if colour is None else np.maximum(lack, 0.5 * (scenes.land_colour != colour))
    if wish.kind == "weather":
        return (scenes.weather != WEATHERS.index(wish.value)).astype(float)
    if wish.kind == "water":
        return ((scenes.lake == 0) & (scenes.land != LANDS.index("sea"))).astype(float)
    if wish.kind == "clouds":
        return (scenes.clouds < 0.5).astype(float)
    if wish.kind != "figure":
        return np.zeros(len(scenes))
    kind = FIGURES.index(wish.value)
    lack = (scenes.count[:, kind] == 0).astype(float)
    if colour is not None:
        lack = np.maximum(lack, 0.6 * (scenes.colour[:, kind] != colour))
    count = _wanted_count(wish)
    if count is not None:
        lack = np.maximum(lack, 0.3 * (scenes.count[:, kind] != count))
    return lack
