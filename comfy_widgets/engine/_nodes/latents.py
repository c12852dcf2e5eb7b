"""Nodes that change latents."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .._context import check_interrupted
from .._model.arrays import Array
from .._model.checkpoints import Checkpoint, Latent, decode, empty, encode, grid, resized
from .masks import grown
from .sizes import check_size, size_by, wanted_size
from .table import Table

TABLE = Table()


@TABLE.node("EmptySD3LatentImage")
def empty_latent(width: int, height: int, batch_size: int) -> Latent:
    """Makes a batch of empty latents."""
    check_size(width, height, batch_size)
    return empty(width // 16 * 16, height // 16 * 16, batch_size)


@TABLE.node("VAEDecode", "VAEDecodeTiled")
def decode_latents(samples: Latent, vae: Checkpoint, **tiles: int) -> Array:
    """Turns latents into images; this VAE is small enough to need no tiles."""
    return decode(samples, before_each=check_interrupted)


@TABLE.node("VAEEncode", "VAEEncodeTiled")
def encode_images(pixels: Array, vae: Checkpoint, **tiles: int) -> Latent:
    """Turns images into latents; this VAE is small enough to need no tiles."""
    return encode(pixels)


@TABLE.node("EmptyLatentImage")
def empty_latent_of_pixels(width: int, height: int, batch_size: int = 1) -> Latent:
    """Makes a batch of empty latents; the size is rounded down to whole cells of 8 pixels."""
    check_size(width, height, batch_size)
    return empty(width // 8 * 8, height // 8 * 8, batch_size)


@TABLE.node("VAEEncodeForInpaint")
def encode_for_inpaint(pixels: Array, vae: Checkpoint, mask: Array, grow_mask_by: int) -> Latent:
    """Turns images into latents, grey where the mask says, and lets only that change."""
    _, height, width, _ = pixels.shape
    whole = np.rint(resized(mask[:, None], height, width))[:, 0]
    grey = np.where(whole[..., None] > 0.5, np.float32(0.5), pixels[..., :3])
    return replace(encode(grey), mask=grown(whole, grow_mask_by, tapered=False) if grow_mask_by else whole)


@TABLE.node("SetLatentNoiseMask")
def set_noise_mask(samples: Latent, mask: Array) -> Latent:
    """Lets only a part of latents change."""
    return replace(samples, mask=mask)


def _of_size(samples: Latent, width: int, height: int) -> Latent:
    rows, columns = grid(width, height)
    scaled = (
        samples.samples if samples.samples.shape[2:] == (rows, columns) else resized(samples.samples, rows, columns)
    )
    return replace(samples, samples=scaled, width=width, height=height, prior=None)


@TABLE.node("LatentUpscale")
def upscale(samples: Latent, upscale_method: str, width: int, height: int, crop: str) -> Latent:
    """Stretches latents to a size in pixels."""
    if width == 0 and height == 0:
        return samples
    width, height = wanted_size(samples.width, samples.height, width, height)
    check_size(width, height, len(samples.samples))
    return _of_size(samples, max(width // 8 * 8, 8), max(height // 8 * 8, 8))


@TABLE.node("LatentUpscaleBy")
def upscale_by(samples: Latent, upscale_method: str, scale_by: float) -> Latent:
    """Stretches latents by a factor."""
    width, height = size_by(samples.width, samples.height, scale_by)
    check_size(width, height, len(samples.samples))
    return _of_size(samples, max(width // 8 * 8, 8), max(height // 8 * 8, 8))


@TABLE.node("LatentFromBatch")
def from_batch(samples: Latent, batch_index: int, length: int) -> Latent:
    """Takes some latents out of a batch."""
    start = min(max(batch_index + (len(samples.samples) if batch_index < 0 else 0), 0), len(samples.samples) - 1)
    return replace(samples, samples=samples.samples[start : start + length].copy())


@TABLE.node("RepeatLatentBatch")
def repeat(samples: Latent, amount: int) -> Latent:
    """Repeats a batch."""
    check_size(samples.width, samples.height, len(samples.samples) * amount)
    return replace(samples, samples=np.concatenate([samples.samples] * amount))


@TABLE.node("LatentBatch")
def batch(samples1: Latent, samples2: Latent) -> Latent:
    """Puts two batches together; the second one takes the size of the first."""
    second = _fitting(samples2, samples1)
    return replace(samples1, samples=np.concatenate([samples1.samples, second]))


def _fitting(samples: Latent, model: Latent) -> Array:
    """Return the samples of a latent at the size of another."""
    rows, columns = model.samples.shape[2:]
    return samples.samples if samples.samples.shape[2:] == (rows, columns) else resized(samples.samples, rows, columns)


def _same_count(samples: Array, count: int) -> Array:
    """Return samples repeated or cut to a count."""
    return samples[np.arange(count) % len(samples)]


@TABLE.node("LatentFlip")
def flip(samples: Latent, flip_method: str) -> Latent:
    """Mirrors latents."""
    axis = 2 if flip_method.startswith("x") else 3
    return replace(samples, samples=np.flip(samples.samples, axis).copy(), prior=None)


@TABLE.node("LatentRotate")
def rotate(samples: Latent, rotation: str) -> Latent:
    """Turns latents clockwise."""
    turns = 0 if rotation == "none" else int(rotation.split()[0]) // 90
    width, height = (samples.height, samples.width) if turns % 2 else (samples.width, samples.height)
    turned = np.rot90(samples.samples, -turns, axes=(2, 3)).copy()
    return replace(samples, samples=turned, width=width, height=height, prior=None)


@TABLE.node("LatentCrop")
def crop(samples: Latent, width: int, height: int, x: int, y: int) -> Latent:
    """Cuts out a rectangle, in pixels."""
    width, height = min(width, samples.width), min(height, samples.height)
    x, y = min(x, samples.width - width), min(y, samples.height - height)
    rows, columns = samples.samples.shape[2:]
    down, across = rows / samples.height, columns / samples.width
    top, left = round(y * down), round(x * across)
    bottom, right = max(round((y + height) * down), top + 1), max(round((x + width) * across), left + 1)
    part = samples.samples[:, :, top:bottom, left:right]
    return _of_size(replace(samples, samples=part), width, height)


@TABLE.node("LatentBlend")
def blend(samples1: Latent, samples2: Latent, blend_factor: float) -> Latent:
    """Mixes latents; at 1 only the first counts."""
    second = _same_count(_fitting(samples2, samples1), len(samples1.samples))
    mixed = samples1.samples * np.float32(blend_factor) + second * np.float32(1 - blend_factor)
    return replace(samples1, samples=mixed, prior=None)


@TABLE.node("LatentInterpolate")
def interpolate(samples1: Latent, samples2: Latent, ratio: float) -> Latent:
    """Mixes the directions of latents and their lengths; at 1 only the first counts."""
    one = samples1.samples
    two = _same_count(_fitting(samples2, samples1), len(one))
    lengths = [np.sqrt((values**2).sum(axis=1, keepdims=True)) for values in (one, two)]
    directions = [
        np.divide(values, length, out=np.zeros_like(values), where=length > 0)
        for values, length in zip((one, two), lengths, strict=True)
    ]
    mixed = directions[0] * ratio + directions[1] * (1 - ratio)
    size = np.sqrt((mixed**2).sum(axis=1, keepdims=True))
    unit = np.divide(mixed, size, out=np.zeros_like(mixed), where=size > 0)
    result = (unit * (lengths[0] * ratio + lengths[1] * (1 - ratio))).astype(np.float32)
    return replace(samples1, samples=result, prior=None)


@TABLE.node("LatentAdd")
def add(samples1: Latent, samples2: Latent) -> Latent:
    """Adds latents."""
    second = _same_count(_fitting(samples2, samples1), len(samples1.samples))
    return replace(samples1, samples=samples1.samples + second, prior=None)


@TABLE.node("LatentSubtract")
def subtract(samples1: Latent, samples2: Latent) -> Latent:
    """Subtracts the second latents from the first."""
    second = _same_count(_fitting(samples2, samples1), len(samples1.samples))
    return replace(samples1, samples=samples1.samples - second, prior=None)


@TABLE.node("LatentMultiply")
def multiply(samples: Latent, multiplier: float) -> Latent:
    """Multiplies latents by a number."""
    return replace(samples, samples=samples.samples * np.float32(multiplier), prior=None)


def _composite(to: Latent, source: Array, x: int, y: int, mask: Array | None) -> Latent:
    """Put samples over others at a place in pixels."""
    result = to.samples.copy()
    rows, columns = result.shape[2:]
    top, left = min(y * rows // to.height, rows), min(x * columns // to.width, columns)
    part = _same_count(source, len(result))[:, :, : rows - top, : columns - left]
    below = result[:, :, top : top + part.shape[2], left : left + part.shape[3]]
    if mask is not None:
        cut = mask[:, :, : part.shape[2], : part.shape[3]]
        part = below + (part - below) * _same_count(cut, len(result))
    result[:, :, top : top + part.shape[2], left : left + part.shape[3]] = part
    return replace(to, samples=result, prior=None)


@TABLE.node("LatentComposite")
def composite(samples_to: Latent, samples_from: Latent, x: int, y: int, feather: int) -> Latent:
    """Puts latents over others, with a soft edge."""
    source = samples_from.samples
    mask = None
    cells = feather * source.shape[3] // max(samples_from.width, 1)
    if cells:
        mask = np.ones((1, 1, *source.shape[2:]), np.float32)
        for step in range(cells):
            share = np.float32((step + 1) / cells)
            # As in ComfyUI only edges inside the image are soft.
            if y:
                mask[:, :, step : step + 1] *= share
            if x:
                mask[:, :, :, step : step + 1] *= share
            mask[:, :, mask.shape[2] - 1 - step : mask.shape[2] - step] *= share
            mask[:, :, :, mask.shape[3] - 1 - step : mask.shape[3] - step] *= share
    return _composite(samples_to, source, x, y, mask)


@TABLE.node("LatentCompositeMasked")
def composite_masked(
    destination: Latent, source: Latent, x: int, y: int, resize_source: bool, mask: Array | None = None
) -> Latent:
    """Puts latents over others where a mask says."""
    samples = _fitting(source, destination) if resize_source else source.samples
    small = None if mask is None else resized(mask[:, None], *samples.shape[2:])
    return _composite(destination, samples, x, y, small)
