"""Texts that the front end rewrites before it sends them: dynamic prompts and file name tokens."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from datetime import datetime

# One pass, so that a comment sign behind a backslash or inside another comment is not read twice.
_COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)
_ESCAPED = re.compile(r"\\([{}|])")
_TOKEN = re.compile(r"%([^%]+)%")
_DATE_PART = re.compile(r"yyyy|yy|MM|M|dd|d|hh|h|mm|m|ss|s")
_MAX_NESTING = 200


def has_choices(text: str) -> bool:
    """Whether `text` holds an unescaped ``{``."""
    return "{" in text and re.search(r"(?<!\\)\{", text) is not None


def expand_dynamic_prompt(text: str, rng: random.Random | None, *, comments: bool = False) -> str:
    """Strip comments, pick one of each ``{a|b}`` (nested too), and unescape ``\\{``, ``\\}`` and ``\\|``.

    Parameters
    ----------
    text : str
    rng : random.Random or None
        None leaves a text that holds choices as it is.
    comments : bool
        Keep them.

    Notes
    -----
    A ``{`` that is never closed is dropped, as the front end drops it; a ``}`` alone is kept.
    """
    if "{" not in text and "\\" not in text and "//" not in text and "/*" not in text:
        return text
    shown = text if comments else _COMMENT.sub("", text)
    if not has_choices(text):
        return _ESCAPED.sub(r"\1", shown)
    return text if rng is None else _Choices(shown, rng).expand()


class _Choices:
    """A recursive descent over ``{a|b}``."""

    def __init__(self, text: str, rng: random.Random) -> None:
        self.text = text
        self.rng = rng
        self.closing = _closing_braces(text)

    def expand(self) -> str:
        return self._part(0, len(self.text), 0)

    def _part(self, start: int, end: int, depth: int) -> str:
        out: list[str] = []
        position = start
        while position < end:
            char = self.text[position]
            if char == "\\" and position + 1 < end and self.text[position + 1] in "{}|":
                out.append(self.text[position + 1])
                position += 2
            elif char == "{":
                close = self.closing.get(position) if depth < _MAX_NESTING else None
                if close is not None:
                    first, last = self.rng.choice(self._options(position + 1, close))
                    out.append(self._part(first, last, depth + 1))
                    position = close
                position += 1
            else:
                out.append(char)
                position += 1
        return "".join(out)

    def _options(self, start: int, end: int) -> list[tuple[int, int]]:
        """The spans between the bars of one group, bars of inner groups not counted."""
        options: list[tuple[int, int]] = []
        first = position = start
        while position < end:
            char = self.text[position]
            if char == "\\":
                position += 1
            elif char == "{":
                position = self.closing.get(position, position)
            elif char == "|":
                options.append((first, position))
                first = position + 1
            position += 1
        options.append((first, end))
        return options


def _closing_braces(text: str) -> dict[int, int]:
    """For each unescaped ``{`` that is closed, where."""
    open_at: list[int] = []
    closing: dict[int, int] = {}
    position = 0
    while position < len(text):
        char = text[position]
        if char == "\\":
            position += 1
        elif char == "{":
            open_at.append(position)
        elif char == "}" and open_at:
            closing[open_at.pop()] = position
        position += 1
    return closing


def fill_file_name(text: str, value_of: Callable[[str, str], object], now: datetime) -> str:
    """Fill the tokens of a ``filename_prefix``: ``%Node title.widget%`` and ``%date:yyyy-MM-dd%``.

    Parameters
    ----------
    text : str
    value_of : callable
        ``(node title, widget name) -> value``, None for an unknown one.
    now : datetime

    Notes
    -----
    Whatever is not known here stays as it is: the server fills in ``%width%`` and its like.
    """

    def replace(match: re.Match[str]) -> str:
        token = match[1]
        if token.startswith("date:"):
            return format_date(token[5:], now)
        title, dot, widget = token.rpartition(".")
        value = value_of(title, widget) if dot else None
        return match[0] if value is None else re.sub(r'[/?<>\\:*|"\x00-\x1f\x7f]', "_", str(value))

    return _TOKEN.sub(replace, text)


def format_date(pattern: str, now: datetime) -> str:
    """`now` by a pattern of ``yyyy yy MM M dd d hh h mm m ss s``; hours count to 24."""
    parts = {"y": now.year, "M": now.month, "d": now.day, "h": now.hour, "m": now.minute, "s": now.second}

    def replace(match: re.Match[str]) -> str:
        token = match[0]
        digits = str(parts[token[0]])
        return digits[-2:] if token == "yy" else digits.zfill(len(token))

    return _DATE_PART.sub(replace, pattern)
