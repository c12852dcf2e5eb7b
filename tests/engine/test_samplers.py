"""The mathematics: noise, levels, the posterior mean, and the ways from noise to a picture."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comfy_widgets.engine._model.denoiser import GuidedDenoiser, PosteriorMean
from comfy_widgets.engine._model.names import SAMPLER_NAMES, SCHEDULER_NAMES
from comfy_widgets.engine._model.noise import Noise
from comfy_widgets.engine._model.samplers import SAMPLERS
from comfy_widgets.engine._model.schedules import SCHEDULERS, SIGMA_MAX, SIGMA_MIN, sigmas

SEEDS = st.integers(0, 2**64 - 1)


class TestNoise:
    def test_is_the_same_for_ever(self) -> None:
        # The words of Philox never change, and what is made of them here must not either.
        first = Noise(2**64 - 1, 2, (3,)).draw()
        expected = [[-1.4437611, -0.17210211, 0.901327], [0.41012967, 0.66006166, 0.8237441]]
        assert np.allclose(first, expected, atol=1e-6)

    @given(SEEDS, st.integers(1, 3))
    @settings(max_examples=20, deadline=None)
    def test_a_picture_of_a_batch_does_not_depend_on_the_others(self, seed: int, batch: int) -> None:
        assert np.array_equal(Noise(seed, 4, (2, 5)).draw()[:batch], Noise(seed, batch, (2, 5)).draw())

    def test_is_normal_and_different_for_each_seed_picture_stream_and_draw(self) -> None:
        source = Noise(7, 2, (20_000,))
        draws = [*source.draw(), *source.draw(), *Noise(8, 1, (20_000,)).draw(), *Noise(7, 1, (20_000,), 1).draw()]
        for draw in draws:
            assert abs(draw.mean()) < 0.03
            assert abs(draw.std() - 1) < 0.03
            assert abs((draw**4).mean() - 3) < 0.3
        for one, other in itertools.combinations(draws, 2):
            assert abs(np.mean(one * other)) < 0.03


class TestLevels:
    def test_all_that_is_offered_exists(self) -> None:
        assert set(SAMPLER_NAMES) == set(SAMPLERS)
        assert set(SCHEDULER_NAMES) == set(SCHEDULERS)

    @given(st.sampled_from(sorted(SCHEDULERS)), st.integers(1, 2000), st.floats(0.01, 1.0))
    @settings(deadline=None)
    def test_levels_fall_to_zero(self, scheduler: str, steps: int, denoise: float) -> None:
        levels = sigmas(scheduler, steps, denoise)
        assert len(levels) == steps + 1
        assert levels[-1] == 0
        assert all(math.isfinite(level) for level in levels)
        assert all(high > low for high, low in itertools.pairwise(levels))
        assert levels[0] <= SIGMA_MAX * 1.0001
        assert levels[-2] >= SIGMA_MIN * 0.9999

    def test_less_denoising_begins_lower(self) -> None:
        assert sigmas("karras", 20, 0.0) == []
        assert sigmas("karras", 20, 0.3)[0] < sigmas("karras", 20, 0.7)[0] < sigmas("karras", 20)[0]
        assert sigmas("karras", 20, 0.5) == sigmas("karras", 40)[-21:]


@pytest.fixture(scope="module")
def prior() -> PosteriorMean:
    return PosteriorMean(np.random.default_rng(3).normal(size=(40, 12)).astype(np.float32))


def brute_force(x: Any, sigma: float, pictures: Any, weights: Any) -> Any:
    """The posterior mean, literally, in double precision."""
    pictures, x = pictures.astype(float), x.astype(float)
    shares = [w * math.exp(-((x - y) ** 2).sum() / (2 * sigma**2)) for w, y in zip(weights, pictures, strict=True)]
    return sum(share * y for share, y in zip(shares, pictures, strict=True)) / sum(shares)


class TestDenoiser:
    @pytest.mark.parametrize("sigma", [0.5, 1.0, 3.0, 14.6])
    def test_is_the_posterior_mean(self, prior: PosteriorMean, sigma: float) -> None:
        random = np.random.default_rng(1)
        weights = random.random(40)
        x = (prior.pictures[:3] + sigma * random.normal(size=(3, 12))).astype(np.float32)
        ours = prior(x, sigma, np.log(weights).astype(np.float32))
        for row in range(3):
            assert np.allclose(ours[row], brute_force(x[row], sigma, prior.pictures, weights), atol=1e-4)

    def test_at_the_ends_it_is_the_mean_and_the_nearest(self, prior: PosteriorMean) -> None:
        x, even = prior.pictures[5:6] + np.float32(0.01), np.zeros(40, np.float32)
        assert np.allclose(prior(x, 1e4, even), prior.pictures.mean(axis=0), atol=1e-3)
        assert np.allclose(prior(x, 0.03, even), prior.pictures[5], atol=1e-5)

    def test_it_is_the_best_guess(self, prior: PosteriorMean) -> None:
        # No other function of x has a smaller mean square error: not x itself, not the mean, not the nearest picture.
        random, sigma = np.random.default_rng(5), 1.5
        truth = prior.pictures[random.integers(0, 40, 3000)]
        x = (truth + sigma * random.normal(size=truth.shape)).astype(np.float32)
        distances = prior.square_distances(x)

        def error(guess: Any) -> float:
            return float(((guess - truth) ** 2).mean())

        ours = error(prior(x, sigma, np.zeros(40, np.float32)))
        others = (x, x * 0 + prior.pictures.mean(axis=0), prior.pictures[distances.argmin(axis=1)], x / (1 + sigma**2))
        assert all(ours < error(other) for other in others)

    def test_square_distances(self, prior: PosteriorMean) -> None:
        x = np.ones((2, 12), np.float32)
        assert np.allclose(prior.square_distances(x), ((prior.pictures - 1) ** 2).sum(axis=1), atol=1e-4)

    @given(st.floats(0, 30), st.floats(0.1, 20))
    @settings(deadline=None, max_examples=50)
    def test_guidance_is_a_straight_line(self, cfg: float, sigma: float) -> None:
        random = np.random.default_rng(2)
        prior = PosteriorMean(random.normal(size=(15, 6)).astype(np.float32))
        positive, negative = random.normal(size=(2, 15)).astype(np.float32) * 3
        x = random.normal(size=(2, 6)).astype(np.float32) * np.float32(sigma)
        for_it, against = prior(x, sigma, positive), prior(x, sigma, negative)
        guided = GuidedDenoiser(prior, positive, negative, cfg)(x, sigma)
        assert np.allclose(guided, against + cfg * (for_it - against), atol=1e-3 * (1 + cfg))


def zero_noise(shape: tuple[int, ...]) -> Any:
    return np.zeros(shape, np.float32)


class TestSamplers:
    @pytest.mark.parametrize("name", sorted(SAMPLERS))
    def test_they_end_on_pictures_of_the_set(self, prior: PosteriorMean, name: str) -> None:
        random = np.random.default_rng(9)
        levels = sigmas("karras", 30)
        x = (random.normal(size=(20, 12)) * levels[0]).astype(np.float32)
        even = np.zeros(40, np.float32)

        def denoise(at: Any, sigma: float) -> Any:
            return prior(at, sigma, even)

        def draw() -> Any:
            return random.normal(size=x.shape).astype(np.float32)

        ended = SAMPLERS[name](denoise, x, levels, draw, lambda *_: None)
        nearest = prior.square_distances(ended).min(axis=1)
        assert np.median(nearest) < 0.02

    @pytest.mark.parametrize("name", sorted(SAMPLERS))
    def test_each_step_is_watched_once(self, prior: PosteriorMean, name: str) -> None:
        levels, seen = sigmas("normal", 5), []
        even = np.zeros(40, np.float32)
        SAMPLERS[name](
            lambda at, sigma: prior(at, sigma, even),
            np.ones((1, 12), np.float32),
            levels,
            lambda: np.zeros((1, 12), np.float32),
            lambda step, guess, at, sigma: seen.append((step, sigma)),
        )
        assert seen == list(enumerate(levels[:-1]))

    @pytest.mark.parametrize(
        ("name", "order"), [("euler", 1), ("ddim", 1), ("heun", 2), ("dpm_2", 2), ("dpmpp_2m", 2), ("lms", 2)]
    )
    def test_deterministic_ones_converge_on_the_exact_path(self, name: str, order: int) -> None:
        # For one Gaussian blob of standard deviation s the denoiser is x s^2/(s^2 + sigma^2), and the path is known:
        # x falls with sqrt(s^2 + sigma^2).
        s, start, end = 0.8, 10.0, 0.5
        exact = math.sqrt((s**2 + end**2) / (s**2 + start**2))

        def error(steps: int) -> float:
            levels = list(np.exp(np.linspace(math.log(start), math.log(end), steps + 1)))
            x = SAMPLERS[name](
                lambda at, sigma: at * (s**2 / (s**2 + sigma**2)),
                np.ones((1, 1)),
                levels,
                lambda: np.zeros((1, 1)),
                lambda *_: None,
            )
            return abs(float(x[0, 0]) - exact)

        assert error(64) < 0.01
        assert error(64) < error(16) / 4 ** (order - 0.3)

    @pytest.mark.parametrize("name", ["euler_ancestral", "dpmpp_2s_ancestral", "dpmpp_2m_sde", "lcm"])
    def test_those_with_fresh_noise_keep_its_amount(self, name: str) -> None:
        # Data that are all zero: x is nothing but noise, and must have the standard deviation that its level says.
        random = np.random.default_rng(4)
        levels = sigmas("karras", 12)[:8]
        x = random.normal(size=(1, 50_000)) * levels[0]
        ended = SAMPLERS[name](
            lambda at, sigma: at * 0, x, levels, lambda: random.normal(size=x.shape), lambda *_: None
        )
        assert abs(ended.std() / levels[-1] - 1) < 0.05

    @given(SEEDS)
    @settings(max_examples=10, deadline=None)
    def test_the_same_noise_gives_the_same_end(self, seed: int) -> None:
        prior = PosteriorMean(np.random.default_rng(3).normal(size=(10, 4)).astype(np.float32))
        even = np.zeros(10, np.float32)
        levels = sigmas("normal", 6)

        def sample() -> Any:
            x = Noise(seed, 2, (4,)).draw() * np.float32(levels[0])
            fresh = Noise(seed, 2, (4,), 1)
            return SAMPLERS["euler_ancestral"](lambda at, s: prior(at, s, even), x, levels, fresh.draw, lambda *_: None)

        assert np.array_equal(sample(), sample())
