"""A workflow's graph as an image: SVG without scripts, styles or ids, or the text of a Mermaid diagram."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._prompt import Prompt
from .._specs import NodeSpecs
from .editor_scene import scenes_of_ui
from .layout import arrange
from .mermaid import to_mermaid
from .page import to_html
from .parts import Drawing, DrawnNode, DrawnWire, drawing_of
from .scene import Scene, scene_of_prompt
from .svg import to_svg


def _scenes(ui: Mapping[str, Any] | None, prompt: Prompt | None, specs: NodeSpecs | None) -> list[Scene]:
    return scenes_of_ui(ui, specs) if ui is not None else [scene_of_prompt(prompt or {}, specs)]


def draw(ui: Mapping[str, Any] | None, prompt: Prompt | None, specs: NodeSpecs | None) -> str:
    """Return an SVG of the editor's form where there is one, else of a prompt; below it, what subgraphs have inside."""
    return to_svg(_placed(ui, prompt, specs))


def shown(ui: Mapping[str, Any] | None, prompt: Prompt | None, specs: NodeSpecs | None) -> dict[str, str]:
    """Return what a notebook shows: the same SVG, and where there are subgraphs, HTML in which they are opened."""
    scenes = _placed(ui, prompt, specs)
    bundle = {"image/svg+xml": to_svg(scenes)}
    if len(scenes) > 1:
        bundle["text/html"] = to_html((scene.title, to_svg([scene], headings=False)) for scene in scenes)
    return bundle


def _placed(ui: Mapping[str, Any] | None, prompt: Prompt | None, specs: NodeSpecs | None) -> list[Scene]:
    return [scene if scene.placed else arrange(scene) for scene in _scenes(ui, prompt, specs)]


def mermaid(ui: Mapping[str, Any] | None, prompt: Prompt | None, specs: NodeSpecs | None) -> str:
    """Return a Mermaid flowchart of the root."""
    return to_mermaid(_scenes(ui, prompt, specs)[0])


__all__ = ["Drawing", "DrawnNode", "DrawnWire", "draw", "drawing_of", "mermaid", "shown"]
