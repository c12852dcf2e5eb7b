"""The pictures that a prompt draws from, and how much each of them counts.

The model is the grammar of scenes; a run works on a finite sample of it: scenes of every kind, drawn once for each
checkpoint, and scenes drawn for the positive prompt. Each conditioning gives every scene a weight, by how much of what
it asks for the scene shows.
"""

from __future__ import annotations

import hashlib

import numpy as np

from .arrays import Array, Bools, Ints
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
    several,
    suits,
    usual_counts,
)
from .vocabulary import PLURAL, Meaning, Wish

_STRENGTH = 5.0
"""How much less likely, in nats, a scene is for each thing that it lacks."""
_SIZES = {"big": 1.5, "small": 0.62}
_A_FEW = 3
_PLACES = {"left": -0.55, "centre": 0.0, "right": 0.55}
_RAINBOW_MOODS = ("day", "day", "morning", "storm")


def general_scenes(count: int, seed: int) -> Scenes:
    """Return scenes of every kind."""
    return draw_scenes(count, Dice(seed))


def scenes_for(meaning: Meaning, count: int, seed: int) -> Scenes:
    """Return scenes that show what a prompt asks for; the same prompt always gives the same ones."""
    digest = hashlib.sha256(repr(meaning.wishes).encode()).digest()
    dice = Dice(seed ^ int.from_bytes(digest[:8], "big"))
    figures = [wish for wish in meaning.wishes if wish.kind == "figure"]
    kinds = {wish.kind for wish in meaning.wishes}
    scenes = draw_scenes(count, dice, figures=not figures)
    if "land" not in kinds and figures:
        homes = [number for number, land in enumerate(LANDS) if all(suits(wish.value, land) for wish in figures)]
        if homes:
            scenes.land[:] = dice.among(count, np.array(homes))
    if "weather" not in kinds and "mood" in kinds:
        # What was asked for shall be seen: no rain or mist unless the prompt says so.
        scenes.weather[:] = WEATHERS.index("clear")
    if "mood" not in kinds and any(wish.value == "rainbow" for wish in meaning.wishes):
        for row, mood in enumerate(dice.among(count, np.array([MOOD_NAMES.index(name) for name in _RAINBOW_MOODS]))):
            scenes.mood[row] = mood
    for wish in meaning.wishes:
        _grant(scenes, wish, dice)
    settle(scenes)
    if len(figures) == 1 and figures[0].count in (None, 1):
        # The one thing that a prompt is about comes closer.
        scenes.size[:, FIGURES.index(figures[0].value)] *= 1.25
    for wish in figures:
        if wish.place is not None:
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
        scenes.count[:, kind] = usual_counts(len(scenes), dice)[:, kind] if count is None else count
        if colour is not None:
            scenes.colour[:, kind] = colour
        if wish.size is not None:
            scenes.size[:, kind] *= _SIZES[wish.size]


def _wanted_count(wish: Wish) -> int | None:
    """Return the number asked for; None leaves it to the kind. A bare plural asks for a few."""
    if wish.count == PLURAL:
        return None if several(wish.value) else _A_FEW
    return wish.count


def log_weights(scenes: Scenes, meaning: Meaning) -> Array:
    """Return the logarithm of how much each scene counts under a conditioning, shape (n,)."""
    lacking: Array = np.zeros(len(scenes))
    for wish in meaning.wishes:
        lacking += wish.weight * _lack(scenes, wish)
    return (-_STRENGTH * lacking).astype(np.float32)


def _lack(scenes: Scenes, wish: Wish) -> Array:
    """Return what each scene lacks of a wish: 0 nothing, 1 all of it."""
    colour = None if wish.colour is None else colour_index(wish.colour)
    if wish.kind == "figure":
        return _lack_of_figure(scenes, wish, colour)
    if wish.kind == "mood":
        return _either(scenes.mood != MOOD_NAMES.index(wish.value), scenes.sky_colour, colour)
    if wish.kind == "land":
        return _either(scenes.land != LANDS.index(wish.value), scenes.land_colour, colour)
    missing: Bools
    if wish.kind == "weather":
        missing = scenes.weather != WEATHERS.index(wish.value)
    elif wish.kind == "water":
        missing = (scenes.lake == 0) & (scenes.land != LANDS.index("sea"))
    elif wish.kind == "clouds":
        missing = scenes.clouds < 0.5
    else:
        missing = (scenes.sky_colour if wish.kind == "sky" else scenes.land_colour) != colour
    return missing.astype(np.float64)


def _either(missing: Bools, colours: Ints, colour: int | None) -> Array:
    """Count a missing thing as 1, and one of another colour than asked for as one half."""
    lack: Array = missing.astype(np.float64)
    if colour is not None:
        lack = np.maximum(lack, 0.5 * (colours != colour))
    return lack


def _lack_of_figure(scenes: Scenes, wish: Wish, colour: int | None) -> Array:
    kind = FIGURES.index(wish.value)
    lack = _either(scenes.count[:, kind] == 0, scenes.colour[:, kind], colour)
    count = _wanted_count(wish)
    if count is not None:
        lack = np.maximum(lack, 0.3 * (scenes.count[:, kind] != count))
    return lack
