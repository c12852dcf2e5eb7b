"""Nodes that make, scale, crop and filter images: arrays of shape (batch, height, width, 3 or 4), float32, 0..1."""

from __future__ import annotations

import numpy as np

from .._context import check_interrupted
from .._model.arrays import Array, single
from .._model.noise import Noise
from .images import scaled
from .sizes import check_size, size_by
from .table import Table

TABLE = Table()


@TABLE.node("EmptyImage")
def empty(width: int, height: int, batch_size: int = 1, color: int = 0) -> Array:
    """Makes images of one colour."""
    check_size(width, height, batch_size)
    colour = np.array([color >> 16 & 255, color >> 8 & 255, color & 255], np.float32) / np.float32(255)
    return single(np.broadcast_to(colour, (batch_size, height, width, 3)).copy())


@TABLE.node("GetImageSize")
def size(image: Array, unique_id: str | None = None) -> tuple[int, int, int]:
    """Tells width, height and how many."""
    return image.shape[2], image.shape[1], image.shape[0]


@TABLE.node("ImageScaleBy")
def scale_by(image: Array, upscale_method: str, scale_by: float) -> Array:
    """Scales images by a factor."""
    return scaled(image, *size_by(image.shape[2], image.shape[1], scale_by), upscale_method)


@TABLE.node("ImageScaleToTotalPixels")
def scale_to_pixels(image: Array, upscale_method: str, megapixels: float, resolution_steps: int = 1) -> Array:
    """Scales images to a number of pixels."""
    _, height, width, _ = image.shape
    factor = (megapixels * 1024 * 1024 / (width * height)) ** 0.5
    width, height = (max(1, round(side * factor / resolution_steps)) * resolution_steps for side in (width, height))
    return scaled(image, width, height, upscale_method)


@TABLE.node("ImageScaleToMaxDimension")
def scale_to_side(image: Array, upscale_method: str, largest_size: int) -> Array:
    """Scales images so that their longer side has a length."""
    _, height, width, _ = image.shape
    factor = max(largest_size, 1) / max(width, height)
    return scaled(image, *size_by(width, height, factor), upscale_method)


@TABLE.node("ImageCrop")
def crop(image: Array, width: int, height: int, x: int, y: int) -> Array:
    """Cuts out a rectangle."""
    x, y = min(x, image.shape[2] - 1), min(y, image.shape[1] - 1)
    return image[:, y : y + height, x : x + width]


@TABLE.node("ImagePadForOutpaint")
def pad_for_outpaint(
    image: Array, left: int, top: int, right: int, bottom: int, feathering: int
) -> tuple[Array, Array]:
    """Adds grey edges, and a mask of what is to be painted."""
    count, height, width, channels = image.shape
    check_size(width + left + right, height + top + bottom, count)
    padded = np.full((count, height + top + bottom, width + left + right, channels), 0.5, np.float32)
    padded[:, top : top + height, left : left + width] = image
    mask = np.ones((1, *padded.shape[1:3]), np.float32)
    inner = np.zeros((height, width), np.float32)
    if feathering > 0 and feathering * 2 < min(height, width):
        rows, columns = np.mgrid[:height, :width]
        far = np.full((height, width), np.inf)
        for is_padded, distance in (
            (top, rows),
            (bottom, height - rows),
            (left, columns),
            (right, width - columns),
        ):
            if is_padded:
                far = np.minimum(far, distance)
        inner = (np.clip((feathering - far) / feathering, 0, 1) ** 2).astype(np.float32)
    mask[:, top : top + height, left : left + width] = inner
    return padded, mask


def _gauss(radius: int, sigma: float) -> Array:
    weights = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    result: Array = (weights / weights.sum()).astype(np.float32)
    return result


def _blurred(image: Array, radius: int, sigma: float) -> Array:
    """Blur along rows, then columns; the edges are mirrored."""
    for axis in (1, 2):
        edges = [(0, 0)] * 4
        edges[axis] = (radius, radius)
        padded = np.pad(image, edges, mode="reflect" if image.shape[axis] > radius else "edge")
        image = sum(
            (
                weight * np.take(padded, range(step, step + image.shape[axis]), axis=axis)
                for step, weight in enumerate(_gauss(radius, sigma))
            ),
            np.zeros_like(image),
        )
        check_interrupted()
    return image


@TABLE.node("ImageBlur")
def blur(image: Array, blur_radius: int, sigma: float) -> Array:
    """Blurs images."""
    return _blurred(image, blur_radius, sigma)


@TABLE.node("ImageSharpen")
def sharpen(image: Array, sharpen_radius: int, sigma: float, alpha: float) -> Array:
    """Makes edges stronger: the image, and what a blur would take away."""
    lost = image - _blurred(image, sharpen_radius, sigma)
    return single(np.clip(image + np.float32(10 * alpha) * lost, 0.0, 1.0))


@TABLE.node("RepeatImageBatch")
def repeat(image: Array, amount: int) -> Array:
    """Repeats a batch."""
    check_size(image.shape[2], image.shape[1], len(image) * amount)
    return np.concatenate([image] * amount)


@TABLE.node("ImageFromBatch")
def from_batch(image: Array, batch_index: int, length: int) -> Array:
    """Takes some images out of a batch."""
    start = min(max(batch_index + (len(image) if batch_index < 0 else 0), 0), len(image) - 1)
    return single(image[start : start + length].copy())


@TABLE.node("ImageFlip")
def flip(image: Array, flip_method: str) -> Array:
    """Mirrors images."""
    return single(np.flip(image, 1 if flip_method.startswith("x") else 2).copy())


@TABLE.node("ImageRotate")
def rotate(image: Array, rotation: str) -> Array:
    """Turns images clockwise."""
    turns = 0 if rotation == "none" else int(rotation.split()[0]) // 90
    return single(np.rot90(image, -turns, axes=(1, 2)).copy())


@TABLE.node("ResizeAndPadImage")
def resize_and_pad(
    image: Array, target_width: int, target_height: int, padding_color: str, interpolation: str
) -> Array:
    """Fits images into a size and fills the rest."""
    count, height, width, channels = image.shape
    check_size(target_width, target_height, count)
    factor = min(target_width / width, target_height / height)
    inner = scaled(image, max(1, int(width * factor)), max(1, int(height * factor)), interpolation)
    whole = np.full((count, target_height, target_width, channels), float(padding_color == "white"), np.float32)
    top, left = (target_height - inner.shape[1]) // 2, (target_width - inner.shape[2]) // 2
    whole[:, top : top + inner.shape[1], left : left + inner.shape[2]] = inner
    return whole


@TABLE.node("ImageAddNoise")
def add_noise(image: Array, seed: int, strength: float) -> Array:
    """Adds noise to the pixels."""
    return single(np.clip(image + Noise(seed, 1, image.shape).draw()[0] * np.float32(strength), 0.0, 1.0))


@TABLE.node("Canny")
def canny(image: Array, low_threshold: float, high_threshold: float) -> Array:
    """Finds edges: steep places, thinned, that hang together with very steep ones."""
    grey = _blurred(image[..., :3].mean(axis=3, keepdims=True), 2, 1.0)[..., 0]
    down, across = np.gradient(grey, axis=(1, 2))
    steep = np.hypot(down, across) * 4
    rows, columns = np.abs(down) > np.abs(across) * 2.414, np.abs(across) > np.abs(down) * 2.414
    padded = np.pad(steep, ((0, 0), (1, 1), (1, 1)))
    vertical = np.maximum(padded[:, :-2, 1:-1], padded[:, 2:, 1:-1])
    horizontal = np.maximum(padded[:, 1:-1, :-2], padded[:, 1:-1, 2:])
    falling = np.maximum(padded[:, :-2, :-2], padded[:, 2:, 2:])
    rising = np.maximum(padded[:, :-2, 2:], padded[:, 2:, :-2])
    slanted = np.where(down * across > 0, falling, rising)
    ridge = steep >= np.where(rows, vertical, np.where(columns, horizontal, slanted))
    weak, strong = ridge & (steep > low_threshold), ridge & (steep > high_threshold)
    while True:
        check_interrupted()
        around = np.pad(strong, ((0, 0), (1, 1), (1, 1)))
        near = np.zeros_like(strong)
        for top in range(3):
            for left in range(3):
                near |= around[:, top : top + strong.shape[1], left : left + strong.shape[2]]
        grown = weak & near
        if np.array_equal(grown | strong, strong):
            break
        strong = strong | grown
    return np.repeat(strong.astype(np.float32)[..., None], 3, axis=3)
