"""The local window: from memory to imagination."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from comfy_widgets import ComfyClient, Engine, Graph
from comfy_widgets.engine._model import window as local_window
from comfy_widgets.engine._model.checkpoints import (
    LATENT_SCALE,
    Checkpoint,
    Cond,
    Latent,
    decode,
    empty,
    encode,
)
from comfy_widgets.engine._model.denoiser import Basis, Conditioning, GuidedDenoiser, SceneMixture, Spread, softmax
from comfy_widgets.engine._model.names import CHECKPOINT_NAMES
from comfy_widgets.engine._model.render import render
from comfy_widgets.engine._model.sampling import Guide, Start, Step, levels_of_run, sample
from comfy_widgets.engine._model.scenes import Dice, draw_scenes
from comfy_widgets.engine._model.vocabulary import understand
from comfy_widgets.engine._model.window import LocalDenoiser, LocalMixture, Windows, local_distances, window_at

from .test_knobs import rms

PROMPTS = ("a red balloon over blue mountains, sunset", "a sailing boat on a lake, night", "a cat under a tree, autumn")


def made(
    window: float,
    prompts: Any = PROMPTS[0],
    *,
    begin: Latent | None = None,
    watch: Any = lambda step: None,
    **more: Any,
) -> Latent:
    values = {
        "seed": 1,
        "steps": 12,
        "cfg": 4.0,
        "sampler": "euler",
        "denoise": 1.0,
        "name": CHECKPOINT_NAMES[0],
        **more,
    }
    model = Checkpoint(values["name"], window=window)
    levels = levels_of_run(model, values["sampler"], "normal", values["steps"], values["denoise"])
    conds = [Cond(understand(prompts))] if isinstance(prompts, str) else prompts
    latent = empty(192, 192, 1) if begin is None else begin
    return sample(
        Guide(model, conds, (), values["cfg"]), latent, Start(values["seed"]), values["sampler"], levels, watch
    )[0]


def from_memory(latent: Latent) -> float:
    """How far a latent is from the nearest scene, beyond the scene's variation; in units of a pixel's values 0..1."""
    assert latent.prior is not None
    flat = latent.samples.reshape(1, -1)
    return float(np.sqrt(latent.prior.denoiser.distances(flat, 0.01).min() / flat.size) / LATENT_SCALE)


class TestWindows:
    def test_a_window_without_bounds_sees_what_the_exact_denoiser_does(self) -> None:
        random = np.random.default_rng(3)
        mixture = SceneMixture.of(random.normal(size=(5, 3, 12, 8)).astype(np.float32), Spread(0.3, 0.1))
        x = mixture.basis.to(random.normal(size=(1, 3 * 12 * 8)).astype(np.float32))
        for sigma in (0.05, 0.5, 4.0):
            seen = LocalMixture(mixture).unexplained(x[0], sigma, Windows(12, 8, 1e5))
            assert np.ptp(seen, axis=(1, 2)).max() < 1e-2 * seen.max()
            scores = mixture.scores(x, sigma)[0]
            own = -0.5 * seen[:, 0, 0]
            # Within a hundredth, as fast variations count as if they had no width.
            assert np.diff(own) == pytest.approx(np.diff(scores), rel=0.03, abs=0.02 * float(np.abs(scores).max()))

    def test_a_place_knows_nothing_of_what_is_far_away(self) -> None:
        scenes = np.zeros((2, 3, 32, 32), np.float32)
        scenes[1, :, :, 24:] = 1
        mixture = SceneMixture.of(scenes, Spread(0.0, 0.0))
        for number in (0, 1):
            x = mixture.basis.to(scenes[number].reshape(1, -1))[0]
            seen = LocalMixture(mixture).unexplained(x, 0.3, Windows(32, 32, 2.0))
            shares = softmax(-0.5 * seen, axis=0)
            assert shares[0, :, 0] == pytest.approx(0.5, abs=1e-3)
            assert shares[number, :, -1] == pytest.approx(1.0, abs=1e-3)

    def test_distances_add_up_to_those_of_the_whole(self) -> None:
        random = np.random.default_rng(4)
        mixture = SceneMixture.of(random.normal(size=(4, 3, 16, 16)).astype(np.float32), Spread(0.2, 0.1))
        x = random.normal(size=(1, 3 * 16 * 16)).astype(np.float32)
        local = local_distances(mixture, x, 0.1).mean(axis=(1, 2))
        assert local == pytest.approx(mixture.distances(x, 0.1)[0] / x.size, rel=0.1)

    def test_it_shrinks_while_the_noise_falls(self) -> None:
        sizes = [window_at(0.3, sigma, 64) for sigma in (14.6, 8.0, 4.0, 2.0, 0.5, 0.03)]
        assert sizes[0] == 1
        assert sizes[-1] == 0.3
        assert all(before >= after for before, after in pairwise(sizes))

    def test_some_coefficients_give_what_all_with_zeros_do(self) -> None:
        basis = Basis(6, 10)
        few = np.random.default_rng(5).normal(size=(2, 3, 4, 3)).astype(np.float32)
        many = np.zeros((2, 3, 6, 10), np.float32)
        many[:, :, :4, :3] = few
        assert np.allclose(basis.planes(few), basis.planes(many), atol=1e-6)
        assert np.allclose(basis.of_planes(basis.planes(many)), many.reshape(2, -1), atol=1e-5)


class TestGuesses:
    """A window without bounds, which decides no more firmly than by its evidence, against the exact denoiser."""

    SIGMA = 2.0

    @pytest.fixture
    def exact(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(local_window, "_WHOLE", 2.0)
        monkeypatch.setattr(local_window, "_FIRMNESS", 0.0)
        monkeypatch.setattr(local_window, "_SLIGHT", 0.0)

    def parts(self) -> tuple[SceneMixture, Any, Conditioning, Conditioning]:
        random = np.random.default_rng(6)
        # So alike, and of weights so different, that several count.
        latents = random.normal(size=(1, 3, 12, 8)) + 0.3 * random.normal(size=(6, 3, 12, 8))
        mixture = SceneMixture.of(latents.astype(np.float32), Spread(0.7, 0.4))
        x = (latents[:1] + self.SIGMA * random.normal(size=latents[:1].shape)).astype(np.float32).reshape(1, -1)
        wish, other = (
            Conditioning(random.normal(size=6).astype(np.float32), 0.3 * random.normal(size=288).astype(np.float32))
            for _ in range(2)
        )
        return mixture, x, wish, other

    def local(self, *parts: Any, **more: Any) -> LocalDenoiser:
        return LocalDenoiser(*parts, window=0.9999, **more)

    @pytest.mark.usefixtures("exact")
    def test_the_guess_of_one_prompt_is_the_exact_one(self) -> None:
        mixture, x, wish, _ = self.parts()
        guess = self.local(mixture, [wish], [], 1.0)(x, self.SIGMA)
        exact = GuidedDenoiser(mixture, [wish], [], 1.0)(x, self.SIGMA)
        assert np.abs(guess - exact).max() < 0.002 * exact.std()

    @pytest.mark.usefixtures("exact")
    def test_guidance_changes_weights_and_light(self) -> None:
        mixture, x, wish, other = self.parts()
        guess = self.local(mixture, [wish], [other], 2.5)(x, self.SIGMA)
        weights = 2.5 * wish.log_weights - 1.5 * other.log_weights
        guided = Conditioning(weights, 2.5 * wish.lean - 1.5 * other.lean)
        exact = GuidedDenoiser(mixture, [guided], [], 1.0)(x, self.SIGMA)
        assert np.abs(guess - exact).max() < 0.002 * exact.std()

    @pytest.mark.usefixtures("exact")
    def test_samplers_of_cfg_pp_learn_the_guess_for_the_negative_prompt(self) -> None:
        mixture, x, wish, other = self.parts()
        denoiser = self.local(mixture, [wish], [other], 2.5, asks_both=True)
        denoiser(x, self.SIGMA)
        exact = GuidedDenoiser(mixture, [other], [], 1.0)(x, self.SIGMA)
        assert denoiser.unguided is not None
        assert np.abs(denoiser.unguided - exact).max() < 0.002 * exact.std()


class TestImages:
    def test_a_window_of_nearly_the_whole_image_is_nearly_the_plain_model(self) -> None:
        plain, whole = made(1.0), made(0.96)
        assert rms(plain.samples, whole.samples) < 1 / 255
        assert np.abs(decode(plain) - decode(whole)).mean() < 1 / 255

    def test_smaller_windows_lead_further_from_memory(self) -> None:
        away = []
        for window in (1.0, 0.8, 0.5, 0.2):
            away.append(np.mean([from_memory(made(window, text, seed=seed)) for text in PROMPTS for seed in (1, 2)]))
        assert all(before < after for before, after in pairwise(away))
        assert away[0] < 0.01
        assert away[-1] > 5 * away[0]

    def test_a_small_step_of_the_window_is_a_small_one_of_the_image(self) -> None:
        ends = [[made(window, text) for window in (0.3, 0.31)] for text in PROMPTS]
        other_seeds = [made(0.3, text, seed=2) for text in PROMPTS]
        near = np.median([rms(one.samples, two.samples) for one, two in ends])
        far = np.median([rms(one.samples, two.samples) for (one, _), two in zip(ends, other_seeds, strict=True)])
        assert near < far / 2

    def test_the_same_seed_gives_the_same_image(self) -> None:
        assert np.array_equal(made(0.3).samples, made(0.3).samples)

    def test_an_image_of_a_batch_is_the_single_one(self) -> None:
        batch = made(0.3, begin=empty(128, 128, 3))
        assert np.allclose(batch.samples[0], made(0.3, begin=empty(128, 128, 1)).samples[0], atol=1e-4)

    @pytest.mark.parametrize("cfg", [1.0, 7.0, 30.0])
    def test_guidance_leads_to_no_colours_that_no_scene_has(self, cfg: float) -> None:
        # The light of a prompt may be carried too far, but neighbours do not drive each other away.
        latent = made(0.15, cfg=cfg)
        plain = made(1.0, cfg=cfg)
        assert np.abs(latent.samples).max() < 1.5 * np.abs(plain.samples).max()

    def test_parts_are_drawn_in_full_detail(self) -> None:
        latent = made(0.3, begin=empty(384, 384, 1))
        assert latent.prior is not None
        whole = replace(latent, prior=replace(latent.prior, window=1.0))
        sharp, soft = (np.abs(np.diff(decode(each), n=2, axis=2)).mean() for each in (latent, whole))
        assert sharp > 1.3 * soft

    def test_wide_and_tiny_images(self) -> None:
        for width, height in ((512, 128), (8, 8), (16, 256)):
            assert np.isfinite(decode(made(0.2, begin=empty(width, height, 1), steps=4))).all()


class TestBesides:
    """What else nodes ask for, with a window."""

    @pytest.mark.parametrize("name", [CHECKPOINT_NAMES[0], CHECKPOINT_NAMES[3]])
    def test_inpainting_keeps_what_surrounds_the_mask(self, name: str) -> None:
        image = render(draw_scenes(1, Dice(3)), 128, 128).transpose(0, 2, 3, 1)
        mask = np.zeros((1, 128, 128), np.float32)
        mask[:, 48:96, 48:96] = 1
        begin = replace(encode(np.ascontiguousarray(image)), mask=mask)
        end = made(0.3, begin=begin, name=name)
        inside = mask[0, ::8, ::8] > 0
        assert np.abs(end.samples - begin.samples)[..., ~inside].max() < 1e-3
        assert np.abs(end.samples - begin.samples)[..., inside].max() > 0.02

    def test_areas_have_prompts_of_their_own(self) -> None:
        left, right = np.zeros((2, 1, 64, 64), np.float32)
        left[..., :32], right[..., 32:] = 1, 1
        sides = [Cond(understand("night"), mask=left), Cond(understand("noon, snow"), mask=right)]
        light = made(0.3, sides).samples.mean(axis=(0, 1, 2))
        assert light[: len(light) // 3].mean() < light[-len(light) // 3 :].mean() - 0.05

    def test_image_to_image_keeps_the_input_at_little_noise(self) -> None:
        begin = encode(np.ascontiguousarray(render(draw_scenes(1, Dice(991)), 192, 192).transpose(0, 2, 3, 1)))
        changes = [rms(made(0.3, begin=begin, denoise=amount).samples, begin.samples) for amount in (0.05, 0.3, 0.9)]
        assert changes[0] < 0.05
        assert changes == sorted(changes)

    @pytest.mark.parametrize("sampler", ["heun", "dpmpp_2m", "euler_ancestral", "euler_cfg_pp"])
    def test_samplers(self, sampler: str) -> None:
        cfg = 1.5 if sampler.endswith("pp") else 4.0
        assert 0.01 < from_memory(made(0.25, sampler=sampler, cfg=cfg)) < 0.2

    def test_shares_are_those_of_all_places(self) -> None:
        steps: list[Step] = []
        made(0.15, watch=steps.append)
        assert {step.negative is None for step in steps} == {True}
        assert all(sum(step.shares.values()) <= 1.001 for step in steps)
        assert len(steps[-1].shares) >= 4
        whole: list[Step] = []
        made(1.0, watch=whole.append)
        assert len(whole[-1].shares) < 3


def test_the_node(engine: Engine) -> None:
    with ComfyClient(engine.url, journal=False) as client:

        def drawn(window: float | None) -> tuple[Any, Any]:
            g = Graph(client.object_info())
            model, clip, vae = g.CheckpointLoaderSimple()
            if window is not None:
                model = g.EngineLocalWindow(model=model, window=window)
            latent = g.KSampler(
                model=model, seed=1, steps=8, cfg=4.0, sampler_name="euler", scheduler="normal",
                positive=g.CLIPTextEncode(text=PROMPTS[0], clip=clip), negative=g.CLIPTextEncode(text="", clip=clip),
                latent_image=g.EmptyLatentImage(width=128, height=128, batch_size=1), denoise=1.0,
            )  # fmt: skip
            g.SaveImage(images=g.VAEDecode(samples=latent, vae=vae), filename_prefix="window")
            job = client.submit(g.workflow()).wait()
            return np.asarray(job.result().images[0].convert("RGB"), float), client.step_record(job)

        plain, _ = drawn(None)
        assert np.abs(drawn(1.0)[0] - plain).max() <= 1
        mosaic, record = drawn(0.2)
        assert np.abs(mosaic - plain).mean() > 3
        assert len(record.steps) == 8
        assert len(record.steps[-1].scenes) > 2
