"""App mode: ComfyUI's own choice of what others see of a workflow, in ``extra.linearData`` of the editor's form.

    {"inputs": [[node id, widget name, config?], ...], "outputs": [node id, ...]}

A node is named by its id on the root, or with its widget as ``graph:node:name``, where the graph is the root's id or a
definition's; files of older front ends have the bare id of a node inside a subgraph. Ids of nodes that are gone stay in
many files and are passed over.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote, unquote

from ._choice import Shown
from ._param import Params
from ._prompt import Place, Prompt
from ._widgets import EditorWidgets

_DATA, _MODE = "linearData", "linearMode"


def has_app(ui: Mapping[str, Any]) -> bool:
    """Tell whether an author chose inputs."""
    return bool(_entries(ui))


def read_app(ui: Mapping[str, Any], widgets: EditorWidgets, params: Params) -> tuple[list[Shown], list[str]]:
    """Return the inputs that the author chose, in their order, and what to say of those that are gone.

    Parameters
    ----------
    ui : Mapping
        The editor's form.
    widgets : EditorWidgets
        Where its widgets are in the prompt.
    params : Params
        What there is to choose from.
    """
    main = {place: param.place for param in params.values() for place in (param.place, *param.others)}
    root = str(ui.get("id"))
    shown: dict[Place, Shown] = {}
    gone = []
    for node_id, widget in _entries(ui):
        if node_id.startswith(f"{root}:"):
            node_id = node_id.removeprefix(f"{root}:")
        place = next((main[place] for place in widgets.places(node_id, widget) if place in main), None)
        if place is None:
            gone.append(f"App mode shows {widget!r} of node {node_id}, which the workflow does not have.")
        else:
            shown.setdefault(place, Shown(*place, label=widgets.label(node_id, widget)))
    return list(shown.values()), gone


def write_app(
    ui: Mapping[str, Any], widgets: EditorWidgets, shown: Iterable[Shown], outputs: Iterable[str]
) -> dict[str, Any]:
    """Return the editor's form with a choice as App mode keeps it; without any if nothing is chosen.

    Parameters
    ----------
    ui : Mapping
        The editor's form.
    widgets : EditorWidgets
        Where its widgets are in the prompt.
    shown : iterable of Shown
        What is chosen.
    outputs : iterable of str
        The nodes that give a result: all of them are shown, unless the author chose some before.
    """
    entries = [_entry(ui, widgets, entry.place) for entry in shown if not entry.hidden]
    extra = dict(ui["extra"]) if isinstance(ui.get("extra"), Mapping) else {}
    data = extra.pop(_DATA, None)
    if entries:
        before = data.get("outputs") if isinstance(data, Mapping) else None
        results = [found for node_id in outputs if (found := _raw_id(ui, node_id)) is not None]
        extra[_DATA] = {"inputs": entries, "outputs": before if isinstance(before, list) and before else results}
        extra.setdefault(_MODE, True)
    else:
        extra.pop(_MODE, None)
    return {**ui, "extra": extra}


def app_outputs(ui: Mapping[str, Any], prompt: Prompt) -> tuple[str, ...]:
    """Return the ids of the nodes whose outputs the author chose to show, as they stand in the prompt."""
    data = _data(ui)
    listed = data.get("outputs")
    ids = [str(item) for item in listed if isinstance(item, (int, str))] if isinstance(listed, list) else []
    found: dict[str, None] = {}
    for wanted in ids:
        inner = wanted.rpartition(":")[2]
        found.update(dict.fromkeys(node_id for node_id in prompt if node_id == wanted or node_id.endswith(f":{inner}")))
        if inner in prompt:
            found[inner] = None
    return tuple(found)


def _data(ui: Mapping[str, Any]) -> Mapping[str, Any]:
    extra = ui.get("extra")
    data = extra.get(_DATA) if isinstance(extra, Mapping) else None
    return data if isinstance(data, Mapping) else {}


def _entries(ui: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Read the chosen inputs as pairs of a node's id, as `EditorWidgets.places` takes it, and a widget's name."""
    listed = _data(ui).get("inputs")
    entries = []
    for raw in listed if isinstance(listed, list) else ():
        if not isinstance(raw, list) or len(raw) < 2 or isinstance(raw[0], bool) or not isinstance(raw[1], str):
            continue
        if isinstance(raw[0], int):
            entries.append((str(raw[0]), raw[1]))
        elif isinstance(raw[0], str):
            parts = raw[0].split(":")
            full = len(parts) >= 3
            entries.append((":".join(parts[:-1]), unquote(parts[-1])) if full else (raw[0], raw[1]))
    return entries


def _entry(ui: Mapping[str, Any], widgets: EditorWidgets, place: Place) -> list[Any]:
    definition, node_id = widgets.home_of(place)
    if definition:
        return [f"{definition}:{node_id}:{quote(place[1], safe='')}", place[1]]
    return [_raw_id(ui, node_id) or node_id, place[1]]


def _raw_id(ui: Mapping[str, Any], node_id: str) -> Any:
    """Return the id of a node of the root as the file writes it; None if there is none."""
    ids = [raw.get("id") for raw in ui["nodes"] if isinstance(raw, Mapping)]
    return next((found for found in ids if str(found) == node_id), None)
