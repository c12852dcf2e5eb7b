"""Workflows that come with the package."""

from __future__ import annotations

from dataclasses import replace
from importlib.resources import files
from typing import TYPE_CHECKING

from ...protocol import WorkflowError

if TYPE_CHECKING:
    from .._document import Workflow
    from .._prompt import ObjectInfo


def example(name: str = "text_to_image", object_info: ObjectInfo | None = None) -> Workflow:
    """Return a workflow that comes with the package.

    It names the embedded engine's model. For a server with other models give its definitions: the first of each kind
    that it offers is then chosen.

    Parameters
    ----------
    name : str
        ``"text_to_image"``, the graph ComfyUI opens with, in API format; ``"text_to_image_ui"``, the same as the editor
        saves it; ``"image_to_image"`` and ``"inpainting"``, which want an image (what is transparent in it is painted
        anew); ``"lora"``; ``"two_passes"``, a small image first and a larger one from it.
    object_info : Mapping, optional
        A server's node definitions: ``example(object_info=client.object_info())``.

    Returns
    -------
    Workflow

    Raises
    ------
    WorkflowError
        If there is no such example.

    Examples
    --------
    >>> example("text_to_image_ui")
    <Workflow of 7 nodes in the editor's format, from text_to_image.json>
    >>> from PIL import Image
    >>> photo = Image.new("RGB", (64, 64), "orange")
    >>> client.run(example("image_to_image"), image=photo, steps=2).images[0].size
    (512, 512)
    """
    from .._document import Workflow

    folder = files(__name__)
    names = sorted(entry.name.removesuffix(".json") for entry in folder.iterdir() if entry.name.endswith(".json"))
    if name not in names:
        raise WorkflowError(f"There is no example {name!r}. There are: {', '.join(names)}.")
    workflow = Workflow.load((folder / f"{name}.json").read_bytes())
    workflow = replace(workflow, source=f"{name.removesuffix('_ui')}.json")
    if object_info is None:
        return workflow
    workflow = workflow.bind(object_info)
    models = {
        param.name: param.choices[0]
        for param in workflow.params().values()
        if param.input_name in ("ckpt_name", "lora_name") and param.choices and param.value not in param.choices
    }
    return workflow.with_params(models)
