"""A denoiser that looks at each place of an image through a window: from memory to imagination.

The exact denoiser decides for the whole image at once which scene it shows, so it always ends near one of them. Here
each place u decides for itself, by what it sees in its window g, a Gaussian around it (Kamb and Ganguli 2025, arXiv
2412.20292; Niedoba et al. 2024, arXiv 2411.19339)::

    D(x; sigma)(u) = sum_i p_i(u) y_i(u) + ...        as in `denoiser`, for each place
    p_i(u)  proportional to  (w_i exp(-1/2 sum_v g(v - u) r_i(v)^2))^t

r_i is what the scene leaves unexplained, made white: the difference between x and y_i, each cosine divided by its
standard deviation, C + sigma^2 in the square. Over the whole image its squares sum up to those of the exact denoiser,
so that a window without bounds is that one. Four things keep mosaics together:

* Windows fade like a Gaussian, and are not cut off. What they see is told on a coarse grid, smoothly in between.
* The window shrinks while the noise falls: first the image as a whole is composed, then its parts.
* Guidance acts on the weights w_i before the places decide. Acting on what they decided, it would carry the
  differences between neighbours too far.
* A small window sees little, and would mix all scenes that agree with it: t, above 1, makes it decide.

The last three make images that are worth looking at; they are no part of that theory. The smallest windows still leave
smears and halves of things.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from .arrays import Array
from .denoiser import Basis, Conditioning, GuidedDenoiser, SceneMixture, Terms, asked, averaged, softmax

SMALLEST = 0.1
_WHOLE = 0.97
"""From this window on the image is decided as a whole."""
_COMPOSED, _IN_PARTS = 14 / 64, 1.2 / 64
"""Noise levels, for each cell along the longer side, over which more noise hides as much: until the first the window is
the whole image, from the second on it is as small as it gets."""
_FIRMNESS = 4.0
"""How much more firmly than by its evidence the smallest window decides."""
_NEGLIGIBLE, _SLIGHT = 1e-4, 1e-2


def window_at(smallest: float, sigma: float, cells: int) -> float:
    """Return how large the window is at a noise level, on an image of so many cells along its longer side."""
    way = math.log(max(sigma / cells, 1e-9) / _IN_PARTS) / math.log(_COMPOSED / _IN_PARTS)
    way = min(max(way, 0.0), 1.0)
    return smallest + (1 - smallest) * way * way * (3 - 2 * way)


@dataclass(frozen=True)
class _Axis:
    """The windows along one axis: how much each sees, (places, size), and their interpolation, (size, places)."""

    sees: Array
    spread: Array

    @classmethod
    def of(cls, size: int, std: float) -> _Axis:
        """Return windows of a standard deviation in cells; two for each, and those at an edge count as much."""
        count = max(1, min(size, math.ceil(2 * size / std)))
        cells = np.arange(size) + 0.5
        places = (np.arange(count) + 0.5) * size / count
        sees = np.exp(-0.5 * ((places[:, None] - cells) / std) ** 2)
        sees *= sees[count // 2].sum() / sees.sum(axis=1, keepdims=True)
        spread = np.stack([np.interp(cells, places, one) for one in np.eye(count)], axis=1)
        return cls(sees.astype(np.float32), spread.astype(np.float32))


class Windows:
    """The windows of one size on the images of one shape."""

    def __init__(self, rows: int, columns: int, std: float) -> None:
        self._down, self._across = _Axis.of(rows, std), _Axis.of(columns, std)
        self.cells = float(self._down.sees[0].sum() * self._across.sees[0].sum())
        """How many cells a window sees."""
        self.share = self.cells / (rows * columns)

    @classmethod
    def of(cls, rows: int, columns: int, window: float) -> Windows:
        """Return those of a size from 0, where a place sees little more than itself, to nearly 1, the whole image."""
        return cls(rows, columns, max(rows, columns) * (0.05 + 0.3 * window) / (1 - window**4))

    def seen(self, planes: Array) -> Array:
        """Return what the windows see of planes, (n, rows, columns) to (n, places down, places across)."""
        result: Array = self._down.sees @ (planes @ self._across.sees.T)
        return result

    def everywhere(self, places: Array) -> Array:
        """Return what is known at the places for each cell."""
        result: Array = self._down.spread @ (places @ self._across.spread.T)
        return result


class LocalMixture:
    """What places see of a mixture of scenes.

    Parameters
    ----------
    mixture : SceneMixture
        The scenes.
    """

    def __init__(self, mixture: SceneMixture) -> None:
        if not isinstance(mixture.basis, Basis):
            raise TypeError("Windows look at scenes in the cosine basis.")
        self.mixture = mixture
        self._basis = mixture.basis
        # Colour axes are orthonormal: sums of squares over them are those over red, green and blue.
        self._planes = self._basis.planes(mixture.centres.reshape(-1, *self._basis.shape))

    def unexplained(self, x: Array, sigma: float, windows: Windows) -> Array:
        """Return what each scene leaves unexplained: sums of squares, of variance 1 a value.

        Parameters
        ----------
        x : Array
            Coefficients of one image, shape (D,).
        sigma : float
            Above 0.
        windows : Windows

        Returns
        -------
        Array
            Shape (N, places down, places across).
        """
        basis, own = self._basis, self.mixture.variances
        white = (1 / np.sqrt(own + np.float32(sigma**2))).reshape(basis.shape)
        image = basis.planes((x.reshape(basis.shape) * white)[None])[0]
        # All but the slow variations have nearly the variance sigma^2: only what those differ by is transformed.
        high = np.float32(1 / sigma)
        slow = np.argwhere((1 - white / high).max(axis=0) > _SLIGHT)
        rows, columns = (slow.max(axis=0) + 1) if slow.size else (1, 1)
        part = self.mixture.centres.reshape(-1, *basis.shape)[..., :rows, :columns]
        rest = basis.planes(part * (high - white[:, :rows, :columns]))
        rest += image
        rest -= self._planes * high
        return windows.seen(np.einsum("ncij,ncij->nij", rest, rest))

    def mean(self, shares: Array, windows: Windows) -> Array:
        """Return the mean image, as coefficients, shape (D,), for shares of scenes at each place."""
        used = np.flatnonzero(shares.max(axis=(1, 2)) > _NEGLIGIBLE)
        planes: Array = np.einsum("nij,ncij->cij", windows.everywhere(shares[used]), self._planes[used])
        result: Array = self._basis.of_planes(planes[None])[0]
        return result


_A_DETAIL = 2 / 64
"""Standard deviation of the window through which fine detail is recognized, as a share of the image."""


def local_distances(mixture: SceneMixture, x: Array, tolerance: float) -> Array:
    """Return how far one latent is from each scene at each place: as `SceneMixture.distances`, means for one value.

    Parameters
    ----------
    mixture : SceneMixture
        The scenes.
    x : Array
        The latent, shape (1, D).
    tolerance : float
        In units of the latents, above 0.

    Returns
    -------
    Array
        Shape (N, rows, columns).
    """
    _, rows, columns = mixture.basis.shape
    windows = Windows(rows, columns, max(1.0, _A_DETAIL * max(rows, columns)))
    seen = LocalMixture(mixture).unexplained(mixture.basis.to(x)[0], tolerance, windows)
    result: Array = windows.everywhere(seen) * np.float32(tolerance**2 / (3 * windows.cells))
    return result


class LocalDenoiser(GuidedDenoiser):
    """Guidance over a mixture of scenes of which each place chooses by what its window shows.

    What its guesses are made of (`terms`) is the guided guess, as guidance comes before it, with the guess for the
    negative side only where `asks_both`; shares are averaged over all places.

    Parameters
    ----------
    mixture, positive, negative, cfg, asks_both
        As of `GuidedDenoiser`.
    window : float
        How large it gets while the noise falls, `SMALLEST` to 1: a share of the image.
    given : int
        How many of the last scenes are images that were given to begin with; see `Conditioning.with_given`.
    """

    def __init__(
        self,
        mixture: SceneMixture,
        positive: Sequence[Conditioning],
        negative: Sequence[Conditioning],
        cfg: float,
        *,
        asks_both: bool = False,
        window: float,
        given: int = 0,
    ) -> None:
        super().__init__(mixture, positive, negative, cfg, asks_both=asks_both)
        self._asks_both = asks_both
        self._local = LocalMixture(mixture)
        self._window = max(window, SMALLEST)
        self._given = given

    def __call__(self, x: Array, sigma: float) -> Array:
        """Return the guess for latents x of shape (B, D)."""
        size = self.mixture.basis.shape[1:]
        window = window_at(self._window, sigma, max(size))
        if window > _WHOLE:
            result = super().__call__(x, sigma)
            if self.terms is not None and not self._asks_both:
                # As at the lower levels: guidance comes before the guess, so there is only the guided one.
                self.terms = Terms(result, None, self.terms.shares)
            return result
        look = _Look(self._local, sigma, Windows.of(*size, window), window, self._given)
        positive, negative = asked(self._positive, sigma), asked(self._negative, sigma)
        coefficients = self.mixture.basis.to(x)
        self.evaluations += 1
        first: Array | None = None
        guesses = []
        for wish in positive:
            against = []
            others: Sequence[Conditioning | None] = negative or [None]
            for other in others:
                guess, shares = look.guess(coefficients, _guided(wish, other, float(self._cfg)))
                first = shares if first is None else first
                against.append(guess)
            guesses.append(averaged(negative, against, x) if negative else against[0])
        result = averaged(positive, guesses, x)
        plain = None
        if self._asks_both:
            plain = averaged(negative, [look.guess(coefficients, each)[0] for each in negative], x)
        assert first is not None
        self.terms = Terms(result, plain, first)
        return result


def _guided(wish: Conditioning, other: Conditioning | None, cfg: float) -> Conditioning:
    """Return the conditioning that is as far from the other one as guidance goes."""
    if other is None:
        return wish
    with np.errstate(invalid="ignore"):
        weights = other.log_weights + np.float32(cfg) * (wish.log_weights - other.log_weights)
    # A scene that is not there, of weight 0, is so under both.
    weights = np.where(np.isneginf(wish.log_weights), -np.inf, weights).astype(np.float32)
    return replace(wish, log_weights=weights, lean=other.lean + np.float32(cfg) * (wish.lean - other.lean))


@dataclass(frozen=True)
class _Look:
    """One look at images of one noise level."""

    local: LocalMixture
    sigma: float
    windows: Windows
    window: float
    given: int

    def guess(self, coefficients: Array, conditioning: Conditioning) -> tuple[Array, Array]:
        """Return latents, shape (B, D), and the shares of the scenes, averaged over all places, shape (B, N)."""
        mixture = self.local.mixture
        firmness = np.float32(1 + _FIRMNESS * (1 - self.window))
        weights = np.broadcast_to(self._weights(conditioning.log_weights), (len(coefficients), len(mixture.centres)))
        kept = mixture.variances / (mixture.variances + np.float32(self.sigma**2))
        guesses, told = [], []
        for image, own in zip(coefficients - conditioning.lean, weights, strict=True):
            scores = own[:, None, None] - 0.5 * self.local.unexplained(image, self.sigma, self.windows)
            shares = softmax(firmness * scores, axis=0)
            mean = self.local.mean(shares, self.windows)
            guesses.append(mean + kept * (image - mean) + conditioning.lean)
            told.append(shares.mean(axis=(1, 2)))
        return mixture.basis.back(np.stack(guesses)), np.stack(told)

    def _weights(self, log_weights: Array) -> Array:
        """Return the weights as they count in a window.

        A given image is less likely than all scenes by so much for each of its values; a window sees a share of them.
        """
        if not self.given:
            return log_weights
        scenes, own = np.split(log_weights, [log_weights.shape[1] - self.given], axis=1)
        whole = np.logaddexp.reduce(scenes, axis=1, keepdims=True)
        return np.concatenate([scenes, whole + self.windows.share * (own - whole)], axis=1)
