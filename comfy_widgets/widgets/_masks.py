"""Masks painted over an image that is on the server, as ComfyUI's own mask editor keeps them: as the image's alpha."""

from __future__ import annotations

import io
import re
import time
from typing import TYPE_CHECKING

from ..protocol import File
from ._images import mime_of
from ._small import encode

if TYPE_CHECKING:
    from PIL.Image import Image

    from ..client import ComfyClient

_FOLDER = "clipspace"
"""Where ComfyUI's editor puts masked images."""
MAX_FEATHER = 256.0
_ORIENTATION = 0x0112
"""The EXIF tag that says how an image is turned."""


def input_file(value: str) -> File:
    """Return the file that an image input names: ``"boat.png"``, ``"sub/boat.png"``, ``"boat.png [output]"``."""
    where = re.search(r" \[(input|output|temp)\]$", value)
    folder, _, filename = value[: where.start() if where else None].rpartition("/")
    return File(filename, folder, where[1] if where else "input")


def parts(content: bytes) -> tuple[bytes, str, bytes]:
    """Return an image without its alpha, its type, and its mask as a grey PNG; no mask where nothing is transparent."""
    from PIL import Image as Pillow

    with Pillow.open(io.BytesIO(content)) as image:
        mask = _mask_of(image)
        mime = mime_of(content)
        if mask is None and mime is not None:
            return content, mime, b""
        shown = encode(image.convert("RGB"), "PNG", compress_level=1)
        return shown, "image/png", encode(mask, "PNG") if mask is not None else b""


def _mask_of(image: Image) -> Image | None:
    from PIL import ImageChops

    if "A" not in image.getbands() and "transparency" not in image.info:
        return None
    mask = ImageChops.invert(image.convert("RGBA").getchannel("A"))
    return mask if mask.getbbox() is not None else None


def upload(client: ComfyClient, value: str, painted: bytes, feather: float) -> str:
    """Give an image a mask, and return the name of what comes of it.

    Parameters
    ----------
    client : ComfyClient
    value : str
        What the image input names now.
    painted : bytes
        A grey image: white where the mask is.
    feather : float
        Pixels over which its edges become soft.

    Raises
    ------
    ComfyError
        The server does not have the image, or does not take the mask.
    """
    from PIL import Image as Pillow
    from PIL import ImageChops, ImageFilter, ImageOps

    with Pillow.open(io.BytesIO(painted)) as opened:
        mask = opened.convert("L")
    if feather > 0:
        mask = mask.filter(ImageFilter.GaussianBlur(min(feather, MAX_FEATHER) / 2))
    name = f"clipspace-mask-{time.time_ns() // 1_000_000}.png"
    original = input_file(value)
    with Pillow.open(io.BytesIO(client.view(original))) as opened:
        upright = ImageOps.exif_transpose(opened)
        if opened.getexif().get(_ORIENTATION, 1) != 1:
            # The mask was painted on the image as it is seen; the server would put it on the image as it is stored.
            content = encode(upright.convert("RGB"), "PNG", compress_level=1)
            original = client.upload_image(content, f"upright-{name}", subfolder=_FOLDER)
        mask = mask.resize(upright.size) if mask.size != upright.size else mask
    # LoadImage takes for masked what is transparent.
    image = Pillow.new("RGBA", mask.size)
    image.putalpha(ImageChops.invert(mask))
    file = client.upload_mask(image, original, name, subfolder=_FOLDER)
    return f"{file.subfolder}/{file.filename} [{file.type}]"
