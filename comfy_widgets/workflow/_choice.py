"""What the author of a workflow wants others to see of it: which parameters, under which names and bounds.

The choice is kept inside the workflow, so that it travels with the file and with every image made from it. In API
format it stands in the ``_meta`` of each node, which the server passes over and which, unlike a key beside the nodes,
does not make the file look like something else to the editor. In the editor's format it stands in
``extra.comfy_widgets``: the editor keeps what it does not know in ``extra``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from ..protocol import WorkflowError
from ._param import Param, Params, did_you_mean, in_words
from ._prompt import Place, Prompt

Choose = Iterable[str] | Mapping[str, "str | bool | Mapping[str, Any] | None"]
"""How a caller says it: see `choose`."""

_KEY = "comfy_widgets"
_OVERRIDES = ("label", "group", "tooltip", "min", "max", "step", "choices")


@dataclass(frozen=True)
class Shown:
    """What was chosen for one input. What is None stays as the definition has it."""

    node: str
    input: str
    name: str | None = None
    label: str | None = None
    group: str | None = None
    tooltip: str | None = None
    min: int | float | None = None
    max: int | float | None = None
    step: int | float | None = None
    choices: tuple[Any, ...] | None = None
    hidden: bool = False

    @property
    def place(self) -> Place:
        """Where the input stands."""
        return (self.node, self.input)


def choose(params: Params, wanted: Choose) -> tuple[Shown, ...]:
    """Read a choice.

    Parameters
    ----------
    params : Params
        What there is to choose from.
    wanted : iterable of str, or Mapping
        Names of parameters, or titles of nodes for all that they have; these are shown, in this order, and the rest
        goes under "More". A mapping says more: ``{"quality": "steps"}`` renames; ``{"steps": {"min": 1, "max": 50}}``
        sets bounds, likewise ``label``, ``group``, ``tooltip``, ``step``, ``choices``, and with ``param`` the
        parameter meant; ``{"cfg": False}`` hides.

    Raises
    ------
    WorkflowError
        If it names something that does not exist.
    """
    if isinstance(wanted, str):
        wanted = [wanted]
    entries = wanted.items() if isinstance(wanted, Mapping) else ((name, None) for name in wanted)
    shown = [entry for name, how in entries for entry in _read(params, name, how)]
    names = [entry.name for entry in shown if entry.name]
    for name in names:
        if names.count(name) > 1:
            raise WorkflowError(f"Two parameters cannot both be called {name!r}.")
    return tuple(shown)


def _read(params: Params, name: str, how: str | bool | Mapping[str, Any] | None) -> Iterator[Shown]:
    if isinstance(how, str):
        param = params.find(how)
        yield Shown(*param.place, name=name)
        return
    settings = dict(how) if isinstance(how, Mapping) else {}
    of_node = [param for param in params.values() if param.node_title == name]
    if name not in params and of_node and not settings:
        yield from (Shown(*param.place, hidden=how is False) for param in of_node)
        return
    param = params.find(str(settings.pop("param", name)))
    for key in settings:
        if key not in _OVERRIDES:
            raise WorkflowError(f"{name!r} cannot be given a {key!r}.{did_you_mean(key, (*_OVERRIDES, 'param'))}")
    if settings.get("choices") is not None:
        settings["choices"] = tuple(settings["choices"])
    yield Shown(*param.place, name=name if name != param.name else None, hidden=how is False, **settings)


def apply_choice(params: Params, shown: Iterable[Shown]) -> Params:
    """Return the parameters as chosen. Choices for nodes that are gone are passed over."""
    chosen_places = {entry.place: entry for entry in shown}
    if not chosen_places:
        return params
    by_place = {param.place: param for param in params.values()}
    only = any(not entry.hidden for place, entry in chosen_places.items() if place in by_place)
    chosen = [_overridden(by_place[place], entry) for place, entry in chosen_places.items() if place in by_place]
    taken = {param.name for param, entry in chosen if not entry.hidden}
    kept: list[Param] = [param for param, entry in chosen if not entry.hidden]
    for param in params.values():
        if param.place not in chosen_places:
            # A choice may have taken the name of another parameter, which then goes by its place.
            name = param.name if param.name not in taken else f"{param.node_title}.{param.input_name}"
            kept.append(replace(param, name=name, primary=param.primary and not only))
    return Params(kept, params.single)


def _overridden(param: Param, entry: Shown) -> tuple[Param, Shown]:
    overrides = {key: value for key in _OVERRIDES if (value := getattr(entry, key)) is not None}
    if entry.name and not entry.label:
        overrides["label"] = in_words(entry.name)
    if entry.choices is not None and param.kind != "json":
        overrides["kind"] = "choice"
    return replace(param, name=entry.name or param.name, primary=True, **overrides), entry


# -- where it is kept ------------------------------------------------------------------------------------------------


def from_prompt(prompt: Prompt) -> tuple[Shown, ...]:
    """Read the choice out of the nodes of a prompt."""
    found: list[tuple[int, Shown]] = []
    for node_id, node in prompt.items():
        meta = node.get("_meta")
        notes = meta.get(_KEY) if isinstance(meta, Mapping) else None
        for name, raw in notes.items() if isinstance(notes, Mapping) else ():
            entry = _parse(raw, node_id, name)
            if entry is not None:
                order = raw.get("order")
                found.append((order if isinstance(order, int) else len(found), entry))
    return tuple(entry for _, entry in sorted(found, key=lambda pair: pair[0]))


def into_prompt(prompt: Prompt, shown: Iterable[Shown]) -> Prompt:
    """Return a prompt whose nodes hold the choice, instead of any that they had."""
    changed: Prompt = {}
    for node_id, node in prompt.items():
        meta = _without_choice(node.get("_meta"))
        changed[node_id] = {**{key: value for key, value in node.items() if key != "_meta"}}
        if meta:
            changed[node_id]["_meta"] = meta
    for order, entry in enumerate(shown):
        if entry.node in changed:
            node = changed[entry.node]
            node.setdefault("_meta", {}).setdefault(_KEY, {})[entry.input] = {"order": order, **_settings(entry)}
    return changed


def from_ui(ui: Mapping[str, Any]) -> tuple[Shown, ...]:
    """Read the choice out of the editor's form."""
    extra = ui.get("extra")
    notes = extra.get(_KEY) if isinstance(extra, Mapping) else None
    listed = notes.get("params") if isinstance(notes, Mapping) else None
    entries = (
        _parse(raw, raw.get("node"), raw.get("input"))
        for raw in (listed if isinstance(listed, list) else ())
        if isinstance(raw, Mapping)
    )
    return tuple(entry for entry in entries if entry is not None)


def into_ui(ui: Mapping[str, Any], shown: Iterable[Shown]) -> dict[str, Any]:
    """Return the editor's form with the choice in it."""
    listed = [{"node": entry.node, "input": entry.input, **_settings(entry)} for entry in shown]
    extra = _without_choice(ui.get("extra"))
    if listed:
        extra[_KEY] = {"params": listed}
    return {**ui, "extra": extra}


def _without_choice(notes: object) -> dict[str, Any]:
    return {key: value for key, value in notes.items() if key != _KEY} if isinstance(notes, Mapping) else {}


def _settings(entry: Shown) -> dict[str, Any]:
    settings = {key: value for key, value in asdict(entry).items() if value is not None and value is not False}
    return {
        key: list(value) if isinstance(value, tuple) else value
        for key, value in settings.items()
        if key not in ("node", "input")
    }


def _parse(raw: object, node: object, name: object) -> Shown | None:
    """Read a stored choice; whatever does not fit is passed over, since it may come from anyone's file."""
    if not isinstance(raw, Mapping) or not isinstance(node, (str, int)) or not isinstance(name, str):
        return None
    texts = {key: raw[key] for key in ("name", "label", "group", "tooltip") if isinstance(raw.get(key), str)}
    numbers = {
        key: raw[key]
        for key in ("min", "max", "step")
        if isinstance(raw.get(key), (int, float)) and not isinstance(raw[key], bool)
    }
    choices = tuple(raw["choices"]) if isinstance(raw.get("choices"), list) else None
    return Shown(str(node), name, **texts, **numbers, choices=choices, hidden=raw.get("hidden") is True)
