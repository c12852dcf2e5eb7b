"""The directory into which a result is saved."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from .._writing import add_file, numbered, replace_file


class Destination:
    """Takes files one by one; no two of them get the same name.

    Parameters
    ----------
    root : Path
        Made when the first file comes.
    overwrite : bool
        Whether files that were there before are replaced; otherwise a number is added to the name.
    """

    def __init__(self, root: Path, *, overwrite: bool) -> None:
        self._root = root
        self._overwrite = overwrite
        # Some platforms take "A.png" for "a.png".
        self._written: set[str] = set()

    def add(self, relative: Path, content: bytes) -> Path:
        """Write a file, and say where it is.

        Parameters
        ----------
        relative : Path
            What `safe_path` gave.
        content : bytes

        Raises
        ------
        OSError
        """
        target = self._folder(relative.parts[:-1]) / relative.name
        if not self._overwrite:
            return add_file(target, content)
        free = (path for path in numbered(target) if not path.is_dir() and str(path).casefold() not in self._written)
        path = next(free)
        replace_file(path, content)
        self._written.add(str(path).casefold())
        return path

    def _folder(self, parts: Sequence[str]) -> Path:
        """The folder, made; beside a file of the same name it gets a number."""
        folder = self._root
        for part in parts:
            folder = next(path for path in numbered(folder / part) if path.is_dir() or not path.exists())
        folder.mkdir(parents=True, exist_ok=True)
        return folder
