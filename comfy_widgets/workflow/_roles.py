"""Which of a workflow's inputs a person wants to see, found by following its links.

A node's title or place tells little: what makes a text the *positive* prompt is that its conditioning ends in some
node's ``positive`` input. So the search starts at the consumers (samplers, guiders, empty latents) and walks up the
links to the node where a literal value stands.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from ._follow import Follower, TypeOf
from ._prompt import Place, Prompt, is_link, is_model_file, links


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
    others : tuple of places
        Further inputs that hold the same text for the same purpose, and are set together with this one.
    """

    name: str
    label: str
    rank: int
    primary: bool = True
    others: tuple[Place, ...] = ()


# Ranks leave no doubt about the order of a form.
_MEDIA, _PROMPT, _GUIDE, _FORMAT, _SHOWN, _SEED, _SIZE, _SAMPLING, _MODEL, _LORA = range(0, 1000, 100)
# What a subgraph keeps to itself comes after all that it, or the root, shows.
_HIDDEN = 1000

_SEED_NAMES = ("seed", "noise_seed", "rand_seed")
_SIZE_NAMES = {"width": "Width", "height": "Height", "batch_size": "Batch size"}
# How long and in which shape: what a person decides before anything of the sampler.
_FORMAT_NAMES = {
    "length": "Length",
    "num_frames": "Frames",
    "frames": "Frames",
    "video_frames": "Frames",
    "frames_number": "Frames",
    "seconds": "Seconds",
    "duration": "Duration",
    "fps": "Frames per second",
    "frame_rate": "Frames per second",
    "aspect_ratio": "Aspect ratio",
    "resolution": "Resolution",
    "megapixels": "Megapixels",
}
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
_MODEL_NAMES = {"ckpt_name": "Checkpoint", "unet_name": "Model", "model": "Model"}
LABELS = {**_SAMPLING_NAMES, "ckpt_name": "Checkpoint"}
"""What inputs of these names are called in any node, so that a second sampler says the same as the first."""
# Where its author shows them on a subgraph, they are what the workflow is for.
_SHOWN_EARLY = ("width", "height", "strength_model")
_LORA_NAMES = {"lora_name": "LoRA", "strength_model": "LoRA strength", "strength_clip": "LoRA strength (text)"}
_TEXT_ROLES = {"positive": "Positive prompt", "negative": "Negative prompt"}
_DIRECT_TEXT = {"positive_prompt": "positive", "negative_prompt": "negative", "prompt": "prompt"}
# Texts of an audio model, which are no prompts.
_OWN_TEXTS = {"tags": "Tags", "lyrics": "Lyrics"}
# Of several boxes of one encoder, the first here that is filled decides most; what the others are called.
_BOXES = {
    "t5xxl": "T5-XXL",
    "text_g": "CLIP-G",
    "clip_g": "CLIP-G",
    "text_l": "CLIP-L",
    "clip_l": "CLIP-L",
    "llama": "Llama",
}

_LATENT_LINK = re.compile(r"^(latent|latent_image|samples|latents?_?\w*)$", re.IGNORECASE)
_MEDIA_CLASS = re.compile(r"Load(Image|Video|Audio)", re.IGNORECASE)
_NO_SIZE_CLASS = re.compile(r"(Scale|Resize|Crop|Mask|Solid|Pad|Composite)", re.IGNORECASE)
_GUIDE_CLASS = re.compile(r"ControlNet", re.IGNORECASE)
_NUMBER_AS_TEXT = re.compile(
    r"\s*([-+]?[\d.]+(e[-+]?\d+)?|%.*%|\{.*\}|\$.*|<.*>|\[.*\]|__.*__|random|)\s*", re.IGNORECASE
)


def stands_for_number(value: str) -> bool:
    """Tell whether a text is a number, or what some program replaces by one: %seed%, {{seed}}, $seed, "random"."""
    return _NUMBER_AS_TEXT.fullmatch(value) is not None


def find_roles(prompt: Prompt, type_of: TypeOf, shown: Collection[Place] | None = None) -> dict[Place, Role]:
    """Return the role of each input that has one.

    Several inputs may share a role's name (two LoRAs); they come in flow order, so the first is the main one.

    Parameters
    ----------
    prompt : dict
        API format.
    type_of : callable
        Tells the declared type of an input, where it is known.
    shown : collection of places, optional
        What subgraphs show of their insides; None where nothing is known of subgraphs.
    """
    return _Search(prompt, type_of, shown).roles()


class _Search:
    def __init__(self, prompt: Prompt, type_of: TypeOf, shown: Collection[Place] | None) -> None:
        self.follow = Follower(prompt, type_of)
        self.prompt = prompt
        self.shown = None if shown is None else dict.fromkeys(shown)
        self.found: dict[Place, Role] = {}
        self._consumers: dict[str, list[str]] | None = None

    def roles(self) -> dict[Place, Role]:
        self._media()
        self._prompts()
        self._format()
        self._seed()
        self._size()
        self._sampling()
        self._models()
        self._by_subgraphs()
        return dict(sorted(self.found.items(), key=lambda item: item[1].rank))

    def _add(self, place: Place | None, name: str, label: str, rank: int, others: Iterable[Place] = ()) -> bool:
        if place is None or place in self.found:
            return False
        self.found[place] = Role(name, label, rank, others=tuple(others))
        return True

    def _is_hidden(self, place: Place) -> bool:
        """Whether a subgraph keeps an input to itself."""
        return self.shown is not None and ":" in place[0] and place not in self.shown

    def _visible_first(self) -> Iterator[tuple[str, str, str, Any]]:
        """Yield all inputs, those that stand behind a subgraph's border last."""
        inputs = list(self.follow.inputs())
        yield from (item for item in inputs if not self._is_hidden((item[0], item[2])))
        yield from (item for item in inputs if self._is_hidden((item[0], item[2])))

    def _first(self, names: tuple[str, ...], name: str, label: str, rank: int, needs: Callable[[Any], bool]) -> None:
        for node_id, _, input_name, _ in self._visible_first():
            if input_name in names:
                place = self.follow.literal_behind(node_id, input_name)
                if place is not None and needs(self.follow.value(place)) and self._add(place, name, label, rank):
                    return

    # -- prompts -------------------------------------------------------------------------------------------------

    def _prompts(self) -> None:
        for role, label in _TEXT_ROLES.items():
            texts: dict[Place, None] = {}
            for node_id in self.follow.order:
                for start in self._conditioning_inputs(node_id, role):
                    texts.update(dict.fromkeys(self.follow.texts(node_id, start, role)))
            self._add_texts(list(texts), role, label)
        direct: dict[str, dict[Place, None]] = {}
        for node_id, class_type, name, value in self.follow.inputs():
            if name in _DIRECT_TEXT and (isinstance(value, str) or self.follow.is_text_type(class_type, name)):
                role = _DIRECT_TEXT[name]
                found = self.follow.texts(node_id, name, role) if is_link(value) else [(node_id, name)]
                direct.setdefault(role, {}).update(dict.fromkeys(found))
        for role, places in direct.items():
            self._add_texts(list(places), role, _TEXT_ROLES.get(role, "Prompt"))
        for node_id, _, name, value in self.follow.inputs():
            if name in _OWN_TEXTS and isinstance(value, str):
                self.found.pop((node_id, name), None)
                self._add((node_id, name), name, _OWN_TEXTS[name], _PROMPT)

    def _conditioning_inputs(self, node_id: str, role: str) -> Iterator[str]:
        node = self.prompt[node_id]
        if role in node["inputs"]:
            yield role
        if "Guider" in node["class_type"] and role == "positive":
            yield from (name for name in ("conditioning", "cond1", "cond2") if name in node["inputs"])

    def _add_texts(self, places: list[Place], role: str, label: str) -> None:
        """Give the texts of one role their names; boxes that hold the same text become one parameter."""
        by_node: dict[str, list[Place]] = {}
        for place in places:
            # An encoder may have a box for each role.
            if place not in self.found and _DIRECT_TEXT.get(place[1], role) in (role, "prompt"):
                by_node.setdefault(place[0], []).append(place)
        mains: dict[str, Place] = {}
        together: dict[Place, list[Place]] = {}
        apart: list[Place] = []
        for boxes in by_node.values():
            main = self._main_box(boxes)
            text = self.follow.value(main)
            # An empty box says nothing of its purpose, but within one encoder.
            first = mains.setdefault(text, main) if text else main
            same = dict.fromkeys(box for box in boxes if self.follow.value(box) == text)
            together.setdefault(first, []).extend(box for box in same if box != first)
            apart += [box for box in boxes if box not in same]
        for main, others in together.items():
            unused = role == "negative" and not self.follow.value(main)
            self._add(main, role, label, _SHOWN if unused else _PROMPT + (role == "negative"), others)
        for place in apart:
            box = _BOXES.get(place[1], place[1])
            self._add(place, f"{role}_{place[1]}", f"{label} ({box})", _PROMPT + (role == "negative"))

    def _main_box(self, boxes: list[Place]) -> Place:
        order = list(_BOXES)
        filled = [box for box in boxes if self.follow.value(box)] or boxes
        return min(filled, key=lambda box: order.index(box[1]) if box[1] in order else -1)

    # -- the rest ------------------------------------------------------------------------------------------------

    def _media(self) -> None:
        for node_id, class_type, name, value in self._visible_first():
            found = _MEDIA_CLASS.search(class_type)
            if found and name in ("image", "video", "audio", "file") and isinstance(value, str):
                self._add((node_id, name), name, name.capitalize(), _GUIDE if self._guides(node_id) else _MEDIA)

    def _guides(self, node_id: str) -> bool:
        """Whether an image only guides the prompt, by a ControlNet, and is not what the workflow is about."""
        if self._consumers is None:
            self._consumers = {}
            for node in self.prompt.values():
                for _, origin, _ in links(node):
                    self._consumers.setdefault(origin, []).append(node["class_type"])
        consumers = self._consumers.get(node_id, ())
        return bool(consumers) and all(_GUIDE_CLASS.search(class_type) for class_type in consumers)

    def _format(self) -> None:
        for rank, (name, label) in enumerate(_FORMAT_NAMES.items()):
            # Of a dynamic choice, such as ``model.resolution``, the last part says what it is.
            names = {found for _, _, found, _ in self.follow.inputs() if found.rpartition(".")[2] == name}
            if names:
                self._first(tuple(names), name, label, _FORMAT + rank, _is_scalar)

    def _seed(self) -> None:
        self._first(_SEED_NAMES, "seed", "Seed", _SEED, _is_number)

    def _size(self) -> None:
        node_id = next(self._size_nodes(), None)
        if node_id is not None:
            for rank, (name, label) in enumerate(_SIZE_NAMES.items()):
                if name in self.prompt[node_id]["inputs"]:
                    place = self.follow.literal_behind(node_id, name)
                    if place is not None and _is_number(self.follow.value(place)):
                        self._add(place, name, label, _SIZE + rank)

    def _size_nodes(self) -> Iterator[str]:
        order, prompt = self.follow.order, self.prompt
        sized = [n for n in order if {"width", "height"} <= prompt[n]["inputs"].keys()]
        for node_id in order:
            if prompt[node_id]["inputs"].keys() & {*_SEED_NAMES, "sampler", "sampler_name", "noise"}:
                yield from (above for above in self.follow.above(node_id, _LATENT_LINK) if above in sized)
        yield from (n for n in sized if prompt[n]["class_type"].startswith("Empty"))
        yield from (n for n in sized if not _NO_SIZE_CLASS.search(prompt[n]["class_type"]))

    def _sampling(self) -> None:
        for rank, (name, label) in enumerate(_SAMPLING_NAMES.items()):
            is_text = name in ("sampler_name", "scheduler")
            self._first((name,), name, label, _SAMPLING + rank, _is_text if is_text else _is_number)

    def _models(self) -> None:
        for node_id, _, name, value in self.follow.inputs():
            if name in _MODEL_NAMES and isinstance(value, str):
                self._add((node_id, name), name, _MODEL_NAMES[name], _MODEL)
            elif name in _LORA_NAMES and "lora_name" in self.prompt[node_id]["inputs"] and not is_link(value):
                self._add((node_id, name), name, _LORA_NAMES[name], _LORA)
        for name in (*_MODEL_NAMES, *_LORA_NAMES):
            places = [place for place, role in self.found.items() if role.name == name]
            for place in places[1:] if len(places) > _MOST_MODELS else ():
                self.found[place] = replace(self.found[place], primary=False)

    # -- subgraphs -----------------------------------------------------------------------------------------------

    def _by_subgraphs(self) -> None:
        """Put what subgraphs show before what they hide: their authors have chosen already."""
        if self.shown is None:
            return
        for place in self.shown:
            node = self.prompt.get(place[0])
            if node is not None and place[1] in node["inputs"] and not is_link(node["inputs"][place[1]]):
                is_file = is_model_file(node["inputs"][place[1]])
                self._add(place, "", "", _MODEL if is_file else _SHOWN)
        for place, role in self.found.items():
            if place in self.shown and role.name in _SHOWN_EARLY:
                self.found[place] = replace(role, rank=_SHOWN)
            elif place in self.shown and role.name == "denoise" and self._value_below_one(place):
                # How far it may go from the image.
                self.found[place] = replace(role, rank=_PROMPT - 1)
        visible = {role.name for place, role in self.found.items() if not self._is_hidden(place)}
        for place, role in self.found.items():
            if self._is_hidden(place):
                self.found[place] = replace(
                    role, rank=role.rank + _HIDDEN, primary=role.primary and role.name not in visible
                )

    def _value_below_one(self, place: Place) -> bool:
        value = self.follow.value(place)
        return isinstance(value, (int, float)) and value < 1


def _is_number(value: Any) -> bool:
    # Also as text: "512", "%width%" that some program fills in, "random".
    if isinstance(value, str):
        return stands_for_number(value)
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_scalar(value: Any) -> bool:
    return isinstance(value, (int, float, str)) and not isinstance(value, bool)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)
