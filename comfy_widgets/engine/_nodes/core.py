"""The engine's own nodes: the same names, inputs, defaults and bounds as ComfyUI's core nodes."""

from __future__ import annotations

from .._files import Folders
from .diffusion import CheckpointLoaderSimple, CLIPTextEncode, EmptyLatentImage, KSampler, VAEDecode, VAEEncode
from .images import ImageInvert, ImageScale, LoadImage, PreviewImage, SaveImage
from .registry import NodeClass

DISPLAY_NAMES = {
    "KSampler": "KSampler",
    "CheckpointLoaderSimple": "Load Checkpoint",
    "CLIPTextEncode": "CLIP Text Encode (Prompt)",
    "VAEDecode": "VAE Decode",
    "VAEEncode": "VAE Encode",
    "EmptyLatentImage": "Empty Latent Image",
    "SaveImage": "Save Image",
    "PreviewImage": "Preview Image",
    "LoadImage": "Load Image",
    "ImageScale": "Upscale Image",
    "ImageInvert": "Invert Image",
}


def node_classes(folders: Folders) -> dict[str, NodeClass]:
    """Return the classes by name; those that touch files are bound to this server's folders."""
    plain: list[NodeClass] = [
        KSampler, CheckpointLoaderSimple, CLIPTextEncode, VAEDecode, VAEEncode, EmptyLatentImage, ImageScale,
        ImageInvert,
    ]  # fmt: skip
    bound: list[NodeClass] = [SaveImage, PreviewImage, LoadImage]
    classes = {cls.__name__: cls for cls in plain}
    classes.update({cls.__name__: type(cls.__name__, (cls,), {"folders": folders}) for cls in bound})
    return classes
