"""Samplers: ways from noise to an image, given a denoiser.

All follow the probability-flow view of Karras et al. 2022: ``x`` is the image plus noise of standard deviation
sigma, ``denoise(x, sigma)`` is the best guess of the image, and ``(x - denoise(x, sigma)) / sigma`` is the direction
dx/dsigma.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from typing import TypeAlias

from .arrays import Array

Denoise: TypeAlias = Callable[[Array, float], Array]
"""(x, sigma) -> the guess of the image."""
Draw: TypeAlias = Callable[[], Array]
"""Gives fresh noise of the shape of x."""
Watch: TypeAlias = Callable[[int, Array, Array, float], None]
"""Called after each step with (index of the step, the guess, x before the step, its sigma)."""
Sampler: TypeAlias = Callable[[Denoise, Array, list[float], Draw, Watch], Array]


def ancestral(sigma: float, following: float, eta: float = 1.0) -> tuple[float, float]:
    """Split a step into going down to the first number and adding noise of the second."""
    up = min(following, eta * math.sqrt(following**2 * (sigma**2 - following**2) / sigma**2)) if sigma else 0.0
    return math.sqrt(following**2 - up**2), up


def euler(denoise: Denoise, x: Array, levels: list[float], draw: Draw, watch: Watch) -> Array:
    """Follow the direction, step by step."""
    for step, (sigma, following) in enumerate(pairwise(levels)):
        guess = denoise(x, sigma)
        watch(step, guess, x, sigma)
        x = guess if following == 0 else guess + (x - guess) * (following / sigma)
    return x


def euler_ancestral(denoise: Denoise, x: Array, levels: list[float], draw: Draw, watch: Watch) -> Array:
    """Euler steps a little too far, with fresh noise added back."""
    for step, (sigma, following) in enumerate(pairwise(levels)):
        guess = denoise(x, sigma)
        watch(step, guess, x, sigma)
        down, up = ancestral(sigma, following)
        x = guess + (x - guess) * (down / sigma)
        if up > 0:
            x = x + draw() * up
    return x


def heun(denoise: Denoise, x: Array, levels: list[float], draw: Draw, watch: Watch) -> Array:
    """Average the directions at both ends of the step (Karras et al. 2022, algorithm 1)."""
    for step, (sigma, following) in enumerate(pairwise(levels)):
        guess = denoise(x, sigma)
        watch(step, guess, x, sigma)
        direction = (x - guess) / sigma
        ahead = x + direction * (following - sigma)
        if following > 0:
            direction_ahead = (ahead - denoise(ahead, following)) / following
            ahead = x + (direction + direction_ahead) * (0.5 * (following - sigma))
        x = ahead
    return x


def dpm_2(denoise: Denoise, x: Array, levels: list[float], draw: Draw, watch: Watch) -> Array:
    """Take the direction at the middle of the step, in log sigma."""
    for step, (sigma, following) in enumerate(pairwise(levels)):
        guess = denoise(x, sigma)
        watch(step, guess, x, sigma)
        direction = (x - guess) / sigma
        if following > 0:
            middle = math.sqrt(sigma * following)
            halfway = x + direction * (middle - sigma)
            direction = (halfway - denoise(halfway, middle)) / middle
        x = x + direction * (following - sigma)
    return x


def lms(denoise: Denoise, x: Array, levels: list[float], draw: Draw, watch: Watch) -> Array:
    """Use the last directions too: Adams and Bashforth's multistep rule of up to order 4, on uneven steps."""
    directions: list[Array] = []
    for step, sigma in enumerate(levels[:-1]):
        guess = denoise(x, sigma)
        watch(step, guess, x, sigma)
        if levels[step + 1] == 0:
            return guess
        directions = [(x - guess) / sigma, *directions[:3]]
        nodes = [levels[step - back] for back in range(len(directions))]
        for back, direction in enumerate(directions):
            x = x + direction * _lagrange_integral(nodes, back, sigma, levels[step + 1])
    return x


def _lagrange_integral(nodes: list[float], which: int, start: float, end: float) -> float:
    """Integrate the Lagrange basis polynomial of one node (Gauss, 3 points: exact up to degree 5)."""
    half, centre = (end - start) / 2, (end + start) / 2
    total = 0.0
    for point, weight in ((-math.sqrt(0.6), 5 / 9), (0.0, 8 / 9), (math.sqrt(0.6), 5 / 9)):
        at = centre + half * point
        value = 1.0
        for index, node in enumerate(nodes):
            if index != which:
                value *= (at - node) / (nodes[which] - node)
        total += weight * value
    return total * half


def dpmpp_2s_ancestral(denoise: Denoise, x: Array, levels: list[float], draw: Draw, watch: Watch) -> Array:
    """DPM-Solver++(2S) (Lu et al. 2022) with fresh noise after each step."""
    for step, (sigma, following) in enumerate(pairwise(levels)):
        guess = denoise(x, sigma)
        watch(step, guess, x, sigma)
        down, up = ancestral(sigma, following)
        if down == 0:
            x = guess
        else:
            middle = math.sqrt(sigma * down)
            halfway = guess + (x - guess) * (middle / sigma)
            better = denoise(halfway, middle)
            x = better + (x - better) * (down / sigma)
        if up > 0:
            x = x + draw() * up
    return x


def dpmpp_2m(denoise: Denoise, x: Array, levels: list[float], draw: Draw, watch: Watch) -> Array:
    """DPM-Solver++(2M) (Lu et al. 2022): extrapolates the last two guesses."""
    previous: Array | None = None
    for step, (sigma, following) in enumerate(pairwise(levels)):
        guess = denoise(x, sigma)
        watch(step, guess, x, sigma)
        if following == 0:
            return guess
        better = guess
        if previous is not None:
            ratio = math.log(levels[step - 1] / sigma) / math.log(sigma / following)
            better = guess + (guess - previous) * (0.5 / ratio)
        x = better + (x - better) * (following / sigma)
        previous = guess
    return x


def dpmpp_2m_sde(denoise: Denoise, x: Array, levels: list[float], draw: Draw, watch: Watch) -> Array:
    """SDE-DPM-Solver++(2M), midpoint form, with as much fresh noise as the diffusion itself has."""
    previous: Array | None = None
    for step, (sigma, following) in enumerate(pairwise(levels)):
        guess = denoise(x, sigma)
        watch(step, guess, x, sigma)
        if following == 0:
            return guess
        length = math.log(sigma / following)
        shrink = (following / sigma) ** 2
        gain = 1.0 - shrink
        moved = x * shrink + guess * gain
        if previous is not None:
            ratio = math.log(levels[step - 1] / sigma) / length
            moved = moved + (guess - previous) * (0.5 * gain / ratio)
        x = moved + draw() * (following * math.sqrt(1.0 - shrink))
        previous = guess
    return x


def lcm(denoise: Denoise, x: Array, levels: list[float], draw: Draw, watch: Watch) -> Array:
    """Jump to the guess and start again from it with less noise (Luo et al. 2023)."""
    for step, (sigma, following) in enumerate(pairwise(levels)):
        guess = denoise(x, sigma)
        watch(step, guess, x, sigma)
        x = guess if following == 0 else guess + draw() * following
    return x
