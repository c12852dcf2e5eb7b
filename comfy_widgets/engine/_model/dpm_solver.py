"""DPM-Solver (Lu et al. 2022, "A Fast ODE Solver"): steps of order 1 to 3 in the noise, even ones or adaptive ones.

They cannot reach 0, which is at infinity in log sigma. ComfyUI ends them on the last level above it, whose noise shows
in none of its latents; these here are narrower, so the model is asked for the image once more.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise

import numpy as np

from .arrays import Array
from .samplers import Denoise, Draw, Watch

_Noise = Callable[[Array, float], Array]
"""(x, sigma) -> what the model takes for noise in x, of standard deviation 1."""

_RELATIVE, _ABSOLUTE = 0.05, 0.0078
_FIRST_STEP = 0.05
_ACCEPTED = 0.81


def step_of_order(noise: _Noise, x: Array, sigma: float, following: float, order: int, first: Array) -> Array:
    """Take one step; ``first`` is the noise in x. In 3 the model is asked at a third and at two thirds of it."""
    h = math.log(sigma / following)
    whole = following * math.expm1(h)
    if order == 1:
        return x - whole * first
    if order == 2:
        middle = sigma * math.exp(-h / 2)
        second = noise(x - middle * math.expm1(h / 2) * first, middle)
        return x - whole * second
    return _third(noise, x, (sigma, following), first, _after_a_third(noise, x, sigma, h, first))


def _after_a_third(noise: _Noise, x: Array, sigma: float, h: float, first: Array) -> Array:
    at = sigma * math.exp(-h / 3)
    return noise(x - at * math.expm1(h / 3) * first, at)


def _third(noise: _Noise, x: Array, levels: tuple[float, float], first: Array, second: Array) -> Array:
    sigma, following = levels
    h = math.log(sigma / following)
    at, two = sigma * math.exp(-h * 2 / 3), math.expm1(h * 2 / 3)
    bend = 2 * (two / (h * 2 / 3) - 1)
    third = noise(x - at * (two * first + bend * (second - first)), at)
    return x - following * (math.expm1(h) * first + 1.5 * (math.expm1(h) / h - 1) * (third - first))


def dpm_fast(denoise: Denoise, x: Array, levels: list[float], draw: Draw, watch: Watch) -> Array:
    """As many questions as there are steps, three for a step of order 3, evenly in log sigma."""
    ends = levels[-1] == 0
    asked, last = (len(levels) - 2, levels[-2]) if ends else (len(levels) - 1, levels[-1])
    count = 0

    def guessed(at: Array, sigma: float) -> Array:
        nonlocal count
        guess = denoise(at, sigma)
        watch(count, guess, at, sigma)
        count += 1
        return guess

    def noise(at: Array, sigma: float) -> Array:
        result: Array = (at - guessed(at, sigma)) / sigma
        return result

    orders = [3] * (asked // 3 - 1) + [2, 1] if asked % 3 == 0 else [3] * (asked // 3) + [asked % 3]
    reached = [float(level) for level in np.geomspace(levels[0], last, len(orders) + 1)] if asked else []
    for order, (sigma, following) in zip(orders, pairwise(reached), strict=False):
        x = step_of_order(noise, x, sigma, following, order, noise(x, sigma))
    return guessed(x, last) if ends else x


def dpm_adaptive(denoise: Denoise, x: Array, levels: list[float], draw: Draw, watch: Watch) -> Array:
    """Steps of order 3 as long as those of order 2 beside them allow; of the levels only the ends count."""
    last = levels[-1] or levels[-2]
    end = -math.log(last)
    at, h = -math.log(levels[0]), _FIRST_STEP
    before = x
    done = 0

    def noise(x: Array, sigma: float) -> Array:
        result: Array = (x - denoise(x, sigma)) / sigma
        return result

    while at < end - 1e-5:
        sigma, following = math.exp(-at), math.exp(-min(end, at + h))
        first = noise(x, sigma)
        guess = x - first * sigma
        step = math.log(sigma / following)
        second = _after_a_third(noise, x, sigma, step, first)
        low = x - following * math.expm1(step) * (first + 1.5 * (second - first))
        high = _third(noise, x, (sigma, following), first, second)
        allowed = np.maximum(_ABSOLUTE, _RELATIVE * np.maximum(np.abs(low), np.abs(before)))
        error = float(np.sqrt(np.mean(((low - high) / allowed) ** 2)))
        factor = 1 + math.atan((error + 1e-8) ** (-1 / 3) - 1)
        if factor >= _ACCEPTED:
            watch(done, guess, x, sigma)
            done += 1
            before, x, at = low, high, min(end, at + h)
        h *= factor
    if levels[-1] > 0:
        return x
    guess = denoise(x, last)
    watch(done, guess, x, last)
    return guess
