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

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from .arrays import Array, Ints

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
        mixed = np.einsum("ac,ncij->naij", _COLOUR_AXES, planes, optimize=True)
        result: Array = (self._down @ mixed @ self._across.T).reshape(flat.shape)
        return result

    def back(self, coefficients: Array) -> Array:
        """Return the latents of coefficients, both of shape (n, 3 * rows * columns)."""
        planes = self._down.T @ coefficients.reshape(-1, *self.shape) @ self._across
        result: Array = np.einsum("ac,naij->ncij", _COLOUR_AXES, planes, optimize=True).reshape(coefficients.shape)
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


class SceneMixture:
    """The denoiser of one set of scenes under any weights.

    Parameters
    ----------
    basis : Basis
        Of their latents.
    centres : Array
        Shape (N, D): coefficients of the scenes without variation.
    spread : Spread
        How much images of one scene differ.
    """

    def __init__(self, basis: Basis, centres: Array, spread: Spread) -> None:
        self.basis = basis
        self.centres = centres
        self._spread = spread
        self._bands = basis.bands()
        self._variances = basis.variances(spread).astype(np.float32)
        # The sum over k of y_k^2 / (C_k + sigma^2) needs only the energy of each band.
        count = len(self._variances)
        self._energies = np.stack([np.bincount(self._bands, row * row, count) for row in centres]).astype(np.float32)

    @classmethod
    def of(cls, latents: Array, spread: Spread) -> SceneMixture:
        """Return the mixture of scenes given as latents, shape (N, 3, rows, columns)."""
        basis = Basis(*latents.shape[2:])
        return cls(basis, basis.to(latents.reshape(len(latents), -1)), spread)

    def joined(self, more: Array) -> SceneMixture:
        """Return the mixture with more scenes after its own, as coefficients, shape (M, D)."""
        return SceneMixture(self.basis, np.concatenate([self.centres, more]), self._spread)

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

    def guess(self, x: Array, sigma: float, weights: Array, lean: Array | float = 0.0) -> Array:
        """Return ``h x + (1 - h) (sum_i weights_i y_i + lean)``, shape (B, D).

        Parameters
        ----------
        x : Array
            Coefficients, shape (B, D).
        sigma : float
            Above 0.
        weights : Array
            Shape (B, N), with a sum of 1; some may be negative, for guidance extrapolates.
        lean : Array
            What is added to every scene, shape (D,).
        """
        kept = (self._variances / (self._variances + np.float32(sigma**2)))[self._bands]
        mean = self._sum(weights) + lean
        result: Array = mean + kept * (x - mean)
        return result

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


def softmax(scores: Array) -> Array:
    """Return probabilities from log probabilities, along the last axis."""
    shifted = np.exp(scores - scores.max(axis=-1, keepdims=True))
    normalized: Array = shifted / shifted.sum(axis=-1, keepdims=True)
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
    """

    log_weights: Array
    lean: Array

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
        return Conditioning(np.concatenate([scenes, own], axis=1).astype(np.float32), self.lean)


class GuidedDenoiser:
    """Classifier-free guidance over a mixture of scenes (Ho and Salimans 2022).

    ``D = D_negative + cfg (D_positive - D_negative)``: both are posterior means of the same scenes under different
    conditionings, so one pass over the scenes serves both.

    Parameters
    ----------
    mixture : SceneMixture
        The scenes.
    positive, negative : Conditioning
        What the prompts make of them.
    cfg : float
        1 uses the positive conditioning alone.
    """

    def __init__(self, mixture: SceneMixture, positive: Conditioning, negative: Conditioning, cfg: float) -> None:
        self._mixture = mixture
        self._positive = positive
        self._negative = negative
        self._cfg = np.float32(cfg)
        self._lean = positive.lean if cfg == 1 else negative.lean + self._cfg * (positive.lean - negative.lean)

    def __call__(self, x: Array, sigma: float) -> Array:
        """Return the guess for latents x of shape (B, D)."""
        coefficients = self._mixture.basis.to(x)
        positive, negative = self.shares(coefficients, sigma)
        weights = positive if negative is None else negative + self._cfg * (positive - negative)
        return self._mixture.basis.back(self._mixture.guess(coefficients, sigma, weights, self._lean))

    def shares(self, coefficients: Array, sigma: float) -> tuple[Array, Array | None]:
        """Return the posterior probability of each scene under both conditionings, shape (B, N) each.

        The second is None where cfg is 1, and nobody asks.
        """
        positive, negative = self._positive, self._negative
        if self._cfg == 1:
            return softmax(self._mixture.scores(coefficients - positive.lean, sigma) + positive.log_weights), None
        both = np.concatenate([coefficients - positive.lean, coefficients - negative.lean])
        scores = self._mixture.scores(both, sigma)
        count = len(coefficients)
        return softmax(scores[:count] + positive.log_weights), softmax(scores[count:] + negative.log_weights)
