"""From a prompt to its `Params`: what may be set, under which name, in which order, within which bounds."""

from __future__ import annotations

import re
from typing import Any

from ._param import Param, Params, in_words
from ._prompt import Prompt, flow_order, is_link, unique_titles, unwrap
from ._roles import Role, find_roles
from ._specs import InputSpec, NodeSpecs

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
# A number as text, or what some program replaces by one: %seed%, {{seed}}, ${seed}, <seed>, "random".
_STANDS_FOR_NUMBER = re.compile(r"\s*([-+]?[\d.]+(e[-+]?\d+)?|%.*%|\{.*\}|\$.*|<.*>|\[.*\]|__.*__|random|)\s*", re.I)
_TEXT_NAMES = frozenset({"text", "prompt", "positive", "negative", "text_g", "text_l", "clip_l", "t5xxl"})

# How the kinds of a definition appear as kinds of a parameter, where they differ.
_PARAM_KINDS = {"choices": "json", "color": "string"}


def make_params(prompt: Prompt, specs: NodeSpecs | None) -> Params:
    """Return every literal input of a prompt as a parameter: those with a role first, the rest by node.

    Parameters
    ----------
    prompt : dict
        API format, as `prompt.normalise` leaves it.
    specs : NodeSpecs or None
        The server's definitions. Without them kinds are guessed from the values and bounds are mostly unknown.
    """
    titles = unique_titles(prompt, specs)

    def spec_of(class_type: str, input_name: str) -> InputSpec | None:
        return specs[class_type].input(input_name) if specs is not None and class_type in specs else None

    def type_of(class_type: str, input_name: str) -> str | None:
        spec = spec_of(class_type, input_name)
        return spec.type if spec is not None else None

    roles = find_roles(prompt, type_of)
    made: list[tuple[int, Param]] = []
    taken: set[str] = set()
    # In the order of their roles: the first prompt of its kind gets the bare name, whatever its node's place.
    rest = [(node_id, name) for node_id in flow_order(prompt) for name in prompt[node_id]["inputs"]]
    for place in [*roles, *(place for place in rest if place not in roles)]:
        node_id, input_name = place
        node = prompt[node_id]
        value = unwrap(node["inputs"][input_name])
        spec = spec_of(node["class_type"], input_name)
        if is_link(value) or (spec is not None and (spec.hidden or not spec.is_widget)):
            continue
        role = roles.get(place)
        name = _free_name(role, titles[node_id], input_name, taken)
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
            **facts,
        )
        made.append((role.rank if role is not None else 10**6, param))
    made.sort(key=lambda ranked: ranked[0])
    return Params(param for _, param in made)


def _free_name(role: Role | None, title: str, input_name: str, taken: set[str]) -> str:
    if role is not None and role.name not in taken:
        return role.name
    name, number = f"{title}.{input_name}", 1
    while name in taken:
        number += 1
        name = f"{title}.{input_name} {number}"
    return name


def _label(role: Role | None, name: str, title: str, spec: InputSpec | None, input_name: str) -> str:
    if role is None:
        return in_words(spec.label if spec is not None else input_name)
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
        "options": spec.options,
    }


def _guess(class_type: str, input_name: str, value: Any) -> dict[str, Any]:
    facts: dict[str, Any] = {"guessed": True, "default": value}
    if isinstance(value, bool):
        return {**facts, "kind": "bool"}
    if isinstance(value, (int, float)):
        return {**facts, **_KNOWN.get(input_name, {"kind": "int" if isinstance(value, int) else "float"})}
    if isinstance(value, str):
        if input_name in _KNOWN and _STANDS_FOR_NUMBER.fullmatch(value):
            return {**facts, **_KNOWN[input_name]}
        if input_name == "image" and "LoadImage" in class_type:
            return {**facts, "kind": "image"}
        return {**facts, "kind": "text" if input_name in _TEXT_NAMES or "\n" in value else "string"}
    return {**facts, "kind": "json"}
