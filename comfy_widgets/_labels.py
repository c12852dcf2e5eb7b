"""Labels that are drawn beside images, in every script that a font of this machine has."""

from __future__ import annotations

import math
import unicodedata
import warnings
from bisect import bisect_right
from collections.abc import Collection
from itertools import groupby
from typing import TYPE_CHECKING

from ._fonts import fonts_with, glyphs, has_no_glyph, letters, open_font

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageFont import FreeTypeFont

_MAX_LABEL = 1000
_PACKAGES = {
    **dict.fromkeys(("Chinese", "Japanese", "Korean"), "Noto Sans CJK (apt install fonts-noto-cjk)"),
    "symbols": "Noto Color Emoji (apt install fonts-noto-color-emoji)",
}
_JOINERS = "\u200d\ufe0e\ufe0f"


class LabelFont:
    """Draws labels of one size, each letter with a font that has it.

    Pillow's own font is taken for texts that it has all letters of, so that labels look the same everywhere. It has
    hardly more than ASCII; for others a font of this machine is looked for.

    Parameters
    ----------
    size : int
        Of the letters, in pixels.
    texts : collection of str
        All that will be drawn. Letters that no font here has are named in one warning.

    Attributes
    ----------
    height : int
        Pixels from the highest to the lowest letter.
    """

    def __init__(self, size: int, texts: Collection[str]) -> None:
        from PIL import ImageFont

        self._size = size
        lines = {_on_one_line(text) for text in texts}
        needed: set[str] = set().union(*map(letters, lines))
        own = ImageFont.load_default(size)
        if not isinstance(own, ImageFont.FreeTypeFont):
            # A Pillow without FreeType has a bitmap font of one size, and can open no other.
            raise ImportError(
                "This Pillow was built without FreeType, so that no labels can be drawn; install another."
            )
        # What is cut ends in an ellipsis.
        drawn = needed | {"…"}
        owned = glyphs(own, drawn)
        lacking = needed - owned
        fonts = [open_font(path, size) for path in fonts_with(drawn)] if lacking else []
        self._fonts = [*fonts, own]
        self._has = [*(glyphs(font, drawn) for font in fonts), owned]
        missing = lacking.difference(*self._has)
        if missing:
            warnings.warn(_what_is_missing(missing), stacklevel=3)
        if lacking and not _shapes_text() and any(_needs_shaping(letter) for letter in needed):
            warnings.warn(
                "This Pillow was built without Raqm, so that letters of a label are not joined, and run from left to "
                "right in every script. Pillow's own wheels (pip install --force-reinstall pillow) have Raqm.",
                stacklevel=3,
            )
        self._up = self._down = 0
        for text in {"Ágjy", *lines}:
            for font, part in self._parts(text):
                _, top, _, bottom = font.getbbox(part, anchor="ls")
                self._up = max(self._up, math.ceil(-top * self._scale(font)))
                self._down = max(self._down, math.ceil(bottom * self._scale(font)))
        self.height = self._up + self._down

    def length(self, text: str) -> float:
        """Return the width of a text in pixels."""
        return sum(font.getlength(part) * self._scale(font) for font, part in self._parts(text))

    def cut(self, text: str, width: float) -> str:
        """Return a text on one line, cut to a width in pixels."""
        text = _on_one_line(text)
        if self.length(text) <= width:
            return text
        count = bisect_right(range(len(text)), width, key=lambda count: self.length(f"{text[:count]}…")) - 1
        # A letter is cut with its accents, an emoji with all that it is joined of.
        while count > 0 and (
            unicodedata.combining(text[count]) or text[count] in _JOINERS or text[count - 1] == "\u200d"
        ):
            count -= 1
        return f"{text[: max(count, 0)].rstrip()}…"

    def draw(self, sheet: Image, at: tuple[float, float], text: str, fill: str | tuple[int, ...], anchor: str) -> None:
        """Draw a text on an image of mode RGB.

        Parameters
        ----------
        sheet : PIL.Image.Image
            To draw on.
        at : (float, float)
            Where, in pixels.
        text : str
            On one line.
        fill : colour
            Of the letters.
        anchor : str
            What of the text lies there: its left, middle or right (l, m, r) and its top, middle or bottom (a, m, d).
        """
        from PIL import ImageDraw

        draw = ImageDraw.Draw(sheet)
        left = at[0] - self.length(text) * {"l": 0, "m": 0.5, "r": 1}[anchor[0]]
        baseline = at[1] + {"a": self._up, "m": (self._up - self._down) / 2, "d": -self._down}[anchor[1]]
        for font, part in self._parts(text):
            scale = self._scale(font)
            if scale == 1:
                draw.text((left, baseline), part, fill=fill, font=font, anchor="ls", embedded_color=True)
            else:
                self._draw_scaled(sheet, (left, baseline), part, font, fill)
            left += font.getlength(part) * scale

    def _parts(self, text: str) -> list[tuple[FreeTypeFont, str]]:
        """A text in parts of one font each, from left to right."""
        needed = letters(text)
        for font, has in zip(self._fonts, self._has, strict=True):
            if needed <= has and font.size == self._size:
                return [(font, text)]
        places: list[int] = []
        for letter in text:
            now = places[-1] if places else None
            if letter == " " and now is not None and self._fonts[now].size != self._size:
                # The space of an emoji font is as wide as an emoji.
                places.append(len(self._fonts) - 1)
            elif has_no_glyph(letter) or (unicodedata.combining(letter) and now is not None):
                # Spaces, joiners and accents stay with the letter before them.
                places.append(now if now is not None else 0)
            elif now is not None and letter in self._has[now]:
                places.append(now)
            else:
                last = len(self._fonts) - 1
                places.append(next((place for place, has in enumerate(self._has) if letter in has), last))
        parts = []
        for place, group in groupby(zip(places, text, strict=True), key=lambda one: one[0]):
            parts.append((self._fonts[place], "".join(letter for _, letter in group)))
        return parts[::-1] if _runs_left(text) else parts

    def _scale(self, font: FreeTypeFont) -> float:
        return self._size / font.size

    def _draw_scaled(
        self, sheet: Image, at: tuple[float, float], part: str, font: FreeTypeFont, fill: str | tuple[int, ...]
    ) -> None:
        """Draw with a font that has another size only: colour emoji."""
        from PIL import Image as Pillow
        from PIL import ImageDraw

        left, top, right, bottom = (math.floor(side) for side in font.getbbox(part, anchor="ls"))
        if right <= left or bottom <= top:
            return
        large = Pillow.new("RGBA", (right - left + 1, bottom - top + 1))
        ImageDraw.Draw(large).text((-left, -top), part, fill=fill, font=font, anchor="ls", embedded_color=True)
        scale = self._scale(font)
        size = (max(1, round(large.width * scale)), max(1, round(large.height * scale)))
        small = large.resize(size, Pillow.Resampling.LANCZOS)
        sheet.paste(small, (round(at[0] + left * scale), round(at[1] + top * scale)), small)


def _on_one_line(text: str) -> str:
    # Half an emoji has no glyph, and Pillow no patience with it; nobody reads a label of a thousand letters.
    return " ".join(text[: 4 * _MAX_LABEL].split())[:_MAX_LABEL].encode("utf-8", "replace").decode()


def _shapes_text() -> bool:
    from PIL import features

    return bool(features.check("raqm"))


def _needs_shaping(letter: str) -> bool:
    return unicodedata.bidirectional(letter) in ("R", "AL") or "\u0900" <= letter <= "\u109f"


def _runs_left(text: str) -> bool:
    """Tell whether a text begins with a script that is written from right to left."""
    directions = (unicodedata.bidirectional(letter) for letter in text)
    return next((direction for direction in directions if direction in ("L", "R", "AL")), "L") != "L"


def _what_is_missing(missing: set[str]) -> str:
    """Say which letters have no font here, and which font has them."""
    scripts: dict[str, list[str]] = {}
    for letter in sorted(missing):
        scripts.setdefault(_script(letter), []).append(letter)
    fonts = {_PACKAGES.get(script, "Noto Sans (apt install fonts-noto-core)") for script in scripts}
    shown = "; ".join(
        f"{script}: {''.join(found[:8])}{'…' if len(found) > 8 else ''}" for script, found in scripts.items()
    )
    return (
        f"No font on this machine has some letters of the labels ({shown}), so that boxes are drawn for them. "
        f"Install fonts that have them, then restart the kernel: {', '.join(sorted(fonts))}."
    )


def _script(letter: str) -> str:
    first = unicodedata.name(letter, "").split(" ")[0].split("-")[0]
    if unicodedata.category(letter)[0] not in "LM":
        return "symbols"
    names = {"CJK": "Chinese", "HIRAGANA": "Japanese", "KATAKANA": "Japanese", "HANGUL": "Korean"}
    return names.get(first, first.title())
