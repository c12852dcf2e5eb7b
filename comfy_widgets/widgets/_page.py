"""The runs of a panel as one HTML page, for people without a kernel."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from .._writing import replacing, utf8_bytes

if TYPE_CHECKING:
    from ..workflow import Param
    from ._images import Shown
    from ._panel_run import PanelRun

_STYLE = """
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; }
body { margin: 32px auto; max-width: 1080px; padding: 0 20px; }
h1 { font-size: 22px; } h2 { font-size: 16px; margin: 40px 0 12px; }
.images { display: grid; gap: 12px; grid-template-columns: repeat(auto-fill, minmax(min(100%, 320px), 1fr)); }
figure { margin: 0; } img, video { border-radius: 8px; display: block; height: auto; max-width: 100%; }
figcaption, small { color: GrayText; font-size: 13px; font-weight: 400; }
dl { display: grid; gap: 4px 20px; grid-template-columns: max-content 1fr; }
dt { color: GrayText; } dd { margin: 0; overflow-wrap: anywhere; white-space: pre-wrap; }
@media (max-width: 600px) { dl { grid-template-columns: 1fr; } dd { margin-bottom: 8px; } }
"""


def save_page(path: Path, title: str, runs: Iterable[PanelRun], params: Mapping[str, Param]) -> Path:
    """Write a page with all runs that gave something, newest first; see `ComfyPanel.save_html`.

    Everything that came from a person or a server is escaped: it stands there as text.
    """
    with replacing(path) as file:
        for part in _parts(title, list(runs), params):
            file.write(utf8_bytes(part))
    return path


def _parts(title: str, runs: list[PanelRun], params: Mapping[str, Param]) -> Iterator[str]:
    yield (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        # Whatever an image or a text may try, this page loads and runs nothing.
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; img-src data:; media-src data:; '
        "style-src 'unsafe-inline'\">"
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>\n<body><h1>{escape(title)}</h1>\n"
    )
    shown = [run for run in reversed(runs) if run.images or ((result := run.shown_result) is not None and result.texts)]
    if not shown:
        yield "<p>No run has given anything yet.</p>\n"
    for run in shown:
        yield from _run(run, params)
    yield "</body></html>\n"


def _run(run: PanelRun, params: Mapping[str, Param]) -> Iterator[str]:
    result = run.shown_result
    started = datetime.fromtimestamp(run.created).astimezone().strftime("%Y-%m-%d %H:%M:%S %z")
    took = f", {result.elapsed:.1f} s" if result is not None and result.elapsed is not None else ""
    yield f'<section><h2>Run {run.number} <small>{started}{took}</small></h2>\n<div class="images">'
    alt = "; ".join(str(run.values[name]) for name, param in params.items() if _is_text(param) and name in run.values)
    for index, image in enumerate(run.images):
        yield _figure(run.original(index) or image, alt or image.caption)
    yield "</div>\n"
    for text in result.texts if result is not None else ():
        yield f"<pre>{escape(text)}</pre>\n"
    yield "<dl>"
    for name, param in params.items():
        if name in run.values:
            yield f"<dt>{escape(param.label)}</dt><dd>{escape(str(run.values[name]))}</dd>"
    yield "</dl></section>\n"


def _figure(image: Shown, alt: str) -> str:
    source = f"data:{image.mime};base64,{base64.b64encode(image.content).decode('ascii')}"
    caption = f"<figcaption>{escape(image.caption)}</figcaption>"
    if image.mime.startswith("image/"):
        return f'<figure><img alt="{escape(alt)}" src="{source}">{caption}</figure>\n'
    kind = "audio" if image.mime.startswith("audio/") else "video"
    return f'<figure><{kind} controls src="{source}"></{kind}>{caption}</figure>\n'


def _is_text(param: Param) -> bool:
    return param.kind == "text" and param.primary
