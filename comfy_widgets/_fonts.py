"""Fonts of this machine that have the letters of a text."""

from __future__ import annotations

import os
import sys
import unicodedata
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont

_PREFERRED = (
    *("dejavusans", "notosans-regular", "liberationsans-regular", "arial", "segoeui", "helvetica"),
    *("notosanscjk-regular", "sourcehansans-regular", "pingfang", "hiragino", "msyh", "yugothr", "meiryo", "malgun"),
    *("nirmala", "leelawui", "arial unicode", "notosanssymbols", "notosanssymbols2"),
    *("notocoloremoji", "apple color emoji", "seguiemj"),
)
"""File names of the usual fonts for the screen, in the order of preference."""
_STYLED = (
    *("bold", "bd", "black", "medium", "light", "thin", "italic", "oblique"),
    *("condensed", "mono", "serif", "nastaliq"),
)
_PLACEHOLDERS = ("lastresort", "notdef", "fallback")
"""Fonts that draw a box for every letter there is."""
_BITMAP_SIZES = (109, 136, 160, 96, 64)
"""Pixels; fonts of colour emoji have one or a few sizes only."""
_UNENCODED = "\uffff"
"""No font has a glyph for it, so that each draws what it draws for letters that it lacks."""

_file_of: dict[str, Path | None] = {}


def has_no_glyph(character: str) -> bool:
    """Tell whether nothing is drawn for a character by itself: spaces, joiners, variation selectors."""
    return unicodedata.category(character) in ("Zs", "Zl", "Zp", "Cc", "Cf", "Cs", "Cn") or (
        "\ufe00" <= character <= "\ufe0f"
    )


def letters(text: str) -> set[str]:
    """Return the characters that need a glyph."""
    return {character for character in text if not has_no_glyph(character)}


def glyphs(font: FreeTypeFont, characters: Iterable[str]) -> set[str]:
    """Return those of the characters for which a font has a glyph."""
    # Pillow has no list of a font's letters, but what a font lacks it draws as it draws a letter that nothing has.
    absent = font.getmask(_UNENCODED)
    box = absent.size, bytes(absent)
    found = set()
    for character in characters:
        mask = font.getmask(character)
        if (mask.size, bytes(mask)) != box:
            found.add(character)
    return found


def open_font(path: Path, size: int) -> FreeTypeFont:
    """Open a font in a size, or in the nearest of its own if it has only a few.

    Raises
    ------
    OSError
        It is no font that can be read.
    """
    from PIL import ImageFont

    try:
        return ImageFont.truetype(os.fspath(path), size)
    except OSError:
        for own in _BITMAP_SIZES:
            try:
                return ImageFont.truetype(os.fspath(path), own)
            except OSError:
                continue
        raise


def fonts_with(characters: set[str]) -> list[Path]:
    """Return as few font files as have all the characters that any font here has, the preferred ones first."""
    unknown = characters - _file_of.keys()
    for path in _font_files() if unknown else ():
        try:
            found = glyphs(open_font(path, 16), unknown)
        except (OSError, ValueError):
            continue
        _file_of.update(dict.fromkeys(found, path))
        unknown -= found
        if not unknown:
            break
    _file_of.update(dict.fromkeys(unknown))
    order = {path: place for place, path in enumerate(_font_files())}
    chosen = {_file_of[character] for character in characters}
    return sorted((path for path in chosen if path is not None), key=order.__getitem__)


@cache
def _font_files() -> tuple[Path, ...]:
    return tuple(sorted(_all_files(), key=_preference))


def _preference(path: Path) -> tuple[int, int, str]:
    name = path.stem.lower()
    place = _PREFERRED.index(name) if name in _PREFERRED else len(_PREFERRED)
    return place, sum(style in name for style in _STYLED), name


def _all_files() -> Iterator[Path]:
    for folder in _folders():
        for parent, _, names in os.walk(folder):
            for name in names:
                is_font = name.lower().endswith((".ttf", ".otf", ".ttc"))
                if is_font and not any(word in name.lower().replace(" ", "") for word in _PLACEHOLDERS):
                    yield Path(parent, name)


def _folders() -> list[Path]:
    """Return where the system keeps fonts, and where matplotlib has some that are good for most of Europe."""
    matplotlib = find_spec("matplotlib")
    packaged = matplotlib.submodule_search_locations if matplotlib is not None else None
    return [*_system_folders(), *(Path(folder, "mpl-data", "fonts", "ttf") for folder in packaged or ())]


def _system_folders() -> list[Path]:
    home = Path("~").expanduser()
    if sys.platform == "win32":
        local = os.environ.get("LOCALAPPDATA", os.fspath(home / "AppData" / "Local"))
        return [Path(os.environ.get("WINDIR", r"C:\Windows"), "Fonts"), Path(local, "Microsoft", "Windows", "Fonts")]
    if sys.platform == "darwin":
        return [home / "Library/Fonts", Path("/Library/Fonts"), Path("/System/Library/Fonts")]
    own = os.environ.get("XDG_DATA_HOME") or os.fspath(home / ".local/share")
    shared = os.environ.get("XDG_DATA_DIRS") or "/usr/local/share:/usr/share"
    return [home / ".fonts", *(Path(folder, "fonts") for folder in (own, *shared.split(":")) if folder)]
