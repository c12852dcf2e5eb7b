"""Texts that are written anew for each run: ``{a|b}`` choices and the tokens of file names.

The front end does both when it queues a prompt. A converted prompt can hold them as their author wrote them, together
with a `RunTexts` that knows which texts those are; `RunTexts.expand` is called at each submission.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias

from .extensions import COMPUTED
from .texts import expand_dynamic_prompt, fill_file_name, has_choices

Place: TypeAlias = tuple[str, str]
"""Where a value stands: the node's id and the input's name."""

Prompt: TypeAlias = dict[str, dict[str, Any]]

_FILE_NAME = "filename_prefix"


def _nothing(_node: str, _input: str) -> object:
    return None


@dataclass(frozen=True)
class RunTexts:
    """What of a prompt is rewritten at each submission.

    Parameters
    ----------
    dynamic : collection of (node id, input name), optional
        The texts whose ``{a|b}`` choices the front end makes. None for a prompt in API format, which came without that
        knowledge: then only edited texts are looked at, as all others were expanded when they were exported.
    file_names : collection of str, optional
        The ids of the nodes whose ``filename_prefix`` has tokens: those that save. None for all.
    names : Mapping of str to str
        Node ids by the names that file name tokens may call them, as far as these are not their classes or titles.
    unsent : callable
        ``(node name, widget name) -> value`` for what is not in the prompt: widgets of muted nodes and under links.

    Examples
    --------
    >>> texts = RunTexts(dynamic={("6", "text")})
    >>> prompt = {"6": {"class_type": "CLIPTextEncode", "inputs": {"text": "a {red|red} hill // note"}}}
    >>> texts.expand(prompt)["6"]["inputs"]["text"]
    'a red hill '
    """

    dynamic: Collection[Place] | None = None
    file_names: Collection[str] | None = None
    names: Mapping[str, str] = field(default_factory=dict)
    unsent: Callable[[str, str], object] = field(default=_nothing, repr=False, compare=False)

    def expand(
        self,
        prompt: Prompt,
        *,
        edited: Collection[Place] = (),
        seed: int | None = None,
        choices: bool = True,
        now: datetime | None = None,
    ) -> Prompt:
        """Return the prompt as it is sent; `prompt` is not changed, and it is shared as far as nothing is rewritten.

        Parameters
        ----------
        prompt : dict
            API format, with the values that were set.
        edited : collection of (node id, input name), optional
            The places whose values were set after the workflow was loaded.
        seed : int, optional
            Makes the choices repeatable; by default they are made anew at each call.
        choices : bool
            Make the choices; otherwise texts that hold some are left as they are.
        now : datetime, optional
            The time for ``%date:...%`` in file names; the present by default.
        """
        rewritten: dict[Place, Any] = {}
        for place in edited if self.dynamic is None else self.dynamic:
            node = prompt.get(place[0])
            text = node["inputs"].get(place[1]) if node is not None else None
            if not isinstance(text, str) or (self.dynamic is None and not _is_choice(text)):
                continue
            if place in edited and _is_json(text):
                # The editor would take its braces away; whoever sets it here means what it says.
                continue
            rng = _generator(seed, place) if choices and has_choices(text) else None
            expanded = expand_dynamic_prompt(text, rng, comments=self.dynamic is None)
            if expanded != text:
                rewritten[place] = expanded
        now = now or datetime.now()
        for node_id in prompt if self.file_names is None else self.file_names:
            prefix = prompt[node_id]["inputs"].get(_FILE_NAME) if node_id in prompt else None
            if isinstance(prefix, str) and "%" in prefix:
                rewritten[node_id, _FILE_NAME] = fill_file_name(prefix, self._value_finder(prompt), now)
        rewritten |= {place: value for place, value in _computed(prompt, edited).items() if place not in rewritten}
        return _with_values(prompt, rewritten)

    def _value_finder(self, prompt: Prompt) -> Callable[[str, str], object]:
        def value_of(name: str, widget: str) -> object:
            for node_id in _nodes_called(name, prompt, self.names):
                value = prompt[node_id]["inputs"].get(widget)
                if isinstance(value, (str, int, float)):
                    return value
            return self.unsent(name, widget)

        return value_of


def _generator(seed: int | None, place: Place) -> random.Random:
    # Seeded by place as well, so that a choice does not depend on what else is in the workflow.
    return random.Random() if seed is None else random.Random(f"{seed}:{place[0]}:{place[1]}")


def _is_choice(text: str) -> bool:
    """Whether a text that came without the editor's knowledge means ``{a|b}`` as a choice."""
    return has_choices(text) and "|" in text


def _is_json(text: str) -> bool:
    try:
        return isinstance(json.loads(text), (dict, list))
    except (ValueError, RecursionError):
        return False


def _nodes_called(name: str, prompt: Prompt, names: Mapping[str, str]) -> list[str]:
    """The ids of the nodes that a token may mean, in the front end's order: name given for it, then title."""
    given = [names[name]] if names.get(name) in prompt else []
    by_class = [node_id for node_id, node in prompt.items() if node["class_type"] == name]
    by_title = [node_id for node_id, node in prompt.items() if _title(node) == name]
    return [*given, *by_class, *by_title]


def _title(node: Mapping[str, Any]) -> object:
    meta = node.get("_meta")
    return meta.get("title") if isinstance(meta, Mapping) else None


def _computed(prompt: Prompt, edited: Collection[Place]) -> dict[Place, Any]:
    """Inputs that the front end computes from others, where one of those was set."""
    values: dict[Place, Any] = {}
    for node_id, _ in edited:
        node = prompt.get(node_id)
        compute = COMPUTED.get(node["class_type"]) if node is not None else None
        if node is not None and compute is not None:
            values |= {(node_id, name): value for name, value in compute(node["inputs"]).items()}
    return values


def _with_values(prompt: Prompt, values: Mapping[Place, Any]) -> Prompt:
    if not values:
        return prompt
    changed = {node_id for node_id, _ in values}
    result = {
        node_id: {**node, "inputs": dict(node["inputs"])} if node_id in changed else node
        for node_id, node in prompt.items()
    }
    for (node_id, name), value in values.items():
        result[node_id]["inputs"][name] = value
    return result
