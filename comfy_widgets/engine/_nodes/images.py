"""The nodes that load, change and save pictures.

A picture is a numpy array of shape (batch, height, width, 3), float32, 0 to 1; a mask has shape (batch, height, width).
"""

from __future__ import annotations

import hashlib
import random
import string
from typing import TYPE_CHECKING, Any, ClassVar

from .._files import Folders, next_names

if TYPE_CHECKING:
    from .._model.arrays import Array

    Inputs = dict[str, dict[str, Any]]

_UPSCALE_METHODS = ("nearest-exact", "bilinear", "area", "bicubic", "lanczos")


class SaveImage:
    """Saves pictures as PNG files that carry the prompt and the workflow."""

    folders: ClassVar[Folders]
    RETURN_TYPES: ClassVar[tuple[str, ...]] = ()
    FUNCTION = "save_images"
    OUTPUT_NODE = True
    CATEGORY = "image"
    DESCRIPTION = "Saves the pictures in the output folder."

    @classmethod
    def inputs(cls) -> Inputs:
        return {
            "required": {
                "images": ("IMAGE", {"tooltip": "The pictures to save."}),
                "filename_prefix": (
                    "STRING",
                    {
                        "default": "ComfyUI",
                        "tooltip": "How file names begin; may name a subfolder and hold %year%, %width% and the like.",
                    },
                ),
            },
            "hidden": {"prompt": "PROMPT", "extra_pnginfo": "EXTRA_PNGINFO"},
        }

    INPUT_TYPES = inputs

    def save_images(
        self,
        images: Array,
        filename_prefix: str = "ComfyUI",
        prompt: dict[str, Any] | None = None,
        extra_pnginfo: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        return self._save(images, filename_prefix, "output", prompt, extra_pnginfo)

    def _save(
        self, images: Array, prefix: str, kind: str, prompt: dict[str, Any] | None, extra: dict[str, Any] | None
    ) -> dict[str, Any]:
        from .._png import to_bytes, write_png

        root = self.folders.root(kind)
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


class PreviewImage(SaveImage):
    """Saves pictures in the temporary folder."""

    DESCRIPTION = "Shows the pictures without keeping them."

    @classmethod
    def inputs(cls) -> Inputs:
        return {
            "required": {"images": ("IMAGE",)},
            "hidden": {"prompt": "PROMPT", "extra_pnginfo": "EXTRA_PNGINFO"},
        }

    INPUT_TYPES = inputs

    def save_images(
        self,
        images: Array,
        filename_prefix: str = "ComfyUI",
        prompt: dict[str, Any] | None = None,
        extra_pnginfo: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        mark = "".join(random.choice(string.ascii_lowercase) for _ in range(5))
        return self._save(images, f"{filename_prefix}_temp_{mark}", "temp", prompt, extra_pnginfo)


class LoadImage:
    """Loads a picture from the input folder."""

    folders: ClassVar[Folders]
    RETURN_TYPES = ("IMAGE", "MASK")
    FUNCTION = "load_image"
    CATEGORY = "image"

    @classmethod
    def inputs(cls) -> Inputs:
        return {"required": {"image": (cls.folders.input_files(), {"image_upload": True})}}

    INPUT_TYPES = inputs

    @classmethod
    def digest(cls, image: str) -> str:
        return hashlib.sha256(cls.folders.annotated(image).read_bytes()).hexdigest()

    IS_CHANGED = digest

    @classmethod
    def validate(cls, image: str) -> bool | str:
        try:
            found = cls.folders.annotated(image).is_file()
        except ValueError:
            found = False
        return True if found else f"Invalid image file: {image}"

    VALIDATE_INPUTS = validate

    def load_image(self, image: str) -> tuple[Array, Array]:
        import numpy as np
        from PIL import Image, ImageOps

        with Image.open(self.folders.annotated(image)) as file:
            picture = ImageOps.exif_transpose(file)
            colours = np.asarray(picture.convert("RGB"), np.float32)[None] / np.float32(255)
            if "A" in picture.getbands():
                mask = 1 - np.asarray(picture.getchannel("A"), np.float32)[None] / np.float32(255)
            else:
                mask = np.zeros((1, 64, 64), np.float32)
        return colours, mask.astype(np.float32)


class ImageScale:
    """Changes the size of pictures."""

    RETURN_TYPES = ("IMAGE",)
    FUNCTION = "upscale"
    CATEGORY = "image/upscaling"

    @classmethod
    def inputs(cls) -> Inputs:
        side = {"default": 512, "min": 0, "max": 16384, "step": 1}
        return {
            "required": {
                "image": ("IMAGE",),
                "upscale_method": (list(_UPSCALE_METHODS),),
                "width": ("INT", side),
                "height": ("INT", side),
                "crop": (["disabled", "center"],),
            }
        }

    INPUT_TYPES = inputs

    def upscale(self, image: Array, upscale_method: str, width: int, height: int, crop: str) -> tuple[Array]:
        import numpy as np
        from PIL import Image

        _, old_height, old_width, _ = image.shape
        if width == 0 and height == 0:
            return (image,)
        # A side of 0 follows from the other one and the aspect ratio.
        width = width or max(1, round(old_width * height / old_height))
        height = height or max(1, round(old_height * width / old_width))
        if crop == "center":
            image = _crop_to_aspect(image, width / height)
        method = {
            "nearest-exact": Image.Resampling.NEAREST,
            "bilinear": Image.Resampling.BILINEAR,
            "area": Image.Resampling.BOX,
            "bicubic": Image.Resampling.BICUBIC,
            "lanczos": Image.Resampling.LANCZOS,
        }[upscale_method]
        scaled = np.empty((len(image), height, width, image.shape[3]), np.float32)
        for number, picture in enumerate(image):
            for channel in range(image.shape[3]):
                plane = Image.fromarray(np.ascontiguousarray(picture[:, :, channel], np.float32))
                scaled[number, :, :, channel] = np.asarray(plane.resize((width, height), method))
        return (np.clip(scaled, 0.0, 1.0),)


def _crop_to_aspect(image: Array, aspect: float) -> Array:
    _, height, width, _ = image.shape
    if width / height > aspect:
        keep = max(1, round(height * aspect))
        start = (width - keep) // 2
        return image[:, :, start : start + keep]
    keep = max(1, round(width / aspect))
    start = (height - keep) // 2
    return image[:, start : start + keep]


class ImageInvert:
    """Turns pictures into their negatives."""

    RETURN_TYPES = ("IMAGE",)
    FUNCTION = "invert"
    CATEGORY = "image"

    @classmethod
    def inputs(cls) -> Inputs:
        return {"required": {"image": ("IMAGE",)}}

    INPUT_TYPES = inputs

    def invert(self, image: Array) -> tuple[Array]:
        return (1 - image,)
