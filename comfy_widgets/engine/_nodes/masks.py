"""Nodes for masks: arrays of shape (batch, height, width), 0..1."""

from __future__ import annotations

from typing import Any

import numpy as np
from PIL import Image, ImageOps

from .._files import Folders
from .._model.arrays import Array, single
from .sizes import check_size
from .table import Table

TABLE = Table()
_CHANNELS = {"red": 0, "green": 1, "blue": 2, "alpha": 3}


@TABLE.node("MaskToImage")
def mask_to_image(mask: Array) -> Array:
    """Shows a mask as a grey image."""
    return np.repeat(mask[..., None], 3, axis=3)


@TABLE.node("ImageToMask")
def image_to_mask(image: Array, channel: str) -> Array:
    """Takes one colour channel as a mask; an image without alpha is opaque."""
    number = _CHANNELS[channel]
    return image[..., number] if number < image.shape[3] else np.ones(image.shape[:3], np.float32)


@TABLE.node("ImageColorToMask")
def colour_to_mask(image: Array, color: int) -> Array:
    """Takes the pixels of exactly one colour as a mask."""
    levels = np.clip(image[..., :3] * 255, 0, 255).round().astype(np.int64)
    values = (levels[..., 0] << 16) + (levels[..., 1] << 8) + levels[..., 2]
    return single((values == color).astype(np.float32))


@TABLE.node("SolidMask")
def solid_mask(value: float, width: int, height: int) -> Array:
    """Makes a mask of one value."""
    check_size(width, height, 1)
    return np.full((1, height, width), value, np.float32)


@TABLE.node("InvertMask")
def invert(mask: Array) -> Array:
    """Turns a mask around."""
    return 1 - mask


@TABLE.node("CropMask")
def crop(mask: Array, x: int, y: int, width: int, height: int) -> Array:
    """Cuts out a rectangle."""
    return mask[:, y : y + height, x : x + width]


@TABLE.node("ThresholdMask")
def threshold(mask: Array, value: float) -> Array:
    """Makes a mask of 0 and 1."""
    return (mask > value).astype(np.float32)


@TABLE.node("MaskComposite")
def composite(destination: Array, source: Array, x: int, y: int, operation: str) -> Array:
    """Puts a mask over another."""
    result = destination.copy()
    part = result[:, y : y + source.shape[1], x : x + source.shape[2]]
    over = source[np.arange(len(part)) % len(source), : part.shape[1], : part.shape[2]]
    sharp = part.round().astype(np.bool_), over.round().astype(np.bool_)
    if operation == "multiply":
        part[:] = part * over
    elif operation == "add":
        part[:] = part + over
    elif operation == "subtract":
        part[:] = part - over
    elif operation == "and":
        part[:] = sharp[0] & sharp[1]
    elif operation == "or":
        part[:] = sharp[0] | sharp[1]
    else:
        part[:] = sharp[0] ^ sharp[1]
    return single(np.clip(result, 0.0, 1.0))


@TABLE.node("FeatherMask")
def feather(mask: Array, left: int, top: int, right: int, bottom: int) -> Array:
    """Makes the edges of a mask soft."""
    result = mask.copy()
    _, height, width = result.shape
    for step in range(min(left, width)):
        result[:, :, step] *= (step + 1) / min(left, width)
    for step in range(min(right, width)):
        result[:, :, width - 1 - step] *= (step + 1) / min(right, width)
    for step in range(min(top, height)):
        result[:, step] *= (step + 1) / min(top, height)
    for step in range(min(bottom, height)):
        result[:, height - 1 - step] *= (step + 1) / min(bottom, height)
    return single(result)


@TABLE.node("GrowMask")
def grow(mask: Array, expand: int, tapered_corners: bool) -> Array:
    """Lets a mask grow by some pixels, or shrink."""
    grows = grown(1 - mask, -expand, tapered=tapered_corners) if expand < 0 else None
    return grown(mask, expand, tapered=tapered_corners) if grows is None else 1 - grows


def grown(mask: Array, pixels: int, *, tapered: bool) -> Array:
    """Return a mask in which each value has spread by so many pixels, as a square or, tapered, as a diamond."""
    for _ in range(min(pixels, max(mask.shape[1:]))):
        around = np.pad(mask, ((0, 0), (1, 1), (1, 1)), mode="edge")
        height, width = mask.shape[1:]
        rows, columns = around[:, :, 1 : width + 1], around[:, 1 : height + 1]
        if not tapered:
            columns = np.maximum(np.maximum(around[:, :-2], around[:, 1:-1]), around[:, 2:])
        mask = np.maximum(np.maximum(rows[:, :-2], rows[:, 2:]), np.maximum(columns[:, :, :-2], columns[:, :, 2:]))
        mask = np.maximum(mask, around[:, 1:-1, 1:-1])
    return mask


@TABLE.node_with_files("LoadImageMask")
def load_mask(folders: Folders, image: str, channel: str) -> Array:
    """Loads one channel of an image file as a mask."""
    with Image.open(folders.annotated(image)) as file:
        opened = ImageOps.exif_transpose(file).convert("RGBA")
    plane = np.asarray(opened.getchannel(_CHANNELS[channel]), np.float32)[None] / np.float32(255)
    return single(1 - plane if channel == "alpha" else plane)


@TABLE.node_with_files("MaskPreview")
def preview(
    folders: Folders, mask: Array, prompt: dict[str, Any] | None = None, extra_pnginfo: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Shows a mask without keeping it."""
    from .images import save_images

    return {**save_images(folders, mask_to_image(mask), "ComfyUI", "temp", prompt, extra_pnginfo), "result": (mask,)}
