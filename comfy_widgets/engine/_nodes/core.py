"""The engine's own nodes: the same names, inputs, defaults and bounds as ComfyUI's core nodes."""

from __future__ import annotations

from .._files import Folders
from . import animation, compositing, conditioning, image_ops, images, latents, loaders, masks, sampling, texts
from .registry import NodeClass

_TABLES = [
    module.TABLE
    for module in (
        *(animation, compositing, conditioning, image_ops, images),
        *(latents, loaders, masks, sampling, texts),
    )
]


def display_names() -> dict[str, str]:
    """Return the titles for people by the name of the class."""
    return {name: title for table in _TABLES for name, title in table.display_names().items()}


def node_classes(folders: Folders) -> dict[str, NodeClass]:
    """Return the classes by name; those that touch files are bound to this server's folders."""
    return {name: cls for table in _TABLES for name, cls in table.classes(folders).items()}
