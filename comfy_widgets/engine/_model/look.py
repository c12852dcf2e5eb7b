"""The colours of scenes under their light, and their measures, ready for painting."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .arrays import Array, Bools, Ints
from .canvas import Canvas
from .palette import COLOUR_TABLE, mood_table
from .scenes import LANDS, Scenes, column

_HORIZON = {"hills": 0.10, "mountains": 0.13, "sea": 0.08, "desert": 0.12, "city": 0.20, "snow": 0.12}
"""How far below the middle the horizon lies, as a part of the image's height."""
_TABLES = {
    name: mood_table(name)
    for name in (
        "sky", "haze", "light", "shade", "shade_amount", "orb", "glow", "glow_strength", "ground", "rock", "cloud",
        "stars", "dark",
    )
}  # fmt: skip
_LUMA = np.array([0.3, 0.59, 0.11], np.float32)


@dataclass(frozen=True)
class Look:
    """What all painters of some scenes need to know.

    Parameters
    ----------
    scenes : Scenes
        The scenes.
    half_width, half_height : float
        Half the image's size in canvas units.
    horizon : array
        Height of the horizon, a column.
    """

    scenes: Scenes
    half_width: float
    half_height: float
    horizon: Array

    @classmethod
    def of(cls, scenes: Scenes, canvas: Canvas) -> Look:
        """Return the look of scenes on a whole canvas."""
        half_width = -float(canvas.x.flat[0]) + canvas.pixel / 2
        half_height = -float(canvas.y.flat[0]) + canvas.pixel / 2
        below = np.array([_HORIZON[name] for name in LANDS], np.float32)[scenes.land]
        wobble = (scenes.dice[:, 0] - 0.5) * 0.06
        return cls(scenes, half_width, half_height, column((below + wobble) * 2 * half_height))

    def take(self, index: Ints) -> Look:
        """Return the look of some of the scenes."""
        return Look(self.scenes.take(index), self.half_width, self.half_height, self.horizon[index])

    def die(self, number: int) -> Array:
        """Return one of the scenes' random numbers as a column."""
        return column(self.scenes.dice[:, number])

    def tone(self, name: str, index: int | None = None) -> Array:
        """Return a colour of the mood, shape (n, 3, 1, 1)."""
        table = _TABLES[name] if index is None else _TABLES[name][:, index]
        return table[self.scenes.mood][:, :, None, None]

    def amount(self, name: str) -> Array:
        """Return a number of the mood as a column."""
        return column(_TABLES[name][self.scenes.mood])

    def sky(self, index: int) -> Array:
        """Return a stop of the sky's gradient, tinted where the prompt names a colour; shape (n, 3, 1, 1)."""
        stop = _TABLES["sky"][self.scenes.mood][:, index]
        return self._tinted(stop, self.scenes.sky_colour, 0.72)[:, :, None, None]

    def haze(self) -> Array:
        """Return what distant things fade to; shape (n, 3, 1, 1)."""
        haze = _TABLES["haze"][self.scenes.mood]
        return self._tinted(haze, self.scenes.sky_colour, 0.45)[:, :, None, None]

    def land(self, natural: Array, strength: float = 0.8) -> Array:
        """Return a colour of the land, (n, 3), tinted where the prompt names one; shape (n, 3, 1, 1)."""
        return self._tinted(natural, self.scenes.land_colour, strength)[:, :, None, None]

    def _tinted(self, natural: Array, colour: Ints, strength: float) -> Array:
        """Move a colour towards a named one, keeping about how light it is."""
        named = colour >= 0
        target = COLOUR_TABLE[np.where(named, colour, 0)]
        lightness = natural @ _LUMA
        own = target @ _LUMA
        scaled = np.clip(target * (0.35 + 0.65 * lightness / np.maximum(own, 0.2))[:, None], 0.0, 1.0)
        amount = np.where(named, strength, 0.0).astype(np.float32)[:, None]
        mixed: Array = (natural + (scaled - natural) * amount).astype(np.float32)
        return mixed

    def lit(self, colour: Array, depth: Array | float = 0.0) -> Array:
        """Return the colour of a thing in this light; `depth` 0 is near, 1 is lost in the haze.

        Parameters
        ----------
        colour : array
            Shape (n or 1, 3, 1, 1).
        """
        shaded = colour * self.tone("light")
        shaded = shaded + (self.tone("shade") - shaded) * self.amount("shade_amount")[:, None]
        depth = np.asarray(depth, np.float32)
        if depth.ndim:
            depth = depth[:, None]
        lit: Array = (shaded + (self.haze() - shaded) * depth).astype(np.float32)
        return lit

    def across(self, x: Array) -> Array:
        """Turn places -1..1 into canvas x, as a column."""
        result: Array = column(x) * self.half_width
        return result

    def some(self, canvas: Canvas, chosen: Bools, paint: Callable[[Canvas, Look], None]) -> None:
        """Let `paint` work on the chosen scenes only."""
        index = np.flatnonzero(chosen)
        if index.size:
            its = self if index.size == len(self.scenes) else self.take(index)
            canvas.on_some(index, lambda part: paint(part, its))

    def line(self, values: Array | float) -> Array:
        """Return y for a height of 0 (horizon) to 1 (bottom of the image), as a column."""
        lowered: Array = self.horizon + (self.half_height - self.horizon) * values
        return lowered


def named(code: tuple[float, float, float]) -> Array:
    """Return one fixed colour, shape (1, 3, 1, 1)."""
    return np.array(code, np.float32)[None, :, None, None]


def of_table(colour: Ints) -> Array:
    """Return named colours by index, shape (n, 3, 1, 1)."""
    return COLOUR_TABLE[colour][:, :, None, None]


def darker(colour: Array, amount: float) -> Array:
    """Return a darker shade."""
    result: Array = colour * (1.0 - amount)
    return result


def lighter(colour: Array, amount: float) -> Array:
    """Return a lighter tint."""
    result: Array = colour + (1.0 - colour) * amount
    return result
