"""Noise levels: which sigmas a run of so many steps visits.

The levels are those of the usual discrete diffusion training with 1,000 "scaled linear" betas (Rombach et al. 2022),
so that ``steps``, ``scheduler`` and ``denoise`` mean what they mean elsewhere.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from .arrays import Array

_TIMESTEPS = 1000
_MOST_STEPS = 1_000_000
_BETA_START, _BETA_END = 0.00085, 0.012


def _training_sigmas() -> Array:
    betas = np.linspace(_BETA_START**0.5, _BETA_END**0.5, _TIMESTEPS) ** 2
    kept = np.cumprod(1.0 - betas)
    return np.sqrt((1.0 - kept) / kept)


TRAINING_SIGMAS = _training_sigmas()
SIGMA_MIN, SIGMA_MAX = float(TRAINING_SIGMAS[0]), float(TRAINING_SIGMAS[-1])


def _at(timesteps: Array) -> Array:
    """Interpolate sigma (its logarithm) at fractional timesteps."""
    return np.exp(np.interp(timesteps, np.arange(_TIMESTEPS), np.log(TRAINING_SIGMAS)))


def _normal(steps: int) -> Array:
    return _at(np.linspace(_TIMESTEPS - 1, 0, steps))


def _sgm_uniform(steps: int) -> Array:
    return _at(np.linspace(_TIMESTEPS - 1, 0, steps + 1)[:-1])


def _simple(steps: int) -> Array:
    if steps >= _TIMESTEPS:
        return _normal(steps)
    index = _TIMESTEPS - 1 - (np.arange(steps) * (_TIMESTEPS / steps)).astype(int)
    result: Array = TRAINING_SIGMAS[index]
    return result


def _ddim_uniform(steps: int) -> Array:
    """Every so many timesteps, from the second one; that may be a step more than was asked for, as in ComfyUI."""
    stride = max(_TIMESTEPS // steps, 1)
    result: Array = TRAINING_SIGMAS[1::stride][::-1]
    return result


def karras(steps: int, low: float, high: float, rho: float = 7.0) -> Array:
    """Return falling levels that are even in their root (Karras et al. 2022, equation 5)."""
    ramp = np.linspace(0.0, 1.0, steps)
    least, most = low ** (1 / rho), high ** (1 / rho)
    result: Array = (most + ramp * (least - most)) ** rho
    return result


def exponential(steps: int, low: float, high: float) -> Array:
    """Return levels that fall by the same factor."""
    return np.exp(np.linspace(math.log(high), math.log(low), steps))


def polyexponential(steps: int, low: float, high: float, rho: float = 1.0) -> Array:
    """Return levels whose logarithm falls as a power."""
    ramp = np.linspace(1.0, 0.0, steps) ** rho
    result: Array = np.exp(ramp * (math.log(high) - math.log(low)) + math.log(low))
    return result


def _beta(steps: int, alpha: float = 0.6, beta: float = 0.6) -> Array:
    """Timesteps by the quantiles of a beta distribution, close at both ends (arXiv 2407.12173)."""
    # The density has poles at both ends, which the substitution x = sin^2 removes.
    angle = (np.arange(200_000) + 0.5) / 200_000 * (math.pi / 2)
    mass = np.cumsum(np.sin(angle) ** (2 * alpha - 1) * np.cos(angle) ** (2 * beta - 1))
    places = np.interp(1 - np.linspace(0, 1, steps, endpoint=False), mass / mass[-1], np.sin(angle) ** 2)
    index = np.unique(np.rint(places * (_TIMESTEPS - 1)).astype(int))[::-1]
    result: Array = TRAINING_SIGMAS[index]
    return result


def _linear_quadratic(steps: int, threshold: float = 0.025) -> Array:
    """Small even steps in the first half, growing ones in the second (Genmo's Mochi, 2024)."""
    if steps == 1:
        return np.array([SIGMA_MAX])
    linear = steps // 2
    slope = threshold / linear
    rest = steps - linear
    difference = linear - threshold * steps
    square = difference / (linear * rest**2)
    straight = threshold / linear - 2 * difference / rest**2
    constant = square * linear**2
    steps_taken = np.arange(steps)
    first = steps_taken[:linear] * slope
    later = steps_taken[linear:]
    second = square * later**2 + straight * later + constant
    return (1.0 - np.concatenate([first, second])) * SIGMA_MAX


def _kl_optimal(steps: int) -> Array:
    """Sabour et al. 2024, "Align Your Steps", the analytic optimum for Gaussian data."""
    ramp = np.linspace(0.0, 1.0, steps)
    return np.tan(ramp * math.atan(SIGMA_MIN) + (1 - ramp) * math.atan(SIGMA_MAX))


SCHEDULERS: dict[str, Callable[[int], Array]] = {
    "simple": _simple,
    "sgm_uniform": _sgm_uniform,
    "karras": lambda steps: karras(steps, SIGMA_MIN, SIGMA_MAX),
    "exponential": lambda steps: exponential(steps, SIGMA_MIN, SIGMA_MAX),
    "ddim_uniform": _ddim_uniform,
    "beta": _beta,
    "normal": _normal,
    "linear_quadratic": _linear_quadratic,
    "kl_optimal": _kl_optimal,
}
"""Name -> function from a number of steps to about that many falling sigmas, as in ComfyUI."""


def sigmas(scheduler: str, steps: int, denoise: float = 1.0) -> list[float]:
    """Return the noise levels of a run: falling, with a 0 at the end.

    Parameters
    ----------
    scheduler : str
        A key of `SCHEDULERS`.
    steps : int
        How many steps are taken.
    denoise : float
        Below 1 the run begins part-way: it takes the last `steps` of ``steps / denoise`` steps. 0 takes none.
    """
    if denoise <= 0.0:
        return []
    total = steps if denoise > 0.9999 else int(steps / denoise)
    if total > _MOST_STEPS:
        raise ValueError(
            f"A denoise of {denoise:g} makes {total} steps, of which {steps} are taken; the embedded engine works out "
            f"at most {_MOST_STEPS}. Choose a denoise of at least {steps / _MOST_STEPS:.2g}, or 0 to change nothing."
        )
    levels = SCHEDULERS[scheduler](total).tolist()
    return [*(levels if total == steps else levels[-steps:]), 0.0]


def sigma_at(share: float) -> float:
    """Return the noise level after a share of the sampling, 0..1, counted in timesteps of the training."""
    return float(_at(np.array([(1.0 - share) * (_TIMESTEPS - 1)]))[0])


def shifted(levels: list[float], shift: float) -> list[float]:
    """Return noise levels moved towards high ones, as a shift of flow models moves their times.

    The timestep t, 0..1, of each level becomes ``shift t / (1 + (shift - 1) t)`` (Esser et al. 2024, equation 23).

    Parameters
    ----------
    levels : list of float
        Falling, with a 0 at the end.
    shift : float
        1 changes nothing; must be above 0.
    """
    if shift == 1 or not levels:
        return levels
    place = np.interp(np.log(np.maximum(levels[:-1], 1e-12)), np.log(TRAINING_SIGMAS), np.linspace(0, 1, _TIMESTEPS))
    moved = shift * place / (1 + (shift - 1) * place)
    return [*_at(moved * (_TIMESTEPS - 1)).tolist(), levels[-1]]
