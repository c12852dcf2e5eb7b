"""One run of a sampler over a model: from a latent, noise and prompts to a latent."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .arrays import Array
from .checkpoints import Checkpoint, Cond, Latent, Prior, preview, resized
from .denoiser import Conditioning, GuidedDenoiser, Mixture, SceneMixture
from .noise import Noise
from .sampler_table import SAMPLERS
from .samplers import Denoise
from .schedules import SIGMA_MAX
from .vocabulary import Meaning
from .window import LocalDenoiser

UNLIKELY = 0.012
"""How unlikely an image is that was given to begin with, in nats for each value of its latent."""

_LEAVING_OUT = ("dpm_2", "dpm_2_ancestral", "uni_pc", "uni_pc_bh2")

_SCENES_TOLD, _WORTH_TELLING = 6, 5e-4


@dataclass(frozen=True)
class Step:
    """One step of a sampler, as it is taken; arrays are those of the first image of a batch.

    Parameters
    ----------
    done : int
        How many steps are done with this one.
    sigma : float
        The noise level before the step.
    x, estimate : Array
        The latent before the step, and what the model takes it for; shape (3, rows, columns).
    positive, negative : Array
        The guesses for both prompts, of which guidance makes the estimate; the second is None where it was not asked.
    evaluations : int
        How often the model was asked so far.
    shares : dict of int to float
        The scenes that the model thinks of most under the positive prompt, and how probable each is.
    scene : callable
        Gives a scene in words, and its latent.
    """

    done: int
    sigma: float
    x: Array
    estimate: Array
    positive: Array
    negative: Array | None
    evaluations: int
    shares: dict[int, float]
    scene: Callable[[int], tuple[str, Array]]

    def preview(self) -> Array:
        """Return the estimate as an image, shape (3, rows, columns), 0..1."""
        return preview(self.estimate)


Watch = Callable[[Step], Any]
"""Called after each step. May raise to stop."""


@dataclass(frozen=True)
class Guide:
    """A model with its prompts.

    Parameters
    ----------
    model : Checkpoint
    positive, negative : sequence of Cond
        At least one of the first.
    cfg : float
        1 uses the positive ones alone.
    """

    model: Checkpoint
    positive: Sequence[Cond]
    negative: Sequence[Cond] = ()
    cfg: float = 1.0

    def sides(self) -> tuple[Sequence[Cond], Sequence[Cond], float]:
        """Return positive and negative prompts and the guidance, with one that is built in carried out."""
        built_in = next((cond.guidance for cond in self.positive if cond.guidance is not None), None)
        if self.cfg == 1 and built_in is not None:
            return self.positive, [Cond(Meaning())], built_in
        return self.positive, self.negative or [Cond(Meaning())], self.cfg


@dataclass(frozen=True)
class Start:
    """The noise that a run begins with.

    Parameters
    ----------
    seed : int
        0 to 2**64 - 1.
    is_noisy : bool
        False adds no noise at the beginning.
    """

    seed: int
    is_noisy: bool = True


def sample(
    guide: Guide, latent: Latent, start: Start, sampler: str, levels: list[float], watch: Watch
) -> tuple[Latent, Latent]:
    """Sample images.

    Parameters
    ----------
    guide : Guide
        Model and prompts.
    latent : Latent
        Where to begin; an empty one is grey.
    start : Start
        The noise.
    sampler : str
        A key of `SAMPLERS`.
    levels : list of float
        Falling noise levels; the last one is 0, unless noise shall be left.
    watch : callable
        See `Watch`.

    Returns
    -------
    (Latent, Latent)
        What the sampler ends on, and the last guess of the model; both are the same where no noise is left.
    """
    if len(levels) < 2:
        return latent, latent
    batch, _, rows, columns = latent.samples.shape
    positive, negative, cfg = guide.sides()
    prior = guide.model.prior(positive, rows, columns)
    wanted, unwanted = (
        [guide.model.conditioning(prior, cond, (latent.width, latent.height)) for cond in side]
        for side in (positive, negative)
    )
    flat = latent.samples.reshape(batch, -1)
    mixture: Mixture = prior.denoiser
    given = 0
    masks = np.zeros(0, np.float32) if latent.mask is None else _flat_masks(latent.mask, batch, rows, columns)
    if latent.mask is not None and guide.model.inpaints and isinstance(mixture, SceneMixture):
        evidence = _surroundings(mixture, flat, masks)
        wanted, unwanted = ([cond.with_evidence(evidence) for cond in side] for side in (wanted, unwanted))
    elif flat.any() and start.is_noisy and isinstance(mixture, SceneMixture):
        # A given image is one more scene, so unlikely that it wins only while little noise hides it.
        mixture = mixture.joined(mixture.basis.to(flat))
        wanted, unwanted = (_with_given(side, batch, flat.shape[1]) for side in (wanted, unwanted))
        given = batch
    noise = Noise(start.seed, batch, flat.shape[1:]).draw() if start.is_noisy else np.zeros_like(flat)
    asks_both = sampler.endswith("_cfg_pp")
    if guide.model.window < 1 and isinstance(mixture, SceneMixture):
        guided: GuidedDenoiser = LocalDenoiser(
            mixture, wanted, unwanted, cfg, asks_both=asks_both, window=guide.model.window, given=given
        )
    else:
        guided = GuidedDenoiser(mixture, wanted, unwanted, cfg, asks_both=asks_both)
    denoise: Denoise = guided
    if latent.mask is not None:
        denoise = _Inpainter(denoise, flat, noise, masks)
    fresh = Noise(start.seed, batch, flat.shape[1:], stream=1)
    last = flat

    def plane(values: Array) -> Array:
        result: Array = values[0].reshape(3, rows, columns)
        return result

    def scene(number: int) -> tuple[str, Array]:
        words = prior.described(number) if number < len(prior) else "the given image"
        return words, mixture.basis.back(mixture.centres[number : number + 1]).reshape(3, rows, columns)

    def watched(step: int, guess: Array, at: Array, sigma: float) -> None:
        nonlocal last
        last = guess
        terms = guided.terms
        assert terms is not None
        shares = terms.shares[0]
        best = np.argsort(shares)[::-1][:_SCENES_TOLD]
        watch(
            Step(
                # An adaptive sampler takes as many steps as it needs.
                min(step + 1, len(levels) - 1),
                sigma,
                plane(at),
                plane(guess),
                plane(terms.positive),
                None if terms.negative is None else plane(terms.negative),
                guided.evaluations,
                {int(number): float(shares[number]) for number in best if shares[number] > _WORTH_TELLING},
                scene,
            )
        )

    x = flat + noise * np.float32(_noise_scale(levels[0]))
    ended = SAMPLERS[sampler](denoise, x, levels, fresh.draw, watched)
    if isinstance(denoise, _Inpainter):
        ended = denoise.keep(ended, levels[-1])
    ends = (
        replace(
            latent,
            samples=values.astype(np.float32).reshape(latent.samples.shape),
            prior=prior if isinstance(prior, Prior) else None,
        )
        for values in (ended, last if levels[-1] else ended)
    )
    result, guessed = ends
    return result, guessed


def levels_of_run(model: Checkpoint, sampler: str, scheduler: str, steps: int, denoise: float = 1.0) -> list[float]:
    """Return the noise levels of a run; as in ComfyUI some samplers leave out the last one before 0."""
    if sampler not in _LEAVING_OUT:
        return model.levels(scheduler, steps, denoise)
    levels = model.levels(scheduler, steps + 1, denoise)
    return [*levels[:-2], levels[-1]] if len(levels) > 2 else levels


def add_noise(latent: Latent, start: Start, levels: list[float]) -> Latent:
    """Return a latent with the noise of the first level, less that of the last one."""
    if not levels or not start.is_noisy:
        return latent
    amount = abs(levels[0] - levels[-1]) if len(levels) > 1 else levels[0]
    noise = Noise(start.seed, len(latent.samples), latent.samples.shape[1:]).draw()
    return replace(latent, samples=latent.samples + noise * np.float32(amount))


def _noise_scale(level: float) -> float:
    """As in ComfyUI a run from the highest level begins with as much noise as training images of that level have."""
    return math.sqrt(1 + level**2) if math.isclose(level, SIGMA_MAX, rel_tol=1e-5) else level


def _with_given(side: list[Conditioning], batch: int, size: int) -> list[Conditioning]:
    return [each.with_given(batch, UNLIKELY * size) for each in side]


def _flat_masks(mask: Array, batch: int, rows: int, columns: int) -> Array:
    small = resized(mask[:, None], rows, columns)
    small = np.repeat(small, 3, axis=1).reshape(len(mask), -1)
    return small[np.arange(batch) % len(small)]


_SURE = 0.05
"""Standard deviation of a pixel at which what surrounds a mask counts, in units of the latents."""


def _surroundings(mixture: SceneMixture, given: Array, masks: Array) -> Array:
    """Return how well each scene agrees with what surrounds the masks, as logarithms, shape (B, N)."""
    scenes = mixture.basis.back(mixture.centres)
    kept = 1 - masks
    squares = (kept * given**2).sum(axis=1)[:, None] - 2 * (kept * given) @ scenes.T + kept @ (scenes**2).T
    # Neighbouring pixels tell the same, so all of them count as few.
    counted = np.float32(64.0) / np.maximum(kept.sum(axis=1, keepdims=True), 1.0)
    result: Array = (-0.5 * counted * np.maximum(squares, 0) / np.float32(_SURE**2)).astype(np.float32)
    return result


class _Inpainter:
    """A denoiser that changes only what a mask allows: the rest is the given image, under noise of the same level."""

    def __init__(self, denoise: Denoise, given: Array, noise: Array, mask: Array) -> None:
        self._denoise = denoise
        self._given = given
        self._noise = noise
        self._mask = mask

    def __call__(self, x: Array, sigma: float) -> Array:
        guess = self._denoise(self.keep(x, sigma), sigma)
        result: Array = self._given + self._mask * (guess - self._given)
        return result

    @property
    def unguided(self) -> Array | None:
        """The last guess without guidance, kept in the same way."""
        plain: Array | None = getattr(self._denoise, "unguided", None)
        return None if plain is None else self._given + self._mask * (plain - self._given)

    def keep(self, x: Array, sigma: float) -> Array:
        """Put the given image, with noise of this level, where nothing may change."""
        known = self._given + self._noise * np.float32(sigma)
        result: Array = known + self._mask * (x - known)
        return result
