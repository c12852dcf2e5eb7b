"""Where a LoRA belongs: behind the loader, or behind the last LoRA, of the first sampler's model."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ..protocol import WorkflowError
from ._param import not_among
from ._prompt import Place, Prompt, flow_order, is_link, links
from ._specs import NodeSpecs

_WITH_CLIP, _MODEL_ONLY = "LoraLoader", "LoraLoaderModelOnly"


@dataclass(frozen=True)
class LoraPlan:
    """A node to add, and the inputs that it feeds from then on.

    Attributes
    ----------
    class_type : str
    inputs : dict
        Of the new node.
    consumers : tuple of (place, slot)
        Inputs, and which of its outputs each of them gets.
    """

    class_type: str
    inputs: dict[str, Any]
    consumers: tuple[tuple[Place, int], ...]


def plan_lora(prompt: Prompt, name: str, strength: float, strength_clip: float | None, specs: NodeSpecs) -> LoraPlan:
    """Return how a LoRA is put into a prompt.

    Raises
    ------
    WorkflowError
        If the workflow has no model, or the server no such LoRA.
    """
    model = _source(prompt, "model")
    if model is None:
        raise WorkflowError("The workflow has no node that takes a model, so there is nothing to put a LoRA on.")
    clip = _source(prompt, "clip")
    with_clip = clip is not None and clip[0] == model[0]
    class_type = _WITH_CLIP if with_clip or _MODEL_ONLY not in specs else _MODEL_ONLY
    inputs: dict[str, Any] = {"model": list(model), "lora_name": _known(name, class_type, specs)}
    consumers = [(place, 0) for place in _fed_by(prompt, model)]
    if class_type == _WITH_CLIP:
        if clip is None:
            raise WorkflowError("The workflow has no node that takes a CLIP, and the server no LoRA for a model alone.")
        inputs["clip"] = list(clip)
        consumers += [(place, 1) for place in _fed_by(prompt, clip)]
        inputs["strength_clip"] = strength if strength_clip is None else strength_clip
    inputs["strength_model"] = strength
    return LoraPlan(class_type, inputs, tuple(consumers))


def _source(prompt: Prompt, name: str) -> tuple[str, int] | None:
    """Walk from the first node that takes a model (or CLIP) up to the last LoRA, else to the loader."""
    for node_id in flow_order(prompt):
        link = prompt[node_id]["inputs"].get(name)
        if not is_link(link) or "lora_name" in prompt[node_id]["inputs"]:
            continue
        seen: set[str] = set()
        while link[0] in prompt and link[0] not in seen:
            seen.add(link[0])
            inputs = prompt[link[0]]["inputs"]
            above = inputs.get(name)
            if "lora_name" in inputs or not is_link(above):
                return (link[0], link[1])
            link = above
    return None


def _fed_by(prompt: Prompt, source: tuple[str, int]) -> Iterable[Place]:
    for node_id, node in prompt.items():
        for name, origin, slot in links(node):
            if (origin, slot) == source:
                yield (node_id, name)


def _known(name: str, class_type: str, specs: NodeSpecs) -> str:
    if class_type not in specs:
        raise WorkflowError(f"The server has no node class {class_type!r}, so it cannot load a LoRA.")
    declared = specs[class_type].input("lora_name")
    choices = declared.choices if declared is not None else None
    if not choices or name in choices:
        return name
    # A name without its folder or its extension is enough where it means one file.
    meant = [choice for choice in choices if name in (_file(str(choice)), _file(str(choice)).rpartition(".")[0])]
    if len(meant) == 1:
        return str(meant[0])
    raise WorkflowError(f"The LoRA is {name!r}, {not_among(name, choices)}", input_name="lora_name")


def _file(path: str) -> str:
    return path.replace("\\", "/").rpartition("/")[2]
