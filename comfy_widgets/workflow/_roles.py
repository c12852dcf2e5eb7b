"""Which of a workflow's inputs a person wants to see, found by following its links.

A node's title or place tells little: what makes a text the *positive* prompt is that its conditioning ends in some
node's ``positive`` input. So the search starts at the consumers (samplers, guiders, empty latents) and walks up the
links to the node where a literal value stands.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from ._prompt import Place, Prompt, flow_order, is_link, links

TypeOf = Callable[[str, str], "str | None"]
"""``(class_type, input_name) -> type``, or None where the definition is unknown."""


@dataclass(frozen=True)
class Role:
    """What an input is to the whole workflow.

    Attributes
    ----------
    name, label : str
        Its name there, and what a form says.
    rank : int
        Its place in a form, least first.
    primary : bool
        Whether a form shows it at once.
    """

    name: str
    label: str
    rank: int
    primary: bool = True


# Ranks leave no doubt about the order of a form: prompts, pictures, seed, size, sampling, models, LoRAs.
_PROMPT, _MEDIA, _SEED, _SIZE, _SAMPLING, _MODEL, _LORA = range(0, 700, 100)

_SEED_NAMES = ("seed", "noise_seed", "rand_seed")
_SIZE_NAMES = {"width": "Width", "height": "Height", "batch_size": "Batch size", "length": "Length"}
_SAMPLING_NAMES = {
    "steps": "Steps",
    "cfg": "CFG",
    "guidance": "Guidance",
    "sampler_name": "Sampler",
    "scheduler": "Scheduler",
    "denoise": "Denoise",
}
# More models, or more LoRAs, than this are a pipeline's inside, and only the first stands for them.
_MOST_MODELS = 4
_MODEL_NAMES = {"ckpt_name": "Checkpoint", "unet_name": "Model"}
_LORA_NAMES = {"lora_name": "LoRA", "strength_model": "LoRA strength", "strength_clip": "LoRA strength (text)"}
_TEXT_ROLES = {"positive": "Positive prompt", "negative": "Negative prompt"}
_DIRECT_TEXT = {"positive_prompt": "positive", "negative_prompt": "negative", "prompt": "prompt"}

_TEXT_INPUT = re.compile(r"(text|prompt|string|value|clip_[lg]$|t5xxl|llama|wildcard|positive|negative)", re.IGNORECASE)
_NOT_TEXT_INPUT = re.compile(r"(delimiter|separator|prefix|suffix|_name$|mode|method|type|parser|regex)", re.IGNORECASE)
_TEXT_LINK = re.compile(
    r"(cond|positive|negative|text|prompt|string|clip_[lg]$|t5xxl|guider|value|any|input|on_)", re.I
)
_SWITCH = frozenset({"switch", "on_true", "on_false"})
_LATENT_LINK = re.compile(r"^(latent|latent_image|samples|latents?_?\w*)$", re.IGNORECASE)
_MEDIA_CLASS = re.compile(r"Load(Image|Video|Audio)", re.IGNORECASE)
_NO_SIZE_CLASS = re.compile(r"(Scale|Resize|Crop|Mask|Solid|Pad|Composite)", re.IGNORECASE)


def find_roles(prompt: Prompt, type_of: TypeOf) -> dict[Place, Role]:
    """Return the role of each input that has one.

    Several inputs may share a role's name (two LoRAs); they come in flow order, so the first is the main one.
    """
    return _Search(prompt, type_of).roles()


class _Search:
    def __init__(self, prompt: Prompt, type_of: TypeOf) -> None:
        self.prompt = prompt
        self.type_of = type_of
        self.order = flow_order(prompt)
        self.found: dict[Place, Role] = {}

    def roles(self) -> dict[Place, Role]:
        self._prompts()
        self._media()
        self._seed()
        self._size()
        self._sampling()
        self._models()
        return self.found

    def _inputs(self) -> Iterator[tuple[str, str, str, Any]]:
        for node_id in self.order:
            node = self.prompt[node_id]
            for name, value in node["inputs"].items():
                yield node_id, node["class_type"], name, value

    def _add(self, place: Place | None, name: str, label: str, rank: int) -> bool:
        if place is None or place in self.found:
            return False
        self.found[place] = Role(name, label, rank)
        return True

    def _first(self, names: tuple[str, ...], name: str, label: str, rank: int, needs: Callable[[Any], bool]) -> None:
        for node_id, _, input_name, _ in self._inputs():
            if input_name in names:
                place = self.literal_behind(node_id, input_name)
                if place is not None and needs(self._value(place)) and self._add(place, name, label, rank):
                    return

    def _value(self, place: Place) -> Any:
        return self.prompt[place[0]]["inputs"][place[1]]

    def literal_behind(self, node_id: str, input_name: str) -> Place | None:
        """Follow an input to the literal it takes its value from, through nodes that only hold or pass a value."""
        seen: set[Place] = set()
        while (node_id, input_name) not in seen:
            seen.add((node_id, input_name))
            value = self.prompt[node_id]["inputs"].get(input_name)
            if not is_link(value):
                return (node_id, input_name)
            origin = value[0]
            if origin not in self.prompt:
                return None
            inputs = self.prompt[origin]["inputs"]
            if inputs.keys() >= _SWITCH:
                input_name = self._branch(origin)
            elif input_name not in inputs and len(inputs) > 1:
                named = [name for name in ("value", "number", "int", "float", "seed") if name in inputs]
                if not named or any(is_link(v) for v in inputs.values()):
                    return None
                input_name = named[0]
            elif input_name not in inputs:
                if not inputs:
                    return None
                input_name = next(iter(inputs))
            node_id = origin
        return None

    def _branch(self, node_id: str) -> str:
        """Return the input that a switch lets through as it stands."""
        value = self.prompt[node_id]["inputs"]["switch"]
        if is_link(value) and value[0] in self.prompt:
            value = self.prompt[value[0]]["inputs"].get("value")
        return "on_true" if value is True else "on_false"

    # -- prompts -------------------------------------------------------------------------------------------------

    def _prompts(self) -> None:
        for role, label in _TEXT_ROLES.items():
            for node_id in self.order:
                for start in self._conditioning_inputs(node_id, role):
                    for place in self._texts(node_id, start, role):
                        self._add(place, role, label, _PROMPT + (role == "negative"))
        for node_id, class_type, name, value in self._inputs():
            if name in _DIRECT_TEXT and (isinstance(value, str) or self._is_text_type(class_type, name)):
                role = _DIRECT_TEXT[name]
                for place in self._texts(node_id, name, role) if is_link(value) else [(node_id, name)]:
                    self._add(place, role, _TEXT_ROLES.get(role, "Prompt"), _PROMPT + (role == "negative"))

    def _is_text_type(self, class_type: str, name: str) -> bool:
        return self.type_of(class_type, name) == "STRING"

    def _conditioning_inputs(self, node_id: str, role: str) -> Iterator[str]:
        node = self.prompt[node_id]
        if role in node["inputs"]:
            yield role
        if "Guider" in node["class_type"] and role == "positive":
            yield from (name for name in ("conditioning", "cond1", "cond2") if name in node["inputs"])

    def _texts(self, node_id: str, input_name: str, role: str) -> Iterator[Place]:
        """Yield the literal texts that an input gets, nearest first."""
        seen = {(node_id, input_name)}
        queue: list[tuple[str, str, str]] = [(node_id, input_name, role)]
        for node_id, input_name, wanted in queue:
            value = self.prompt[node_id]["inputs"].get(input_name)
            if isinstance(value, str):
                yield (node_id, input_name)
            if not is_link(value) or value[0] not in self.prompt:
                continue
            origin, slot = value
            node = self.prompt[origin]
            if "ZeroOut" in node["class_type"]:
                # Its text is the other prompt's; what comes out here is an empty one.
                continue
            names = list(node["inputs"])
            if set(names) >= _SWITCH:
                names = [self._branch(origin)]
            elif "positive" in names and "negative" in names:
                # A node that passes both through, such as a ControlNet: slot 0 is the positive one.
                wanted = ("positive", "negative")[slot] if slot < 2 else wanted
                names = [wanted]
            for name in names:
                if (origin, name) not in seen and self._leads_to_text(node, name):
                    seen.add((origin, name))
                    queue.append((origin, name, wanted))

    def _leads_to_text(self, node: dict[str, Any], name: str) -> bool:
        declared = self.type_of(node["class_type"], name)
        if is_link(node["inputs"][name]):
            if declared is not None:
                return declared in ("CONDITIONING", "STRING", "GUIDER", "*", "COMFY_MATCHTYPE_V3")
            return bool(_TEXT_LINK.match(name))
        if declared not in (None, "STRING") or not isinstance(node["inputs"][name], str):
            return False
        return bool(_TEXT_INPUT.search(name)) and not _NOT_TEXT_INPUT.search(name)

    # -- the rest ------------------------------------------------------------------------------------------------

    def _media(self) -> None:
        for node_id, class_type, name, value in self._inputs():
            found = _MEDIA_CLASS.search(class_type)
            if found and name in ("image", "video", "audio", "file") and isinstance(value, str):
                self._add((node_id, name), name, name.capitalize(), _MEDIA)

    def _seed(self) -> None:
        self._first(_SEED_NAMES, "seed", "Seed", _SEED, _is_number)

    def _size(self) -> None:
        node_id = next(self._size_nodes(), None)
        if node_id is not None:
            for rank, (name, label) in enumerate(_SIZE_NAMES.items()):
                if name in self.prompt[node_id]["inputs"]:
                    place = self.literal_behind(node_id, name)
                    if place is not None and _is_number(self._value(place)):
                        self._add(place, name, label, _SIZE + rank)

    def _size_nodes(self) -> Iterator[str]:
        sized = [n for n in self.order if {"width", "height"} <= self.prompt[n]["inputs"].keys()]
        for node_id in self.order:
            if self.prompt[node_id]["inputs"].keys() & {*_SEED_NAMES, "sampler", "sampler_name", "noise"}:
                yield from (above for above in self._above(node_id, _LATENT_LINK) if above in sized)
        yield from (n for n in sized if self.prompt[n]["class_type"].startswith("Empty"))
        yield from (n for n in sized if not _NO_SIZE_CLASS.search(self.prompt[n]["class_type"]))

    def _above(self, node_id: str, through: re.Pattern[str]) -> Iterator[str]:
        queue, seen = [node_id], {node_id}
        for current in queue:
            for name, origin, _ in links(self.prompt[current]):
                if through.match(name) and origin in self.prompt and origin not in seen:
                    seen.add(origin)
                    queue.append(origin)
                    yield origin

    def _sampling(self) -> None:
        for rank, (name, label) in enumerate(_SAMPLING_NAMES.items()):
            is_text = name in ("sampler_name", "scheduler")
            self._first((name,), name, label, _SAMPLING + rank, _is_text if is_text else _is_number)

    def _models(self) -> None:
        for node_id, _, name, value in self._inputs():
            if name in _MODEL_NAMES and not is_link(value):
                self._add((node_id, name), name, _MODEL_NAMES[name], _MODEL)
            elif name in _LORA_NAMES and "lora_name" in self.prompt[node_id]["inputs"] and not is_link(value):
                self._add((node_id, name), name, _LORA_NAMES[name], _LORA)
        for name in (*_MODEL_NAMES, *_LORA_NAMES):
            places = [place for place, role in self.found.items() if role.name == name]
            for place in places[1:] if len(places) > _MOST_MODELS else ():
                self.found[place] = replace(self.found[place], primary=False)


def _is_number(value: Any) -> bool:
    # Also as text: "512", "%width%" that some program fills in, "random".
    return isinstance(value, (int, float, str)) and not isinstance(value, bool)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)
