"""The values that a dropped file carries: an image that ComfyUI made, or a workflow's JSON, of anybody."""

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

_NOTHING = "It carries no workflow that can be read."
_NO_MATCH = "It carries a workflow, but none of its values has a field here."


def values_of(content: bytes, client: ComfyClient, params: Mapping[str, Param]) -> dict[str, Any]:
    """Return the values of a file's workflow that a form has fields for, by name.

    Files are left out: those of another server are not on this one.

    Raises
    ------
    ComfyError
        There is no workflow in it.
    """
    from ..workflow import Workflow

    workflow = Workflow.load(content)
    # Without definitions as much as can be guessed.
    with contextlib.suppress(ComfyError):
        workflow = workflow.bind(client.object_info())
    found = workflow.params()
    return {
        name: found[name].value
        for name, param in params.items()
        if name in found and found[name].kind == param.kind and param.kind not in ("image", "file")
    }


def offer(
    page: str, content: bytes, client: ComfyClient, params: Mapping[str, Param], now: Mapping[str, Any]
) -> tuple[Offer, dict[str, Any]]:
    """Return what a browser is told of a dropped file, and the values that it has."""
    message: Offer = {"kind": "offer", "page": page, "lines": [], "count": 0, "error": ""}
    try:
        values = values_of(content, client, params)
    except ComfyError:
        message["error"] = _NOTHING
        return message, {}
    if not values:
        message["error"] = _NO_MATCH
    message["count"] = sum(values[name] != now.get(name) for name in values)
    message["lines"] = differences(params, {name: now[name] for name in values if name in now}, values)
    return message, values
