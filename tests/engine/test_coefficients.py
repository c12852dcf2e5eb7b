"""The samplers' and schedules' numbers against values worked out by hand, and against mathematics they do not use."""

from __future__ import annotations

import math
from itertools import count
from typing import Any

import numpy as np
import pytest

from comfy_widgets.engine._model.sampler_table import SAMPLERS
from comfy_widgets.engine._model.schedules import SIGMA_MAX, SIGMA_MIN, sigmas

X, GUESS, NOISE, SIZE = 0, 1, 10, 20
"""Each ingredient of a result is a direction of its own: the start, the guesses, and the draws of fresh noise."""


def unit(direction: int) -> Any:
    return np.eye(SIZE)[direction]


def ingredients(name: str, levels: list[float]) -> tuple[Any, list[tuple[float, Any]]]:
    """Return how much of each ingredient is in a sampler's result, and in what it asked the denoiser about."""
    asked: list[tuple[float, Any]] = []
    draws = count(NOISE)

    def denoise(x: Any, sigma: float) -> Any:
        asked.append((sigma, x))
        return unit(GUESS + len(asked) - 1)

    return SAMPLERS[name](denoise, unit(X), levels, lambda: unit(next(draws)), lambda *_: None), asked


def mixture(x: float = 0.0, guesses: tuple[float, ...] = (), noise: tuple[float, ...] = ()) -> Any:
    parts = np.zeros(SIZE)
    parts[X] = x
    parts[GUESS : GUESS + len(guesses)] = guesses
    parts[NOISE : NOISE + len(noise)] = noise
    return parts


# From sigma 8 to 4 to 1, worked out by hand from the published formulas: in log sigma the second step is twice the
# first. An ancestral step from s to t goes down to t^2/s and adds noise of sqrt(t^2 - t^4/s^2).
ROOT = math.sqrt(2)
FRESH = (math.sqrt(12), math.sqrt(15) / 4)
RESULTS = {
    "euler": mixture(1 / 8, (1 / 8, 3 / 4)),
    "ddim": mixture(1 / 8, (1 / 8, 3 / 4)),
    "euler_ancestral": mixture(1 / 64, (3 / 64, 15 / 16), (FRESH[0] / 16, FRESH[1])),
    "heun": mixture(1 / 8, (0, 1 / 8, -3 / 4, 3 / 2)),
    "dpm_2": mixture(1 / 8, ((1 - ROOT) / 8, ROOT / 8, -3 / 4, 3 / 2)),
    "lms": mixture(1 / 8, (-5 / 32, 33 / 32)),
    "dpmpp_2s_ancestral": mixture(1 / 64, (0, 3 / 64, 0, 15 / 16), (FRESH[0] / 16, FRESH[1])),
    "dpmpp_2m": mixture(1 / 8, (-5 / 8, 3 / 2)),
    "dpmpp_2m_sde": mixture(1 / 64, (3 / 64 - 15 / 16, 15 / 8), (FRESH[0] / 16, FRESH[1])),
    "lcm": mixture(0, (0, 1), (0, 1)),
    "gradient_estimation": mixture(1 / 8, (-5 / 8, 3 / 2)),
    "ipndm": mixture(1 / 8, (-1 / 4, 9 / 8)),
    "ipndm_v": mixture(1 / 8, (-5 / 32, 33 / 32)),
    "dpm_2_ancestral": mixture(1 / 64, (-3 / 64, 3 / 32, -45 / 16, 15 / 4), (FRESH[0] / 16, FRESH[1])),
    "ddpm": mixture(1 / 64, (3 / 64, 15 / 16), (FRESH[0] / 16, FRESH[1])),
}
# With H the length of the second step in log sigma, and e^-H = 1/4.
H = 2 * math.log(2)
SECOND = (H - 3 / 4) / H  # H phi_2(-H)
HEUN_2M = 2 * (1 - 15 / 16 / (2 * H))  # (1 - (1 - e^-2H) / 2H), by how much longer the second step is
RESULTS |= {
    "res_multistep": mixture(1 / 8, (1 / 8 - 2 * SECOND, 3 / 4 + 2 * SECOND)),
    "dpmpp_2m_sde_heun": mixture(1 / 64, (3 / 64 - HEUN_2M, 15 / 16 + HEUN_2M), (FRESH[0] / 16, FRESH[1])),
    "dpmpp_3m_sde": mixture(1 / 64, (3 / 64 - HEUN_2M, 15 / 16 + HEUN_2M), (FRESH[0] / 16, FRESH[1])),
    "exp_heun_2_x0": mixture(
        1 / 8,
        ((1 / 2 - (H / 2 - 1 / 2) / (H / 2)) / 4, (H / 2 - 1 / 2) / (H / 2) / 4, 3 / 4 - SECOND, SECOND),
    ),
}
# The values of these stand in test_values_of_comfyui.
OTHERWISE = {name for name in SAMPLERS if name.endswith("_cfg_pp")} | {"seeds_3", "sa_solver", "sa_solver_pece"}
OTHERWISE |= {"dpm_fast", "dpm_adaptive"}
OTHERWISE |= {"heunpp2", "deis", "er_sde", "uni_pc", "uni_pc_bh2", "dpmpp_sde", "seeds_2", "exp_heun_2_x0_sde"}
"""Those with more terms than are worked out by hand; the paths of Gaussians and the amount of noise show them right."""
OTHERWISE |= {"res_multistep_ancestral", *(f"{name}_gpu" for name in SAMPLERS if f"{name}_gpu" in SAMPLERS)}
HALF = mixture(1 / 2, (1 / 2,))
ASKED = {
    "euler": [(8, unit(X)), (4, HALF)],
    "ddim": [(8, unit(X)), (4, HALF)],
    "euler_ancestral": [(8, unit(X)), (4, mixture(1 / 4, (3 / 4,), FRESH[:1]))],
    "heun": [(8, unit(X)), (4, HALF), (4, mixture(1 / 2, (0, 1 / 2))), (1, mixture(1 / 8, (0, 1 / 8, 3 / 4)))],
    "dpm_2": [
        (8, unit(X)),
        (4 * ROOT, mixture(ROOT / 2, (1 - ROOT / 2,))),
        (4, mixture(1 / 2, ((1 - ROOT) / 2, ROOT / 2))),
        (2, mixture(1 / 4, ((1 - ROOT) / 4, ROOT / 4, 1 / 2))),
    ],
    "lms": [(8, unit(X)), (4, HALF)],
    "dpmpp_2s_ancestral": [
        (8, unit(X)),
        (4, HALF),
        (4, mixture(1 / 4, (0, 3 / 4), FRESH[:1])),
        (1, mixture(1 / 16, (0, 3 / 16, 3 / 4), (FRESH[0] / 4,))),
    ],
    "dpmpp_2m": [(8, unit(X)), (4, HALF)],
    "dpmpp_2m_sde": [(8, unit(X)), (4, mixture(1 / 4, (3 / 4,), FRESH[:1]))],
    "lcm": [(8, unit(X)), (4, mixture(0, (1,), (4,)))],
}
ASKED |= dict.fromkeys(("gradient_estimation", "ipndm", "ipndm_v", "res_multistep"), ASKED["euler"])
ASKED |= dict.fromkeys(("ddpm", "dpmpp_2m_sde_heun", "dpmpp_3m_sde"), ASKED["euler_ancestral"])


def test_every_sampler_is_worked_out_by_hand_or_named() -> None:
    assert set(RESULTS) | OTHERWISE == set(SAMPLERS)
    assert not set(RESULTS) & OTHERWISE


@pytest.mark.parametrize("name", sorted(RESULTS))
def test_two_steps_mix_their_ingredients_as_the_formula_says(name: str) -> None:
    result, asked = ingredients(name, [8.0, 4.0, 1.0])
    assert result == pytest.approx(RESULTS[name], abs=1e-12)
    if name not in ASKED:
        return  # Where it asks shows in what comes out.
    assert [sigma for sigma, _ in asked] == pytest.approx([sigma for sigma, _ in ASKED[name]])
    for (_, x), (_, expected) in zip(asked, ASKED[name], strict=True):
        assert x == pytest.approx(expected, abs=1e-12)


# UniPC ends at 0.001; the adaptive one asks more often than this model can answer.
@pytest.mark.parametrize("name", sorted(SAMPLERS.keys() - {"uni_pc", "uni_pc_bh2", "dpm_adaptive"}))
def test_the_step_to_zero_is_the_last_guess_and_adds_no_noise(name: str) -> None:
    result, asked = ingredients(name, [8.0, 4.0, 1.0, 0.0])
    assert result == pytest.approx(unit(GUESS + len(asked) - 1), abs=1e-12)


def test_lms_uses_up_to_four_directions() -> None:
    # On even steps these are the weights of Adams and Bashforth's methods of order 1 to 4.
    adams = [[1], [3 / 2, -1 / 2], [23 / 12, -16 / 12, 5 / 12], [55 / 24, -59 / 24, 37 / 24, -9 / 24]]
    levels = [9.0, 8.0, 7.0, 6.0, 5.0, 4.0]
    x, directions = unit(X), []
    for step, sigma in enumerate(levels[:-1]):
        directions.insert(0, (x - unit(GUESS + step)) / sigma)
        weights = adams[min(step, 3)]
        x = x - sum(w * d for w, d in zip(weights, directions, strict=False))
    result, _ = ingredients("lms", levels)
    assert result == pytest.approx(x, abs=1e-12)


@pytest.mark.parametrize(
    ("name", "order"),
    [(name, 1) for name in ("euler_ancestral", "dpm_2_ancestral", "res_multistep_ancestral")]
    + [(name, 2) for name in ("dpmpp_2m_sde", "dpmpp_2m_sde_heun", "dpmpp_sde", "seeds_2", "exp_heun_2_x0_sde")]
    + [("dpmpp_3m_sde", 3)],
)
def test_without_their_noise_the_ancestral_ones_follow_the_mean_of_the_diffusion(name: str, order: int) -> None:
    # For a Gaussian of standard deviation s the mean of the reverse diffusion falls with s^2 + sigma^2.
    s, start, end = 0.8, 10.0, 0.5
    exact = (s**2 + end**2) / (s**2 + start**2)

    def error(steps: int) -> float:
        levels = list(np.exp(np.linspace(math.log(start), math.log(end), steps + 1)))
        x = SAMPLERS[name](
            lambda at, sigma: at * (s**2 / (s**2 + sigma**2)),
            np.ones(1),
            levels,
            lambda: np.zeros(1),
            lambda *_: None,
        )
        return abs(float(x[0]) - exact)

    assert error(64) < max(error(16) / 4 ** (order - 0.3), 1e-12)


def training_sigma(timestep: float) -> float:
    """The noise level of Stable Diffusion 1 at a timestep, term by term; between two it is interpolated in its log."""

    def at(index: int) -> float:
        kept = 1.0
        for step in range(index + 1):
            kept *= 1 - (math.sqrt(0.00085) + (math.sqrt(0.012) - math.sqrt(0.00085)) * step / 999) ** 2
        return math.sqrt((1 - kept) / kept)

    low = math.floor(timestep)
    share = timestep - low
    return at(low) if not share else math.exp((1 - share) * math.log(at(low)) + share * math.log(at(low + 1)))


def test_the_ends_are_those_of_stable_diffusion() -> None:
    assert pytest.approx(14.6146, abs=1e-4) == SIGMA_MAX
    assert pytest.approx(0.0292, abs=1e-4) == SIGMA_MIN


@pytest.mark.parametrize(
    ("scheduler", "timesteps"),
    [
        ("normal", [999, 666, 333, 0]),
        ("sgm_uniform", [999, 749.25, 499.5, 249.75]),
        ("simple", [999, 749, 499, 249]),
        ("ddim_uniform", [751, 501, 251, 1]),
    ],
)
def test_schedules_that_choose_timesteps(scheduler: str, timesteps: list[float]) -> None:
    assert sigmas(scheduler, 4) == pytest.approx([*map(training_sigma, timesteps), 0.0], rel=1e-6)


@pytest.mark.parametrize(
    ("scheduler", "share"),
    [
        # What falls in even steps from SIGMA_MAX to SIGMA_MIN.
        ("karras", lambda sigma: sigma ** (1 / 7)),
        ("exponential", math.log),
        ("kl_optimal", math.atan),
    ],
)
def test_schedules_that_fall_evenly_in_some_measure(scheduler: str, share: Any) -> None:
    levels = sigmas(scheduler, 5)
    assert levels[0] == pytest.approx(SIGMA_MAX)
    assert levels[4] == pytest.approx(SIGMA_MIN)
    falls = np.diff([share(level) for level in levels[:-1]])
    assert falls == pytest.approx([falls[0]] * 4)


@pytest.mark.parametrize("denoise", [0.25, 0.5, 0.75])
def test_part_of_the_denoising_is_the_end_of_a_longer_run(denoise: float) -> None:
    whole = sigmas("exponential", int(6 / denoise))
    assert sigmas("exponential", 6, denoise) == whole[-7:]
