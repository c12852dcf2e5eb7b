"""Nodes that save animations, or send images over the websocket."""

from __future__ import annotations

import io
import json
from typing import Any

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from .._context import progress
from .._files import Folders
from .._model.arrays import Array
from .images import next_file
from .table import Table

TABLE = Table()


@TABLE.node("SaveImageWebsocket")
def save_to_websocket(images: Array) -> dict[str, Any]:
    """Sends images over the websocket, and saves nothing."""
    for number, image in enumerate(_frames(images)):
        progress(number, len(images), image)
    return {}


def _frames(images: Array) -> list[Image.Image]:
    return [Image.fromarray((np.clip(image, 0, 1) * 255).round().astype(np.uint8)) for image in images]


@TABLE.node_with_files("SaveAnimatedWEBP")
def save_webp(
    folders: Folders,
    images: Array,
    filename_prefix: str,
    fps: float,
    lossless: bool,
    quality: int,
    method: str,
    num_frames: int = 0,
    prompt: dict[str, Any] | None = None,
    extra_pnginfo: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Saves images as an animated WebP file."""
    frames = _frames(images)
    exif = Image.Exif()
    if prompt is not None:
        exif[0x0110] = f"prompt:{json.dumps(prompt)}"
    for number, (key, value) in enumerate((extra_pnginfo or {}).items()):
        exif[0x010F - number] = f"{key}:{json.dumps(value)}"
    content = io.BytesIO()
    frames[0].save(
        content,
        "WEBP",
        save_all=True,
        append_images=frames[1:],
        duration=int(1000 / fps),
        loop=0,
        lossless=lossless,
        quality=quality,
        method={"default": 4, "fastest": 0, "slowest": 6}[method],
        exif=exif,
    )
    return _saved(folders, images, filename_prefix, ".webp", content.getvalue(), len(frames) != 1)


@TABLE.node_with_files("SaveAnimatedPNG")
def save_apng(
    folders: Folders,
    images: Array,
    filename_prefix: str,
    fps: float,
    compress_level: int,
    prompt: dict[str, Any] | None = None,
    extra_pnginfo: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Saves images as an animated PNG file."""
    frames = _frames(images)
    texts = PngInfo()
    for key, value in {**({} if prompt is None else {"prompt": prompt}), **(extra_pnginfo or {})}.items():
        texts.add(b"comf", f"{key}\0{json.dumps(value)}".encode("latin-1", "replace"), after_idat=True)
    content = io.BytesIO()
    frames[0].save(
        content,
        "PNG",
        pnginfo=texts,
        compress_level=compress_level,
        save_all=True,
        duration=int(1000 / fps),
        append_images=frames[1:],
    )
    return _saved(folders, images, filename_prefix, ".png", content.getvalue(), True)


def _saved(
    folders: Folders, images: Array, prefix: str, suffix: str, content: bytes, is_animated: bool
) -> dict[str, Any]:
    path, item = next_file(folders, prefix, suffix, images.shape[2], images.shape[1])
    path.write_bytes(content)
    return {"ui": {"images": [item], "animated": (is_animated,)}, "result": (images,)}
