"""Samplers with fresh noise in every step: ways to solve the diffusion's own stochastic equation.

With as much fresh noise as the diffusion itself has, a step from sigma to a following level keeps ``(following /
sigma)^2`` of x, and adds noise of standard deviation ``following sqrt(1 - (following / sigma)^2)``.
"""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np

from .arrays import Array
from .multistep import phi
from .samplers import Denoise, Draw, Watch, ancestral


def dpm_2_ancestral(denoise: Denoise, x: Array, levels: list[float], draw: Draw, watch: Watch) -> Array:
    """Take the direction at the middle of a step that goes a little too far, and add fresh noise."""
    for step, (sigma, following) in enumerate(pairwise(levels)):
        guess = denoise(x, sigma)
        watch(step, guess, x, sigma)
        down, up = ancestral(sigma, following)
        if down == 0:
            x = guess
        else:
            middle = math.sqrt(sigma * down)
            halfway = guess + (x - guess) * (middle / sigma)
            direction = (halfway - denoise(halfway, middle)) / middle
            x = x + direction * (down - sigma)
        if up > 0:
            x = x + draw() * up
    return x


def dpmpp_sde(denoise: Denoise, x: Array, levels: list[float], draw: Draw, watch: Watch) -> Array:
    """SDE-DPM-Solver++ of one step with the guess at its middle (Lu et al. 2022)."""
    for step, (sigma, following) in enumerate(pairwise(levels)):
        guess = denoise(x, sigma)
        watch(step, guess, x, sigma)
        if following == 0:
            return guess
        middle = math.sqrt(sigma * following)
        first, second = draw(), draw()
        down, up = ancestral(sigma, middle)
        halfway = guess + (x - guess) * (down / sigma) + first * up
        better = denoise(halfway, middle)
        down, up = ancestral(sigma, following)
        # The noise of the whole step is that of its halves, as of one path of a Brownian motion over sigma.
        whole = first * math.sqrt(sigma - middle) + second * math.sqrt(middle - following)
        x = better + (x - better) * (down / sigma) + whole * (up / math.sqrt(sigma - following))
    return x


def dpmpp_2m_sde_heun(denoise: Denoise, x: Array, levels: list[float], draw: Draw, watch: Watch) -> Array:
    """SDE-DPM-Solver++(2M), in the form of Heun."""
    return _sde_multistep(denoise, x, levels, draw, watch, order=2)


def dpmpp_3m_sde(denoise: Denoise, x: Array, levels: list[float], draw: Draw, watch: Watch) -> Array:
    """SDE-DPM-Solver++(3M): extrapolates the last three guesses."""
    return _sde_multistep(denoise, x, levels, draw, watch, order=3)


def _sde_multistep(denoise: Denoise, x: Array, levels: list[float], draw: Draw, watch: Watch, *, order: int) -> Array:
    before: list[tuple[Array, float]] = []
    for step, (sigma, following) in enumerate(pairwise(levels)):
        guess = denoise(x, sigma)
        watch(step, guess, x, sigma)
        if following == 0:
            return guess
        h = math.log(sigma / following)
        shrink = math.exp(-2 * h)
        x = x * shrink + guess * (1 - shrink)
        second, third = 1 + math.expm1(-2 * h) / (2 * h), 0.0
        if before:
            slope = (guess - before[0][0]) * (h / before[0][1])
            if len(before) > 1:
                ratio, further = before[0][1] / h, before[1][1] / h
                earlier = (before[0][0] - before[1][0]) / further
                bend = (slope - earlier) / (ratio + further)
                third = second / (2 * h) - 0.5
                x = x + (slope + bend * ratio) * second - bend * third
            else:
                x = x + slope * second
        x = x + draw() * (following * math.sqrt(1 - shrink))
        before = [(guess, h), *before[: order - 2]]
    return x


def seeds_2(denoise: Denoise, x: Array, levels: list[float], draw: Draw, watch: Watch) -> Array:
    """SEEDS-2: exact for the noise and the linear part, with the guess at the middle (Gonzalez et al. 2023)."""
    for step, (sigma, following) in enumerate(pairwise(levels)):
        guess = denoise(x, sigma)
        watch(step, guess, x, sigma)
        if following == 0:
            return guess
        h = math.log(sigma / following)
        middle = sigma * math.exp(-h / 2)
        first, second = draw(), draw()
        spread = math.sqrt(-math.expm1(-h))
        better = denoise(x * math.exp(-h) + guess * -math.expm1(-h) + first * (middle * spread), middle)
        x = x * math.exp(-2 * h) + better * -math.expm1(-2 * h)
        x = x + (first * math.exp(-h / 2) + second) * (following * spread)
    return x


def seeds_3(denoise: Denoise, x: Array, levels: list[float], draw: Draw, watch: Watch) -> Array:
    """SEEDS-3: with guesses at a third and at two thirds of the step (Gonzalez et al. 2023)."""
    for step, (sigma, following) in enumerate(pairwise(levels)):
        guess = denoise(x, sigma)
        watch(step, guess, x, sigma)
        if following == 0:
            return guess
        h = math.log(sigma / following)
        # The same noise in all three, and more of it from each to the next.
        kept, more = math.exp(-h / 3), math.sqrt(-math.expm1(-2 * h / 3))
        noise = draw() * more
        at = sigma * kept
        second = denoise(x * kept**2 + guess * (1 - kept**2) + noise * at, at)
        noise = noise * kept + draw() * more
        at, part = at * kept, 4 * h / 3
        bend = 2 * part * phi(2, -part)
        ahead = x * kept**4 + guess * (1 - kept**4 - bend) + second * bend
        third = denoise(ahead + noise * at, at)
        noise = noise * kept + draw() * more
        bend = 3 * h * phi(2, -2 * h)
        x = x * kept**6 + guess * (1 - kept**6 - bend) + third * bend + noise * following
    return x


def exp_heun_2_x0_sde(denoise: Denoise, x: Array, levels: list[float], draw: Draw, watch: Watch) -> Array:
    """Exponential Heun with as much fresh noise as the diffusion itself has."""
    for step, (sigma, following) in enumerate(pairwise(levels)):
        guess = denoise(x, sigma)
        watch(step, guess, x, sigma)
        if following == 0:
            return guess
        h = 2 * math.log(sigma / following)
        noise = draw() * (following * math.sqrt(-math.expm1(-h)))
        ahead = x * math.exp(-h) + guess * -math.expm1(-h) + noise
        second = h * phi(2, -h)
        x = x * math.exp(-h) + guess * (h * phi(1, -h) - second) + denoise(ahead, following) * second + noise
    return x


_POINTS = 200


def _scaler(sigma: Array | float) -> Array:
    """How the extended reverse-time equation scales noise; the choice of its authors."""
    result: Array = sigma * (np.exp(np.asarray(sigma) ** 0.3) + 10.0)
    return result


def er_sde(denoise: Denoise, x: Array, levels: list[float], draw: Draw, watch: Watch) -> Array:
    """The extended reverse-time equation's solver of order 3 (Cui et al. 2023)."""
    guesses: list[Array] = []
    slopes: list[Array] = []
    for step, (sigma, following) in enumerate(pairwise(levels)):
        guess = denoise(x, sigma)
        watch(step, guess, x, sigma)
        if following == 0:
            return guess
        ratio = float(_scaler(following) / _scaler(sigma))
        x = x * ratio + guess * (1 - ratio)
        change = following - sigma
        if guesses:
            spacing = -change / _POINTS
            places = following + np.arange(_POINTS) * spacing
            scale = float(_scaler(following))
            slope = (guess - guesses[0]) / (sigma - levels[step - 1])
            x = x + slope * (change + float((1 / _scaler(places)).sum()) * spacing * scale)
            if slopes:
                bend = (slope - slopes[0]) / ((sigma - levels[step - 2]) / 2)
                moment = float(((places - sigma) / _scaler(places)).sum()) * spacing * scale
                x = x + bend * (change**2 / 2 + moment)
            slopes = [slope]
        x = x + draw() * math.sqrt(max(following**2 - sigma**2 * ratio**2, 0.0))
        guesses = [guess]
    return x
