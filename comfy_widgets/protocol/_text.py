"""Texts of a server on their way to people: bounded, and with nothing in them that a terminal obeys."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import accumulate, takewhile

MAX_TEXT = 10_000
"""Characters of a text that are shown; a person reads no more of an error."""

_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[PX^_][^\x1b]*(?:\x1b\\)?|[ -/]*[0-~])")
# Control characters but for tab and newline, those that turn the direction of writing around, and half characters.
_OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def cut(text: str, limit: int = MAX_TEXT) -> str:
    """Shorten a text in its middle, with a mark that says how much is gone.

    The beginning says what it is about, and the end of an error says what happened.

    Parameters
    ----------
    text : str
        Of any length.
    limit : int
        The most characters to keep, the mark not counted; `MAX_TEXT` by default.

    Returns
    -------
    str
        The text itself where it is short enough.

    Examples
    --------
    >>> cut("ab" * 10, 8)
    'ababab … [12 characters left out] … ab'
    """
    if len(text) <= limit:
        return text
    tail = limit // 4
    head = limit - tail
    return f"{text[:head]} … [{len(text) - limit:,} characters left out] … {text[len(text) - tail :]}"


def plain(text: str, limit: int = MAX_TEXT) -> str:
    """A server's text without ANSI colour codes, and cut.

    Parameters
    ----------
    text : str
        As a node or the server wrote it for a terminal.
    limit : int
        The most characters to keep, as in `cut`; `MAX_TEXT` by default.

    Returns
    -------
    str
        The text for people.

    Examples
    --------
    >>> plain("\\x1b[31mout of memory\\x1b[0m")
    'out of memory'
    """
    return cut(_ANSI.sub("", text), limit)


def words(value: object) -> str:
    """A value where a server should have sent a text; nesting that Python cannot write down becomes a mark.

    Parameters
    ----------
    value : object

    Returns
    -------
    str
    """
    if isinstance(value, str):
        return value
    try:
        return str(value)
    except RecursionError:
        return "[nested too deeply]"


def plain_lines(lines: Iterable[str], limit: int = 5 * MAX_TEXT) -> tuple[str, ...]:
    """The lines of a traceback as `plain` gives them; of too many, the first and the last.

    Parameters
    ----------
    lines : iterable of str
        As the server sent them.
    limit : int
        The most characters to keep of all together; fifty thousand by default.

    Returns
    -------
    tuple of str
        With a line in place of those that are left out.

    Examples
    --------
    >>> plain_lines([f"{number:02}" for number in range(100)], 16)
    ('00', '01', '[92 lines left out]', '94', '95', '96', '97', '98', '99')
    """
    shown = [plain(line, limit // 8) for line in lines]
    if sum(map(len, shown)) <= limit:
        return tuple(shown)
    first = _fitting(shown, limit // 4)
    rest = shown[first:]
    last = _fitting(rest[::-1], limit - sum(map(len, shown[:first])))
    return (*shown[:first], f"[{len(rest) - last} lines left out]", *rest[len(rest) - last :])


def _fitting(lines: Sequence[str], limit: int) -> int:
    """How many of the first lines have no more than so many characters together."""
    sizes = accumulate(map(len, lines))
    return sum(1 for _ in takewhile(lambda size: size <= limit, sizes))


def printable(text: str) -> str:
    """A text for a terminal: what the terminal would obey is shown as an escape and not sent.

    Newlines and tabs stay.

    Parameters
    ----------
    text : str
        As it came from a workflow or a server.

    Returns
    -------
    str
        Safe to print.

    Examples
    --------
    >>> printable("\\x1b]0;title\\x07 done")
    '\\\\x1b]0;title\\\\x07 done'
    """
    return _OBEYED.sub(lambda found: ascii(found.group())[1:-1], text)
