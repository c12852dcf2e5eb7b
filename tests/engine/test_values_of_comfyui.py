"""The samplers give what ComfyUI 0.33.0 gives: a model of two pixels, six levels, and the same noise in every draw."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from comfy_widgets.engine._model.sampler_table import SAMPLERS

from .test_guidance import Guided, ended

# Made with ComfyUI's sampling functions, in single precision.
KNOWN = {
    "euler": (0.728692, -0.026839),
    "euler_ancestral": (0.858808, 0.759798),
    "heun": (0.922691, -0.185563),
    "heunpp2": (0.745141, -0.053582),
    "exp_heun_2_x0": (0.797746, -0.090380),
    "exp_heun_2_x0_sde": (0.992915, 0.893905),
    "dpm_2": (0.892603, -0.165639),
    "dpm_2_ancestral": (1.507291, 1.117905),
    "lms": (0.768316, -0.081907),
    "dpmpp_2s_ancestral": (1.037009, 0.861549),
    "dpmpp_2m": (0.811838, -0.169000),
    "dpmpp_2m_sde": (1.012097, 0.913086),
    "dpmpp_2m_sde_heun": (1.078584, 0.979574),
    "dpmpp_3m_sde": (1.210144, 1.111133),
    "ddpm": (0.858808, 0.759798),
    "lcm": (0.773092, 0.772645),
    "ipndm": (0.838676, -0.130009),
    "deis": (0.805448, -0.126523),
    "res_multistep": (0.830622, -0.201395),
    "res_multistep_ancestral": (1.078584, 0.979574),
    "gradient_estimation": (0.831019, -0.174720),
    "euler_cfg_pp": (1.137570, 0.250268),
    "euler_ancestral_cfg_pp": (0.968618, 0.861512),
    "dpmpp_2s_ancestral_cfg_pp": (1.342649, 1.144772),
    "dpmpp_2m_cfg_pp": (1.938707, 0.660307),
    "res_multistep_cfg_pp": (0.531016, -0.212555),
    "res_multistep_ancestral_cfg_pp": (0.292360, 0.250659),
    "gradient_estimation_cfg_pp": (0.767863, -0.136479),
    "seeds_2": (1.160915, 1.061906),
    "seeds_3": (1.452472, 1.353462),
    "sa_solver": (0.884565, 0.774131),
    "sa_solver_pece": (0.981487, 0.862814),
    "er_sde": (0.973801, 0.328036),
}
# The same there under other names.
SAME = {"ddim": "euler", "dpmpp_2m_sde_gpu": "dpmpp_2m_sde", "dpmpp_3m_sde_gpu": "dpmpp_3m_sde"}
SAME |= {"dpmpp_2m_sde_heun_gpu": "dpmpp_2m_sde_heun"}
# dpmpp_sde takes the noise of both halves of a step from one path, which draws that are all the same do not show;
# ipndm_v is the rule of Adams and Bashforth on uneven steps, from whose weights ComfyUI's differ;
# UniPC is worked out in test_coefficients, those of DPM-Solver below.
OTHERWISE = {"dpmpp_sde", "dpmpp_sde_gpu", "ipndm_v", "uni_pc", "uni_pc_bh2", "dpm_fast", "dpm_adaptive"}


@pytest.mark.parametrize("name", sorted({*KNOWN, *SAME}))
def test_they_give_what_comfyui_gives(name: str) -> None:
    # ComfyUI integrates DEIS by a sum of many terms, here it is exact.
    assert ended(name, Guided()) == pytest.approx(KNOWN[SAME.get(name, name)], abs=2e-5 if name == "deis" else 3e-6)


def test_all_of_them_are_known() -> None:
    assert {*KNOWN, *SAME} | OTHERWISE == set(SAMPLERS)
    assert len(SAMPLERS) == 44


@pytest.mark.parametrize(
    ("start", "steps", "values"),
    [
        (0.2, 2, (3.0023, -6.8606)),
        (0.8, 3, (2.5949, -5.3184)),
        (2.0, 4, (1.6568, -2.6554)),
        (5.0, 5, (1.1901, -0.9958)),
        (8.0, 6, (0.8990, -0.4303)),
        (10.0, 7, (0.7918, -0.1670)),
    ],
)
def test_dpm_fast_with_each_order_at_its_end(start: float, steps: int, values: tuple[float, float]) -> None:
    seen: list[int] = []

    def watch(step: int, *_: Any) -> None:
        seen.append(step)

    # Between the ends it chooses for itself, and there ComfyUI ends.
    levels = [float(level) for level in np.geomspace(start, 0.1, steps + 1)]
    x = SAMPLERS["dpm_fast"](Guided(), np.array([[3.0, -7.0]]), levels, lambda: np.zeros((1, 2)), watch)[0]
    assert x == pytest.approx(values, abs=1e-4)
    assert seen == list(range(steps)), "as many questions as steps"


def test_dpm_adaptive_ends_where_comfyui_does() -> None:
    x = SAMPLERS["dpm_adaptive"](
        Guided(), np.array([[3.0, -7.0]]), [10.0, 5.0, 0.2], lambda: np.zeros((1, 2)), lambda *_: None
    )[0]
    assert x == pytest.approx((0.824447, -0.216516), abs=3e-6)


def test_an_adaptive_sampler_takes_more_steps_where_the_path_bends() -> None:
    def steps(bend: float) -> int:
        seen: list[int] = []

        def denoise(x: Any, sigma: float) -> Any:
            return np.sin(bend * x) / (1 + sigma)

        def watch(step: int, *_: Any) -> None:
            seen.append(step)

        SAMPLERS["dpm_adaptive"](denoise, np.array([[3.0, -7.0]]), [10.0, 0.1, 0.0], lambda: np.zeros((1, 2)), watch)
        return len(seen)

    assert steps(0.1) < steps(3.0) < steps(12.0)
