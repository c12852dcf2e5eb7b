"""A workflow's graph as a picture: SVG without scripts, styles or ids, or the text of a Mermaid diagram."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._prompt import Prompt
from .._specs import NodeSpecs
from .layout import arrange
from .mermaid import to_mermaid
from .scene import Scene, scene_of_prompt, scene_of_ui
from .svg import to_svg


def _scene(ui: Mapping[str, Any] | None, prompt: Prompt | None, specs: NodeSpecs | None) -> Scene:
    if ui is not None:
        return scene_of_ui(ui, specs)
    return scene_of_prompt(prompt or {}, specs)


def draw(ui: Mapping[str, Any] | None, prompt: Prompt | None, specs: NodeSpecs | None) -> str:
    """Return an SVG of the editor's form where there is one, else of a prompt."""
    scene = _scene(ui, prompt, specs)
    return to_svg(scene if scene.placed else arrange(scene))


def mermaid(ui: Mapping[str, Any] | None, prompt: Prompt | None, specs: NodeSpecs | None) -> str:
    """Return a Mermaid flowchart of the same."""
    return to_mermaid(_scene(ui, prompt, specs))
