"""SA-Solver (Xue et al. 2023): Adams' rule through the last guesses, exact for the noise, predicting and correcting."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from .arrays import Array
from .samplers import Denoise, Draw, Watch
from .schedules import TRAINING_SIGMAS

_PREDICTED, _CORRECTED = 3, 4
_POINTS, _WEIGHTS = np.polynomial.legendre.leggauss(16)


def _after(share: float) -> float:
    """The level after such a share of the training's levels, from above, between them in log sigma."""
    count = len(TRAINING_SIGMAS) - 1
    return math.exp(np.interp((1 - share) * count, np.arange(count + 1), np.log(TRAINING_SIGMAS)))


_NOISY = (_after(0.8), _after(0.2))
"""Between these levels fresh noise is added, as much as the diffusion itself has; as in ComfyUI."""


def _weights(nodes: Sequence[float], start: float, end: float, tau: float) -> list[float]:
    """How much each guess counts in a step between two levels; the guesses were made at those of ``nodes``.

    The integral of ``(1 + tau^2) exp((1 + tau^2) (l - l_end))`` times the Lagrange polynomial of each, l being
    ``-log(sigma)``.
    """
    rate = 1 + tau**2
    places = [-math.log(node) for node in nodes]
    first, last = -math.log(start), -math.log(end)
    at = (last + first) / 2 + (last - first) / 2 * _POINTS
    measure = _WEIGHTS * (last - first) / 2 * rate * np.exp(rate * (at - last))
    found = []
    for place in places:
        others = [(at - other) / (place - other) for other in places if other != place]
        found.append(float((measure * np.prod(others, axis=0)).sum()))
    return found


def sa_solver(
    denoise: Denoise, x: Array, levels: list[float], draw: Draw, watch: Watch, *, asks_again: bool = False
) -> Array:
    """Predict through three guesses, correct through four with the one that is there then."""
    count, ends = len(levels) - 1, levels[-1] == 0
    predicted, guesses = x, list[Array]()
    noise: Array | float = 0.0
    tau = 0.0
    for step, (sigma, following) in enumerate(pairwise(levels)):
        guess = denoise(predicted, sigma)
        watch(step, guess, predicted, sigma)
        guesses = [*guesses, guess][-_CORRECTED:]
        order = min(_PREDICTED, len(guesses))
        correct = 0 if step == 0 or (following == 0 and not asks_again) else min(_CORRECTED, len(guesses))
        if ends:
            # Towards the end fewer, which is steadier.
            order, correct = min(order, count - 1 - step), min(correct, count - step)
        if correct == 0:
            x = predicted
        else:
            before = levels[step - 1]
            weights = _weights(levels[step - correct + 1 : step + 1], before, sigma, tau)
            x = x * (sigma / before) ** (1 + tau**2) + _sum(weights, guesses[-correct:]) + noise
            if asks_again:
                guess = denoise(x, sigma)
                guesses[-1] = guess
        if following == 0:
            return guess
        tau = 1.0 if _NOISY[0] <= following <= _NOISY[1] else 0.0
        share = following / sigma
        noise = draw() * (following * math.sqrt(1 - share**2)) if tau else 0.0
        weights = _weights(levels[step - order + 1 : step + 1], sigma, following, tau)
        predicted = x * share ** (1 + tau**2) + _sum(weights, guesses[-order:]) + noise
    return predicted


def sa_solver_pece(denoise: Denoise, x: Array, levels: list[float], draw: Draw, watch: Watch) -> Array:
    """The same, and the model is asked once more where the correction has led."""
    return sa_solver(denoise, x, levels, draw, watch, asks_again=True)


def _sum(weights: list[float], guesses: list[Array]) -> Array:
    result: Array = sum((guess * weight for guess, weight in zip(guesses, weights, strict=True)), guesses[0] * 0)
    return result
