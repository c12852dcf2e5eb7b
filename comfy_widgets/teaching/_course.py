"""The lessons that come with the package."""

from __future__ import annotations

from pathlib import Path

from .._writing import replace_file
from ..errors import ComfyError

# In an installed package they stand beside this file, in a checkout where people read them.
_PLACES = (Path(__file__).parent / "lessons", Path(__file__).parents[2] / "notebooks" / "lessons")


def copy_lessons(folder: str | Path = "lessons") -> list[Path]:
    """Copy the twelve lessons into a folder, to work through them there; no file that is there is written over.

    Parameters
    ----------
    folder : str or Path, default "lessons"
        Made where there is none; ``~`` is the home directory.

    Returns
    -------
    list of Path
        The lessons in their order, also those that were there.

    Raises
    ------
    ComfyError
        The folder cannot be written.

    Examples
    --------
    >>> from comfy_widgets.teaching import copy_lessons
    >>> copy_lessons("course")[0].name
    '01_words.ipynb'
    """
    target = Path(folder).expanduser()
    copies = []
    try:
        target.mkdir(parents=True, exist_ok=True)
        for lesson in sorted(next(place for place in _PLACES if place.is_dir()).glob("*.ipynb")):
            copy = target / lesson.name
            if not copy.exists():
                # Somebody's answers may stand in one that is there.
                replace_file(copy, lesson.read_bytes())
            copies.append(copy)
    except OSError as error:
        raise ComfyError(f"{target} cannot be written ({error.strerror or error}). Name another folder.") from error
    return copies
