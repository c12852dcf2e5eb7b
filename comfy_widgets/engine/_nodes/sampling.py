"""Nodes that sample: from noise to latents."""

from __future__ import annotations

import re

import numpy as np
from PIL import Image

from .._context import progress, record_steps, wants_previews
from .._model.arrays import Array
from .._model.checkpoints import Checkpoint, Latent
from .._model.sampling import Guide, Start, Step, add_noise, levels_of_run, sample
from .._model.schedules import exponential, karras, polyexponential
from .conditioning import Conditioning
from .table import Table

TABLE = Table()
Sigmas = list[float]
_PREVIEW_SIDE = 512
_MOST_LEVELS = 100_000


def run_sampler(guide: Guide, latent: Latent, start: Start, sampler: str, levels: Sigmas) -> tuple[Latent, Latent]:
    """Sample, and show progress and previews."""
    steps = max(len(levels) - 1, 1)
    previews = wants_previews()
    recorder = record_steps({"sampler": sampler, "cfg": guide.cfg, "levels": levels})

    def watch(step: Step) -> None:
        if recorder is not None:
            recorder.add(step)

        def preview() -> Image.Image:
            return _preview_image(step.preview(), latent.width, latent.height)

        progress(step.done, steps, preview if previews else None)

    ended, guessed = sample(guide, latent, start, sampler, levels, watch)
    if recorder is not None:
        recorder.end(ended.samples[0])
    return ended, guessed


def _preview_image(cells: Array, width: int, height: int) -> Image.Image:
    """Return a preview of 512 pixels along its longer side, or of the image's size if that is smaller."""
    scale = min(1.0, _PREVIEW_SIDE / max(width, height))
    small = Image.fromarray((cells.transpose(1, 2, 0) * 255 + 0.5).astype(np.uint8))
    return small.resize((max(1, round(width * scale)), max(1, round(height * scale))), Image.Resampling.BICUBIC)


@TABLE.node("KSampler")
def ksampler(
    model: Checkpoint,
    seed: int,
    steps: int,
    cfg: float,
    sampler_name: str,
    scheduler: str,
    positive: Conditioning,
    negative: Conditioning,
    latent_image: Latent,
    denoise: float = 1.0,
) -> Latent:
    """Adds noise to the latents and removes it step by step, guided by both prompts."""
    levels = levels_of_run(model, sampler_name, scheduler, steps, denoise)
    return run_sampler(Guide(model, positive, negative, cfg), latent_image, Start(seed), sampler_name, levels)[0]


@TABLE.node("KSamplerAdvanced")
def ksampler_advanced(
    model: Checkpoint,
    add_noise: str,
    noise_seed: int,
    steps: int,
    cfg: float,
    sampler_name: str,
    scheduler: str,
    positive: Conditioning,
    negative: Conditioning,
    latent_image: Latent,
    start_at_step: int,
    end_at_step: int,
    return_with_leftover_noise: str,
) -> Latent:
    """Samples a part of the steps; noise may be left for another sampler to remove."""
    levels = levels_of_run(model, sampler_name, scheduler, steps)
    part = levels[start_at_step : end_at_step + 1]
    if return_with_leftover_noise == "disable" and len(part) > 1:
        part[-1] = 0.0
    start = Start(noise_seed, is_noisy=add_noise == "enable")
    return run_sampler(Guide(model, positive, negative, cfg), latent_image, start, sampler_name, part)[0]


@TABLE.node("RandomNoise")
def random_noise(noise_seed: int) -> Start:
    """Noise of a seed."""
    return Start(noise_seed)


@TABLE.node("DisableNoise")
def no_noise() -> Start:
    """No noise, for latents that have some."""
    return Start(0, is_noisy=False)


@TABLE.node("KSamplerSelect")
def select_sampler(sampler_name: str) -> str:
    """Chooses a sampler."""
    return sampler_name


@TABLE.node("BasicGuider")
def basic_guider(model: Checkpoint, conditioning: Conditioning) -> Guide:
    """Follows one prompt."""
    return Guide(model, conditioning)


@TABLE.node("CFGGuider")
def cfg_guider(model: Checkpoint, positive: Conditioning, negative: Conditioning, cfg: float) -> Guide:
    """Follows one prompt, and leads away from another."""
    return Guide(model, positive, negative, cfg)


@TABLE.node("SamplerCustom")
def sampler_custom(
    model: Checkpoint,
    add_noise: bool,
    noise_seed: int,
    cfg: float,
    positive: Conditioning,
    negative: Conditioning,
    sampler: str,
    sigmas: Sigmas,
    latent_image: Latent,
) -> tuple[Latent, Latent]:
    """Samples with noise levels of one's own."""
    guide = Guide(model, positive, negative, cfg)
    return run_sampler(guide, latent_image, Start(noise_seed, is_noisy=add_noise), sampler, sigmas)


@TABLE.node("SamplerCustomAdvanced")
def sampler_custom_advanced(
    noise: Start, guider: Guide, sampler: str, sigmas: Sigmas, latent_image: Latent
) -> tuple[Latent, Latent]:
    """Samples with parts that are put together freely."""
    return run_sampler(guider, latent_image, noise, sampler, sigmas)


@TABLE.node("AddNoise")
def add_noise_to_latent(model: Checkpoint, noise: Start, sigmas: Sigmas, latent_image: Latent) -> Latent:
    """Adds the noise of the first level, less the last one."""
    return add_noise(latent_image, noise, sigmas)


@TABLE.node("BasicScheduler")
def basic_scheduler(model: Checkpoint, scheduler: str, steps: int, denoise: float) -> Sigmas:
    """The noise levels of a run."""
    return model.levels(scheduler, steps, denoise)


@TABLE.node("KarrasScheduler")
def karras_scheduler(steps: int, sigma_max: float, sigma_min: float, rho: float) -> Sigmas:
    """Noise levels that are even in the root of order rho."""
    return [*karras(steps, sigma_min, sigma_max, rho).tolist(), 0.0]


@TABLE.node("ExponentialScheduler")
def exponential_scheduler(steps: int, sigma_max: float, sigma_min: float) -> Sigmas:
    """Noise levels that fall by the same factor."""
    return [*exponential(steps, sigma_min, sigma_max).tolist(), 0.0]


@TABLE.node("PolyexponentialScheduler")
def polyexponential_scheduler(steps: int, sigma_max: float, sigma_min: float, rho: float) -> Sigmas:
    """Noise levels whose logarithm falls as a power."""
    return [*polyexponential(steps, sigma_min, sigma_max, rho).tolist(), 0.0]


@TABLE.node("SplitSigmas")
def split_sigmas(sigmas: Sigmas, step: int) -> tuple[Sigmas, Sigmas]:
    """Parts noise levels at a step; both parts have the level there."""
    return sigmas[: step + 1], sigmas[step:]


@TABLE.node("SplitSigmasDenoise")
def split_sigmas_by_share(sigmas: Sigmas, denoise: float) -> tuple[Sigmas, Sigmas]:
    """Parts noise levels so that the second part is this share of the steps."""
    steps = max(len(sigmas) - 1, 0)
    step = steps - round(steps * denoise)
    return sigmas[: step + 1], sigmas[step:]


@TABLE.node("FlipSigmas")
def flip_sigmas(sigmas: Sigmas) -> Sigmas:
    """Turns noise levels around, to go from an image to noise."""
    flipped = sigmas[::-1]
    if flipped and flipped[0] == 0:
        flipped[0] = 1e-4
    return flipped


@TABLE.node("SetFirstSigma")
def set_first_sigma(sigmas: Sigmas, sigma: float) -> Sigmas:
    """Sets the first noise level."""
    return [sigma, *sigmas[1:]]


@TABLE.node("ManualSigmas")
def manual_sigmas(sigmas: str) -> Sigmas:
    """Noise levels as a list of numbers."""
    return [float(number) for number in re.findall(r"[-+]?(?:\d*\.*\d+)", sigmas)[:_MOST_LEVELS]]
