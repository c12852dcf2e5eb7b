"""The built front end: one self-contained ES module for each widget."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from ..errors import ComfyError

_STATIC = Path(__file__).parent.parent / "static"


@cache
def module(name: str) -> str:
    """The source of a widget's module, read when the first such widget is made.

    A str and no Path: for a Path anywidget watches the file, and never frees a closed widget.

    Raises
    ------
    ComfyError
        The front end was not built, which happens only in a source tree.
    """
    path = _STATIC / f"{name}.js"
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ComfyError(
            f"The front end is not built: {path} is missing. In a source tree, run 'npm ci && npm run build' in js/ "
            "(or 'make setup'); in an installed package, install comfy_widgets again."
        ) from None
