"""Telling what a JSON document is: a prompt in API format, a workflow of the editor, or a wrapper around them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..protocol import WorkflowError
from ._prompt import Prompt, normalise

_MAX_DEPTH = 200
_MAX_WRAPPERS = 6
_MAX_VALUES = 1_000_000
"""Of one document: the largest workflows have some ten thousand nodes. An empty list is 3 bytes here, 72 in memory."""


@dataclass(frozen=True)
class Forms:
    """The two forms in which a workflow may come. At least one is there.

    Attributes
    ----------
    prompt : dict or None
        API format, normalised.
    ui : dict or None
        The editor's format, as it was found.
    """

    prompt: Prompt | None = None
    ui: dict[str, Any] | None = None


def parse_json(text: str | bytes, what: str) -> Any:
    """Parse JSON leniently: bare NaN and Infinity occur in embedded prompts; a byte order mark in edited files.

    Raises
    ------
    WorkflowError
        If it is no JSON, or nested so deeply or of so many values that no program wrote it on purpose.
    """
    try:
        document = text.lstrip("\ufeff") if isinstance(text, str) else _decode(text)
        too_many = sum(map(document.count, ",[{")) > _MAX_VALUES
        value = None if too_many else json.loads(document)
    except RecursionError:
        raise WorkflowError(f"{what} is nested too deeply to be a workflow.") from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise WorkflowError(f"{what} is no valid JSON: {error.msg} at {where}.") from None
    except ValueError as error:
        raise WorkflowError(f"{what} cannot be read as JSON: {error}.") from None
    if too_many:
        raise WorkflowError(f"{what} has more than {_MAX_VALUES:,} values, which no workflow has.")
    if _deeper_than(value, _MAX_DEPTH):
        raise WorkflowError(f"{what} is nested too deeply to be a workflow.")
    return value


def _decode(data: bytes) -> str:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16")
    return data.decode("utf-8-sig")


def _deeper_than(value: Any, limit: int) -> bool:
    level = [value] if isinstance(value, (dict, list)) else []
    for _ in range(limit):
        level = [
            child
            for parent in level
            for child in (parent.values() if isinstance(parent, dict) else parent)
            if isinstance(child, (dict, list))
        ]
        if not level:
            return False
    return True


def is_ui(value: object) -> bool:
    """Tell whether a document is in the editor's format."""
    return isinstance(value, Mapping) and isinstance(value.get("nodes"), list)


def is_prompt(value: object) -> bool:
    """Tell whether a document is in API format."""
    return (
        isinstance(value, Mapping)
        and bool(value)
        and all(isinstance(node, Mapping) and isinstance(node.get("class_type"), str) for node in value.values())
    )


def find_forms(value: Any, what: str) -> Forms:
    """Find the workflow in a parsed document.

    Known are both formats themselves, ``{"prompt": ...}`` with or without ``extra_data`` (what is posted to a server),
    ``{"output": ..., "workflow": ...}`` (what the editor exports), the texts embedded in files, and entries of a
    server's history and job list, alone or under their id.

    Raises
    ------
    WorkflowError
        If there is none in it.
    """
    forms = _find(value, what, _MAX_WRAPPERS)
    if forms is None:
        raise WorkflowError(f"{what} holds no ComfyUI workflow: {_describe(value)}.")
    return forms


def _find(value: Any, what: str, wrappers: int) -> Forms | None:
    if isinstance(value, str) and value.lstrip()[:1] == "{":
        value = parse_json(value, what)
    if not isinstance(value, Mapping) or wrappers == 0:
        return None
    if is_ui(value):
        return Forms(ui=dict(value))
    if is_prompt(value):
        return Forms(prompt=normalise(value))
    prompt = value.get("prompt")
    if isinstance(prompt, (list, tuple)) and len(prompt) >= 3:
        # A history entry: [number, id, prompt, extra_data, outputs].
        return _find({"prompt": prompt[2], "extra_data": prompt[3] if len(prompt) > 3 else {}}, what, wrappers - 1)
    pnginfo = _get(_get(value, "extra_data"), "extra_pnginfo")
    parts = [
        _find(part, what, wrappers - 1)
        for part in (prompt, value.get("output"), value.get("workflow"), _get(pnginfo, "workflow"))
    ]
    found = next((p.prompt for p in parts if p is not None and p.prompt), None)
    ui = next((p.ui for p in parts if p is not None and p.ui is not None), None)
    if found is not None or ui is not None:
        return Forms(found, ui)
    if len(value) == 1:
        return _find(next(iter(value.values())), what, wrappers - 1)
    return None


def _get(value: Any, key: str) -> Any:
    return value.get(key) if isinstance(value, Mapping) else None


def _describe(value: Any) -> str:
    if isinstance(value, Mapping):
        if not value:
            return "it is empty"
        keys = ", ".join(repr(str(key)[:30]) for key in list(value)[:5])
        return f"it is an object with {keys}{', ...' if len(value) > 5 else ''}, but has neither nodes nor class_type"
    kinds = {list: "a list", str: "a text", bool: "a truth value", type(None): "null"}
    return f"it is {kinds.get(type(value), 'a number')}"
