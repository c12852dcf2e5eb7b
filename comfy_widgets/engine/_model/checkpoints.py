"""The model as ComfyUI's nodes see it: a checkpoint that denoises, and a codec between latents and pictures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from .arrays import Array
from .dataset import general_scenes, log_weights, scenes_for
from .denoiser import Conditioning, GuidedDenoiser, SceneMixture, Spread, softmax
from .noise import Noise
from .render import render
from .samplers import SAMPLERS
from .scenes import Scenes
from .schedules import sigmas
from .vocabulary import Meaning

CHECKPOINTS: dict[str, int] = {"procedural-scenes-64.safetensors": 0x5CE9E5}
"""Name -> seed of its general scenes. A checkpoint is drawn, not read: there is no file of that name."""

LATENT_SCALE = np.float32(0.36)
"""Latents are pictures (minus one half) times this. It sets at which noise level what is decided: large things first,
at about sigma 3, small ones last, at about 0.3, so that most steps of a usual run have something to decide."""
PIXELS_PER_CELL = 8
MAX_CELLS = 64
_GENERAL, _FOR_PROMPT = 192, 192
"""How many scenes are painted; each also counts as its mirror image."""
_OWN_SHARE = float(np.log(0.1))
"""Weight of each scene drawn for the prompt, beside the general ones: there are many of them for what they are."""
SPREAD = Spread(light=0.065 * float(LATENT_SCALE), tint=0.028 * float(LATENT_SCALE), corner=1.2)
_UNLIKELY = 0.012
"""How unlikely a picture is that was given, in nats for each value of its latent."""


@dataclass(frozen=True)
class Prior:
    """Scenes, and the denoiser of their latents."""

    scenes: Scenes
    denoiser: SceneMixture


@dataclass(frozen=True)
class Latent:
    """Latents and what belongs to them.

    Parameters
    ----------
    samples
        Shape (batch, 3, rows, columns); a picture's values minus one half, times `LATENT_SCALE`.
    width, height
        Size in pixels of the pictures they stand for.
    prior
        The scenes that the sampler drew from; None for an encoded picture.
    """

    samples: Array
    width: int
    height: int
    prior: Prior | None = None


def grid(width: int, height: int) -> tuple[int, int]:
    """Return rows and columns of the latent of a picture: a cell for 8 pixels, at most 64 along the longer side."""
    longer = max(width, height)
    cells = min(MAX_CELLS, max(1, round(longer / PIXELS_PER_CELL)))
    return max(1, round(height / longer * cells)), max(1, round(width / longer * cells))


@lru_cache(maxsize=4)
def _general(seed: int, rows: int, columns: int) -> tuple[Scenes, Array]:
    return _with_mirror_images(general_scenes(_GENERAL, seed), rows, columns)


def _with_mirror_images(scenes: Scenes, rows: int, columns: int) -> tuple[Scenes, Array]:
    latents = _latents(scenes, rows, columns)
    mirrored = latents.reshape(len(scenes), 3, rows, columns)[..., ::-1].reshape(latents.shape)
    return scenes.join(scenes.mirrored()), np.concatenate([latents, mirrored])


@lru_cache(maxsize=4)
def _prior(seed: int, meaning: Meaning, rows: int, columns: int) -> Prior:
    scenes, latents = _general(seed, rows, columns)
    if meaning.wishes:
        own = scenes_for(meaning, _FOR_PROMPT, seed)
        if any(wish.place in ("left", "right") for wish in meaning.wishes):
            # A mirror image would put things on the wrong side.
            own_latents = _latents(own, rows, columns)
        else:
            own, own_latents = _with_mirror_images(own, rows, columns)
        scenes = scenes.join(own)
        latents = np.concatenate([latents, own_latents])
    return Prior(scenes, SceneMixture.of(latents.reshape(len(latents), 3, rows, columns), SPREAD))


def _latents(scenes: Scenes, rows: int, columns: int) -> Array:
    flat: Array = render(scenes, rows, columns).reshape(len(scenes), -1)
    flat -= np.float32(0.5)
    flat *= LATENT_SCALE
    return flat


def unload_all() -> None:
    """Forget all drawn scenes."""
    _general.cache_clear()
    _prior.cache_clear()


class Checkpoint:
    """One model.

    Parameters
    ----------
    name
        A key of `CHECKPOINTS`.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._seed = CHECKPOINTS[name]

    def sample(
        self,
        latent: Latent,
        positive: Meaning,
        negative: Meaning,
        *,
        seed: int,
        steps: int,
        cfg: float,
        sampler: str,
        scheduler: str,
        denoise: float,
        watch: Callable[[int, Callable[[], Array]], Any],
    ) -> Latent:
        """Sample pictures.

        Parameters
        ----------
        latent
            Where to begin; an empty one is grey.
        positive, negative
            What the prompts mean.
        seed, steps, cfg, sampler, scheduler, denoise
            As in ComfyUI's KSampler.
        watch
            Called after each step with (steps done, function that returns a preview of the first picture,
            shape (3, rows, columns), 0..1). May raise to stop.
        """
        levels = sigmas(scheduler, steps, denoise)
        if not levels:
            return latent
        batch, _, rows, columns = latent.samples.shape
        prior = _prior(self._seed, positive, rows, columns)
        shape = (batch, 3 * rows * columns)
        begin = latent.samples.reshape(shape)
        mixture = prior.denoiser
        wanted, unwanted = self._conditioning(prior, positive), self._conditioning(prior, negative)
        if begin.any():
            # A given image is one more scene, so unlikely that it wins only while little noise hides it.
            mixture = mixture.joined(mixture.basis.to(begin))
            wanted, unwanted = (c.with_given(batch, _UNLIKELY * shape[1]) for c in (wanted, unwanted))
        guided = GuidedDenoiser(mixture, wanted, unwanted, cfg)
        x = begin + Noise(seed, batch, shape[1:]).draw() * np.float32(levels[0])
        fresh = Noise(seed, batch, shape[1:], stream=1)

        def watched(step: int, guess: Array, at: Array, sigma: float) -> None:
            watch(step + 1, lambda: preview(guess[0]).reshape(3, rows, columns))

        samples = SAMPLERS[sampler](guided, x, levels, fresh.draw, watched)
        samples = samples.astype(np.float32).reshape(latent.samples.shape)
        return Latent(samples, latent.width, latent.height, prior)

    def _conditioning(self, prior: Prior, meaning: Meaning) -> Conditioning:
        weights = log_weights(prior.scenes, meaning)
        weights[2 * _GENERAL :] += np.float32(_OWN_SHARE)
        return Conditioning.of(prior.denoiser, weights)


def preview(guess: Array) -> Array:
    """Return the picture that the model expects at a step, shape as the guess, 0..1."""
    result: Array = np.clip(guess / LATENT_SCALE + np.float32(0.5), 0.0, 1.0)
    return result


def empty(width: int, height: int, batch: int) -> Latent:
    """Return latents without anything in them."""
    rows, columns = grid(width, height)
    return Latent(np.zeros((batch, 3, rows, columns), np.float32), width, height)


def encode(pictures: Array) -> Latent:
    """Turn pictures, shape (batch, height, width, 3), into latents by averaging over cells."""
    from PIL import Image

    _, height, width, _ = pictures.shape
    rows, columns = grid(width, height)
    cells = np.empty((len(pictures), 3, rows, columns), np.float32)
    for number, picture in enumerate(pictures):
        for channel in range(3):
            plane = Image.fromarray(np.ascontiguousarray(picture[:, :, channel]))
            cells[number, channel] = np.asarray(plane.resize((columns, rows), Image.Resampling.BOX))
    return Latent((cells - np.float32(0.5)) * LATENT_SCALE, width, height)


def decode(latent: Latent, before_each: Callable[[], None] = lambda: None) -> Array:
    """Turn latents into pictures, shape (batch, height, width, 3), 0..1.

    A latent is a picture of few cells. It is enlarged smoothly; and as far as it agrees with a scene of the set, that
    scene's fine detail (the scene painted at full size, minus its own enlarged latent) is added, by the posterior
    probability of the scene and by how closely the latent matches it. So a clean sample decodes to a crisp picture, an
    average of many scenes stays soft, and an encoded photograph gains nothing that was not in it.

    Parameters
    ----------
    latent
        What to decode.
    before_each
        Called before each picture of the batch; may raise to stop.
    """
    batch, _, rows, columns = latent.samples.shape
    pictures = np.empty((batch, latent.height, latent.width, 3), np.float32)
    for number in range(batch):
        before_each()
        cells = latent.samples[number]
        picture = enlarge(cells / LATENT_SCALE, latent.height, latent.width)
        if latent.prior is not None:
            for row, share in _recognized(cells, latent.prior.denoiser):
                scene = latent.prior.scenes.take(np.array([row]))
                detail = render(scene, latent.height, latent.width)[0] - np.float32(0.5)
                blurred = _latents(scene, rows, columns).reshape(3, rows, columns) / LATENT_SCALE
                detail -= enlarge(blurred, latent.height, latent.width)
                picture += detail * np.float32(share)
        pictures[number] = picture.transpose(1, 2, 0)
    pictures += np.float32(0.5)
    return np.clip(pictures, 0.0, 1.0, out=pictures)


_MATCH = 0.03
"""Root mean square difference per value, beyond a scene's own variation, at which a latent counts as 60 % of it."""


def _recognized(cells: Array, denoiser: SceneMixture) -> list[tuple[int, float]]:
    """Return the scenes that a latent shows, and how much of each."""
    flat = cells.reshape(1, -1)
    distance = denoiser.distances(flat, _MATCH * float(LATENT_SCALE))[0] / (flat.size * LATENT_SCALE**2)
    share = softmax(-distance / np.float32(2 * _MATCH**2 / 8))
    sure = np.exp(-distance / (2 * _MATCH**2))
    best = np.argsort(share)[::-1][:3]
    return [(int(row), float(share[row] * sure[row])) for row in best if share[row] * sure[row] > 0.02]


def enlarge(cells: Array, height: int, width: int) -> Array:
    """Enlarge (3, rows, columns) smoothly to (3, height, width)."""
    from PIL import Image

    planes = [
        np.asarray(Image.fromarray(np.ascontiguousarray(plane)).resize((width, height), Image.Resampling.BICUBIC))
        for plane in cells
    ]
    return np.stack(planes).astype(np.float32)
