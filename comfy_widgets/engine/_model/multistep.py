"""Samplers that use the guesses or directions of earlier steps, or weigh several of one step; without fresh noise.

With ``h = log(sigma / following)`` an exponential integrator solves the linear part of the path exactly:
``x' = exp(-h) x + integral of the guess``, for which the functions ``phi`` give the weights (Hochbruck and Ostermann
2010).
"""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np

from .arrays import Array
from .samplers import Denoise, Draw, Watch, ancestral, lms


def phi(order: int, z: float) -> float:
    """Return phi_k(z): ``(exp(z) - 1) / z`` for 1, and ``(phi_k(z) - 1 / k!) / z`` for the next one."""
    if abs(z) < 1e-3:
        return sum(z**n / math.factorial(n + order) for n in range(5))
    value = math.expm1(z) / z
    for k in range(1, order):
        value = (value - 1 / math.factorial(k)) / z
    return value


def heunpp2(denoise: Denoise, x: Array, levels: list[float], draw: Draw, watch: Watch) -> Array:
    """Average the directions at up to three levels ahead, weighed by how far they are down ("Heun++")."""
    for step, (sigma, following) in enumerate(pairwise(levels)):
        guess = denoise(x, sigma)
        watch(step, guess, x, sigma)
        direction = (x - guess) / sigma
        ahead = x + direction * (following - sigma)
        if following == 0:
            return guess
        second = (ahead - denoise(ahead, following)) / following
        after = levels[step + 2] if step + 2 < len(levels) else 0.0
        if after == 0:
            weight = following / (2 * levels[0])
            mixed = direction * (1 - weight) + second * weight
        else:
            further = ahead + second * (after - following)
            third = (further - denoise(further, after)) / after
            weights = following / (3 * levels[0]), after / (3 * levels[0])
            mixed = direction * (1 - sum(weights)) + second * weights[0] + third * weights[1]
        x = x + mixed * (following - sigma)
    return x


def exp_heun_2_x0(denoise: Denoise, x: Array, levels: list[float], draw: Draw, watch: Watch) -> Array:
    """Exponential Heun: the guesses at both ends of a step, as of a straight line between them."""
    for step, (sigma, following) in enumerate(pairwise(levels)):
        guess = denoise(x, sigma)
        watch(step, guess, x, sigma)
        if following == 0:
            return guess
        h = math.log(sigma / following)
        ahead = x * math.exp(-h) + guess * -math.expm1(-h)
        second = h * phi(2, -h)
        x = x * math.exp(-h) + guess * (h * phi(1, -h) - second) + denoise(ahead, following) * second
    return x


def ipndm(denoise: Denoise, x: Array, levels: list[float], draw: Draw, watch: Watch) -> Array:
    """Adams and Bashforth's rules for even steps, up to order 4 (Zhang and Chen 2023, iPNDM)."""
    rules = ((1.0,), (3 / 2, -1 / 2), (23 / 12, -16 / 12, 5 / 12), (55 / 24, -59 / 24, 37 / 24, -9 / 24))
    directions: list[Array] = []
    for step, (sigma, following) in enumerate(pairwise(levels)):
        guess = denoise(x, sigma)
        watch(step, guess, x, sigma)
        if following == 0:
            return guess
        directions = [(x - guess) / sigma, *directions[:3]]
        for weight, direction in zip(rules[len(directions) - 1], directions, strict=True):
            x = x + direction * (weight * (following - sigma))
    return x


ipndm_v = lms
"""The same for uneven steps is what `lms` does."""


def deis(denoise: Denoise, x: Array, levels: list[float], draw: Draw, watch: Watch) -> Array:
    """Like `lms` of order 3, with polynomials in the time of a diffusion of kept variance (Zhang and Chen 2023)."""
    time = _Time(max(levels))
    directions: list[Array] = []
    for step, (sigma, following) in enumerate(pairwise(levels)):
        guess = denoise(x, sigma)
        watch(step, guess, x, sigma)
        if following == 0:
            return guess
        directions = [(x - guess) / sigma, *directions[:2]]
        nodes = [time.of(levels[step - back]) for back in range(len(directions))]
        for weight, direction in zip(time.weights(nodes, sigma, following), directions, strict=True):
            x = x + direction * weight
    return x


class _Time:
    """Time of a diffusion with linear beta: ``log(1 + sigma^2) = d t^2 / 2 + m t``, from 0.001 at sigma 0.002 to 1."""

    def __init__(self, highest: float) -> None:
        first, low, high = 1e-3, math.log1p(0.002**2), math.log1p(highest**2)
        self._slope = 2 * (low / first - high) / (first - 1)
        self._start = high - 0.5 * self._slope

    def of(self, sigma: float) -> float:
        root = math.sqrt(self._start**2 + 2 * self._slope * math.log1p(sigma**2))
        return (root - self._start) / self._slope

    def weights(self, nodes: list[float], sigma: float, following: float) -> list[float]:
        """Return the integrals over sigma of the Lagrange polynomials of some times (Gauss, 20 points)."""
        points, weights = np.polynomial.legendre.leggauss(20)
        start, end = self.of(sigma), self.of(following)
        times = (start + end) / 2 + (end - start) / 2 * points
        level = np.sqrt(np.expm1(0.5 * self._slope * times**2 + self._start * times))
        slope = (1 + level**2) * (self._slope * times + self._start) / (2 * level)
        measure = weights * slope * (end - start) / 2
        return [
            float(measure @ np.prod([(times - other) / (node - other) for other in nodes if other != node], axis=0))
            if len(nodes) > 1
            else float(measure.sum())
            for node in nodes
        ]


def res_multistep(
    denoise: Denoise, x: Array, levels: list[float], draw: Draw, watch: Watch, *, eta: float = 0.0
) -> Array:
    """Exponential multistep of order 2 that keeps its order conditions (Zhang et al. 2023, RES)."""
    previous: tuple[Array, float, float] | None = None
    for step, (sigma, following) in enumerate(pairwise(levels)):
        guess = denoise(x, sigma)
        watch(step, guess, x, sigma)
        down, up = ancestral(sigma, following, eta)
        if down == 0 or previous is None:
            x = guess if down == 0 else guess + (x - guess) * (down / sigma)
        else:
            before, reached, asked = previous
            h = math.log(sigma / down)
            place = math.log(reached / asked) / h
            second = phi(2, -h) / place
            x = x * math.exp(-h) + (guess * (phi(1, -h) - second) + before * second) * h
        if up > 0:
            x = x + draw() * up
        previous = (guess, down, sigma)
    return x


def res_multistep_ancestral(denoise: Denoise, x: Array, levels: list[float], draw: Draw, watch: Watch) -> Array:
    """The same with fresh noise after each step."""
    return res_multistep(denoise, x, levels, draw, watch, eta=1.0)


def gradient_estimation(denoise: Denoise, x: Array, levels: list[float], draw: Draw, watch: Watch) -> Array:
    """Euler steps in twice the new direction less the old one (Permenter and Yuan 2023)."""
    before: Array | None = None
    for step, (sigma, following) in enumerate(pairwise(levels)):
        guess = denoise(x, sigma)
        watch(step, guess, x, sigma)
        if following == 0:
            return guess
        direction = (x - guess) / sigma
        better = direction if before is None else 2 * direction - before
        x = x + better * (following - sigma)
        before = direction
    return x


def uni_pc(denoise: Denoise, x: Array, levels: list[float], draw: Draw, watch: Watch, *, bh: int = 1) -> Array:
    """UniPC of order 3 (Zhao et al. 2023): predicts, asks the model there once, and corrects with the answer."""
    steps = len(levels) - 1
    order = max(1, min(3, steps - 1))
    # A level of 0 is at infinity in the variable that the method counts in.
    reached = [*levels[:-1], levels[-1] or 1e-3]
    guesses: list[Array] = []
    for step, (sigma, following) in enumerate(pairwise(reached)):
        if not guesses:
            guesses = [denoise(x, sigma)]
        watch(step, guesses[0], x, sigma)
        is_last = step == steps - 1
        wanted = min(step + 1, order, steps - step)
        nodes = [reached[step - back] for back in range(wanted)]
        weights = _uni_weights(nodes, following, bh)
        h = math.log(sigma / following)
        plain = x * (following / sigma) + guesses[0] * -math.expm1(-h)
        changes = [
            (guess - guesses[0]) / (math.log(sigma / node) / h)
            for guess, node in zip(guesses[1:wanted], nodes[1:], strict=True)
        ]
        x = plain + sum(change * weight for change, weight in zip(changes, weights.predict, strict=True))
        if not is_last:
            new = denoise(x, following)
            corrections = [*changes, new - guesses[0]]
            x = plain + sum(change * weight for change, weight in zip(corrections, weights.correct, strict=True))
            guesses = [new, *guesses[:2]]
    return x


class _Weights:
    def __init__(self, predict: list[float], correct: list[float]) -> None:
        self.predict, self.correct = predict, correct


def _uni_weights(nodes: list[float], following: float, bh: int) -> _Weights:
    """Return how much the differences of guesses count, in the prediction and in the correction."""
    h = math.log(nodes[0] / following)
    scale = -h if bh == 1 else math.expm1(-h)
    places = np.array([*(math.log(nodes[0] / node) / h for node in nodes[1:]), 1.0])
    matrix = np.stack([places**power for power in range(len(places))])
    moments = np.array([-h * math.factorial(k) * phi(k + 1, -h) / scale for k in range(1, len(places) + 1)])
    if len(places) == 2:
        predict = np.array([0.5])
    else:
        predict = np.linalg.solve(matrix[:-1, :-1], moments[:-1]) if len(places) > 1 else np.array([])
    correct = np.array([0.5]) if len(places) == 1 else np.linalg.solve(matrix, moments)
    return _Weights((-scale * predict).tolist(), (-scale * correct).tolist())


def uni_pc_bh2(denoise: Denoise, x: Array, levels: list[float], draw: Draw, watch: Watch) -> Array:
    """UniPC with its second choice of a scale."""
    return uni_pc(denoise, x, levels, draw, watch, bh=2)
