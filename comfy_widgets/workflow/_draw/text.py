"""Measuring and cutting texts where no font can be asked."""

from __future__ import annotations

import html
import re
import unicodedata
from functools import lru_cache

_NO_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_MARKDOWN = (
    (re.compile(r"!?\[([^\]]*)\]\([^)]*\)"), r"\1"),
    (re.compile(r"^\s*(#+|[-*])\s+", re.MULTILINE), ""),
    (re.compile(r"\*\*|__|`"), ""),
)
_LONGEST = 2000
_NARROW = str.maketrans("", "", "ijlt.,:;|!'()[] ")
BOLD = 1.15


def escape(text: str) -> str:
    """Make a text safe in XML, whatever it holds."""
    return html.escape(_NO_XML.sub("\ufffd", text))


@lru_cache(maxsize=4096)
def width(text: str) -> float:
    """Estimate the width of a text in units of its size."""
    if text.isascii():
        narrow = len(text) - len(text.translate(_NARROW))
        return 0.6 * len(text) - 0.28 * narrow
    return sum(_char_width(char) for char in text)


def _char_width(char: str) -> float:
    if char.isascii():
        return 0.32 if ord(char) in _NARROW else 0.6
    return 1.0 if unicodedata.east_asian_width(char) in "WF" else 0.6


def fit(text: str, room: float) -> str:
    """Cut a text to a width; an ellipsis tells that there was more."""
    text = text[:_LONGEST]
    if width(text) <= room:
        return text
    total = 0.7
    for index, char in enumerate(text):
        total += _char_width(char)
        if total > room:
            return f"{text[:index].rstrip()}\u2026" if index else ""
    return text


def wrap(text: str, room: float, most: int) -> list[str]:
    """Break a text into at most `most` lines; the last one ends in an ellipsis if there is more."""
    lines: list[str] = []
    line = ""
    words = text[:_LONGEST].split(" ")
    for number, word in enumerate(words):
        longer = f"{line} {word}" if line else word
        if not line or width(longer) <= room:
            line = longer
            continue
        if len(lines) + 1 >= most:
            return [*lines, fit(" ".join([line, *words[number:]]), room)]
        lines.append(fit(line, room))
        line = word
    return [*lines, fit(line, room)]


def plain_lines(markdown: str) -> list[str]:
    """Return the lines of a note without the signs of Markdown."""
    text = markdown[:_LONGEST]
    for pattern, replacement in _MARKDOWN:
        text = pattern.sub(replacement, text)
    return [" ".join(line.split()) for line in text.splitlines() if line.strip()]
