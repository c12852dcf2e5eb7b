"""The nodes that load, save, scale and invert images, and what other nodes need of them.

An image is a numpy array of shape (batch, height, width, 3), float32, 0 to 1; a mask has shape (batch, height, width).
"""

from __future__ import annotations

import random
import string
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from .._files import Folders, next_names
from .._model.arrays import Array, single
from .._png import to_bytes, write_png
from .sizes import check_size, wanted_size
from .table import Table

TABLE = Table()
Extra = dict[str, Any] | None


@TABLE.node_with_files("SaveImage")
def save(
    folders: Folders, images: Array, filename_prefix: str = "ComfyUI", prompt: Any = None, extra_pnginfo: Extra = None
) -> dict[str, Any]:
    """Saves images in the output folder, as PNG files that carry the prompt and the workflow."""
    return {**save_images(folders, images, filename_prefix, "output", prompt, extra_pnginfo), "result": (images,)}


@TABLE.node_with_files("PreviewImage")
def preview(folders: Folders, images: Array, prompt: Any = None, extra_pnginfo: Extra = None) -> dict[str, Any]:
    """Shows images without keeping them."""
    mark = "".join(random.choice(string.ascii_lowercase) for _ in range(5))
    return {**save_images(folders, images, f"ComfyUI_temp_{mark}", "temp", prompt, extra_pnginfo), "result": (images,)}


@TABLE.node_with_files("LoadImage")
@TABLE.node_with_files("LoadImageOutput")
def load(folders: Folders, image: str) -> tuple[Array, Array]:
    """Loads an image from the input folder, or from the one behind its name; what is transparent becomes a mask."""
    with Image.open(folders.annotated(image)) as file:
        opened = ImageOps.exif_transpose(file)
        colours = single(opened.convert("RGB"))[None] / np.float32(255)
        if "A" in opened.getbands():
            mask = 1 - single(opened.getchannel("A"))[None] / np.float32(255)
        else:
            mask = np.zeros((1, 64, 64), np.float32)
    return colours, mask


@TABLE.node("ImageScale")
def scale(image: Array, upscale_method: str, width: int, height: int, crop: str) -> Array:
    """Changes the size of images; a side of 0 follows from the other one."""
    if width == 0 and height == 0:
        return image
    width, height = wanted_size(image.shape[2], image.shape[1], width, height)
    return scaled(image, width, height, upscale_method, crop)


@TABLE.node("ImageInvert")
def invert(image: Array) -> Array:
    """Turns images into their negatives."""
    return 1 - image


def save_images(
    folders: Folders,
    images: Array,
    prefix: str,
    kind: str,
    prompt: dict[str, Any] | None,
    extra: dict[str, Any] | None,
) -> dict[str, Any]:
    """Save images as PNG files in the folder of a type, and return what a node says of them."""
    root = folders.root(kind)
    assert root is not None
    count, height, width, _ = images.shape
    folder, names, subfolder = next_names(root, prefix, count, width, height)
    texts: dict[str, Any] = {} if prompt is None else {"prompt": prompt}
    texts.update(extra or {})
    items = []
    for name, image in zip(names, images, strict=True):
        write_png(folder / name, to_bytes(image), texts)
        items.append({"filename": name, "subfolder": subfolder, "type": kind})
    return {"ui": {"images": items}}


def next_file(folders: Folders, prefix: str, suffix: str, width: int, height: int) -> tuple[Path, dict[str, Any]]:
    """Return the path for one new file in the output folder, and what a node says of it."""
    folder, names, subfolder = next_names(folders.output, prefix, 1, width, height)
    name = Path(names[0]).with_suffix(suffix).name
    return folder / name, {"filename": name, "subfolder": subfolder, "type": "output"}


def scaled(image: Array, width: int, height: int, method: str, crop: str = "disabled") -> Array:
    """Return images at another size.

    Parameters
    ----------
    image : Array
        Shape (batch, height, width, channels).
    width, height : int
        The new size in pixels.
    method : str
        One of ComfyUI's upscale methods.
    crop : str
        "center" keeps the aspect ratio and cuts off what is too much.
    """
    check_size(width, height, len(image))
    if crop == "center":
        image = _crop_to_aspect(image, width / height)
    if image.shape[1:3] == (height, width):
        return image
    filters = {
        "nearest-exact": Image.Resampling.NEAREST,
        "bilinear": Image.Resampling.BILINEAR,
        "area": Image.Resampling.BOX,
        "bicubic": Image.Resampling.BICUBIC,
        "lanczos": Image.Resampling.LANCZOS,
    }
    result = np.empty((len(image), height, width, image.shape[3]), np.float32)
    for number, one in enumerate(image):
        for channel in range(image.shape[3]):
            plane = Image.fromarray(np.ascontiguousarray(one[:, :, channel], np.float32))
            result[number, :, :, channel] = np.asarray(plane.resize((width, height), filters[method]))
    return np.clip(result, 0.0, 1.0)


def _crop_to_aspect(image: Array, aspect: float) -> Array:
    _, height, width, _ = image.shape
    if width / height > aspect:
        keep = max(1, round(height * aspect))
        start = (width - keep) // 2
        return image[:, :, start : start + keep]
    keep = max(1, round(width / aspect))
    start = (height - keep) // 2
    return image[:, start : start + keep]
