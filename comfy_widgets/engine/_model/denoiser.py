"""The exact denoiser of a finite set of pictures.

If the data are N pictures y_i with probabilities w_i, and x is one of them plus Gaussian noise of standard deviation
sigma, then the best guess of the picture, in the mean square, is the posterior mean (Karras et al. 2022, appendix
B.3)::

    D(x; sigma) = sum_i p_i y_i,    p_i  proportional to  w_i exp(-|x - y_i|^2 / (2 sigma^2))

Nothing is trained and nothing is approximated.
"""

from __future__ import annotations

import numpy as np

from .arrays import Array

_NEGLIGIBLE = 1e-7


class PosteriorMean:
    """The denoiser of one set of pictures under any weights.

    Parameters
    ----------
    pictures
        Shape (N, D), the flattened latents.
    """

    def __init__(self, pictures: Array) -> None:
        self.pictures = pictures
        self._half_squares = 0.5 * np.einsum("nd,nd->n", pictures, pictures)

    def square_distances(self, x: Array) -> Array:
        """Return ``|x - y_i|^2`` for each x; shape (B, N)."""
        squares = np.einsum("bd,bd->b", x, x)[:, None]
        distances: Array = np.maximum(squares - 2 * (x @ self.pictures.T - self._half_squares), 0.0)
        return distances

    def log_likelihood(self, x: Array, sigma: float) -> Array:
        """Return ``-|x - y_i|^2 / (2 sigma^2)`` up to a constant for each x; shape (B, N).

        Parameters
        ----------
        x
            Shape (B, D).
        sigma
            Above 0.
        """
        scores = x @ self.pictures.T
        scores -= self._half_squares
        scores /= np.float32(sigma * sigma)
        result: Array = scores
        return result

    def mean(self, weights: Array) -> Array:
        """Return the weighted sums of the pictures; shape (B, D). Weights may be negative (guidance extrapolates)."""
        used = np.flatnonzero(np.abs(weights).max(axis=0) > _NEGLIGIBLE)
        if used.size == 1:
            return weights[:, used] * self.pictures[used]
        if used.size > len(self.pictures) // 2:
            return weights @ self.pictures
        return weights[:, used] @ self.pictures[used]

    def __call__(self, x: Array, sigma: float, log_weights: Array) -> Array:
        """Return D(x; sigma) for weights given as logarithms, shape (N,)."""
        return self.mean(softmax(self.log_likelihood(x, sigma) + log_weights))


def softmax(scores: Array) -> Array:
    """Return probabilities from log probabilities, along the last axis."""
    shifted = np.exp(scores - scores.max(axis=-1, keepdims=True))
    normalized: Array = shifted / shifted.sum(axis=-1, keepdims=True)
    return normalized


class GuidedDenoiser:
    """Classifier-free guidance over a posterior mean (Ho and Salimans 2022).

    ``D = D_negative + cfg (D_positive - D_negative)``: both are posterior means of the same pictures under different
    weights, so one pass over the pictures serves both.

    Parameters
    ----------
    prior
        The pictures.
    positive, negative
        Log weights under each conditioning, shape (N,).
    cfg
        1 uses the positive conditioning alone.
    """

    def __init__(self, prior: PosteriorMean, positive: Array, negative: Array, cfg: float) -> None:
        self._prior = prior
        self._positive = positive
        self._negative = negative
        self._cfg = cfg

    def __call__(self, x: Array, sigma: float) -> Array:
        """Return the guess for x of shape (B, D)."""
        likelihood = self._prior.log_likelihood(x, sigma)
        weights = softmax(likelihood + self._positive)
        cfg = np.float32(self._cfg)
        if cfg != 1:
            negative = softmax(likelihood + self._negative)
            weights = negative + cfg * (weights - negative)
        return self._prior.mean(weights)
