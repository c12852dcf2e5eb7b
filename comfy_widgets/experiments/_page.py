"""One page of HTML that shows an experiment without a server, a kernel or a network."""

from __future__ import annotations

import base64
import html
import io
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .._writing import replace_file, utf8_bytes
from ..protocol import ComfyError
from ._cell import Cell, Cells
from ._errors import ExperimentError
from ._keep import THUMBNAIL
from ._saved import files_in
from ._snapshot import rows_of, thumbnails_of

_CODE = Path(__file__).parent.parent / "static" / "sweep-page.js"
MAX_BYTES = 4_800_000
"""Bytes of a page, about: its images are made as small as that asks for."""
_LARGE = 640
_QUALITIES = (60, 45, 30, 20, 12, 6, 1)

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; img-src blob: data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ background: #fff; color: #1b1e23; font: 14px/1.5 system-ui, sans-serif; margin: 16px auto; max-width: 1400px;
        padding: 0 16px; }}
details {{ margin: 12px 0; }}
summary {{ cursor: pointer; font-weight: 600; }}
pre {{ overflow: auto; max-height: 480px; background: rgb(128 128 128 / 10%); padding: 12px; border-radius: 8px; }}
footer {{ color: #6b7280; font-size: 12px; margin: 16px 0; }}
@media (prefers-color-scheme: dark) {{ body {{ background: #16181c; color: #eceef1; }} }}
</style>
</head>
<body>
<div id="grid"><noscript>This page draws its grid with JavaScript; the images are in it.</noscript></div>
<details><summary>Workflow</summary><pre>{workflow}</pre></details>
<footer>{footer}</footer>
<script type="application/json" id="sweep">{data}</script>
<script>{code}</script>
</body>
</html>
"""


def save_page(
    of: Cells, path: str | Path, state: Mapping[str, Any], definition: Mapping[str, Any], footer: str
) -> Path:
    """Write the page.

    Parameters
    ----------
    of : Experiment
    path : str or Path
    state : Mapping
        As `state_of` makes it.
    definition : Mapping
        From which the experiment can be made again.
    footer : str
        Versions and the date.

    Raises
    ------
    ExperimentError
        The file cannot be written.
    """
    target = Path(path).expanduser()
    try:
        code = _CODE.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ComfyError(
            "The front end is not built: run 'make setup' in a source tree, or install comfy_widgets again."
        ) from None
    room = MAX_BYTES - 2 * len(json.dumps(definition)) - len(code) - 200 * len(of.cells)
    small, large = images_within(of, max(0, room))
    data = {
        "state": dict(state),
        "rows": rows_of(of, of.cells),
        "thumbnails": [_text(small[cell.number]) if cell.number in small else None for cell in of.cells],
        "images": {str(number): _text(content) for number, content in large.items()},
        "definition": dict(definition),
        "cells": [list(cell.indices) for cell in of.cells],
        "files": {name: _text((of.store.files / name).read_bytes()) for name in files_in(definition)},
    }
    page = _PAGE.format(
        title=html.escape(of.name),
        workflow=html.escape(json.dumps(definition["workflows"], indent=1, ensure_ascii=False)),
        footer=html.escape(footer),
        # Nothing in the data can end the script, whatever a prompt says.
        data=json.dumps(data, separators=(",", ":")).replace("<", "\\u003c").replace(">", "\\u003e"),
        code=code.replace("</script", "<\\/script"),
    )
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        replace_file(target, utf8_bytes(page))
    except OSError as error:
        raise ExperimentError(f"{target} cannot be written ({error.strerror or error}).") from error
    return target


def images_within(of: Cells, budget: int) -> tuple[dict[int, bytes], dict[int, bytes]]:
    """Return thumbnails that fit into so many bytes as text, and larger images where there is room for all of them."""
    room = budget * 3 // 4
    small = thumbnails_of(of, of.cells)
    if sum(map(len, small.values())) > room:
        return _squeezed(small, room), {}
    room -= sum(map(len, small.values()))
    cells = [cell for cell in of.cells if cell.number in small]
    if not cells:
        return small, {}
    # One image tells what all would take.
    side = _LARGE
    while side > 2 * THUMBNAIL:
        first = _encoded(cells[0], side)
        if first is not None and len(first) * len(cells) * 1.1 < room:
            made = {cell.number: content for cell in cells if (content := _encoded(cell, side)) is not None}
            if sum(map(len, made.values())) <= room:
                return small, made
        side = round(side / math.sqrt(2))
    return small, {}


def _squeezed(images: Mapping[int, bytes], room: int) -> dict[int, bytes]:
    """Encode thumbnails anew, at the best quality at which all of them fit."""
    every = max(1, len(images) // 40)
    sample: Sequence[bytes] = list(images.values())[::every]
    chosen = _QUALITIES[-1]
    for quality in _QUALITIES:
        mean = sum(len(_again(content, quality)) for content in sample) / len(sample)
        if mean * len(images) * 1.05 <= room:
            chosen = quality
            break
    return {number: _again(content, chosen) for number, content in images.items()}


def _again(content: bytes, quality: int) -> bytes:
    from PIL import Image as Pillow

    with Pillow.open(io.BytesIO(content)) as image:
        return _webp(image, quality)


def _encoded(cell: Cell, side: int) -> bytes | None:
    try:
        image = cell.image
    except ComfyError:
        return None
    if image is None:
        return None
    image = image.convert("RGB")
    image.thumbnail((side, side))
    return _webp(image, 70)


def _webp(image: Any, quality: int) -> bytes:
    stream = io.BytesIO()
    image.save(stream, "WEBP", quality=quality, method=4)
    return stream.getvalue()


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")


def read_page(path: Path) -> dict[str, Any]:
    """Return the data of a saved page.

    Raises
    ------
    ExperimentError
        It is none.
    """
    try:
        text = path.read_text(encoding="utf-8")
        _, _, rest = text.partition('<script type="application/json" id="sweep">')
        data = json.loads(rest.partition("</script>")[0])
    except (OSError, ValueError) as error:
        raise ExperimentError(f"{path} is no saved page of a sweep ({error}).") from error
    if not isinstance(data, dict) or "definition" not in data:
        raise ExperimentError(f"{path} is no saved page of a sweep.")
    return data
