"""The drawing of a workflow as HTML, in which the insides of subgraphs are opened by a click."""

from __future__ import annotations

import base64
import html
from collections.abc import Iterable


def to_html(drawings: Iterable[tuple[str, str]]) -> str:
    """Return the first drawing, and each of the others behind its title.

    The drawings are images with their data inside: notebooks show those also where they do not trust a file, and two
    drawings on one page do not disturb each other.
    """
    parts = []
    for title, svg in drawings:
        data = base64.b64encode(svg.encode()).decode("ascii")
        shown = html.escape(title.encode("utf-8", "replace").decode())
        image = f'<img alt="{shown or "The workflow"}" style="max-width:100%" src="data:image/svg+xml;base64,{data}">'
        parts.append(f"<details><summary>{shown}</summary>{image}</details>" if title else image)
    return "\n".join(parts)
