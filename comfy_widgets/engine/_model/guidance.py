"""Samplers of CFG++ (Chung et al. 2024): guidance moves the guess, and the noise stays that of the unguided model.

Where the guided guess is D and the one for the negative prompt alone is U, an ordinary step of classifier-free guidance
takes ``(x - D) / sigma`` for the noise. These take ``(x - U) / sigma``: from ``x + (D - U)`` the ordinary step is that
step. A small cfg, 1 to 2, does as much here as 5 to 10 does elsewhere.
"""

from __future__ import annotations

import math
from itertools import pairwise

from .arrays import Array
from .multistep import phi
from .samplers import Denoise, Draw, Watch, ancestral


def unguided(denoise: Denoise, guess: Array) -> Array:
    """Return what the model took x for without guidance; the guess itself where there is none."""
    found: Array | None = getattr(denoise, "unguided", None)
    return guess if found is None else found


def euler_cfg_pp(
    denoise: Denoise, x: Array, levels: list[float], draw: Draw, watch: Watch, *, eta: float = 0.0
) -> Array:
    """Follow the unguided noise from the guided guess (algorithm 2 of the paper, which is DDIM)."""
    for step, (sigma, following) in enumerate(pairwise(levels)):
        guess = denoise(x, sigma)
        noise = (x - unguided(denoise, guess)) / sigma
        watch(step, guess, x, sigma)
        down, up = ancestral(sigma, following, eta)
        x = guess + noise * down
        if up > 0:
            x = x + draw() * up
    return x


def euler_ancestral_cfg_pp(denoise: Denoise, x: Array, levels: list[float], draw: Draw, watch: Watch) -> Array:
    """The same a little too far, with fresh noise added back."""
    return euler_cfg_pp(denoise, x, levels, draw, watch, eta=1.0)


def dpmpp_2s_ancestral_cfg_pp(denoise: Denoise, x: Array, levels: list[float], draw: Draw, watch: Watch) -> Array:
    """DPM-Solver++(2S) from the moved x, with fresh noise after each step."""
    for step, (sigma, following) in enumerate(pairwise(levels)):
        guess = denoise(x, sigma)
        moved = x + (guess - unguided(denoise, guess))
        watch(step, guess, x, sigma)
        down, up = ancestral(sigma, following)
        if down == 0:
            x = guess
        else:
            middle = math.sqrt(sigma * down)
            better = denoise(guess + (moved - guess) * (middle / sigma), middle)
            # As in ComfyUI the whole step is moved by the unguided guess of its middle.
            moved = x + (guess - unguided(denoise, better))
            x = better + (moved - better) * (down / sigma)
        if up > 0:
            x = x + draw() * up
    return x


def dpmpp_2m_cfg_pp(denoise: Denoise, x: Array, levels: list[float], draw: Draw, watch: Watch) -> Array:
    """DPM-Solver++(2M) from the moved x; what it extrapolates from is the last unguided guess."""
    before: Array | None = None
    for step, (sigma, following) in enumerate(pairwise(levels)):
        guess = denoise(x, sigma)
        plain = unguided(denoise, guess)
        watch(step, guess, x, sigma)
        if following == 0:
            return guess
        share = following / sigma
        change = guess * 0
        if before is not None:
            ratio = math.log(levels[step - 1] / sigma) / math.log(sigma / following)
            change = (guess - before) * ((1 - share) * 0.5 / ratio)
        x = guess + (x - plain) * share + change
        before = plain
    return x


def res_multistep_cfg_pp(
    denoise: Denoise, x: Array, levels: list[float], draw: Draw, watch: Watch, *, eta: float = 0.0
) -> Array:
    """The exponential multistep of `res_multistep` from the moved x, through unguided guesses."""
    previous: tuple[Array, float, float] | None = None
    for step, (sigma, following) in enumerate(pairwise(levels)):
        guess = denoise(x, sigma)
        plain = unguided(denoise, guess)
        watch(step, guess, x, sigma)
        down, up = ancestral(sigma, following, eta)
        if down == 0 or previous is None:
            x = guess + (x - plain) * (down / sigma)
        else:
            before, reached, asked = previous
            h = math.log(sigma / down)
            second = phi(2, -h) / (math.log(reached / asked) / h)
            moved = x + (guess - plain)
            x = moved * math.exp(-h) + (plain * (phi(1, -h) - second) + before * second) * h
        if up > 0:
            x = x + draw() * up
        previous = (plain, down, sigma)
    return x


def res_multistep_ancestral_cfg_pp(denoise: Denoise, x: Array, levels: list[float], draw: Draw, watch: Watch) -> Array:
    """The same with fresh noise after each step."""
    return res_multistep_cfg_pp(denoise, x, levels, draw, watch, eta=1.0)


def gradient_estimation_cfg_pp(denoise: Denoise, x: Array, levels: list[float], draw: Draw, watch: Watch) -> Array:
    """CFG++ steps, and the change of the unguided direction once more (Permenter and Yuan 2023)."""
    before: Array | None = None
    for step, (sigma, following) in enumerate(pairwise(levels)):
        guess = denoise(x, sigma)
        direction = (x - unguided(denoise, guess)) / sigma
        watch(step, guess, x, sigma)
        if following == 0:
            return guess
        x = guess + direction * following
        if before is not None:
            x = x + (direction - before) * (following - sigma)
        before = direction
    return x
