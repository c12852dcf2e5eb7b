"""Nodes for plain values: numbers, texts and switches."""

from __future__ import annotations

import json
import re
from typing import Any

from .table import Table

TABLE = Table()
_CASES = {"UPPERCASE": str.upper, "lowercase": str.lower, "Capitalize": str.capitalize, "Title Case": str.title}
_TRIMS = {"Both": str.strip, "Left": str.lstrip, "Right": str.rstrip}
_LONGEST_SHOWN = 100_000


@TABLE.node("PrimitiveInt", "PrimitiveFloat", "PrimitiveString", "PrimitiveStringMultiline", "PrimitiveBoolean")
def primitive(value: Any) -> Any:
    """Gives its value."""
    return (value,)


@TABLE.node("StringConcatenate")
def concatenate(string_a: str, string_b: str, delimiter: str) -> str:
    """Joins two texts."""
    return delimiter.join((string_a, string_b))


@TABLE.node("StringReplace")
def replace(string: str, find: str, replace: str) -> str:
    """Replaces a text wherever it occurs."""
    return string.replace(find, replace)


@TABLE.node("StringSubstring")
def substring(string: str, start: int, end: int) -> str:
    """Takes a part of a text, from one place up to another."""
    return string[start:end]


@TABLE.node("StringLength")
def length(string: str) -> int:
    """Counts the characters of a text."""
    return len(string)


@TABLE.node("CaseConverter")
def convert_case(string: str, mode: str) -> str:
    """Changes the case of a text."""
    return _CASES[mode](string)


@TABLE.node("StringTrim")
def trim(string: str, mode: str) -> str:
    """Takes spaces away from the ends of a text."""
    return _TRIMS[mode](string)


@TABLE.node("StringContains")
def contains(string: str, substring: str, case_sensitive: bool) -> bool:
    """Tells whether a text occurs in another."""
    return substring in string if case_sensitive else substring.lower() in string.lower()


def _flags(case_insensitive: bool, multiline: bool, dotall: bool) -> int:
    chosen = ((case_insensitive, re.IGNORECASE), (multiline, re.MULTILINE), (dotall, re.DOTALL))
    return sum(int(flag) for is_set, flag in chosen if is_set)


@TABLE.node("RegexMatch")
def matches(string: str, regex_pattern: str, case_insensitive: bool, multiline: bool, dotall: bool) -> bool:
    """Tells whether a regular expression occurs in a text."""
    try:
        return re.search(regex_pattern, string, _flags(case_insensitive, multiline, dotall)) is not None
    except re.error:
        return False


@TABLE.node("RegexReplace")
def replace_matches(
    string: str,
    regex_pattern: str,
    replace: str,
    case_insensitive: bool = True,
    multiline: bool = False,
    dotall: bool = False,
    count: int = 0,
) -> str:
    """Replaces what a regular expression finds."""
    flags = _flags(case_insensitive, multiline, dotall)
    return re.sub(regex_pattern, replace, string, count=count, flags=flags)


@TABLE.node("PreviewAny")
def preview_any(source: Any = None) -> dict[str, Any]:
    """Shows a value as text."""
    if isinstance(source, str):
        text = source
    elif source is None or isinstance(source, (int, float, bool)):
        text = str(source)
    else:
        try:
            text = json.dumps(source)
        except (TypeError, ValueError):
            text = str(source)
    return {"ui": {"text": [text[:_LONGEST_SHOWN]]}, "result": (text,)}
