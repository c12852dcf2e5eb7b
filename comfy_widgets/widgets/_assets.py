"""The built front end: a start module that every widget carries, and the parts that a page loads once."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ..errors import ComfyError

STATIC = Path(__file__).parent.parent / "static"


@dataclass(frozen=True)
class FrontEnd:
    """All files of one build, so that a package that is upgraded under a running kernel does not mix two.

    Attributes
    ----------
    start : str
        The start module.
    parts : dict of str to list of str
        The files of each part; a file comes after all that it imports.
    files : dict of str to bytes
        ES modules by name.
    """

    start: str
    parts: dict[str, list[str]]
    files: dict[str, bytes]


@cache
def front_end() -> FrontEnd:
    """Read the files of the build, once a process."""
    try:
        parts: dict[str, list[str]] = json.loads((STATIC / "manifest.json").read_bytes())
        names = {name for files in parts.values() for name in files}
        files = {name: (STATIC / name).read_bytes() for name in names}
        start = (STATIC / "start.js").read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise ComfyError(
            f"The front end is not built: {error.filename} is missing. In a source tree, run 'npm ci && npm run build' "
            "in js/ (or 'make setup'); in an installed package, install comfy_widgets again."
        ) from None
    return FrontEnd(start, parts, files)


def start_module() -> str:
    """Return the source of the start module.

    A str and no Path: for a Path anywidget watches the file, and never frees a closed widget.

    Raises
    ------
    ComfyError
        The front end was not built, which happens only in a source tree.
    """
    return front_end().start


def part_files(part: str, present: str | None = None) -> dict[str, bytes]:
    """Return the files of a part, each after all that it imports.

    Parameters
    ----------
    part : str
        A widget's entry, or a feature that is loaded when it is opened.
    present : str, optional
        A part that the browser has already; its files are left out.

    Raises
    ------
    KeyError
        There is no such part.
    """
    built = front_end()
    known = set(built.parts[present]) if present is not None else set()
    return {name: built.files[name] for name in built.parts[part] if name not in known}
