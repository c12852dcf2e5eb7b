"""Workflows that come with the package."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

from ...protocol.errors import WorkflowError

if TYPE_CHECKING:
    from ..document import Workflow


def example(name: str = "text_to_image") -> Workflow:
    """Return a workflow that comes with the package.

    Parameters
    ----------
    name : str
        ``"text_to_image"``, the graph ComfyUI opens with, in API format; ``"text_to_image_ui"``, the same as the editor
        saves it.

    Raises
    ------
    WorkflowError
        If there is no such example.
    """
    from ..document import Workflow

    folder = files(__name__)
    names = sorted(entry.name.removesuffix(".json") for entry in folder.iterdir() if entry.name.endswith(".json"))
    if name not in names:
        raise WorkflowError(f"There is no example {name!r}. There are: {', '.join(names)}.")
    return Workflow.load((folder / f"{name}.json").read_bytes())
