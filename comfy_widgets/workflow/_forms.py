"""Telling what a JSON document is: a prompt in API format, a workflow of the editor, or a wrapper around them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from ..protocol import WorkflowError
from ._prompt import Prompt, normalise

_MAX_DEPTH = 200
_MAX_WRAPPERS = 6
_MAX_CANDIDATES = 200
_MAX_VALUES = 1_000_000
"""Of one document: the largest workflows have some ten thousand nodes. An empty list is 3 bytes here, 72 in memory."""


#: Names under which services take a workflow: Replicate (input.workflow_json), RunPod (input.workflow), Open WebUI
#: (COMFYUI_WORKFLOW), and calls that only wrap once more (data.prompt).
_WRAPPERS = ("input", "data", "workflow_json", "COMFYUI_WORKFLOW", "workflow_data", "api_prompt", "body")
#: Those of ComfyUI itself, and ComfyDeploy's for the API form beside the editor's.
_BESIDE = ("extra_data", "client_id", "prompt_id", "number", "front")
_OWN = ("prompt", "output", "workflow", "workflow_api")


@dataclass(frozen=True)
class Forms:
    """The two forms in which a workflow may come. At least one is there.

    Attributes
    ----------
    prompt : dict or None
        API format, normalised.
    ui : dict or None
        The editor's format, as it was found.
    notes : tuple of str
        What was left out, and where in a wrapper it was found.
    """

    prompt: Prompt | None = None
    ui: dict[str, Any] | None = None
    notes: tuple[str, ...] = ()


def parse_json(text: str | bytes, what: str) -> Any:
    """Parse JSON leniently: NaN and Infinity occur in embedded prompts, comments and byte order marks in edited files.

    Raises
    ------
    WorkflowError
        If it is no JSON, or nested so deeply or of so many values that no program wrote it on purpose.
    """
    try:
        document = text.lstrip("\ufeff") if isinstance(text, str) else _decode(text)
        too_many = sum(map(document.count, ",[{")) > _MAX_VALUES
        value = None if too_many else _loads(document)
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


#: A text, or one of what JSON does not have: a comment, or a comma before a closing bracket.
_BESIDE_JSON = re.compile(r'"(?:[^"\\]|\\.)*(?:"|\\?\Z)|//[^\n]*|/\*(?:.*?\*/|.*)|,(?=\s*[}\]])', re.DOTALL)
_MAX_COMMENTED = 8 * 2**20


def _loads(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        if len(text) > _MAX_COMMENTED or not any(mark in text for mark in ("//", "/*", ",")):
            raise
        # Comments and the commas before them become spaces, so that places in messages stay right.
        plain = _BESIDE_JSON.sub(_blank, _BESIDE_JSON.sub(_blank, text))
        if plain == text:
            raise
        try:
            return json.loads(plain)
        except json.JSONDecodeError:
            raise error from None


def _blank(match: re.Match[str]) -> str:
    found = match[0]
    return found if found.startswith('"') else re.sub(r"[^\n]", " ", found)


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
    if not isinstance(value, Mapping) or not isinstance(value.get("nodes"), list):
        return False
    # Open WebUI lists, beside a workflow, which of its nodes take what.
    return not any(isinstance(node, Mapping) and "node_ids" in node for node in value["nodes"])


def is_node(value: object) -> bool:
    """Tell whether a value is a node of API format."""
    return isinstance(value, Mapping) and isinstance(value.get("class_type"), str)


def find_forms(value: Any, what: str) -> Forms:
    """Find the workflow in a parsed document.

    Known are both formats themselves, what is posted to a server, what the editor exports, the texts embedded in files,
    entries of a server's history and job list, and the requests and settings of services that run ComfyUI: Replicate,
    RunPod, Open WebUI, ComfyDeploy. In any other wrapper it is found if there is only one.

    Raises
    ------
    WorkflowError
        If there is none in it, or several.
    """
    found = _Search(what).find(value, _MAX_WRAPPERS)
    if found is None:
        raise WorkflowError(f"{what} holds no ComfyUI workflow: {_describe(value)}.")
    if not found.wrapped:
        return found.forms
    note = f"The workflow was found inside, under {'.'.join(found.place)}"
    note += f"; not used: {', '.join(found.unused)[:200]}." if found.unused else "."
    return replace(found.forms, notes=(note, *found.forms.notes))


@dataclass(frozen=True)
class _Found:
    """What was found: where, what else was there, and whether that is more than what ComfyUI writes itself."""

    forms: Forms
    place: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()
    wrapped: bool = False

    def under(self, key: str, around: Mapping[Any, Any]) -> _Found:
        """The same, seen from outside a wrapper."""
        unused = (*(str(other)[:40] for other in around if other != key), *self.unused)
        return replace(self, place=(key[:40], *self.place), unused=unused, wrapped=True)


class _Search:
    """Looks through wrappers for a workflow."""

    def __init__(self, what: str) -> None:
        self.what = what

    def find(self, value: Any, wrappers: int) -> _Found | None:
        if isinstance(value, str) and value.lstrip()[:1] == "{":
            value = parse_json(value, self.what)
        if isinstance(value, list) and len(value) == 1:
            value = value[0]
        if not isinstance(value, Mapping) or wrappers == 0:
            return None
        if is_ui(value):
            return _Found(Forms(ui=dict(value)))
        if any(is_node(node) for node in value.values()):
            return _Found(self._with_strays(value, wrappers))
        prompt = value.get("prompt")
        if isinstance(prompt, (list, tuple)) and len(prompt) >= 3:
            # A history entry: [number, id, prompt, extra_data, outputs].
            return self.find({"prompt": prompt[2], "extra_data": prompt[3] if len(prompt) > 3 else {}}, wrappers - 1)
        return self._in_comfyui(value, wrappers) or self._in_wrapper(value, wrappers)

    def _with_strays(self, value: Mapping[Any, Any], wrappers: int) -> Forms:
        """A prompt whose entries are not all nodes: the others are left out, and told."""
        strays = {key: entry for key, entry in value.items() if not is_node(entry)}
        prompt = normalise({key: entry for key, entry in value.items() if is_node(entry)})
        beside = self._in_comfyui(strays, wrappers) if strays else None
        told = tuple(_stray(key, entry) for key, entry in strays.items() if beside is None or key not in beside.place)
        return Forms(prompt, beside.forms.ui if beside else None, told)

    def _in_comfyui(self, value: Mapping[Any, Any], wrappers: int) -> _Found | None:
        """In what ComfyUI itself writes and takes."""
        pnginfo = _get(_get(value, "extra_data"), "extra_pnginfo")
        parts = [(key, value.get(key)) for key in _OWN] + [("extra_data", _get(pnginfo, "workflow"))]
        inside = [(key, found) for key, part in parts if (found := self.find(part, wrappers - 1)) is not None]
        if not inside:
            return None
        forms = [found.forms for _, found in inside]
        joined = Forms(
            next((form.prompt for form in forms if form.prompt), None),
            next((form.ui for form in forms if form.ui is not None), None),
            tuple(dict.fromkeys(note for form in forms for note in form.notes)),
        )
        key, first = inside[0]
        wrapped = any(found.wrapped for _, found in inside) or "workflow_api" in value or "nodes" in value
        unused = tuple(str(other)[:40] for other in value if other not in (*_OWN, *_BESIDE))
        return _Found(joined, (key, *first.place), (*unused, *first.unused), wrapped)

    def _in_wrapper(self, value: Mapping[Any, Any], wrappers: int) -> _Found | None:
        """In what others put around it: under a name that services use, else wherever there is one."""
        for key in _WRAPPERS:
            found = self.find(value.get(key), wrappers - 1)
            if found is not None:
                return found.under(key, value)
        inside = [
            (str(key), found)
            for key, part in list(value.items())[:_MAX_CANDIDATES]
            if key not in (*_WRAPPERS, *_OWN) and (found := self._maybe(part, wrappers - 1)) is not None
        ]
        if len(inside) > 1:
            places = ", ".join(repr(key[:40]) for key, _ in inside[:4]) + (", ..." if len(inside) > 4 else "")
            raise WorkflowError(f"{self.what} holds {len(inside)} workflows, under {places}. Give one of them.")
        if not inside:
            return None
        key, found = inside[0]
        return found.under(key, value) if len(value) > 1 or found.wrapped else found

    def _maybe(self, value: Any, wrappers: int) -> _Found | None:
        """In a value of any name; a text that only begins like JSON is none of ours."""
        try:
            return self.find(value, wrappers)
        except WorkflowError:
            if isinstance(value, str):
                return None
            raise


def _stray(key: object, entry: object) -> str:
    if isinstance(entry, Mapping) and "inputs" in entry:
        return f"The node {str(key)[:60]!r} has no class_type and is left out."
    return f"The entry {str(key)[:60]!r} beside the nodes is no node and is left out."


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
