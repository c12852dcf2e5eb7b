"""Names that a server gives its files, as names that may be written here."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath, PureWindowsPath

_DEVICE = re.compile(r"con|prn|aux|nul|(com|lpt)[0-9¹²³]", re.IGNORECASE)
# What a platform forbids, what a terminal obeys, and what turns the direction of writing around.
_UNSAFE = re.compile('[<>:"|?*\\\\/\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]')
_MAX_BYTES = 150
_MAX_SUFFIX = 16
_MAX_FOLDERS = 8


def safe_path(subfolder: str, filename: str) -> Path:
    """A relative path that stays below its root and that every platform can hold, whatever a server names its files.

    No part of it begins with a dot, which would hide it or make it a program's settings; long names are shortened.

    Parameters
    ----------
    subfolder, filename : str
        As the server reported them.

    Examples
    --------
    >>> safe_path("../.ssh", "CON.png").as_posix()
    'ssh/_CON.png'
    """
    folders = [part for part in PureWindowsPath(subfolder).parts if not part.endswith(("/", "\\"))]
    kept = [name for part in folders if (name := _safe_name(part))]
    return Path(*kept[-_MAX_FOLDERS:], _safe_name(PureWindowsPath(filename).name) or "file")


def _safe_name(name: str) -> str:
    name = name.encode("utf-8", "replace").decode("utf-8")
    # Windows takes no dots and spaces at the end, and for devices what is called like one, whatever its suffix.
    name = _UNSAFE.sub("_", name).rstrip(". ")
    bare, suffix = name.lstrip(". "), PurePosixPath(name).suffix
    name = f"file{suffix}" if suffix == f".{bare}" else bare
    name = f"_{name}" if _DEVICE.fullmatch(name.partition(".")[0].strip()) else name
    return _shortened(name) if len(name.encode()) > _MAX_BYTES else name


def _shortened(name: str) -> str:
    stem, dot, suffix = name.rpartition(".")
    if not stem or len(suffix) > _MAX_SUFFIX:
        stem, dot, suffix = name, "", ""
    room = _MAX_BYTES - len(f"{dot}{suffix}".encode())
    return f"{stem.encode()[:room].decode('utf-8', 'ignore').rstrip('. ')}{dot}{suffix}"
