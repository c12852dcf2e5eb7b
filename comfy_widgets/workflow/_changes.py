"""Changes of a graph, each of which can be made in a prompt and drawn in the editor's form."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from ._editing import add, bypass, remove, rewire
from ._prompt import Prompt, is_link
from ._specs import NodeSpecs
from ._ui_edit import add_node, bypass_node, connect, remove_node
from ._ui_scope import NotDrawn

RawId = Callable[[str], str]
"""From a node's id in the prompt to the one that the file has."""


class Change(Protocol):
    """One change; nodes are named by their ids in the prompt."""

    def in_prompt(self, prompt: Prompt, specs: NodeSpecs | None) -> Prompt:
        """Return the changed prompt."""

    def draw(self, ui: dict[str, Any], raw: RawId, specs: NodeSpecs) -> None:
        """Change the editor's form in place; `NotDrawn` where it cannot."""

    def holds(self, prompt: Prompt) -> bool:
        """Tell whether a prompt is as the change wants it."""


@dataclass(frozen=True)
class Add:
    """One more node, with links as in a prompt among its inputs."""

    node_id: str
    class_type: str
    inputs: Mapping[str, Any] = field(default_factory=dict)
    title: str | None = None

    def in_prompt(self, prompt: Prompt, specs: NodeSpecs | None) -> Prompt:
        """Return the changed prompt."""
        return add(prompt, self.node_id, self.class_type, self.inputs, self.title, specs)

    def draw(self, ui: dict[str, Any], raw: RawId, specs: NodeSpecs) -> None:
        """Change the editor's form in place."""
        inputs = {name: [raw(value[0]), value[1]] if is_link(value) else value for name, value in self.inputs.items()}
        add_node(ui, raw(self.node_id), self.class_type, inputs, self.title, specs)

    def holds(self, prompt: Prompt) -> bool:
        """Tell whether the node is there with its inputs."""
        there = prompt.get(self.node_id, {}).get("inputs", {})
        return all(name in there and there[name] == value for name, value in self.inputs.items())


@dataclass(frozen=True)
class Remove:
    """A node less."""

    node_id: str

    def in_prompt(self, prompt: Prompt, specs: NodeSpecs | None) -> Prompt:
        """Return the changed prompt."""
        return remove(prompt, self.node_id)

    def draw(self, ui: dict[str, Any], raw: RawId, specs: NodeSpecs) -> None:
        """Change the editor's form in place."""
        remove_node(ui, raw(self.node_id))

    def holds(self, prompt: Prompt) -> bool:
        """Tell whether the node is gone."""
        return self.node_id not in prompt


@dataclass(frozen=True)
class Rewire:
    """An input connected otherwise, or with None not at all."""

    node_id: str
    input_name: str
    link: list[Any] | None

    def in_prompt(self, prompt: Prompt, specs: NodeSpecs | None) -> Prompt:
        """Return the changed prompt."""
        return rewire(prompt, self.node_id, self.input_name, self.link, specs)

    def draw(self, ui: dict[str, Any], raw: RawId, specs: NodeSpecs) -> None:
        """Change the editor's form in place."""
        link = [raw(self.link[0]), self.link[1]] if self.link is not None else None
        connect(ui, raw(self.node_id), self.input_name, link, specs)

    def holds(self, prompt: Prompt) -> bool:
        """Tell whether the input is connected so."""
        value = prompt.get(self.node_id, {}).get("inputs", {}).get(self.input_name)
        return not is_link(value) if self.link is None else value == self.link


@dataclass(frozen=True)
class Bypass:
    """A node that lets through what enters it."""

    node_id: str

    def in_prompt(self, prompt: Prompt, specs: NodeSpecs | None) -> Prompt:
        """Return the changed prompt."""
        return bypass(prompt, self.node_id, specs)

    def draw(self, ui: dict[str, Any], raw: RawId, specs: NodeSpecs) -> None:
        """Change the editor's form in place."""
        bypass_node(ui, raw(self.node_id))

    def holds(self, prompt: Prompt) -> bool:
        """Tell whether the node is passed by."""
        return self.node_id not in prompt


def draw_all(ui: dict[str, Any], changes: list[Change], raw: RawId, specs: NodeSpecs) -> None:
    """Draw changes one after the other.

    Raises
    ------
    NotDrawn
        If the editor's form cannot hold one of them.
    """
    try:
        for change in changes:
            change.draw(ui, raw, specs)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        # A document written by hand may lack what every editor writes.
        raise NotDrawn(f"its drawing is incomplete ({error})") from error
