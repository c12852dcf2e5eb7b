"""The exact denoiser of a smooth world of scenes.

The data are a mixture: scene i is drawn with probability w_i, and a image of it is ``y_i`` plus Gaussian variation of
covariance C. C is diagonal in the cosine basis (`Basis`): slow variations, of light and colour over the whole image,
are wide, and fine ones narrow. So no two images are equal, and the nearest scene is not the image.

If x is such a image plus Gaussian noise of standard deviation sigma, then the best guess of the image, in the mean
square, is the posterior mean, in closed form for each coefficient k::

    D(x; sigma) = sum_i p_i (y_i + h (x - y_i)),     h_k = C_k / (C_k + sigma^2)
    p_i  proportional to  w_i exp(-1/2 sum_k (x_k - y_ik)^2 / (C_k + sigma^2))

With C = 0 this is the denoiser of a finite set, which can only repeat what is in it (Karras et al. 2022, appendix B.3;
on memory and its remedies: Kamb and Ganguli 2025, arXiv 2412.20292). Nothing is trained and nothing is approximated.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Protocol

import numpy as np

from .arrays import Array, Ints

_AT_ONCE = 64
_NEGLIGIBLE = 1e-7
_LEAN = 0.08
"""How far a prompt changes the light and colour of every scene; guidance multiplies it, in the end too far."""
_COLOUR_AXES = np.array(
    [
        [3**-0.5, 3**-0.5, 3**-0.5],
        [2**-0.5, 0.0, -(2**-0.5)],
        [6**-0.5, -2 * 6**-0.5, 6**-0.5],
    ],
    np.float32,
)
"""Orthonormal: how light, warm against cool, and magenta against green."""


@dataclass(frozen=True)
class Spread:
    """How much the images of one scene differ.

    Parameters
    ----------
    light, tint : float
        Standard deviation of a pixel, of how light it is and along each of the two colour axes, in units of the
        latents. 0 is a finite set of images.
    corner : float
        Cycles across the image above which variations fade; their variance falls with the fourth power.
    """

    light: float
    tint: float
    corner: float = 2.2


class Basis:
    """The orthonormal cosine basis of latents of one shape, with an axis of lightness and two of colour.

    Parameters
    ----------
    rows, columns : int
        Shape of the latents, (3, rows, columns).
    """

    def __init__(self, rows: int, columns: int) -> None:
        self.shape = (3, rows, columns)
        self._down, self._across = _cosines(rows), _cosines(columns)
        # Frequencies in cycles across the image; in bands of half a cycle, so that each band has one variance.
        frequency = np.hypot(np.arange(rows)[:, None] / 2, np.arange(columns)[None, :] / 2)
        self._bands: Ints = np.rint(frequency * 2).astype(np.int64)

    def to(self, flat: Array) -> Array:
        """Return the coefficients of latents, both of shape (n, 3 * rows * columns)."""
        planes = flat.reshape(-1, *self.shape)
        return self.of_planes(np.einsum("ac,ncij->naij", _COLOUR_AXES, planes, optimize=True))

    def back(self, coefficients: Array) -> Array:
        """Return the latents of coefficients, both of shape (n, 3 * rows * columns)."""
        planes = self.planes(coefficients.reshape(-1, *self.shape))
        result: Array = np.einsum("ac,naij->ncij", _COLOUR_AXES, planes, optimize=True).reshape(coefficients.shape)
        return result

    def planes(self, coefficients: Array) -> Array:
        """Return the planes of light and colour of coefficients, shape (n, 3, rows, columns).

        Of coefficients of shape (n, 3, fewer, fewer) the others are 0.
        """
        rows, columns = coefficients.shape[2:]
        result: Array = self._down[:rows].T @ coefficients @ self._across[:columns]
        return result

    def of_planes(self, planes: Array) -> Array:
        """Return the coefficients of such planes, shape (n, 3 * rows * columns)."""
        result: Array = (self._down @ planes @ self._across.T).reshape(len(planes), -1)
        return result

    def bands(self) -> Ints:
        """Return for each coefficient in which band it is, shape (3 * rows * columns,)."""
        count = int(self._bands.max()) + 1
        return np.concatenate([self._bands.ravel() + axis * count for axis in range(3)])

    def variances(self, spread: Spread) -> Array:
        """Return the variance of each band, so that a pixel's standard deviation is as `spread` says."""
        count = int(self._bands.max()) + 1
        fading = 1.0 / (1.0 + (np.arange(count) / 2 / spread.corner) ** 4)
        mean = fading[self._bands].mean()
        return np.concatenate([std**2 * fading / mean for std in (spread.light, spread.tint, spread.tint)])


@lru_cache(maxsize=8)
def _cosines(size: int) -> Array:
    """Return the orthonormal DCT-II as a matrix, one cosine a row."""
    place = (np.arange(size) + 0.5) * np.pi / size
    matrix = np.cos(np.arange(size)[:, None] * place) * np.sqrt(2 / size)
    matrix[0] /= np.sqrt(2)
    return np.ascontiguousarray(matrix, np.float32)


class Axes(Protocol):
    """Where the coefficients of a mixture are in latents of one shape: `Basis`, or one of its kind."""

    shape: tuple[int, int, int]

    def to(self, flat: Array) -> Array: ...
    def back(self, coefficients: Array) -> Array: ...
    def bands(self) -> Ints: ...
    def variances(self, spread: Spread) -> Array: ...


class Mixture(Protocol):
    """What guidance needs of a denoiser: `SceneMixture`, or one of its kind."""

    @property
    def basis(self) -> Axes: ...
    @property
    def centres(self) -> Array: ...
    def guesses(
        self, coefficients: Array, sigma: float, conditionings: Sequence[Conditioning]
    ) -> tuple[list[Array], list[Array]]: ...


class SceneMixture:
    """The denoiser of one set of scenes under any weights.

    Parameters
    ----------
    basis : Axes
        Of their latents.
    centres : Array
        Shape (N, D): coefficients of the scenes without variation.
    spread : Spread
        How much images of one scene differ.
    energies : Array, optional
        The squares of the centres, summed up in each band, where they are known; shape (N, bands).
    """

    def __init__(self, basis: Axes, centres: Array, spread: Spread, energies: Array | None = None) -> None:
        self.basis = basis
        self.centres = centres
        self._spread = spread
        self._bands = basis.bands()
        self._variances = basis.variances(spread).astype(np.float32)
        # The sum over k of y_k^2 / (C_k + sigma^2) needs only the energy of each band.
        self._energies = self._energies_of(centres) if energies is None else energies

    def _energies_of(self, centres: Array) -> Array:
        count = len(self._variances)
        return np.stack([np.bincount(self._bands, row * row, count) for row in centres]).astype(np.float32)

    @classmethod
    def of(cls, latents: Array, spread: Spread) -> SceneMixture:
        """Return the mixture of scenes given as latents, shape (N, 3, rows, columns)."""
        basis = Basis(*latents.shape[2:])
        centres = latents.reshape(len(latents), -1).copy()
        for start in range(0, len(centres), _AT_ONCE):
            # All at once would take the memory three times more.
            part = slice(start, start + _AT_ONCE)
            centres[part] = basis.to(centres[part])
        return cls(basis, centres, spread)

    def joined(self, more: Array) -> SceneMixture:
        """Return the mixture with more scenes after its own, as coefficients, shape (M, D)."""
        energies = np.concatenate([self._energies, self._energies_of(more)])
        return SceneMixture(self.basis, np.concatenate([self.centres, more]), self._spread, energies)

    @property
    def variances(self) -> Array:
        """The variance of each coefficient of the images of one scene, shape (D,)."""
        return self._variances[self._bands]

    def scores(self, x: Array, sigma: float) -> Array:
        """Return the log likelihood of each x under each scene, up to a constant; shape (B, N).

        Parameters
        ----------
        x : Array
            Coefficients, shape (B, D).
        sigma : float
            Above 0.
        """
        precision = 1 / (self._variances + np.float32(sigma**2))
        result: Array = (x * precision[self._bands]) @ self.centres.T
        result -= 0.5 * (self._energies @ precision)
        return result

    def distances(self, x: Array, tolerance: float) -> Array:
        """Return how far latents are from each scene beyond its variation, shape (B, N).

        It is ``sum_k (x_k - y_ik)^2 m^2 / (C_k + m^2)`` for a tolerance m: the square distance, less what the scene's
        own variation explains.

        Parameters
        ----------
        x : Array
            Latents, shape (B, D).
        tolerance : float
            In units of the latents, above 0.
        """
        coefficients = self.basis.to(x)
        share = np.float32(tolerance**2) / (self._variances + np.float32(tolerance**2))
        weighed = coefficients * share[self._bands]
        squares = np.einsum("bd,bd->b", coefficients, weighed)[:, None]
        result: Array = np.maximum(squares + self._energies @ share - 2 * (weighed @ self.centres.T), 0.0)
        return result

    def lean(self, log_weights: Array, amount: float) -> Array:
        """Return by how much all scenes lean towards what is likely under a conditioning: coefficients, shape (D,).

        It is the difference between the mean scene under the conditioning and the plain mean, of which only the slow
        variations are kept, those that the scenes' own variation has.

        Parameters
        ----------
        log_weights : Array
            Shape (N,).
        amount : float
            How far: 0 not at all, 1 all the way.
        """
        fading = (self._variances / self._variances.max(initial=np.float32(1e-30)))[self._bands]
        result: Array = np.float32(amount) * fading * (softmax(log_weights) @ self.centres - self.centres.mean(axis=0))
        return result

    def guess(self, x: Array, sigma: float, weights: Array) -> Array:
        """Return ``h x + (1 - h) sum_i weights_i y_i``, shape (B, D).

        Parameters
        ----------
        x : Array
            Coefficients, shape (B, D).
        sigma : float
            Above 0.
        weights : Array
            Shape (B, N), with a sum of 1.
        """
        kept = (self._variances / (self._variances + np.float32(sigma**2)))[self._bands]
        mean = self._sum(weights)
        result: Array = mean + kept * (x - mean)
        return result

    def guesses(
        self, coefficients: Array, sigma: float, conditionings: Sequence[Conditioning]
    ) -> tuple[list[Array], list[Array]]:
        """Return the guess under each conditioning, latents, shape (B, D); and the shares of the scenes, (B, N).

        Parameters
        ----------
        coefficients : Array
            Shape (B, D).
        sigma : float
            Above 0.
        conditionings : sequence of Conditioning
            At least one.
        """
        count = len(coefficients)
        shifted = np.concatenate([coefficients - each.lean for each in conditionings])
        scores = self.scores(shifted, sigma).reshape(len(conditionings), count, -1)
        shares = [softmax(rows + each.log_weights) for rows, each in zip(scores, conditionings, strict=True)]
        guesses = self.guess(shifted, sigma, np.concatenate(shares))
        guesses += np.repeat([each.lean for each in conditionings], count, axis=0)
        return list(self.basis.back(guesses).reshape(len(conditionings), count, -1)), shares

    def _sum(self, weights: Array) -> Array:
        used = np.flatnonzero(np.abs(weights).max(axis=0) > _NEGLIGIBLE)
        if used.size > len(self.centres) // 2:
            return weights @ self.centres
        return weights[:, used] @ self.centres[used]

    def __call__(self, x: Array, sigma: float, log_weights: Array) -> Array:
        """Return D(x; sigma) of latents x, shape (B, D), for weights given as logarithms, shape (N,)."""
        coefficients = self.basis.to(x)
        weights = softmax(self.scores(coefficients, sigma) + log_weights)
        return self.basis.back(self.guess(coefficients, sigma, weights))


def softmax(scores: Array, axis: int = -1) -> Array:
    """Return probabilities from log probabilities, along an axis."""
    shifted = np.exp(scores - scores.max(axis=axis, keepdims=True))
    normalized: Array = shifted / shifted.sum(axis=axis, keepdims=True)
    return normalized


@dataclass(frozen=True)
class Conditioning:
    """What a prompt makes of the world.

    Parameters
    ----------
    log_weights : Array
        How likely each scene is, as logarithms, shape (N,), or (B, N) where that depends on the image.
    lean : Array
        What is added to every scene, coefficients, shape (D,): the light and colour that the prompt suggests.
    strength : float
        How much it counts beside others.
    where : Array, optional
        How much it counts in each value of the latent, shape (D,); None is everywhere.
    highest, lowest : float
        The noise levels between which it is asked.
    """

    log_weights: Array
    lean: Array
    strength: float = 1.0
    where: Array | None = None
    highest: float = math.inf
    lowest: float = 0.0

    @classmethod
    def of(cls, mixture: SceneMixture, log_weights: Array) -> Conditioning:
        """Return the conditioning under which the scenes have these weights, shape (N,)."""
        return cls(log_weights, mixture.lean(log_weights, _LEAN))

    def with_given(self, count: int, unlikely: float) -> Conditioning:
        """Return the conditioning for a batch of ``count`` images that were given to begin with.

        Each image has then one scene more, itself, so many nats less likely than all others together.
        """
        whole = np.logaddexp.reduce(self.log_weights)
        own = np.where(np.eye(count, dtype=np.bool_), whole - unlikely, -np.inf)
        scenes = np.broadcast_to(self.log_weights, (count, len(self.log_weights)))
        return replace(self, log_weights=np.concatenate([scenes, own], axis=1).astype(np.float32))

    def with_evidence(self, evidence: Array) -> Conditioning:
        """Return the conditioning under which each image knows something of itself, as logarithms, shape (B, N)."""
        return replace(self, log_weights=self.log_weights + evidence)

    def is_asked(self, sigma: float) -> bool:
        """Tell whether it counts at a noise level."""
        return self.lowest <= sigma <= self.highest


@dataclass(frozen=True)
class Terms:
    """What one guess of a guided denoiser is made of.

    Parameters
    ----------
    positive, negative : Array
        The guesses of both sides, shape (B, D); the second is None where only the positive side was asked.
    shares : Array
        The posterior probability of each scene under the first positive conditioning that counts, shape (B, N).
    """

    positive: Array
    negative: Array | None
    shares: Array


class GuidedDenoiser:
    """Classifier-free guidance over a mixture of scenes (Ho and Salimans 2022).

    ``D = D_negative + cfg (D_positive - D_negative)``: both are posterior means of the same scenes under different
    conditionings, so one pass over the scenes serves all. Of several conditionings on one side each gives its guess,
    and they are averaged, in each place by how much they count there.

    Parameters
    ----------
    mixture : Mixture
        The scenes.
    positive, negative : sequence of Conditioning
        What the prompts make of them.
    cfg : float
        1 uses the positive side alone.
    asks_both : bool
        Ask the negative side also where cfg is 1.
    """

    def __init__(
        self,
        mixture: Mixture,
        positive: Sequence[Conditioning],
        negative: Sequence[Conditioning],
        cfg: float,
        *,
        asks_both: bool = False,
    ) -> None:
        self._positive = tuple(positive)
        self._negative = tuple(negative) if cfg != 1 or asks_both else ()
        self._cfg = np.float32(cfg)
        self.mixture = mixture
        self.evaluations = 0
        """How often it was asked."""
        self.terms: Terms | None = None
        """What the last guess was made of."""

    def __call__(self, x: Array, sigma: float) -> Array:
        """Return the guess for latents x of shape (B, D)."""
        positive = asked(self._positive, sigma)
        negative = asked(self._negative, sigma)
        coefficients = self.mixture.basis.to(x)
        guesses, shares = self.mixture.guesses(coefficients, sigma, [*positive, *negative])
        self.evaluations += 1
        wanted = averaged(positive, guesses[: len(positive)], x)
        if not self._negative:
            self.terms = Terms(wanted, None, shares[0])
            return wanted
        unwanted = averaged(negative, guesses[len(positive) :], x)
        self.terms = Terms(wanted, unwanted, shares[0])
        result: Array = unwanted + self._cfg * (wanted - unwanted)
        return result

    @property
    def unguided(self) -> Array | None:
        """The last guess of the negative side alone; None where it is not asked."""
        return self.terms.negative if self.terms is not None else None


def asked(conditionings: Sequence[Conditioning], sigma: float) -> list[Conditioning]:
    """Return those that count at a noise level; where none does, all of them, so that there is a guess."""
    return [each for each in conditionings if each.is_asked(sigma)] or list(conditionings)


def averaged(conditionings: list[Conditioning], guesses: list[Array], x: Array) -> Array:
    """Return the average of guesses; where no conditioning counts, there is no guess, and x stays."""
    if len(conditionings) == 1 and conditionings[0].where is None:
        return guesses[0]
    total, weighed = np.zeros(x.shape[1], np.float32), np.zeros_like(x)
    for each, guess in zip(conditionings, guesses, strict=True):
        weight = np.float32(each.strength) * (each.where if each.where is not None else np.float32(1))
        total += weight
        weighed += weight * guess
    counted = total > _NEGLIGIBLE
    result: Array = np.where(counted, weighed / np.where(counted, total, 1), x)
    return result
