"""Axes meet a workflow: names become inputs, values are checked, and what cannot be is said in words."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..protocol import WorkflowError
from ..workflow import (
    NodeSpecs,
    Param,
    Params,
    UnknownParam,
    Workflow,
    did_you_mean,
    fingerprint,
    image_upload,
    is_image,
    is_link,
)
from ._axes import Axis, Lora, Option, Replace, Swap, Together, is_axis, label_of, listed_values

Prompt = dict[str, dict[str, Any]]
_NUMBERS = ("int", "float", "seed")
_CHANCE = ("random", "randomize", "rand", "increment")


@dataclass(frozen=True)
class Edit:
    """One input of the prompt and what an option puts there; ``before`` is what a `Swap` changes."""

    node_id: str
    input_name: str
    name: str
    value: Any
    before: Any = None


@dataclass(frozen=True)
class Base:
    """One workflow with the axes bound to it.

    Attributes
    ----------
    name : str
    workflow : Workflow
        With the server's definitions and all values that are the same in every cell.
    prompt : dict
        What it is without the axes; not to be changed.
    edits : tuple
        ``edits[axis][option]`` are the `Edit`s of an option.
    dated : dict
        Texts with a date in them by node and input, as their author wrote them. The date is none of the prompt's
        meaning: tomorrow the same cell is the same.
    dynamic : bool
        Whether some text is expanded when it is sent, so that it may differ from what was set.
    """

    name: str
    workflow: Workflow
    prompt: Prompt
    edits: tuple[tuple[tuple[Edit, ...], ...], ...]
    dated: Mapping[tuple[str, str], str] = field(default_factory=dict)
    dynamic: bool = False

    def chosen(self, indices: Sequence[int]) -> dict[str, Any]:
        """Return the values of a combination by parameter name; the swaps of one prompt are made at once."""
        values: dict[str, Any] = {}
        swaps: dict[str, list[Swap]] = {}
        for options, index in zip(self.edits, indices, strict=True):
            for edit in options[index]:
                if isinstance(edit.value, Swap):
                    swaps.setdefault(edit.name, []).append(edit.value)
                    values.setdefault(edit.name, edit.before)
                else:
                    values[edit.name] = edit.value
        return {name: swapped(value, swaps[name]) if name in swaps else value for name, value in values.items()}

    def prompt_of(self, indices: Sequence[int]) -> Prompt:
        """Return what is run for a combination; nodes that no axis touches are shared, and must not be changed."""
        if self.dynamic:
            return self.workflow_of(indices).to_prompt()
        values = self.chosen(indices)
        made = dict(self.prompt)
        for options, index in zip(self.edits, indices, strict=True):
            for edit in options[index]:
                node = made[edit.node_id]
                if node is self.prompt[edit.node_id]:
                    node = made[edit.node_id] = {**node, "inputs": dict(node["inputs"])}
                value = values[edit.name]
                if is_image(value):
                    value = image_upload(value)[0]
                node["inputs"][edit.input_name] = {"__value__": value} if isinstance(value, list) else value
        return made

    def workflow_of(self, indices: Sequence[int]) -> Workflow:
        """Return the workflow of a combination, which brings its pictures along."""
        return self.workflow.with_params(self.chosen(indices))

    def key_of(self, indices: Sequence[int]) -> str:
        """Return the hash of all that is run for a combination."""
        prompt = self.prompt_of(indices)
        for (node_id, input_name), text in self.dated.items():
            node = prompt[node_id]
            prompt = {**prompt, node_id: {**node, "inputs": {**node["inputs"], input_name: text}}}
        return fingerprint(prompt)


def parse_axes(given: Mapping[str, Any]) -> tuple[list[Axis], dict[str, Any]]:
    """Sort what was given into axes and single values that hold for every cell.

    Raises
    ------
    WorkflowError
        What was given is no axis: None, an empty or endless list.
    """
    axes: list[Axis] = []
    fixed: dict[str, Any] = {}
    for name, value in given.items():
        if isinstance(value, Together):
            axes.append(Axis(name, _together(value)))
        elif isinstance(value, Replace):
            of = value.of or name
            swaps = (Option(text, text, {of: Swap(value.needle, text)}) for text in value.texts)
            axes.append(Axis(name, tuple(swaps)))
        elif isinstance(value, Lora):
            axes.append(Axis(name, tuple(_lora_option(value, *pair) for pair in value.pairs)))
        elif isinstance(value, Mapping):
            if not value:
                raise WorkflowError(f"{name} has no values, so there would be no cell at all.")
            axes.append(Axis(name, tuple(_option(name, one, str(label)) for label, one in value.items())))
        elif value is None or is_axis(value):
            items = listed_values(name, value)
            axes.append(Axis(name, tuple(_option(name, one, label_of(one, n)) for n, one in enumerate(items, 1))))
        else:
            fixed[name] = value
    return [replace(axis, options=_once(axis.options)) for axis in axes], fixed


def _option(name: str, value: Any, label: str) -> Option:
    return Option(value if isinstance(value, (str, int, float, bool)) else label, label, {name: value})


def _together(given: Together) -> tuple[Option, ...]:
    columns: dict[str, list[Any]] = {}
    for name, column in given.columns.items():
        if isinstance(column, Replace):
            columns[column.of or name] = [Swap(column.needle, text) for text in column.texts]
        else:
            columns[name] = column
    made = []
    for number, row in enumerate(zip(*columns.values(), strict=True), 1):
        parts = [value.text if isinstance(value, Swap) else label_of(value, number) for value in row]
        label = " x ".join(parts) if set(columns) == {"width", "height"} else ", ".join(parts)
        made.append(Option(label, label, dict(zip(columns, row, strict=True))))
    return tuple(made)


def _lora_option(given: Lora, name: str, strength: float) -> Option:
    label = f"{strength:g}" if len(given.names) == 1 else f"{name} @ {strength:g}"
    # The names of the parameters are known only together with a workflow: see `with_lora`.
    return Option(strength if len(given.names) == 1 else label, label, {"": Lora((name,), (strength,), given.node)})


def _once(options: tuple[Option, ...]) -> tuple[Option, ...]:
    kept: list[Option] = []
    seen: set[str] = set()
    for option in options:
        # Pictures of memory differ although their labels may not.
        mark = repr([(type(value).__name__, value) for value in option.settings.values()])
        if mark not in seen:
            seen.add(mark)
            kept.append(option)
    return tuple(kept)


def bind(
    workflow: Workflow,
    name: str,
    axes: Sequence[Axis],
    fixed: Mapping[str, Any],
    specs: NodeSpecs,
    dated: Mapping[tuple[str, str], str] | None = None,
) -> Base:
    """Bind axes to a workflow.

    What a workflow decides anew for each run (random seeds, choices in a text) is decided once, and in the same way
    whenever it is bound again.

    Parameters
    ----------
    workflow : Workflow
    name : str
    axes : sequence of Axis
    fixed : Mapping
        Values that hold for every cell.
    specs : NodeSpecs
    dated : Mapping, optional
        Texts with a date as they were before it was filled in; found here by default.

    Raises
    ------
    WorkflowError
        A name means no parameter or a connected input, two axes mean the same one, a value is out of bounds or not
        among the choices, or a text to replace is not there.
    """
    workflow = workflow.bind(specs.object_info)
    params = workflow.params()
    workflow = workflow.with_params({name: _checked(find(workflow, params, name), v) for name, v in fixed.items()})
    loras = [value for axis in axes for option in axis.options for value in option.settings.values()]
    if any(isinstance(value, Lora) for value in loras):
        workflow = with_lora_loader(workflow, next(v for v in loras if isinstance(v, Lora)), specs)
    params = workflow.params()
    owners: dict[tuple[str, str], str] = {find(workflow, params, param).place: param for param in fixed}
    swapping: set[tuple[str, str]] = set()
    edits = []
    for axis in axes:
        made = [tuple(_edits(workflow, params, axis, option)) for option in axis.options]
        for edit in {(edit.node_id, edit.input_name): edit for option in made for edit in option}.values():
            place = (edit.node_id, edit.input_name)
            swaps = isinstance(edit.value, Swap)
            if place in owners and not (swaps and place in swapping):
                raise WorkflowError(
                    f"{owners[place]} and {axis.name} set the same input, {edit.name!r}. Give it once, or use "
                    "together() for values that belong together."
                )
            owners[place] = axis.name
            if swaps:
                swapping.add(place)
        edits.append(tuple(made))
    if dated is None:
        asked = workflow.params().values()
        dated = {p.place: p.value for p in asked if isinstance(p.value, str) and "%date" in p.value}
    settled = workflow.settle(random.Random(0))
    texts = [edit.value for options in edits for option in options for edit in option]
    texts += [param.value for param in params.values()]
    dynamic = any(
        isinstance(text := value.text if isinstance(value, Swap) else value, str) and ("{" in text or "%" in text)
        for value in texts
    )
    return Base(name, settled, settled.to_prompt(), tuple(edits), dated, dynamic)


def _edits(workflow: Workflow, params: Params, axis: Axis, option: Option) -> list[Edit]:
    settings = dict(option.settings)
    chosen = settings.pop("", None)
    if isinstance(chosen, Lora):
        settings |= _lora_settings(params, chosen)
    made = []
    for name, value in settings.items():
        param = find(workflow, params, name)
        made.append(Edit(param.node_id, param.input_name, param.name, _checked(param, value), param.value))
    return made


def _checked(param: Param, value: Any) -> Any:
    if isinstance(value, Swap):
        if not isinstance(param.value, str):
            raise param.error(f"is no text, so nothing in it can be replaced; it is {param.value!r}.")
        if value.needle not in param.value:
            raise param.error(f"does not contain {value.needle!r}, so there is nothing to replace: {param.value!r}.")
        return value
    if is_image(value):
        if param.kind != "image":
            raise param.error(f"takes no picture, but a {param.kind}.")
        image_upload(value)
        return value
    if param.kind in _NUMBERS and isinstance(value, str) and value.strip().lower() in _CHANCE:
        raise param.error(
            f"cannot be {value!r} in a sweep: it would be another picture each time the sweep is resumed. List the "
            f"values, for example {param.input_name}=range(4)."
        )
    return param.check(value)


def swapped(text: str, swaps: Sequence[Swap]) -> str:
    """Replace several texts in one pass, so that what was put in is not searched again; the longest needle first."""
    texts = {swap.needle: swap.text for swap in swaps}
    needles = sorted(texts, key=len, reverse=True)
    return re.sub("|".join(map(re.escape, needles)), lambda found: texts[found.group()], text)


def find(workflow: Workflow, params: Params, name: str) -> Param:
    """Find a parameter; one that gets its value through a link is told from one that is not there.

    Raises
    ------
    WorkflowError
    """
    try:
        return params.find(name)
    except UnknownParam:
        for node in workflow:
            for input_name, value in node.inputs.items():
                owners = (node.title, node.id, node.class_type)
                if is_link(value) and name in (input_name, *(f"{owner}.{input_name}" for owner in owners)):
                    origin = next((n.title for n in workflow if n.id == value[0]), value[0])
                    raise WorkflowError(
                        f"{node.title}: {input_name} is connected to {origin}, so it has no value of its own to vary. "
                        f"Vary a parameter of {origin} instead.",
                        node_id=node.id,
                        node_title=node.title,
                        class_type=node.class_type,
                        input_name=input_name,
                    ) from None
        raise


# -- LoRAs ---------------------------------------------------------------------------------------------------------


def with_lora_loader(workflow: Workflow, wanted: Lora, specs: NodeSpecs) -> Workflow:
    """Return a workflow that has a LoRA loader: as it is, or with one behind the model's loader."""
    if any("lora_name" in node.inputs for node in workflow):
        return workflow
    if "LoraLoader" not in specs and "LoraLoaderModelOnly" not in specs:
        raise WorkflowError("The workflow has no LoRA loader, and the server has no LoraLoader that could be added.")
    sources = [
        (node.id, [output.type for output in specs[node.class_type].outputs])
        for node in workflow
        if node.class_type in specs and not any(is_link(value) for value in node.inputs.values())
    ]
    loaders = [(node_id, types) for node_id, types in sources if "MODEL" in types]
    if len(loaders) != 1:
        raise WorkflowError(
            f"The workflow has no LoRA loader, and {len(loaders)} nodes that load a model; put the LoRA loader where "
            "it belongs."
        )
    node_id, types = loaders[0]
    full = "CLIP" in types and "LoraLoader" in specs
    class_type = "LoraLoader" if full or "LoraLoaderModelOnly" not in specs else "LoraLoaderModelOnly"
    inputs: dict[str, Any] = {"model": (node_id, types.index("MODEL")), "strength_model": 1.0}
    if class_type == "LoraLoader":
        if "CLIP" not in types:
            raise WorkflowError("The workflow has no LoRA loader; add one, for its model comes without a text encoder.")
        inputs["strength_clip"] = 1.0
        inputs["clip"] = (node_id, types.index("CLIP"))
    consumers = [
        (node.id, input_name, "MODEL" if types[value[1]] == "MODEL" else "CLIP")
        for node in workflow
        for input_name, value in node.inputs.items()
        if is_link(value) and value[0] == node_id and types[value[1]] in ("MODEL", "CLIP")
    ]
    before = {node.id for node in workflow}
    changed = workflow.add(class_type, None, lora_name=wanted.names[0], **inputs)
    added = next(node.id for node in changed if node.id not in before)
    for consumer, input_name, kind in consumers:
        if kind == "MODEL" or class_type == "LoraLoader":
            changed = changed.rewire(consumer, input_name, (added, 0 if kind == "MODEL" else 1))
    return changed.bind(specs.object_info)


def _lora_settings(params: Params, wanted: Lora) -> dict[str, Any]:
    name, strength = wanted.names[0], wanted.strengths[0]
    loaders = [param for param in params.values() if param.input_name == "lora_name"]
    if wanted.node is not None:
        named = [p for p in loaders if wanted.node in (p.node_title, p.node_id)]
        if not named:
            titles = [param.node_title for param in loaders]
            raise WorkflowError(
                f"The workflow has no LoRA loader {wanted.node!r}.{did_you_mean(wanted.node, titles)}"
                f" It has: {', '.join(titles)}."
            )
        loaders = named
    elif len(loaders) > 1:
        loaders = [param for param in loaders if _same_file(param.value, name)] or loaders
    if len(loaders) > 1:
        several = ", ".join(repr(param.node_title) for param in loaders)
        raise WorkflowError(
            f"The workflow has several LoRA loaders: {several}. Name one: lora({name!r}, ..., node=...)."
        )
    loader = loaders[0]
    matching = [choice for choice in loader.choices or () if _same_file(choice, name)]
    settings: dict[str, Any] = {loader.name: matching[0] if len(matching) == 1 else name}
    for param in params.values():
        if param.node_id == loader.node_id and param.input_name in ("strength_model", "strength_clip", "strength"):
            settings[param.name] = strength
    return settings


def _same_file(choice: object, name: str) -> bool:
    stem = re.sub(r"\.(safetensors|sft|ckpt|pth?|bin|gguf)$", "", str(choice))
    return name in (str(choice), stem, re.split(r"[\\/]", stem)[-1])
