"""Texts of a server on their way to people: bounded, and with nothing in them that a terminal obeys."""

from __future__ import annotations

import re

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
        As in `cut`.

    Examples
    --------
    >>> plain("\\x1b[31mout of memory\\x1b[0m")
    'out of memory'
    """
    return cut(_ANSI.sub("", text), limit)


def printable(text: str) -> str:
    """A text for a terminal: what the terminal would obey is shown as an escape and not sent.

    Newlines and tabs stay.

    Parameters
    ----------
    text : str
        As it came from a workflow or a server.

    Examples
    --------
    >>> printable("\\x1b]0;title\\x07 done")
    '\\\\x1b]0;title\\\\x07 done'
    """
    return _OBEYED.sub(lambda found: ascii(found.group())[1:-1], text)
