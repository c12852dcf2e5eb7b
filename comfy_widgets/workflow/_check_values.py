"""What a server says to one value: what it refuses, and what it takes in another sense than it was meant.

ComfyUI converts before it judges: ``int("72")`` is a number, ``bool("false")`` is true, ``float("nan")`` is within all
bounds. A value is an error here only where it is one there.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from typing import Any, Literal

from ._missing import ModelFile, known_model
from ._param import RANDOM, did_you_mean, not_among
from ._prompt import is_model_file
from ._specs import InputSpec, is_widget_type

Severity = Literal["error", "warning"]
Verdict = tuple[Severity, str]
"""How bad it is, and a sentence that begins with the input's name."""

_MEANT_FALSE = frozenset({"false", "0", "no", "off"})


def judge(
    name: str, value: Any, spec: InputSpec, uploads: Collection[str], models: Mapping[str, ModelFile]
) -> list[Verdict]:
    """Return what there is to say about the value of an input; mostly nothing.

    Parameters
    ----------
    name : str
        The input's full name.
    value : object
        As it is sent, a literal list unwrapped.
    spec : InputSpec
        Its definition.
    uploads : collection of str
        Names of files that will be on the server by the time it runs.
    models : Mapping
        What the file says of its models, by name.
    """
    if spec.kind == "socket":
        takes_values = "*" in spec.types or any(map(is_widget_type, spec.types)) or spec.dynamic is not None
        if value is not None and not takes_values:
            return [("error", f"{name} must be linked to {article(spec.type)}; it holds the value {value!r:.40}.")]
        return []
    if spec.choices is not None and spec.kind in ("choice", "choices", "image"):
        items = value if spec.kind == "choices" and isinstance(value, list) else [value]
        return [verdict for item in items for verdict in _choice(name, item, spec, uploads, models)]
    if spec.kind in ("int", "seed", "float"):
        return _number(name, value, spec)
    if spec.kind == "bool":
        if isinstance(value, str) and value.strip().lower() in _MEANT_FALSE:
            return [("warning", f"{name} is the text {value!r}, which the server reads as true. Set it to False.")]
        return []
    if spec.kind in ("string", "text") and isinstance(value, (list, dict)):
        return [("warning", f"{name} is {value!r:.60}, of which the server makes a text.")]
    problem = spec.problem(value) if spec.kind == "text" or value is None else None
    return [("error", f"{name} {problem}, not {value!r:.60}.")] if problem is not None else []


def _number(name: str, value: Any, spec: InputSpec) -> list[Verdict]:
    number = int(value) if isinstance(value, bool) else value
    if isinstance(value, str):
        try:
            number = float(value) if spec.kind == "float" else int(value)
        except ValueError:
            number = value
    if spec.kind == "float" and isinstance(number, float) and math.isnan(number):
        return [("warning", f"{name} is not a number (NaN). The server takes it, and mostly makes nothing of it.")]
    problem = spec.problem(number)
    if problem is None:
        return []
    hint = ""
    if spec.kind == "seed" and isinstance(number, int) and spec.min is not None and number < spec.min:
        hint = f' Set it to "{RANDOM}" for a new one at each run.'
    return [("error", f"{name} {problem}, not {value!r:.60}.{hint}")]


def _choice(
    name: str, value: Any, spec: InputSpec, uploads: Collection[str], models: Mapping[str, ModelFile]
) -> list[Verdict]:
    choices = spec.choices or ()
    if value in choices or (isinstance(value, str) and value in uploads):
        return []
    if spec.upload is not None:
        # The list may be older than the file, and has no files of other folders.
        if isinstance(value, str) and ("/" in value or value.endswith(("[input]", "[output]", "[temp]"))):
            return []
        what = f"{name} is {value!r:.80}, which is not among the files on the server. Upload it first."
        return [("warning", what)]
    if isinstance(value, str) and is_model_file(value):
        hint = did_you_mean(value, choices) or (
            f" It has {', '.join(map(repr, choices[:3]))}{', ...' * (len(choices) > 3)}." if choices else ""
        )
        model = known_model(value, models)
        source = f" The workflow says where to get it: {model}." if model.url else ""
        return [("error", f"the model file {value!r} ({name}) is not on the server.{source or hint}")]
    if not choices:
        # A page fills such a list, and the node judges the value itself.
        return []
    return [("error", f"{name} is {value!r:.80}, {not_among(value, choices)}")]


def article(type_name: str) -> str:
    """Return a type with its article: ``"an IMAGE"``."""
    if type_name == "*":
        return "anything"
    return f"{'an' if type_name[:1].upper() in 'AEIOU' else 'a'} {type_name.replace(',', ' or ')}"
