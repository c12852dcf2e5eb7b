"""The samplers of CFG++: what they give, and that they are the others where there is no guidance."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from comfy_widgets import ComfyClient, Engine, example
from comfy_widgets.engine._model.sampler_table import SAMPLERS

LEVELS = [10.0, 5.0, 2.0, 0.8, 0.2, 0.0]
NAMES = [name for name in SAMPLERS if name.endswith("_cfg_pp")]


class Guided:
    """A model of two pixels; the share of its guess that guidance makes is chosen."""

    def __init__(self, guidance: float = 1.0) -> None:
        self.guidance = guidance
        self.unguided: Any = None

    def __call__(self, x: Any, sigma: float) -> Any:
        guess = x / (1 + sigma**2) + 0.5 * sigma / (1 + sigma)
        self.unguided = guess + self.guidance * (0.6 * x / (1 + sigma**2) - 0.1 - guess)
        return guess


def ended(name: str, model: Any) -> Any:
    start = np.array([[3.0, -7.0]])
    return SAMPLERS[name](model, start, LEVELS, lambda: np.full((1, 2), 0.25), lambda *_: None)[0]


# That of order 2 within a step moves by the guess of its middle, as ComfyUI's does, and stays another.
@pytest.mark.parametrize("name", [name for name in NAMES if "2s" not in name])
def test_without_guidance_each_is_the_other(name: str) -> None:
    plain = name.removesuffix("_cfg_pp")
    assert ended(name, Guided(guidance=0.0)) == pytest.approx(ended(plain, Guided()), rel=1e-9)
    # Nor is there any where the model tells of none.
    model = Guided()
    assert ended(name, lambda x, sigma: model(x, sigma)) == pytest.approx(ended(plain, Guided()), rel=1e-9)
    assert ended(name, Guided()) != pytest.approx(ended(plain, Guided()), rel=1e-3)


def test_euler_is_ddim_with_the_unguided_noise() -> None:
    """Algorithm 2 of Chung et al. 2024, in their variables: x is scaled to variance 1, and eps is the noise in it."""
    model = Guided()
    x = np.array([3.0, -7.0])
    scaled = x / np.sqrt(1 + LEVELS[0] ** 2)
    for sigma, following in pairwise(LEVELS):
        a, b = 1 / (1 + sigma**2), 1 / (1 + following**2)
        guess = model(scaled / np.sqrt(a), sigma)
        eps = (scaled - np.sqrt(a) * model.unguided) / np.sqrt(1 - a)
        scaled = np.sqrt(b) * guess + np.sqrt(1 - b) * eps
    assert ended("euler_cfg_pp", Guided()) == pytest.approx(scaled, rel=1e-9)


def test_the_negative_prompt_counts_where_cfg_is_1() -> None:
    small = example().with_params(width=64, height=64, steps=6, cfg=1.0, seed=3)
    with Engine() as engine, ComfyClient(engine.url, journal=False) as client:

        def image(sampler: str, negative: str) -> Any:
            result = client.run(small, sampler_name=sampler, negative=negative)
            return np.asarray(result.images[0].convert("RGB"), float)

        for sampler, counts in (("euler", False), ("euler_cfg_pp", True)):
            difference = np.abs(image(sampler, "night") - image(sampler, "snow, winter")).mean()
            assert (difference > 0.5) == counts, (sampler, difference)
