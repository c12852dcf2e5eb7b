"""Handwritten digits of 8 x 8 pixels: the world of two checkpoints, an exact one and a learned one.

The images are the test part of the *Optical Recognition of Handwritten Digits* of the UCI repository (Alpaydin and
Kaynak 1998), 1797 of 43 people, as scikit-learn brings them along. The exact checkpoint is the posterior mean over
these images, so that it can only remember; the learned one has seen the same images and makes new ones.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Protocol

import numpy as np

from .arrays import Array, Ints
from .denoiser import Conditioning, SceneMixture, Spread
from .names import DIGIT_CHECKPOINTS
from .vocabulary import Meaning

CELLS = 8
CLASSES = 10
NAMES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_IMPOSSIBLE = -1e4
"""The logarithm of no weight at all; an infinite one would make differences of it undefined."""
_MEMORY = Spread(light=0.0, tint=0.0)


@lru_cache(maxsize=1)
def stored() -> tuple[Array, Ints]:
    """Return the images, -1 (black) to 1, shape (1797, 64), and which digit each is, shape (1797,).

    Raises
    ------
    ImportError
        scikit-learn is not installed.
    """
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        raise ImportError(
            "The images of the digits come with scikit-learn, which is not installed: pip install "
            "'comfy_widgets[digits]', then start the engine again."
        ) from None
    images, labels = load_digits(return_X_y=True)
    return (images / 8 - 1).astype(np.float32), labels.astype(np.int64)


class Blocks:
    """Grey images of 8 x 8 pixels in latents of any size: the largest multiple that fits, in the middle of black.

    It takes the place of the cosine basis: a digit is 64 coefficients, each a block of cells in all three channels. The
    blocks are orthonormal, so that noise of one level is noise of that level in the coefficients, too.

    Parameters
    ----------
    rows, columns : int
        Shape of the latents, (3, rows, columns).
    unit : float
        What 1 is in a latent.

    Raises
    ------
    ValueError
        A digit does not fit.
    """

    def __init__(self, rows: int, columns: int, unit: float) -> None:
        side = min(rows, columns) // CELLS
        if side == 0:
            raise ValueError(
                "A digit of 8 x 8 pixels does not fit: choose images of at least 64 x 64 pixels for this checkpoint."
            )
        self.shape = (3, rows, columns)
        top, left = (rows - side * CELLS) // 2, (columns - side * CELLS) // 2
        self._part = (slice(None), slice(None), slice(top, top + side * CELLS), slice(left, left + side * CELLS))
        self._side = side
        self._unit = np.float32(unit)
        self._norm = side * math.sqrt(3)
        self.unit = unit * self._norm
        """What 1 is in the coefficients."""

    def to(self, flat: Array) -> Array:
        """Return the coefficients of latents, shape (n, 64)."""
        part = flat.reshape(-1, *self.shape)[self._part]
        blocks = part.reshape(len(flat), 3, CELLS, self._side, CELLS, self._side)
        result: Array = blocks.mean(axis=(1, 3, 5)).reshape(len(flat), -1) * np.float32(self._norm)
        return result

    def back(self, coefficients: Array) -> Array:
        """Return the latents of coefficients, shape (n, 3 * rows * columns)."""
        latents = np.full((len(coefficients), *self.shape), -self._unit, np.float32)
        blocks = coefficients.reshape(-1, CELLS, CELLS) / np.float32(self._norm)
        latents[self._part] = blocks.repeat(self._side, axis=1).repeat(self._side, axis=2)[:, None]
        return latents.reshape(len(coefficients), -1)

    def bands(self) -> Ints:
        """Return for each coefficient in which band it is: all are in one."""
        return np.zeros(CELLS * CELLS, np.int64)

    def variances(self, spread: Spread) -> Array:
        """Return the variance of the band."""
        return np.array([(spread.light * self._norm) ** 2])


class Network(Protocol):
    """Guesses digits: noisy images in, images out, both in units of `stored`."""

    def __call__(self, noisy: Array, sigma: float, classes: Array) -> Array: ...


@dataclass(frozen=True)
class LearnedMixture:
    """A denoiser that was learned, in the place of a `SceneMixture`: it thinks of no stored image.

    Parameters
    ----------
    basis : Blocks
        Where the digits are in the latents.
    network : Network
        What was learned.
    """

    basis: Blocks
    network: Network
    centres: Array = field(default_factory=lambda: np.zeros((0, CELLS * CELLS), np.float32))

    def guesses(
        self, coefficients: Array, sigma: float, conditionings: Sequence[Conditioning]
    ) -> tuple[list[Array], list[Array]]:
        """Return the guess under each conditioning, latents, shape (B, D); and no shares."""
        count, unit = len(coefficients), np.float32(self.basis.unit)
        noisy = np.tile(coefficients / unit, (len(conditionings), 1))
        classes = np.repeat([each.log_weights for each in conditionings], count, axis=0)
        guessed = self.network(noisy, sigma / float(unit), classes) * unit
        none = np.zeros((count, 0), np.float32)
        return list(self.basis.back(guessed).reshape(len(conditionings), count, -1)), [none] * len(conditionings)


@dataclass(frozen=True)
class DigitPrior:
    """What a checkpoint of digits knows at one size.

    Parameters
    ----------
    denoiser : SceneMixture or LearnedMixture
        Of the latents.
    labels : Ints
        Which digit each stored image is; empty for what was learned.
    """

    denoiser: SceneMixture | LearnedMixture
    labels: Ints

    def __len__(self) -> int:
        return len(self.labels)

    def described(self, number: int) -> str:
        """Return a stored image in words: "seven, image 42"."""
        return f"{NAMES[self.labels[number]]}, image {number}"

    def conditioning(self, meaning: Meaning) -> Conditioning:
        """Return what a prompt makes of the digits."""
        classes = asked(meaning)
        if isinstance(self.denoiser, LearnedMixture):
            return Conditioning(classes, np.zeros(CELLS * CELLS, np.float32))
        return Conditioning(log_weights(self.labels, classes), np.zeros(CELLS * CELLS, np.float32))


def asked(meaning: Meaning) -> Array:
    """Return how much a prompt asks for each digit, 0 to 1, shape (10,)."""
    classes = np.zeros(CLASSES, np.float32)
    for wish in meaning.wishes:
        if wish.kind == "digit":
            classes[int(wish.value)] = min(wish.weight, 1.0)
    return classes


def log_weights(labels: Ints, classes: Array) -> Array:
    """Return how likely each image is, as logarithms, shape (n,).

    Of asked digits one is as likely as the other; what is missing to a whole is any digit.
    """
    surest = float(classes.max(initial=0.0))
    if surest == 0:
        return np.zeros(len(labels), np.float32)
    share = surest * classes / classes.sum()
    counts = np.bincount(labels, minlength=CLASSES)
    weights = share[labels] / counts[labels] + (1 - surest) / len(labels)
    result: Array = np.log(np.maximum(weights, math.exp(-100)), dtype=np.float64)
    return np.where(weights > 0, result, _IMPOSSIBLE).astype(np.float32)


@lru_cache(maxsize=4)
def _exact(rows: int, columns: int, unit: float) -> DigitPrior:
    images, labels = stored()
    basis = Blocks(rows, columns, unit)
    return DigitPrior(SceneMixture(basis, images * np.float32(basis.unit), _MEMORY), labels)


def prior(name: str, rows: int, columns: int, unit: float, train: Callable[[], Network]) -> DigitPrior:
    """Return what a checkpoint of digits knows, for latents of one size.

    Parameters
    ----------
    name : str
        One of `DIGIT_CHECKPOINTS`.
    rows, columns : int
        Of the latents.
    unit : float
        Half the difference of black and white in a latent.
    train : callable
        Gives the network of the learned one.
    """
    if name == DIGIT_CHECKPOINTS[0]:
        return _exact(rows, columns, unit)
    return DigitPrior(LearnedMixture(Blocks(rows, columns, unit), train()), np.zeros(0, np.int64))
