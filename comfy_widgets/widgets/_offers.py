"""The values that a dropped file carries: an image that ComfyUI or another program made, or a workflow's JSON."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..errors import ComfyError
from ._run_rows import differences

if TYPE_CHECKING:
    from ..client import ComfyClient
    from ..workflow import Param
    from ._schema import Offer

_NOTHING = "It carries no workflow and no settings that can be read."
_NO_MATCH = "It carries values, but none of them has a field here."


def values_of(content: bytes, client: ComfyClient, params: Mapping[str, Param]) -> tuple[dict[str, Any], list[str]]:
    """Return the values of a file that a form has fields for, by name, and in words what has none.

    They are those of its workflow, or else the settings of another program that made it. Files are left out: those of
    another server are not on this one.

    Raises
    ------
    ComfyError
        There is no workflow in it.
    """
    from ..workflow import Workflow, read_settings

    try:
        workflow = Workflow.load(content)
    except ComfyError:
        settings = read_settings(content)
        if settings is None:
            raise
        return settings.fit(params)
    # Without definitions as much as can be guessed.
    with contextlib.suppress(ComfyError):
        workflow = workflow.bind(client.object_info())
    found = workflow.params()
    return {
        name: found[name].value
        for name, param in params.items()
        if name in found and found[name].kind == param.kind and param.kind not in ("image", "file")
    }, []


def offer(
    page: str, content: bytes, client: ComfyClient, params: Mapping[str, Param], now: Mapping[str, Any]
) -> tuple[Offer, dict[str, Any]]:
    """Return what a browser is told of a dropped file, and the values that it has."""
    message: Offer = {"kind": "offer", "page": page, "lines": [], "left": [], "count": 0, "error": ""}
    try:
        values, message["left"] = values_of(content, client, params)
    except ComfyError:
        message["error"] = _NOTHING
        return message, {}
    if not values:
        message["error"] = _NO_MATCH
    message["count"] = sum(values[name] != now.get(name) for name in values)
    known = {name: now[name] for name in values if name in now}
    message["lines"] = differences(params, known, values, seeds_of=values)
    return message, values
