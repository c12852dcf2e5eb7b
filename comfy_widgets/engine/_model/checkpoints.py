"""The model as ComfyUI's nodes see it: a checkpoint that denoises, and a codec between latents and images."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from .arrays import Array
from .dataset import general_scenes, log_weights, scenes_for
from .denoiser import Conditioning, SceneMixture, Spread, softmax
from .digit_words import told_of_unknown_digits, understand_digits
from .digits import DigitPrior
from .digits import prior as prior_of_digits
from .learned_digits import network
from .names import CHECKPOINT_NAMES, DIGIT_CHECKPOINTS
from .render import render
from .scenes import Scenes, described
from .schedules import shifted, sigma_at, sigmas
from .styles import STYLES
from .vocabulary import Meaning, told_of_unknown, understand
from .window import local_distances


@dataclass(frozen=True)
class World:
    """What a checkpoint has learned, so to speak.

    Parameters
    ----------
    style : str
        How its scenes look, a key of `STYLES`.
    inpaints : bool
        Whether it takes what surrounds a mask into account, to fill it in.
    seed : int
        Of its general scenes.
    """

    style: str = "painted"
    inpaints: bool = False
    seed: int = 0x5CE9E5


CHECKPOINTS = dict(zip(CHECKPOINT_NAMES, (World(), World("ink"), World("poster"), World(inpaints=True)), strict=True))
"""By name. A checkpoint is drawn, not read: there is no file of that name."""

LATENT_SCALE = np.float32(0.36)
"""Latents are images (minus one half) times this. It sets at which noise level what is decided: large things first,
at about sigma 3, small ones last, at about 0.3, so that most steps of a usual run have something to decide."""
PIXELS_PER_CELL = 8
MAX_CELLS = 64
_GENERAL, _FOR_PROMPT = 192, 192
"""How many scenes are painted; each also counts as its mirror image."""
_OWN_SHARE = float(np.log(0.1))
"""Weight of each scene drawn for the prompt, beside the general ones: there are many of them for what they are."""
SPREAD = Spread(light=0.065 * float(LATENT_SCALE), tint=0.028 * float(LATENT_SCALE), corner=1.2)


@dataclass(frozen=True)
class Prior:
    """Scenes, and the denoiser of their latents; below a window of 1 each place has its own scene."""

    scenes: Scenes
    denoiser: SceneMixture
    style: str = "painted"
    window: float = 1.0

    def __len__(self) -> int:
        return len(self.scenes)

    def described(self, number: int) -> str:
        """Return a scene in words."""
        return described(self.scenes, number)


@dataclass(frozen=True)
class Latent:
    """Latents and what belongs to them.

    Parameters
    ----------
    samples : array
        Shape (batch, 3, rows, columns); an image's values minus one half, times `LATENT_SCALE`.
    width, height : int
        Size in pixels of the images they stand for.
    prior : Prior, optional
        The scenes that the sampler drew from; None for an encoded image.
    mask : array, optional
        Where it may change, shape (1 or batch, height, width), 0..1; None is everywhere.
    """

    samples: Array
    width: int
    height: int
    prior: Prior | None = None
    mask: Array | None = None


def grid(width: int, height: int) -> tuple[int, int]:
    """Return rows and columns of the latent of an image: a cell for 8 pixels, at most 64 along the longer side."""
    longer = max(width, height)
    cells = min(MAX_CELLS, max(1, round(longer / PIXELS_PER_CELL)))
    return max(1, round(height / longer * cells)), max(1, round(width / longer * cells))


@lru_cache(maxsize=2)
def _general(seed: int, style: str, rows: int, columns: int) -> tuple[Scenes, Array]:
    return _with_mirror_images(general_scenes(_GENERAL, seed), style, rows, columns)


def _with_mirror_images(scenes: Scenes, style: str, rows: int, columns: int) -> tuple[Scenes, Array]:
    latents = _latents(scenes, style, rows, columns)
    mirrored = latents.reshape(len(scenes), 3, rows, columns)[..., ::-1].reshape(latents.shape)
    return scenes.join(scenes.mirrored()), np.concatenate([latents, mirrored])


@lru_cache(maxsize=2)
def _prior(seed: int, style: str, meanings: tuple[Meaning, ...], rows: int, columns: int) -> Prior:
    scenes, latents = _general(seed, style, rows, columns)
    for meaning in meanings:
        own = scenes_for(meaning, _FOR_PROMPT, seed)
        if any(wish.place in ("left", "right") for wish in meaning.wishes):
            # A mirror image would put things on the wrong side.
            own_latents = _latents(own, style, rows, columns)
        else:
            own, own_latents = _with_mirror_images(own, style, rows, columns)
        scenes = scenes.join(own)
        latents = np.concatenate([latents, own_latents])
    return Prior(scenes, SceneMixture.of(latents.reshape(len(latents), 3, rows, columns), SPREAD), style)


def _latents(scenes: Scenes, style: str, rows: int, columns: int) -> Array:
    flat: Array = STYLES[style](render(scenes, rows, columns)).reshape(len(scenes), -1)
    flat -= np.float32(0.5)
    flat *= LATENT_SCALE
    return flat


def unload_all() -> None:
    """Forget all drawn scenes."""
    _general.cache_clear()
    _prior.cache_clear()


@dataclass(frozen=True)
class Patch:
    """A LoRA of this model: a leaning of the whole world towards something.

    Parameters
    ----------
    meaning : Meaning
        Towards what.
    strength : float
        1 is a clear leaning; a negative one leans away.
    """

    meaning: Meaning
    strength: float


@dataclass(frozen=True)
class Cond:
    """One entry of a conditioning: a prompt, and where and when it counts.

    Parameters
    ----------
    meaning : Meaning
        What the prompt asks for.
    strength : float
        How much it counts beside others.
    mask : Array, optional
        Where it counts, shape (1 or batch, height, width), 0..1; stretched over the latent.
    area : (int, int, int, int), optional
        The rectangle in which it counts: x, y, width and height in pixels.
    start, end : float
        From which share of the sampling it counts, and until which, 0..1.
    guidance : float, optional
        For a guidance that is built in: how far its guess is from that of an empty prompt.
    """

    meaning: Meaning
    strength: float = 1.0
    mask: Array | None = None
    area: tuple[int, int, int, int] | None = None
    start: float = 0.0
    end: float = 1.0
    guidance: float | None = None


@dataclass(frozen=True)
class Checkpoint:
    """One model, with its patches.

    Parameters
    ----------
    name : str
        A key of `CHECKPOINTS`, or one of `DIGIT_CHECKPOINTS`.
    patches : tuple of Patch
        LoRAs.
    shift : float
        How far the noise levels are shifted towards high ones; 1 leaves them.
    window : float
        Through how large a window each place of the image decides; see `LocalDenoiser`. 1 is the whole image.
    """

    name: str
    patches: tuple[Patch, ...] = ()
    shift: float = 1.0
    window: float = 1.0

    @property
    def inpaints(self) -> bool:
        """Whether it takes what surrounds a mask into account."""
        return self.name in CHECKPOINTS and CHECKPOINTS[self.name].inpaints

    def understand(self, text: str, check: Callable[[], None] = lambda: None) -> Meaning:
        """Read a prompt with the words of this model; `check` is called now and then, and may raise to stop."""
        return (understand_digits if self.name in DIGIT_CHECKPOINTS else understand)(text, check)

    def told_of_unknown(self, meaning: Meaning) -> str:
        """Return a sentence about the words that it does not know; empty where there are none."""
        return (told_of_unknown_digits if self.name in DIGIT_CHECKPOINTS else told_of_unknown)(meaning)

    def levels(self, scheduler: str, steps: int, denoise: float = 1.0) -> list[float]:
        """Return the noise levels of a run with this model; see `sigmas`."""
        return shifted(sigmas(scheduler, steps, denoise), self.shift)

    def prior(self, conds: Sequence[Cond], rows: int, columns: int) -> Prior | DigitPrior:
        """Return the scenes for these prompts."""
        if self.name in DIGIT_CHECKPOINTS:
            # It was trained when it was loaded; here it is read again at most.
            return prior_of_digits(self.name, rows, columns, float(LATENT_SCALE) / 2, lambda: network(lambda *_: None))
        meanings = [*(cond.meaning for cond in conds), *(patch.meaning for patch in self.patches if patch.strength > 0)]
        asked = tuple(dict.fromkeys(meaning for meaning in meanings if meaning.wishes))
        world = CHECKPOINTS[self.name]
        return replace(_prior(world.seed, world.style, asked, rows, columns), window=self.window)

    def conditioning(self, prior: Prior | DigitPrior, cond: Cond, size: tuple[int, int]) -> Conditioning:
        """Return what a prompt makes of the scenes, for an image of this width and height."""
        _, rows, columns = prior.denoiser.basis.shape
        return replace(
            prior.conditioning(cond.meaning) if isinstance(prior, DigitPrior) else self._of_scenes(prior, cond.meaning),
            strength=cond.strength,
            where=_where(cond, size, rows, columns),
            highest=math.inf if cond.start <= 0 else sigma_at(cond.start),
            lowest=0.0 if cond.end >= 1 else sigma_at(cond.end),
        )

    def _of_scenes(self, prior: Prior, meaning: Meaning) -> Conditioning:
        weights = log_weights(prior.scenes, meaning)
        for patch in self.patches:
            weights += np.float32(patch.strength) * log_weights(prior.scenes, patch.meaning)
        weights[2 * _GENERAL :] += np.float32(_OWN_SHARE)
        return Conditioning.of(prior.denoiser, weights)


def _where(cond: Cond, size: tuple[int, int], rows: int, columns: int) -> Array | None:
    """Return how much a prompt counts in each value of a latent, shape (D,); None is everywhere."""
    if cond.mask is None and cond.area is None:
        return None
    where = np.ones((1, rows, columns), np.float32)
    if cond.mask is not None:
        where *= resized(cond.mask[:1, None], rows, columns)[0]
    if cond.area is not None:
        x, y, width, height = cond.area
        across, down = columns / size[0], rows / size[1]
        inside = np.zeros_like(where)
        inside[:, round(y * down) : round((y + height) * down), round(x * across) : round((x + width) * across)] = 1
        where *= inside
    return np.repeat(where, 3, axis=0).ravel()


def resized(planes: Array, rows: int, columns: int) -> Array:
    """Return planes, shape (n, channels, height, width), at another size."""
    from PIL import Image

    shrinks = rows * columns < planes.shape[2] * planes.shape[3]
    method = Image.Resampling.BOX if shrinks else Image.Resampling.BILINEAR
    result = np.empty((*planes.shape[:2], rows, columns), np.float32)
    for number, channels in enumerate(planes):
        for channel, plane in enumerate(channels):
            image = Image.fromarray(np.ascontiguousarray(plane, np.float32))
            result[number, channel] = np.asarray(image.resize((columns, rows), method))
    return result


def preview(guess: Array) -> Array:
    """Return the image that the model expects at a step, shape as the guess, 0..1."""
    result: Array = np.clip(guess / LATENT_SCALE + np.float32(0.5), 0.0, 1.0)
    return result


def empty(width: int, height: int, batch: int) -> Latent:
    """Return latents without anything in them."""
    rows, columns = grid(width, height)
    return Latent(np.zeros((batch, 3, rows, columns), np.float32), width, height)


def encode(pictures: Array) -> Latent:
    """Turn images, shape (batch, height, width, 3), into latents by averaging over cells."""
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
    """Turn latents into images, shape (batch, height, width, 3), 0..1.

    A latent is an image of few cells. It is enlarged smoothly; and as far as it agrees with a scene of the set, that
    scene's fine detail (the scene painted at full size, minus its own enlarged latent) is added, by the posterior
    probability of the scene and by how closely the latent matches it. So a clean sample decodes to a crisp image, an
    average of many scenes stays soft, and an encoded photograph gains nothing that was not in it.

    Parameters
    ----------
    latent : Latent
        What to decode.
    before_each : callable
        Called before each image of the batch; may raise to stop.
    """
    batch, _, rows, columns = latent.samples.shape
    pictures = np.empty((batch, latent.height, latent.width, 3), np.float32)
    for number in range(batch):
        before_each()
        cells = latent.samples[number]
        picture = enlarge(cells / LATENT_SCALE, latent.height, latent.width)
        if latent.prior is not None:
            for row, share in _recognized(cells, latent.prior):
                scene = latent.prior.scenes.take(np.array([row]))
                style = latent.prior.style
                detail = STYLES[style](render(scene, latent.height, latent.width))[0] - np.float32(0.5)
                blurred = _latents(scene, style, rows, columns).reshape(3, rows, columns) / LATENT_SCALE
                detail -= enlarge(blurred, latent.height, latent.width)
                picture += detail * enlarge(share[None], latent.height, latent.width)
        pictures[number] = picture.transpose(1, 2, 0)
    pictures += np.float32(0.5)
    return np.clip(pictures, 0.0, 1.0, out=pictures)


_PARTS = 24
"""Of how many scenes at most an image shows fine detail where each place has its own."""
_MATCH = 0.03
"""Root mean square difference per value, beyond a scene's own variation, at which a latent counts as 60 % of it."""


def _recognized(cells: Array, prior: Prior) -> list[tuple[int, Array]]:
    """Return the scenes that a latent shows, and how much of each in each cell."""
    flat = cells.reshape(1, -1)
    tolerance = _MATCH * float(LATENT_SCALE)
    if prior.window < 1:
        distances = local_distances(prior.denoiser, flat, tolerance) / np.float32(LATENT_SCALE**2)
        # Where several agree, as in a clear sky, the one that agrees in more places is chosen.
        chosen_by, most = distances + distances.mean(axis=(1, 2), keepdims=True), _PARTS
    else:
        whole = prior.denoiser.distances(flat, tolerance)[0] / (flat.size * LATENT_SCALE**2)
        chosen_by = distances = whole[:, None, None]
        most = 3
    shares = softmax(-chosen_by / np.float32(2 * _MATCH**2 / 8), axis=0)
    shares *= np.exp(-distances / np.float32(2 * _MATCH**2))
    best = np.argsort(shares.mean(axis=(1, 2)))[::-1][:most]
    return [(int(row), shares[row]) for row in best if shares[row].max() > 0.02]


def enlarge(cells: Array, height: int, width: int) -> Array:
    """Enlarge (3, rows, columns) smoothly to (3, height, width)."""
    from PIL import Image

    planes = [
        np.asarray(Image.fromarray(np.ascontiguousarray(plane)).resize((width, height), Image.Resampling.BICUBIC))
        for plane in cells
    ]
    return np.stack(planes).astype(np.float32)
