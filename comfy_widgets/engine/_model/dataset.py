"""The images that a prompt draws from, and how much each of them counts.

The model is the grammar of scenes; a run works on a finite sample of it: scenes of every kind, drawn once for each
checkpoint, and scenes drawn for the positive prompt. Each conditioning gives every scene a weight, by how much of what
it asks for the scene shows.
"""

from __future__ import annotations

import zlib

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

_STRENGTH = 1.5
"""How much less likely, in nats, a scene is for each thing that it lacks. Soft, as of a trained model that has heard a
prompt: guidance is what makes it obey."""
_SIZES = {"big": 1.5, "small": 0.62}
_A_FEW = 3
_PLACES = {"left": -0.55, "centre": 0.0, "right": 0.55}
_A_PLACE_WIDE = 0.4
_OWN = 0x0A11
_RAINBOW_MOODS = ("day", "day", "morning", "storm")


def general_scenes(count: int, seed: int) -> Scenes:
    """Return scenes of every kind."""
    return draw_scenes(count, Dice(seed))


def scenes_for(meaning: Meaning, count: int, seed: int) -> Scenes:
    """Return scenes that show what a prompt asks for; the same prompt always gives the same ones.

    All prompts begin from the same scenes, and each wish changes in them only what it names, by dice of its own: so
    prompts that share words share scenes, and a changed word keeps the composition. A wish of weight w below 1 is
    granted in that share of the scenes.
    """
    figures = [wish for wish in meaning.wishes if wish.kind == "figure"]
    kinds = {wish.kind for wish in meaning.wishes}
    scenes = draw_scenes(count, Dice(seed ^ _OWN), figures=not figures)
    if "land" not in kinds and figures:
        homes = np.array([number for number, land in enumerate(LANDS) if all(suits(w.value, land) for w in figures)])
        if homes.size:
            moved = ~np.isin(scenes.land, homes)
            scenes.land[moved] = _dice(seed, "home").among(count, homes)[moved]
    if "weather" not in kinds and "mood" in kinds:
        # What was asked for shall be seen: no rain or mist unless the prompt says so.
        scenes.weather[:] = WEATHERS.index("clear")
    if "mood" not in kinds and any(wish.value == "rainbow" for wish in meaning.wishes):
        moods = np.array([MOOD_NAMES.index(name) for name in _RAINBOW_MOODS])
        scenes.mood[:] = _dice(seed, "rainbow").among(count, moods)
    for wish in meaning.wishes:
        dice = _dice(seed, wish.kind, wish.value)
        granted = dice.roll(count) <= wish.weight
        part = scenes.take(granted)
        _grant(part, wish, dice)
        scenes.put(granted, part)
    settle(scenes)
    if len(figures) == 1 and figures[0].count in (None, 1):
        # The one thing that a prompt is about comes closer.
        scenes.size[:, FIGURES.index(figures[0].value)] *= 1.25
    for wish in figures:
        if wish.place is not None:
            places = (_dice(seed, "place", wish.value).roll(count) - 0.5) * 0.2
            scenes.x[:, FIGURES.index(wish.value)] = _PLACES[wish.place] + places
    return scenes


def _dice(seed: int, *what: str) -> Dice:
    """Return dice for one purpose, so that no other purpose shifts them."""
    return Dice(seed ^ _OWN ^ (zlib.crc32(" ".join(what).encode()) << 16))


def _grant(scenes: Scenes, wish: Wish, dice: Dice) -> None:
    """Make all scenes show one thing."""
    colour = None if wish.colour is None else colour_index(wish.colour)
    coloured = dice.roll(len(scenes)) <= wish.colour_weight
    counted, sized = dice.roll(len(scenes)) <= wish.count_weight, dice.roll(len(scenes)) <= wish.size_weight
    if wish.kind == "mood":
        set_mood(scenes, MOOD_NAMES.index(wish.value), dice)
        if colour is not None:
            scenes.sky_colour[coloured] = colour
    elif wish.kind == "sky" and colour is not None:
        scenes.sky_colour[coloured] = colour
    elif wish.kind == "land":
        scenes.land[:] = LANDS.index(wish.value)
        if colour is not None:
            scenes.land_colour[coloured] = colour
    elif wish.kind == "ground" and colour is not None:
        scenes.land_colour[coloured] = colour
    elif wish.kind == "weather":
        scenes.weather[:] = WEATHERS.index(wish.value)
    elif wish.kind == "water":
        scenes.lake[:] = 1
    elif wish.kind == "clouds":
        scenes.clouds[:] = 0.6 + 0.4 * dice.roll(len(scenes))
    elif wish.kind == "figure":
        kind = FIGURES.index(wish.value)
        count = _wanted_count(wish)
        usual = usual_counts(len(scenes), dice)[:, kind]
        scenes.count[:, kind] = usual if count is None else np.where(counted, count, usual)
        if colour is not None:
            scenes.colour[coloured, kind] = colour
        if wish.size is not None:
            scenes.size[sized, kind] *= _SIZES[wish.size]


def _wanted_count(wish: Wish) -> int | None:
    """Return the number asked for; None leaves it to the kind. A bare plural asks for a few."""
    if wish.count == PLURAL:
        return None if several(wish.value) else _A_FEW
    return wish.count


def log_weights(scenes: Scenes, meaning: Meaning) -> Array:
    """Return the logarithm of how much each scene counts under a conditioning, shape (n,)."""
    lacking: Array = np.zeros(len(scenes))
    for wish in meaning.wishes:
        # A prompt that the other checkpoints have read may ask for digits.
        if wish.kind != "digit":
            lacking += _lack(scenes, wish)
    return (-_STRENGTH * lacking).astype(np.float32)


def _lack(scenes: Scenes, wish: Wish) -> Array:
    """Return what each scene lacks of a wish, in units of one usual thing; each word counts by its weight."""
    colour = None if wish.colour is None else colour_index(wish.colour)
    kind = wish.kind
    if kind == "figure":
        return _lack_of_figure(scenes, wish, colour)
    if kind in ("sky", "ground"):
        colours = scenes.sky_colour if kind == "sky" else scenes.land_colour
        lack: Array = wish.weight * wish.colour_weight * (colours != colour)
        return lack
    if kind == "mood":
        return _with_colour(scenes.mood != MOOD_NAMES.index(wish.value), scenes.sky_colour, colour, wish)
    if kind == "land":
        return _with_colour(scenes.land != LANDS.index(wish.value), scenes.land_colour, colour, wish)
    if kind == "weather":
        missing = scenes.weather != WEATHERS.index(wish.value)
    elif kind == "water":
        missing = (scenes.lake == 0) & (scenes.land != LANDS.index("sea"))
    else:
        missing = scenes.clouds < 0.5
    plain: Array = wish.weight * missing.astype(np.float64)
    return plain


def _with_colour(missing: Bools, colours: Ints, colour: int | None, wish: Wish) -> Array:
    """Count a missing thing as 1, and one of another colour than asked for as one half."""
    lack: Array = wish.weight * missing.astype(np.float64)
    if colour is not None:
        lack = np.maximum(lack, wish.weight * 0.5 * wish.colour_weight * (missing | (colours != colour)))
    return lack


def _lack_of_figure(scenes: Scenes, wish: Wish, colour: int | None) -> Array:
    kind = FIGURES.index(wish.value)
    lack = _with_colour(scenes.count[:, kind] == 0, scenes.colour[:, kind], colour, wish)
    count = _wanted_count(wish)
    if count is not None:
        lack = np.maximum(lack, wish.weight * 0.3 * wish.count_weight * (scenes.count[:, kind] != count))
    if wish.size is not None:
        other = scenes.size[:, kind] > 1.1 if wish.size == "small" else scenes.size[:, kind] < 1.1
        lack = np.maximum(lack, wish.weight * 0.3 * wish.size_weight * other)
    if wish.place is not None:
        where = np.where(scenes.flipped, -1, 1) * scenes.x[:, kind]
        lack = np.maximum(lack, wish.weight * (np.abs(where - _PLACES[wish.place]) > _A_PLACE_WIDE))
    return lack
