"""Nodes that put images together: blended, composed, stitched, with and without transparency."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .._model.arrays import Array, single
from .images import scaled
from .table import Table

TABLE = Table()
_COLOURS = {"white": (1, 1, 1), "black": (0, 0, 0), "red": (1, 0, 0), "green": (0, 1, 0), "blue": (0, 0, 1)}


def _blend_soft(one: Array, two: Array) -> Array:
    curve = np.where(one <= 0.25, ((16 * one - 12) * one + 4) * one, np.sqrt(np.maximum(one, 0)))
    result: Array = np.where(two <= 0.5, one - (1 - 2 * two) * one * (1 - one), one + (2 * two - 1) * (curve - one))
    return result


_BLENDS: dict[str, Callable[[Array, Array], Array]] = {
    "normal": lambda one, two: two,
    "multiply": lambda one, two: one * two,
    "screen": lambda one, two: 1 - (1 - one) * (1 - two),
    "overlay": lambda one, two: np.where(one <= 0.5, 2 * one * two, 1 - 2 * (1 - one) * (1 - two)),
    "soft_light": _blend_soft,
    "difference": lambda one, two: one - two,
}


@TABLE.node("ImageBlend")
def blend(image1: Array, image2: Array, blend_factor: float, blend_mode: str) -> Array:
    """Mixes two images."""
    second = _fitting(image2, image1)
    mixed = image1 * np.float32(1 - blend_factor) + _BLENDS[blend_mode](image1, second) * np.float32(blend_factor)
    return single(np.clip(mixed, 0.0, 1.0).astype(np.float32))


def _fitting(image: Array, model: Array) -> Array:
    """Return images with the size, the count and the channels of others."""
    if image.shape[1:3] != model.shape[1:3]:
        image = scaled(image, model.shape[2], model.shape[1], "bicubic", crop="center")
    return _channels(image[np.arange(len(model)) % len(image)], model.shape[3])


def _channels(image: Array, count: int) -> Array:
    if image.shape[3] >= count:
        return image[..., :count]
    return np.concatenate([image, np.ones((*image.shape[:3], count - image.shape[3]), np.float32)], axis=3)


@TABLE.node("ImageBatch")
def batch(image1: Array, image2: Array) -> Array:
    """Puts two batches together; the second takes the size of the first."""
    channels = max(image1.shape[3], image2.shape[3])
    if image2.shape[1:3] != image1.shape[1:3]:
        image2 = scaled(image2, image1.shape[2], image1.shape[1], "bilinear", crop="center")
    return np.concatenate([_channels(image1, channels), _channels(image2, channels)])


@TABLE.node("ImageCompositeMasked")
def composite_masked(
    destination: Array, source: Array, x: int, y: int, resize_source: bool, mask: Array | None = None
) -> Array:
    """Puts images over others where a mask says."""
    result = destination.copy()
    _, height, width, channels = result.shape
    if resize_source:
        source = scaled(source, width, height, "bilinear")
    source = _channels(source, channels)[np.arange(len(result)) % len(source)]
    opaque = np.ones((1, *source.shape[1:3]), np.float32) if mask is None else mask
    if opaque.shape[1:] != source.shape[1:3]:
        opaque = scaled(opaque[..., None], source.shape[2], source.shape[1], "bilinear")[..., 0]
    part = result[:, y : y + source.shape[1], x : x + source.shape[2]]
    size = part.shape[1:3]
    weight = opaque[np.arange(len(result)) % len(opaque), : size[0], : size[1], None]
    part[:] = part + (source[:, : size[0], : size[1]] - part) * weight
    return single(result)


@TABLE.node("JoinImageWithAlpha")
def join_alpha(image: Array, alpha: Array) -> Array:
    """Makes images transparent where a mask says."""
    count = max(len(image), len(alpha))
    fitting = scaled(alpha[..., None], image.shape[2], image.shape[1], "bilinear")
    pick = np.arange(count)
    return np.concatenate([image[pick % len(image), ..., :3], 1 - fitting[pick % len(alpha)]], axis=3)


@TABLE.node("SplitImageWithAlpha")
def split_alpha(image: Array) -> tuple[Array, Array]:
    """Parts images into colours and a mask of what is transparent."""
    alpha = image[..., 3] if image.shape[3] > 3 else np.ones(image.shape[:3], np.float32)
    return image[..., :3], 1 - alpha


@TABLE.node("ImageStitch")
def stitch(
    image1: Array,
    direction: str,
    match_image_size: bool,
    spacing_width: int,
    spacing_color: str,
    image2: Array | None = None,
) -> Array:
    """Puts images beside each other."""
    if image2 is None:
        return image1
    beside = direction in ("left", "right")
    axis = 2 if beside else 1
    count, channels = max(len(image1), len(image2)), max(image1.shape[3], image2.shape[3])
    if match_image_size:
        _, height, width, _ = image1.shape
        factor = height / image2.shape[1] if beside else width / image2.shape[2]
        other = max(1, int(image2.shape[2 if beside else 1] * factor))
        width, height = (other, height) if beside else (width, other)
        image2 = scaled(image2, width, height, "lanczos")
    parts = [_channels(each[np.minimum(np.arange(count), len(each) - 1)], channels) for each in (image1, image2)]
    across = 3 - axis
    longest = max(part.shape[across] for part in parts)
    parts = [_centred(part, across, longest) for part in parts]
    if direction in ("left", "up"):
        parts.reverse()
    if spacing_width:
        shape = [count, longest, longest, channels]
        shape[axis] = spacing_width
        colour = np.array([*_COLOURS[spacing_color], 1][:channels], np.float32)
        parts.insert(1, np.broadcast_to(colour, shape))
    return np.concatenate(parts, axis=axis)


def _centred(image: Array, axis: int, length: int) -> Array:
    """Return images with black edges, so that they have a length along an axis."""
    missing = length - image.shape[axis]
    edges = [(0, 0)] * 4
    edges[axis] = (missing // 2, missing - missing // 2)
    return np.pad(image, edges)


def _over(source: Array, alpha: Array, below: Array, below_alpha: Array, mode: str) -> tuple[Array, Array]:
    """Compose by the rules of Porter and Duff (1984); colours are not premultiplied."""
    one, two = source * alpha, below * below_alpha
    rules: dict[str, tuple[Array, Array]] = {
        "ADD": (np.clip(source + below, 0, 1), np.clip(alpha + below_alpha, 0, 1)),
        "CLEAR": (np.zeros_like(source), np.zeros_like(alpha)),
        "DARKEN": (
            (1 - below_alpha) * one + (1 - alpha) * two + np.minimum(one, two),
            alpha + below_alpha - alpha * below_alpha,
        ),
        "DST": (below, below_alpha),
        "DST_ATOP": (below_alpha * two + (1 - below_alpha) * one, alpha),
        "DST_IN": (two * alpha, alpha * below_alpha),
        "DST_OUT": ((1 - alpha) * two, (1 - alpha) * below_alpha),
        "DST_OVER": (two + (1 - below_alpha) * one, below_alpha + (1 - below_alpha) * alpha),
        "LIGHTEN": (
            (1 - below_alpha) * one + (1 - alpha) * two + np.maximum(one, two),
            alpha + below_alpha - alpha * below_alpha,
        ),
        "MULTIPLY": (source * below, alpha * below_alpha),
        "OVERLAY": (
            np.where(
                2 * below < below_alpha,
                2 * source * below,
                alpha * below_alpha - 2 * (below_alpha - source) * (alpha - below),
            ),
            alpha + below_alpha - alpha * below_alpha,
        ),
        "SCREEN": (source + below - source * below, alpha + below_alpha - alpha * below_alpha),
        "SRC": (source, alpha),
        "SRC_ATOP": (below_alpha * one + (1 - alpha) * two, below_alpha),
        "SRC_IN": (one * below_alpha, alpha * below_alpha),
        "SRC_OUT": ((1 - below_alpha) * one, (1 - below_alpha) * alpha),
        "SRC_OVER": (one + (1 - alpha) * two, alpha + (1 - alpha) * below_alpha),
        "XOR": ((1 - below_alpha) * one + (1 - alpha) * two, (1 - below_alpha) * alpha + (1 - alpha) * below_alpha),
    }
    return rules[mode]


@TABLE.node("PorterDuffImageComposite")
def porter_duff(
    source: Array, source_alpha: Array, destination: Array, destination_alpha: Array, mode: str
) -> tuple[Array, Array]:
    """Composes two images with masks of what is transparent."""
    below = _channels(destination, 3)
    above = _fitting(_channels(source, 3), below)
    alphas = [
        1 - scaled(mask[..., None], below.shape[2], below.shape[1], "bilinear")[np.arange(len(below)) % len(mask)]
        for mask in (source_alpha, destination_alpha)
    ]
    image, alpha = _over(above, alphas[0], below, alphas[1], mode)
    return np.clip(image, 0, 1).astype(np.float32), 1 - alpha[..., 0]
