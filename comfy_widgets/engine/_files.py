"""The engine's folders: output, input, temp and user, and names in them."""

from __future__ import annotations

import hashlib
import re
import time
from pathlib import Path

_LONGEST_STEM = 240
_ANNOTATION = re.compile(r"^(?P<name>.*) \[(?P<type>input|output|temp)\]$", re.DOTALL)


class Folders:
    """Where files live.

    Parameters
    ----------
    base : Path
        Holds the four folders.
    output : Path, optional
        Puts the output folder elsewhere.

    Raises
    ------
    ValueError
        A folder cannot be made.
    """

    def __init__(self, base: Path, output: Path | None = None) -> None:
        self.base = base.resolve()
        self.output = (output or base / "output").resolve()
        self.input = self.base / "input"
        self.temp = self.base / "temp"
        self.user = self.base / "user"
        for folder in (self.output, self.input, self.temp, self.user):
            try:
                folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise ValueError(
                    f"The folder {folder} cannot be made: {error.strerror}. Choose another one with "
                    "--base-directory or --output-directory."
                ) from error

    def root(self, kind: str) -> Path | None:
        """Return the folder of type "output", "input" or "temp"; None for any other word."""
        return {"output": self.output, "input": self.input, "temp": self.temp}.get(kind)

    def annotated(self, name: str, default: str = "input") -> Path:
        """Return the path of a loader's file name, which may end in " [output]" and the like.

        Raises
        ------
        ValueError
            When the name leads out of its folder.
        """
        name, kind = split_annotation(name)
        root = self.root(kind or default)
        assert root is not None
        path = (root / name).resolve()
        if not path.is_relative_to(root):
            raise ValueError(f"The file {name!r} lies outside the {kind or default} folder.")
        return path

    def digest(self, name: str) -> str:
        """Return the hash of a loader's file, by which a changed file is noticed."""
        return hashlib.sha256(self.annotated(name).read_bytes()).hexdigest()

    def is_input(self, name: str) -> bool | str:
        """Tell whether a loader can take a file of this name; where not, in words."""
        try:
            found = self.annotated(name).is_file()
        except (ValueError, OSError):
            found = False
        return True if found else f"Invalid image file: {name}"

    def input_files(self) -> list[str]:
        """Return the names of the files directly in the input folder, sorted."""
        return sorted(entry.name for entry in self.input.iterdir() if entry.is_file())


def split_annotation(name: str) -> tuple[str, str | None]:
    """Split ``"a.png [temp]"`` into ``("a.png", "temp")``; without a mark the second is None."""
    match = _ANNOTATION.match(name)
    return (match["name"], match["type"]) if match else (name, None)


def expand_prefix(prefix: str, width: int, height: int) -> str:
    """Fill in ComfyUI's server-side place holders: %year% %month% %day% %hour% %minute% %second% %width% %height%."""
    now = time.localtime()
    values = {
        "width": str(width),
        "height": str(height),
        "year": str(now.tm_year),
        "month": f"{now.tm_mon:02d}",
        "day": f"{now.tm_mday:02d}",
        "hour": f"{now.tm_hour:02d}",
        "minute": f"{now.tm_min:02d}",
        "second": f"{now.tm_sec:02d}",
    }
    return re.sub(r"%(\w+)%", lambda match: values.get(match[1], match[0]), prefix)


def next_names(root: Path, prefix: str, count: int, width: int, height: int) -> tuple[Path, list[str], str]:
    """Return folder, file names and subfolder for `count` new PNGs, counted on from what is in the folder.

    Raises
    ------
    ValueError
        When the prefix leads out of `root`.
    """
    prefix = expand_prefix(prefix, width, height)
    stem = prefix.rsplit("/", 1)[-1]
    if "\0" in prefix or len(stem.encode()) > _LONGEST_STEM:
        raise ValueError(f"No file can have the filename_prefix {prefix[:40]!r}...: choose a shorter, plain one.")
    folder = (root / prefix).parent.resolve() if not prefix.endswith("/") else (root / prefix).resolve()
    if not folder.is_relative_to(root):
        raise ValueError(
            f"The filename_prefix {prefix!r} leads out of the output folder {root}. Use a name, or a folder inside it."
        )
    folder.mkdir(parents=True, exist_ok=True)
    taken = re.compile(re.escape(stem) + r"_(\d+)_?\.\w+$", re.IGNORECASE)
    used = (int(match[1]) for entry in folder.iterdir() if (match := taken.match(entry.name)))
    first = max(used, default=0) + 1
    subfolder = folder.relative_to(root).as_posix()
    names = [f"{stem}_{number:05d}_.png" for number in range(first, first + count)]
    return folder, names, "" if subfolder == "." else subfolder
