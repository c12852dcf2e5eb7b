"""Writing a scene as a Mermaid flowchart."""

from __future__ import annotations

import re

from .scene import Scene
from .svg import color_of

_UNSAFE = re.compile(r'["<>&#;`\\\[\](){}|]')


def to_mermaid(scene: Scene) -> str:
    """Return a flowchart: a box for each node, in the colour of what it makes, and the types on the wires."""
    lines = ["flowchart LR"]
    names = {box.id: f"n{number}" for number, box in enumerate(scene.boxes)}
    for box in scene.boxes:
        if not box.note:
            mode = f" ({box.mode})" if box.mode else ""
            lines.append(f'    {names[box.id]}["{_safe(box.title + mode)}"]')
    for wire in scene.wires:
        label = f"|{_safe(wire.type)}|" if wire.type and wire.type != "*" else ""
        lines.append(f"    {names[wire.origin.id]} -->{label} {names[wire.target.id]}")
    for box in scene.boxes:
        if not box.note:
            dash = ",stroke-dasharray:4 3" if box.mode else ""
            lines.append(f"    style {names[box.id]} stroke:{color_of(box.type)},stroke-width:2px{dash}")
    return "\n".join(lines) + "\n"


def _safe(text: str) -> str:
    """Replace what Mermaid would read as its own syntax by its character code."""
    return _UNSAFE.sub(lambda found: f"#{ord(found.group())};", " ".join(text.split()))
