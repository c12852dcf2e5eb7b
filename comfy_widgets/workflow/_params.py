"""From a prompt to its `Params`: what may be set, under which name, in which order, within which bounds."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from types import MappingProxyType
from typing import Any

from ._dynamic import declared_input
from ._param import Param, Params, in_words
from ._prompt import Place, Prompt, flow_order, is_link, unique_titles, unwrap
from ._roles import LABELS, Role, find_roles, stands_for_number
from ._specs import DynamicCombo, InputSpec, NodeSpecs

_MAX_SEED = 2**64 - 1

# What ComfyUI's own nodes declare, for reading a workflow while no server is at hand.
_KNOWN: dict[str, dict[str, Any]] = {
    "seed": {"kind": "seed", "min": 0, "max": _MAX_SEED, "step": 1},
    "noise_seed": {"kind": "seed", "min": 0, "max": _MAX_SEED, "step": 1},
    "steps": {"kind": "int", "min": 1, "max": 10000, "step": 1},
    "cfg": {"kind": "float", "min": 0.0, "max": 100.0, "step": 0.1},
    "guidance": {"kind": "float", "min": 0.0, "max": 100.0, "step": 0.1},
    "denoise": {"kind": "float", "min": 0.0, "max": 1.0, "step": 0.01},
    "width": {"kind": "int", "min": 1, "max": 16384, "step": 8},
    "height": {"kind": "int", "min": 1, "max": 16384, "step": 8},
    "batch_size": {"kind": "int", "min": 1, "max": 4096, "step": 1},
    "strength_model": {"kind": "float", "min": -100.0, "max": 100.0, "step": 0.01},
    "strength_clip": {"kind": "float", "min": -100.0, "max": 100.0, "step": 0.01},
    "strength": {"kind": "float", "step": 0.01},
}
_TEXT_NAMES = frozenset(
    {"text", "prompt", "positive", "negative", "text_g", "text_l", "clip_g", "clip_l", "t5xxl", "tags", "lyrics"}
)

# How the kinds of a definition appear as kinds of a parameter, where they differ.
_PARAM_KINDS = {"choices": "json", "color": "string"}


def make_params(
    prompt: Prompt,
    specs: NodeSpecs | None,
    shown: Collection[Place] | None = None,
    shared: Collection[tuple[Place, ...]] = (),
    controls: Mapping[Place, str] = MappingProxyType({}),
) -> Params:
    """Return every literal input of a prompt as a parameter: those with a role first, the rest by node.

    Parameters
    ----------
    prompt : dict
        API format, as `prompt.normalise` leaves it.
    specs : NodeSpecs or None
        The server's definitions. Without them kinds are guessed from the values and bounds are mostly unknown.
    shown : collection of places, optional
        What the subgraphs of an editor's form show of their insides.
    shared : collection of tuples of places, optional
        Inputs that the editor sets together, from one primitive.
    controls : Mapping, optional
        What the editor's form says that becomes of a number after each run.
    """
    titles = unique_titles(prompt, specs)

    def spec_of(class_type: str, input_name: str) -> InputSpec | None:
        return specs[class_type].input(input_name) if specs is not None and class_type in specs else None

    def type_of(class_type: str, input_name: str) -> str | None:
        spec = spec_of(class_type, input_name)
        return spec.type if spec is not None else None

    roles = find_roles(prompt, type_of, shown)
    made: list[tuple[int, Param]] = []
    others = _others(prompt, roles, shared)
    joined = {place for places in others.values() for place in places}
    single: list[Param] = []
    taken: set[str] = set()
    # In the order of their roles: the first prompt of its kind gets the bare name, whatever its node's place.
    rest = [(node_id, name) for node_id in flow_order(prompt) for name in prompt[node_id]["inputs"]]
    for place in [*roles, *(place for place in rest if place not in roles)]:
        node_id, input_name = place
        node = prompt[node_id]
        value = unwrap(node["inputs"][input_name])
        known = specs.get(node["class_type"]) if specs is not None else None
        spec = declared_input(known, input_name, node["inputs"]) if known is not None else None
        if is_link(value) or (spec is not None and (spec.hidden or not spec.is_widget)):
            continue
        role = roles.get(place)
        name = _free_name(role, titles[node_id], input_name, taken)
        if place not in joined:
            taken.add(name)
        facts = _guess(node["class_type"], input_name, value) if spec is None else facts_of(spec)
        param = Param(
            name=name,
            label=_label(role, name, titles[node_id], spec, input_name),
            node_id=node_id,
            node_title=titles[node_id],
            class_type=node["class_type"],
            input_name=input_name,
            value=value,
            group=titles[node_id],
            primary=role is not None and role.primary,
            control_after_generate=controls.get(place),
            others=others.get(place, ()),
            **facts,
        )
        if place in joined:
            single.append(param)
            continue
        made.append((role.rank if role is not None else 10**6, param))
    made.sort(key=lambda ranked: ranked[0])
    return Params((param for _, param in made), single)


def _others(
    prompt: Prompt, roles: Mapping[Place, Role], shared: Iterable[tuple[Place, ...]]
) -> dict[Place, tuple[Place, ...]]:
    """Return, for each input that stands for more than itself, the others."""
    others = {place: role.others for place, role in roles.items() if role.others}
    taken = {place for first, rest in others.items() for place in (first, *rest)}
    for places in shared:
        there = [place for place in places if place[0] in prompt and place[1] in prompt[place[0]]["inputs"]]
        values = [prompt[node_id]["inputs"][name] for node_id, name in there]
        if (
            len(there) > 1
            and taken.isdisjoint(there)
            and not is_link(values[0])
            and values.count(values[0]) == len(values)
        ):
            first = min(there, key=lambda place: roles[place].rank if place in roles and roles[place].name else 10**6)
            others[first] = tuple(place for place in there if place != first)
            taken.update(there)
    return others


def _free_name(role: Role | None, title: str, input_name: str, taken: set[str]) -> str:
    if role is not None and role.name and role.name not in taken:
        return role.name
    name, number = f"{title}.{input_name}", 1
    while name in taken:
        number += 1
        name = f"{title}.{input_name} {number}"
    return name


def _label(role: Role | None, name: str, title: str, spec: InputSpec | None, input_name: str) -> str:
    if role is None or not role.name:
        own = spec.label if spec is not None else input_name
        return LABELS.get(own) or in_words(own)
    # One that stands under its node's title need not name it.
    return role.label if name == role.name or not role.primary else f"{role.label} ({title})"


def facts_of(spec: InputSpec) -> dict[str, Any]:
    """Return what a definition says of a parameter, as keyword arguments of `Param`."""
    is_file = spec.kind == "choice" and spec.upload is not None
    return {
        "kind": "file" if is_file else _PARAM_KINDS.get(spec.kind, spec.kind),
        "default": spec.initial,
        "min": spec.min,
        "max": spec.max,
        "step": spec.step,
        "choices": spec.choices,
        "tooltip": spec.tooltip,
        "dynamic": isinstance(spec.dynamic, DynamicCombo),
        # A colour is text, and shown as what it is.
        "options": {**spec.options, "display": "color"} if spec.kind == "color" else spec.options,
    }


def _guess(class_type: str, input_name: str, value: Any) -> dict[str, Any]:
    facts: dict[str, Any] = {"guessed": True, "default": value}
    if isinstance(value, bool):
        return {**facts, "kind": "bool"}
    if isinstance(value, (int, float)):
        return {**facts, **_KNOWN.get(input_name, {"kind": "int" if isinstance(value, int) else "float"})}
    if isinstance(value, str):
        if input_name in _KNOWN and stands_for_number(value):
            return {**facts, **_KNOWN[input_name]}
        if input_name == "image" and "LoadImage" in class_type:
            return {**facts, "kind": "image"}
        return {**facts, "kind": "text" if input_name in _TEXT_NAMES or "\n" in value else "string"}
    return {**facts, "kind": "json"}
