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
    stride = max(_TIMESTEPS // steps, 1)
    return TRAINING_SIGMAS[1::stride][::-1][:steps] if steps < _TIMESTEPS else _simple(steps)


def _karras(steps: int) -> Array:
    """Karras et al. 2022, equation 5, with rho 7."""
    rho = 7.0
    ramp = np.linspace(0.0, 1.0, steps)
    low, high = SIGMA_MIN ** (1 / rho), SIGMA_MAX ** (1 / rho)
    result: Array = (high + ramp * (low - high)) ** rho
    return result


def _exponential(steps: int) -> Array:
    return np.exp(np.linspace(math.log(SIGMA_MAX), math.log(SIGMA_MIN), steps))


def _kl_optimal(steps: int) -> Array:
    """Sabour et al. 2024, "Align Your Steps", the analytic optimum for Gaussian data."""
    ramp = np.linspace(0.0, 1.0, steps)
    return np.tan(ramp * math.atan(SIGMA_MIN) + (1 - ramp) * math.atan(SIGMA_MAX))


SCHEDULERS: dict[str, Callable[[int], Array]] = {
    "simple": _simple,
    "sgm_uniform": _sgm_uniform,
    "karras": _karras,
    "exponential": _exponential,
    "ddim_uniform": _ddim_uniform,
    "normal": _normal,
    "kl_optimal": _kl_optimal,
}
"""Name -> function from a number of steps to that many falling sigmas."""


def sigmas(scheduler: str, steps: int, denoise: float = 1.0) -> list[float]:
    """Return the noise levels of a run: falling, with a 0 at the end.

    Parameters
    ----------
    scheduler
        A key of `SCHEDULERS`.
    steps
        How many steps are taken.
    denoise
        Below 1 the run begins part-way: it takes the last `steps` of ``steps / denoise`` steps. 0 takes none.
    """
    if denoise <= 0.0:
        return []
    total = steps if denoise > 0.9999 else int(steps / denoise)
    levels = SCHEDULERS[scheduler](total).tolist()
    return [*levels[-steps:], 0.0]
