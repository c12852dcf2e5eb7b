"""Where a figure stands."""

from __future__ import annotations

from dataclasses import dataclass

from .arrays import Array


@dataclass(frozen=True)
class Spot:
    """The place of one figure in each of n scenes; columns of shape (n, 1, 1).

    Parameters
    ----------
    x, y : array
        Its foot (or, in the sky, its middle).
    size : array
        Its height, about.
    colour : array
        Its own colour before any light, shape (n, 3, 1, 1).
    die, other_die : array
        Random numbers 0..1.
    number : int
        Which of several it is, from 0.
    """

    x: Array
    y: Array
    size: Array
    colour: Array
    die: Array
    other_die: Array
    number: int
