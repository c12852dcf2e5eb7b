"""The grammar of the little world: what a scene can be, and how scenes are drawn at random."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np

from .arrays import Array, Bools, Ints
from .noise import uniform
from .palette import COLOUR_NAMES, MOOD_NAMES

LANDS = ("hills", "mountains", "sea", "desert", "city", "snow")
WEATHERS = ("clear", "rain", "snowfall", "rainbow", "mist")
FIGURES = (
    "castle", "windmill", "lighthouse", "pine", "house", "boat", "birds", "balloon", "rocket", "tree", "flower",
    "mushroom", "cat", "bottle",
)  # fmt: skip
"""Back to front: the order in which figures are painted."""

NONE = -1
DICE = 40

_MOOD_ODDS = (0.27, 0.13, 0.22, 0.09, 0.18, 0.05, 0.06)
_LAND_ODDS = (0.30, 0.27, 0.20, 0.08, 0.07, 0.08)
_WEATHER_ODDS = (0.80, 0.04, 0.04, 0.04, 0.08)
_FIGURE_ODDS = {
    "castle": 0.05, "windmill": 0.07, "lighthouse": 0.08, "house": 0.16, "pine": 0.18, "tree": 0.18, "boat": 0.14,
    "birds": 0.22, "balloon": 0.20, "rocket": 0.03, "flower": 0.14, "mushroom": 0.03, "cat": 0.04, "bottle": 0.03,
}  # fmt: skip
_USUAL_COLOURS: dict[str, tuple[str, ...]] = {
    "castle": ("white", "brown", "pink"),
    "windmill": ("white", "brown", "red"),
    "lighthouse": ("red", "blue", "black"),
    "house": ("red", "blue", "yellow", "white", "brown", "teal"),
    "pine": ("green", "teal"),
    "tree": ("green", "green", "orange", "pink", "red", "yellow"),
    "boat": ("white", "red", "yellow", "teal", "blue"),
    "birds": ("black", "white"),
    "balloon": ("red", "orange", "yellow", "teal", "blue", "purple", "pink", "green"),
    "rocket": ("red", "blue", "orange"),
    "flower": ("red", "pink", "yellow", "purple", "white", "orange"),
    "mushroom": ("red", "orange", "purple"),
    "cat": ("black", "orange", "white", "brown"),
    "bottle": ("teal", "blue", "green", "purple", "pink"),
}
_SUITABLE: dict[str, tuple[str, ...]] = {
    "castle": ("hills", "mountains", "snow", "sea"),
    "windmill": ("hills", "mountains", "sea"),
    "lighthouse": ("sea", "hills", "mountains", "snow"),
    "house": ("hills", "mountains", "sea", "snow", "desert"),
    "pine": ("mountains", "hills", "snow"),
    "boat": ("sea", "hills", "mountains", "city"),
    "tree": ("hills", "mountains", "sea", "city"),
    "flower": ("hills", "mountains"),
    "mushroom": ("hills", "mountains"),
    "cat": ("hills", "mountains", "city", "snow"),
}
"""Where figures feel at home; the others do anywhere."""
_SEVERAL = {"pine": (3, 9), "tree": (1, 4), "birds": (3, 7), "flower": (7, 12), "mushroom": (1, 3)}
"""How many of a kind stand together when nobody says a number; the others stand alone."""
MAX_COUNT = 12


@dataclass(frozen=True)
class Scenes:
    """n scenes, described by numbers; one row of every array is one scene.

    Parameters
    ----------
    mood, land, weather : Ints
        Indices into MOOD_NAMES, LANDS and WEATHERS, shape (n,).
    lake : Ints
        Whether there is water in front of the land (the sea has it anyway), shape (n,).
    sky_colour, land_colour : Ints
        Index into COLOUR_NAMES, or NONE for the natural one, shape (n,).
    orb_x, orb_y : array
        Place of sun or moon: -1..1 across, 0 (horizon) to 1 (top), shape (n,).
    clouds : array
        How many, 0..1, shape (n,).
    dice : array
        Random numbers 0..1 for shapes and places, shape (n, DICE).
    flipped : Bools
        Whether the image is mirrored, shape (n,).
    count, colour, size, x : Ints, array
        Of each kind in FIGURES: how many, which colour (NONE: mixed), how big (1 is usual), where across
        (-1..1), shape (n, kinds).
    """

    mood: Ints
    land: Ints
    weather: Ints
    lake: Ints
    sky_colour: Ints
    land_colour: Ints
    orb_x: Array
    orb_y: Array
    clouds: Array
    dice: Array
    flipped: Bools
    count: Ints
    colour: Ints
    size: Array
    x: Array

    def __len__(self) -> int:
        return len(self.mood)

    def take(self, index: Ints | Bools | slice) -> Scenes:
        """Return some of the scenes."""
        return Scenes(**{field.name: getattr(self, field.name)[index] for field in fields(self)})

    def put(self, index: Ints | Bools, others: Scenes) -> None:
        """Replace some of the scenes."""
        for field in fields(self):
            getattr(self, field.name)[index] = getattr(others, field.name)

    def join(self, other: Scenes) -> Scenes:
        """Return these scenes and then the others."""
        return Scenes(
            **{
                field.name: np.concatenate([getattr(self, field.name), getattr(other, field.name)])
                for field in fields(self)
            }
        )

    def mirrored(self) -> Scenes:
        """Return the mirror images of these scenes."""
        return replace(self, flipped=~self.flipped)


class Dice:
    """Random numbers that are the same on every machine (see `noise`)."""

    def __init__(self, seed: int) -> None:
        self._generator = np.random.Philox(key=np.array([seed & ((1 << 64) - 1), 7], np.uint64))

    def roll(self, *shape: int) -> Array:
        """Return numbers in (0, 1]."""
        words: np.typing.NDArray[np.uint64] = self._generator.random_raw(int(np.prod(shape)))
        return uniform(words).reshape(shape)

    def pick(self, count: int, odds: tuple[float, ...]) -> Ints:
        """Return indices, each as likely as its odds."""
        edges = np.cumsum(odds) / np.sum(odds)
        return np.minimum(np.searchsorted(edges, self.roll(count)), len(odds) - 1).astype(np.int64)

    def among(self, count: int, choices: Ints) -> Ints:
        """Return elements of `choices`, all equally likely."""
        return choices[np.minimum((self.roll(count) * len(choices)).astype(np.int64), len(choices) - 1)]


def suits(figure: str, land: str) -> bool:
    """Tell whether a kind of figure is at home in a land."""
    return land in _SUITABLE.get(figure, LANDS)


def colour_index(name: str) -> int:
    """Return the index of a colour."""
    return COLOUR_NAMES.index(name)


def usual_colours(figure: str) -> Ints:
    """Return the indices of the colours that a kind of figure usually has."""
    return np.array([colour_index(name) for name in _USUAL_COLOURS[figure]], np.int64)


def draw_scenes(count: int, dice: Dice, *, figures: bool = True) -> Scenes:
    """Draw scenes from the grammar.

    Parameters
    ----------
    count : int
        How many.
    dice : Dice
        Where chance comes from.
    figures : bool
        False leaves the land empty (birds excepted), for prompts that name what stands in it.
    """
    kinds = len(FIGURES)
    land = dice.pick(count, _LAND_ODDS)
    mood = dice.pick(count, _MOOD_ODDS)
    present = dice.roll(count, kinds) < np.array([_FIGURE_ODDS[name] for name in FIGURES])
    present &= np.array([[suits(name, land_name) for name in FIGURES] for land_name in LANDS])[land]
    if not figures:
        present &= np.array([name == "birds" for name in FIGURES])
    colour = np.stack([dice.among(count, usual_colours(name)) for name in FIGURES], axis=1)
    colour[dice.roll(count) < 0.5, FIGURES.index("flower")] = NONE
    scenes = Scenes(
        mood=mood,
        land=land,
        weather=dice.pick(count, _WEATHER_ODDS),
        lake=(dice.roll(count) < 0.35).astype(np.int64),
        sky_colour=np.full(count, NONE, np.int64),
        land_colour=np.full(count, NONE, np.int64),
        orb_x=dice.roll(count) * 1.5 - 0.75,
        orb_y=_orb_height(mood, dice.roll(count)),
        clouds=dice.roll(count),
        dice=dice.roll(count, DICE),
        flipped=np.zeros(count, np.bool_),
        count=present * usual_counts(count, dice),
        colour=colour,
        size=0.85 + 0.4 * dice.roll(count, kinds),
        x=_places(count, dice),
    )
    _make_fit(scenes)
    return scenes


def several(figure: str) -> bool:
    """Tell whether figures of a kind usually stand together."""
    return figure in _SEVERAL


def usual_counts(count: int, dice: Dice) -> Ints:
    """Return how many of each kind stand together, shape (count, kinds)."""
    low = np.array([_SEVERAL.get(name, (1, 1))[0] for name in FIGURES])
    high = np.array([_SEVERAL.get(name, (1, 1))[1] for name in FIGURES])
    rolled = dice.roll(count, len(FIGURES))
    result: Ints = np.minimum(low + (rolled * (high - low + 1)).astype(np.int64), high)
    return result


def _orb_height(mood: Ints, rolled: Array) -> Array:
    """The sun stands low in the morning and the evening, high otherwise."""
    low = np.isin(mood, [MOOD_NAMES.index(name) for name in ("morning", "sunset", "dusk")])
    return np.where(low, 0.02 + 0.32 * rolled, 0.45 + 0.4 * rolled)


def set_mood(scenes: Scenes, mood: int, dice: Dice) -> None:
    """Give all scenes one time of day."""
    scenes.mood[:] = mood
    scenes.orb_y[:] = _orb_height(scenes.mood, dice.roll(len(scenes)))


def _places(count: int, dice: Dice) -> Array:
    """Spread the kinds over the width so that they stand beside each other, a little uneven."""
    kinds = len(FIGURES)
    slots = np.linspace(-0.8, 0.8, kinds)
    order = np.argsort(dice.roll(count, kinds), axis=1)
    return slots[order] + (dice.roll(count, kinds) - 0.5) * 0.12


def settle(scenes: Scenes) -> None:
    """Rearrange what the wishes of a prompt have put together."""
    _make_fit(scenes)
    # Figures that share a scene are spread over the width again, in the order of their places.
    present = scenes.count > 0
    several = present.sum(axis=1)
    for row in np.flatnonzero(several > 1):
        kinds = np.flatnonzero(present[row])
        kinds = kinds[np.argsort(scenes.x[row, kinds])]
        spread = np.linspace(-0.62, 0.62, len(kinds))
        scenes.x[row, kinds] = 0.35 * scenes.x[row, kinds] + 0.65 * spread
    for row in np.flatnonzero(several == 1):
        kinds = np.flatnonzero(present[row])
        scenes.x[row, kinds] = np.clip(scenes.x[row, kinds], -0.55, 0.55)


def _make_fit(scenes: Scenes) -> None:
    """See to it that boats have water, lighthouses a coast, and that snow does not fall in the desert."""
    boat, lighthouse = FIGURES.index("boat"), FIGURES.index("lighthouse")
    wet = (scenes.count[:, boat] > 0) | (scenes.count[:, lighthouse] > 0)
    scenes.lake[wet] = 1
    scenes.lake[(scenes.land == LANDS.index("desert")) & ~wet] = 0
    dry = (scenes.land == LANDS.index("desert")) & (scenes.weather == WEATHERS.index("snowfall"))
    scenes.weather[dry] = WEATHERS.index("clear")
    rainbow = scenes.weather == WEATHERS.index("rainbow")
    dark = np.isin(scenes.mood, [MOOD_NAMES.index(name) for name in ("night", "galaxy")])
    scenes.weather[rainbow & dark] = WEATHERS.index("clear")
    many = scenes.count[:, FIGURES.index("birds")]
    np.minimum(many, MAX_COUNT, out=many)


def described(scenes: Scenes, number: int) -> str:
    """Return one scene in words: "sunset, mountains, lake, red balloon, 3 houses"."""
    words = [MOOD_NAMES[scenes.mood[number]], LANDS[scenes.land[number]]]
    if scenes.lake[number] and words[1] != "sea":
        words.append("lake")
    if WEATHERS[scenes.weather[number]] != "clear":
        words.append(WEATHERS[scenes.weather[number]])
    for kind, name in enumerate(FIGURES):
        count, colour = int(scenes.count[number, kind]), int(scenes.colour[number, kind])
        if count:
            number_word = f"{count} " if count > 1 else ""
            colour_word = f"{COLOUR_NAMES[colour]} " if colour != NONE else ""
            plural = "s" if count > 1 and name != "birds" else ""
            words.append(f"{number_word}{colour_word}{name}{plural}")
    return ", ".join(words)


def column(values: Array | Ints | Bools) -> Array:
    """Turn a value for each scene into a column that broadcasts over pixels."""
    return np.asarray(values, np.float32)[:, None, None]
