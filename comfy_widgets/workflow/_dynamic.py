"""Inputs behind a dynamic choice: which there are, and what another choice makes of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ._param import RANDOM
from ._prompt import Place, Prompt, copied, is_link, unwrap, wrap
from ._specs import DynamicCombo, InputSpec, NodeSpec, NodeSpecs


def has_choices(spec: NodeSpec) -> bool:
    """Tell whether a class has inputs that decide which others there are."""
    return any(isinstance(item.dynamic, DynamicCombo) for item in spec.inputs)


def declared_input(spec: NodeSpec, name: str, inputs: Mapping[str, Any]) -> InputSpec | None:
    """Return the definition of an input; behind a dynamic choice, that of the variant which is chosen.

    Parameters
    ----------
    spec : NodeSpec
    name : str
        With dots, ``model.resolution``, where it stands behind a choice.
    inputs : Mapping
        The node's inputs as in a prompt: they hold what is chosen.
    """
    for outer in spec.inputs:
        if isinstance(outer.dynamic, DynamicCombo) and name.startswith(f"{outer.name}."):
            return _in_variant(outer, outer.name, name, inputs) or spec.input(name)
    return spec.input(name)


def _in_variant(outer: InputSpec, prefix: str, name: str, inputs: Mapping[str, Any]) -> InputSpec | None:
    variant = outer.dynamic.variant(inputs.get(prefix)) if isinstance(outer.dynamic, DynamicCombo) else None
    for inner in variant.inputs if variant is not None else ():
        full = f"{prefix}.{inner.name}"
        if full == name:
            return inner
        if name.startswith(f"{full}."):
            return _in_variant(inner, full, name, inputs)
    return None


def set_inputs(prompt: Prompt, values: Mapping[Place, Any], specs: NodeSpecs | None) -> None:
    """Set inputs of a prompt in place; where a dynamic choice becomes another, what stands behind it follows.

    Parameters
    ----------
    prompt : dict
    values : Mapping
        By places that the prompt has.
    specs : NodeSpecs or None
        Without definitions nothing is known of choices.
    """
    chosen: list[Place] = []
    for (node_id, name), value in values.items():
        inputs = prompt[node_id]["inputs"]
        if specs is not None and unwrap(inputs.get(name)) != value:
            chosen.append((node_id, name))
        inputs[name] = wrap(copied(value))
    for node_id, name in sorted(chosen, key=lambda place: place[1].count(".")):
        node = prompt[node_id]
        spec = specs.get(node["class_type"]) if specs is not None else None
        declared = declared_input(spec, name, node["inputs"]) if spec is not None else None
        if declared is not None and name in node["inputs"]:
            node["inputs"] = choose_variant(node["inputs"], name, declared)


def choose_variant(inputs: dict[str, Any], name: str, spec: InputSpec) -> dict[str, Any]:
    """Return the inputs of a node after another choice of a dynamic input.

    What the chosen variant lacks is dropped, and what it has besides gets the value of a fresh node. What both have is
    kept where it still fits: the editor resets it, but a prompt should survive the choice of another model.

    Parameters
    ----------
    inputs : dict
        With the new choice under `name`.
    name : str
    spec : InputSpec
        The definition of that input.
    """
    chosen = spec.dynamic.variant(unwrap(inputs[name])) if isinstance(spec.dynamic, DynamicCombo) else None
    if chosen is None:
        return inputs
    behind: dict[str, Any] = {}
    for inner in chosen.inputs:
        behind |= _fitting(inputs, f"{name}.{inner.name}", inner)
    result: dict[str, Any] = {}
    for key, value in inputs.items():
        if not key.startswith(f"{name}."):
            result[key] = value
        if key == name:
            result |= behind
    return result


def _fitting(inputs: Mapping[str, Any], name: str, spec: InputSpec) -> dict[str, Any]:
    """What one input of a variant has, and all behind it."""
    if not spec.is_widget or (spec.dynamic is not None and not isinstance(spec.dynamic, DynamicCombo)):
        # Sockets, and what grows with its connections.
        return {key: value for key, value in inputs.items() if key == name or key.startswith(f"{name}.")}
    value = inputs.get(name)
    drawn_later = value == RANDOM and spec.kind in ("seed", "int", "float")
    if name not in inputs or not (is_link(value) or drawn_later or spec.problem(unwrap(value)) is None):
        value = wrap(spec.initial)
    found = {name: value}
    if isinstance(spec.dynamic, DynamicCombo) and not is_link(value):
        kept = {key: other for key, other in inputs.items() if key.startswith(f"{name}.")}
        found = choose_variant({**found, **kept}, name, spec)
    return found
