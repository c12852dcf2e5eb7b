"""The mathematics: noise, levels, the posterior mean, and the ways from noise to a picture."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comfy_widgets.engine._model.denoiser import Basis, Conditioning, GuidedDenoiser, SceneMixture, Spread
from comfy_widgets.engine._model.names import SAMPLER_NAMES, SCHEDULER_NAMES
from comfy_widgets.engine._model.noise import Noise
from comfy_widgets.engine._model.sampler_table import SAMPLERS
from comfy_widgets.engine._model.schedules import SCHEDULERS, SIGMA_MAX, SIGMA_MIN, TRAINING_SIGMAS, shifted, sigmas

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
        if scheduler not in ("ddim_uniform", "beta"):
            assert len(levels) == steps + 1
        assert 1 < len(levels) <= max(2 * steps, 1002)
        assert levels[-1] == 0
        assert all(math.isfinite(level) for level in levels)
        assert all(high > low for high, low in itertools.pairwise(levels))
        assert levels[0] <= SIGMA_MAX * 1.0001
        assert levels[-2] >= SIGMA_MIN * 0.9999 or scheduler == "linear_quadratic"

    def test_ddim_uniform_keeps_all_levels_of_its_stride(self) -> None:
        # 1000 // 30 is 33, and from the second level on there are 31 of them, as in ComfyUI.
        levels = sigmas("ddim_uniform", 30)
        assert len(levels) == 32
        assert levels[-2] == pytest.approx(0.041, abs=0.001)

    def test_the_last_steps_of_a_linear_quadratic_run_are_the_large_ones(self) -> None:
        levels = sigmas("linear_quadratic", 8)
        steps = [high - low for high, low in itertools.pairwise(levels)]
        assert steps[:4] == pytest.approx([0.025 / 4 * SIGMA_MAX] * 4)
        assert steps[4:] == sorted(steps[4:])

    def test_beta_is_dense_at_both_ends(self) -> None:
        levels = [math.log(level) for level in sigmas("beta", 20)[:-1]]
        steps = [high - low for high, low in itertools.pairwise(levels)]
        assert steps[0] < steps[9]
        # Quantiles of the beta distribution with 0.6 and 0.6, from its incomplete function: 0.5 lies in the middle.
        middle = sigmas("beta", 2)[1]
        assert middle == pytest.approx(float(TRAINING_SIGMAS[round(0.5 * 999)]), rel=0.01)

    def test_a_tiny_denoise_is_refused_in_words(self) -> None:
        with pytest.raises(ValueError, match="Choose a denoise of at least"):
            sigmas("karras", 20, 1e-9)

    def test_shifting_moves_levels_up_and_keeps_the_ends(self) -> None:
        plain = sigmas("normal", 10)
        moved = shifted(plain, 3.0)
        assert moved[0] == pytest.approx(plain[0], rel=1e-4)
        assert all(after > before for after, before in zip(moved[1:-2], plain[1:-2], strict=True))
        assert shifted(plain, 1.0) == plain

    def test_less_denoising_begins_lower(self) -> None:
        assert sigmas("karras", 20, 0.0) == []
        assert sigmas("karras", 20, 0.3)[0] < sigmas("karras", 20, 0.7)[0] < sigmas("karras", 20)[0]
        assert sigmas("karras", 20, 0.5) == sigmas("karras", 40)[-21:]


SPREAD = Spread(light=0.3, tint=0.1, corner=0.6)
NO_SPREAD = Spread(light=0.0, tint=0.0)


def mixture(spread: Spread, count: int = 40, seed: int = 3) -> SceneMixture:
    scenes = np.random.default_rng(seed).normal(size=(count, 3, 2, 2)).astype(np.float32)
    return SceneMixture.of(scenes, spread)


@pytest.fixture(scope="module")
def prior() -> SceneMixture:
    return mixture(NO_SPREAD)


def latents_of(mixture: SceneMixture) -> Any:
    return mixture.basis.back(mixture.centres)


def covariance(mixture: SceneMixture, spread: Spread) -> Any:
    """The covariance of one scene's pictures, in double precision, as a matrix over latents."""
    axes = mixture.basis.to(np.eye(12, dtype=np.float32)).T.astype(float)
    return axes.T @ np.diag(mixture.basis.variances(spread)[mixture.basis.bands()]) @ axes


def brute_force(x: Any, sigma: float, scenes: Any, weights: Any, spread: Any) -> Any:
    """The posterior mean, literally, in double precision: Bayes' rule over scenes, then within each."""
    scenes, x = scenes.astype(float), x.astype(float)
    noisy = spread + sigma**2 * np.eye(len(x))
    gain = spread @ np.linalg.inv(noisy)
    shares = [
        w * math.exp(-0.5 * (x - y) @ np.linalg.solve(noisy, x - y)) for w, y in zip(weights, scenes, strict=True)
    ]
    return sum(share * (y + gain @ (x - y)) for share, y in zip(shares, scenes, strict=True)) / sum(shares)


class TestBasis:
    @given(st.integers(1, 9), st.integers(1, 9))
    @settings(deadline=None, max_examples=30)
    def test_is_orthonormal(self, rows: int, columns: int) -> None:
        basis = Basis(rows, columns)
        x = np.random.default_rng(1).normal(size=(2, 3 * rows * columns)).astype(np.float32)
        assert np.allclose(basis.back(basis.to(x)), x, atol=1e-5)
        assert np.allclose((basis.to(x) ** 2).sum(axis=1), (x**2).sum(axis=1), rtol=1e-4)

    def test_the_spread_is_that_of_a_pixel(self) -> None:
        basis = Basis(16, 12)
        spread = covariance_of_pixels(basis, Spread(light=0.2, tint=0.0))
        # Equal in all colours and, over the picture, 0.2 in lightness, which is spread over three values.
        assert math.sqrt(spread.mean() * 3) == pytest.approx(0.2, rel=1e-3)

    def test_slow_variations_are_wide_and_fine_ones_narrow(self) -> None:
        bands = Basis(32, 32).variances(Spread(light=1.0, tint=0.5))
        light = bands[: len(bands) // 3]
        assert all(low >= high for low, high in itertools.pairwise(light))
        assert light[-1] < light[0] / 1e4


def covariance_of_pixels(basis: Basis, spread: Spread) -> Any:
    axes = basis.to(np.eye(3 * basis.shape[1] * basis.shape[2], dtype=np.float32)).T
    return np.einsum("kd,k,kd->d", axes, basis.variances(spread)[basis.bands()], axes)


class TestDenoiser:
    @pytest.mark.parametrize("sigma", [0.5, 1.0, 3.0, 14.6])
    @pytest.mark.parametrize("spread", [NO_SPREAD, SPREAD])
    def test_is_the_posterior_mean(self, spread: Spread, sigma: float) -> None:
        prior = mixture(spread)
        random = np.random.default_rng(1)
        weights = random.random(40)
        scenes = latents_of(prior)
        x = (scenes[:3] + sigma * random.normal(size=(3, 12))).astype(np.float32)
        ours = prior(x, sigma, np.log(weights).astype(np.float32))
        wide = covariance(prior, spread)
        for row in range(3):
            assert np.allclose(ours[row], brute_force(x[row], sigma, scenes, weights, wide), atol=1e-4)

    def test_at_the_ends_it_is_the_mean_and_the_nearest(self, prior: SceneMixture) -> None:
        scenes = latents_of(prior)
        x, even = scenes[5:6] + np.float32(0.01), np.zeros(40, np.float32)
        assert np.allclose(prior(x, 1e4, even), scenes.mean(axis=0), atol=1e-3)
        assert np.allclose(prior(x, 0.03, even), scenes[5], atol=1e-5)

    @pytest.mark.parametrize("spread", [NO_SPREAD, SPREAD])
    def test_it_is_the_best_guess(self, spread: Spread) -> None:
        # No other function of x has a smaller mean square error: not x itself, not the mean, not the nearest scene.
        random, sigma, prior = np.random.default_rng(5), 1.5, mixture(spread)
        scenes = latents_of(prior)
        vary = np.linalg.cholesky(covariance(prior, spread) + 1e-9 * np.eye(12))
        truth = scenes[random.integers(0, 40, 3000)] + random.normal(size=(3000, 12)) @ vary.T
        x = (truth + sigma * random.normal(size=truth.shape)).astype(np.float32)
        nearest = ((x[:, None] - scenes[None]) ** 2).sum(axis=2).argmin(axis=1)

        def error(guess: Any) -> float:
            return float(((guess - truth) ** 2).mean())

        ours = error(prior(x, sigma, np.zeros(40, np.float32)))
        others = (x, x * 0 + scenes.mean(axis=0), scenes[nearest], x / (1 + sigma**2))
        assert all(ours < error(other) for other in others)

    def test_distances_leave_out_what_the_spread_explains(self) -> None:
        plain, smooth = mixture(NO_SPREAD), mixture(SPREAD)
        scenes = latents_of(plain)
        square = ((scenes[:1] - scenes) ** 2).sum(axis=1)
        assert np.allclose(plain.distances(scenes[:1], 0.1)[0], square, atol=1e-3)
        assert np.all(smooth.distances(scenes[:1], 0.1)[0][1:] < square[1:])
        assert smooth.distances(scenes[:1], 0.1)[0][0] == pytest.approx(0.0, abs=1e-4)

    @given(st.floats(0, 30), st.floats(0.1, 20))
    @settings(deadline=None, max_examples=50)
    def test_guidance_is_a_straight_line(self, cfg: float, sigma: float) -> None:
        random = np.random.default_rng(2)
        prior = mixture(SPREAD, 15)
        positive, negative = (
            Conditioning.of(prior, weights) for weights in random.normal(size=(2, 15)).astype(np.float32) * 3
        )
        x = random.normal(size=(2, 12)).astype(np.float32) * np.float32(sigma)
        # A conditioning moves all scenes by its lean: the guess of a world that is moved.
        for_it, against = (
            prior(x - prior.basis.back(c.lean[None]), sigma, c.log_weights) + prior.basis.back(c.lean[None])
            for c in (positive, negative)
        )
        guided = GuidedDenoiser(prior, [positive], [negative], cfg)(x, sigma)
        assert np.allclose(guided, against + cfg * (for_it - against), atol=1e-3 * (1 + cfg))

    def test_several_conditionings_are_averaged_where_they_count(self) -> None:
        prior, random = mixture(SPREAD), np.random.default_rng(6)
        one, two = (Conditioning.of(prior, w) for w in random.normal(size=(2, 40)).astype(np.float32) * 3)
        x = random.normal(size=(2, 12)).astype(np.float32)
        first, second = (GuidedDenoiser(prior, [each], [], 1.0)(x, 1.0) for each in (one, two))
        both = GuidedDenoiser(prior, [one, replace(two, strength=3.0)], [], 1.0)(x, 1.0)
        assert np.allclose(both, (first + 3 * second) / 4, atol=1e-5)
        half = np.repeat([1.0, 0.0], 6).astype(np.float32)
        parted = GuidedDenoiser(prior, [replace(one, where=half), replace(two, where=1 - half)], [], 1.0)(x, 1.0)
        assert np.allclose(parted, np.where(half > 0, first, second), atol=1e-5)
        late = GuidedDenoiser(prior, [replace(one, lowest=2.0), replace(two, highest=2.0)], [], 1.0)(x, 1.0)
        assert np.allclose(late, second, atol=1e-5)

    def test_a_given_picture_is_one_more_scene_for_itself_alone(self) -> None:
        prior = mixture(SPREAD)
        given = np.random.default_rng(8).normal(size=(2, 12)).astype(np.float32) * 3
        joined = prior.joined(prior.basis.to(given))
        conditioning = Conditioning.of(prior, np.zeros(40, np.float32)).with_given(2, 5.0)
        guided = GuidedDenoiser(joined, [conditioning], [], 1.0)
        guided(given, 0.1)
        assert guided.terms is not None
        shares = guided.terms.shares
        assert np.allclose(shares[:, 40:], np.eye(2), atol=1e-4)
        guided(given, 50.0)
        early = guided.terms.shares
        assert early[:, 40:].sum(axis=1) == pytest.approx(math.exp(-5), rel=0.2)


def zero_noise(shape: tuple[int, ...]) -> Any:
    return np.zeros(shape, np.float32)


class TestSamplers:
    @pytest.mark.parametrize("name", sorted(SAMPLERS))
    def test_they_end_on_pictures_of_the_set(self, prior: SceneMixture, name: str) -> None:
        random = np.random.default_rng(9)
        levels = sigmas("karras", 30)
        x = (random.normal(size=(20, 12)) * levels[0]).astype(np.float32)
        even = np.zeros(40, np.float32)

        def denoise(at: Any, sigma: float) -> Any:
            return prior(at, sigma, even)

        def draw() -> Any:
            return random.normal(size=x.shape).astype(np.float32)

        ended = SAMPLERS[name](denoise, x, levels, draw, lambda *_: None)
        nearest = prior.distances(ended, 0.1).min(axis=1)
        assert np.median(nearest) < 0.02

    # Those of DPM-Solver choose their levels themselves.
    @pytest.mark.parametrize("name", sorted(SAMPLERS.keys() - {"dpm_fast", "dpm_adaptive"}))
    def test_each_step_is_watched_once(self, prior: SceneMixture, name: str) -> None:
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
        ("name", "order"),
        [(name, 1) for name in ("euler", "ddim", "ipndm", "gradient_estimation", "heunpp2")]
        + [(name, 2) for name in ("heun", "dpm_2", "dpmpp_2m", "lms", "ipndm_v", "deis", "exp_heun_2_x0")]
        + [(name, 2) for name in ("res_multistep", "uni_pc", "uni_pc_bh2", "dpm_fast")],
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
        assert error(64) < max(error(16) / 4 ** (order - 0.3), 2e-6)

    @pytest.mark.parametrize(
        "name",
        [
            *("euler_ancestral", "dpmpp_2s_ancestral", "dpmpp_2m_sde", "lcm", "ddpm", "dpmpp_sde", "dpmpp_2m_sde_heun"),
            *("dpmpp_3m_sde", "er_sde", "seeds_2", "exp_heun_2_x0_sde", "dpm_2_ancestral", "res_multistep_ancestral"),
            *("seeds_3", "sa_solver", "sa_solver_pece", "euler_ancestral_cfg_pp"),
        ],
    )
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
        prior, even = mixture(SPREAD, 10), np.zeros(10, np.float32)
        levels = sigmas("normal", 6)

        def sample() -> Any:
            x = Noise(seed, 2, (12,)).draw() * np.float32(levels[0])
            fresh = Noise(seed, 2, (12,), 1)
            return SAMPLERS["euler_ancestral"](lambda at, s: prior(at, s, even), x, levels, fresh.draw, lambda *_: None)

        assert np.array_equal(sample(), sample())
