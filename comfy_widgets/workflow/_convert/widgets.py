"""What a node has today: its widgets, and its slots, which links may feed."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .._specs_types import InputSpec, Layout, NodeSpec
from .parts import Node

#: Stands for "the file says nothing", which differs from an explicit null.
MISSING: Any = object()

#: What the editor calls the widget beside a seed, where a file has values by name.
CONTROL = "control_after_generate"


@dataclass(slots=True)
class Widget:
    """A widget that is sent.

    `value` is MISSING if the file has none; `spec` is None for what no definition lists. The dynamic
    prompts of a `promoted` one are no choices: the front end sends what a subgraph shows as it is. `control` is what
    the file has for its "control after generate".
    """

    name: str
    value: Any
    spec: InputSpec | None = None
    promoted: bool = False
    control: Any = MISSING


@dataclass(slots=True)
class Slot:
    """An input that a link may feed.

    `widget` names the widget behind it, if there is one. Slots of a node with the same `match` have one type, that of
    what is linked to any other of them; `type` then is what is allowed.
    """

    name: str
    type: str
    link: str | None
    widget: str | None = None
    match: str | None = None


class LiveNode:
    """What a node has today.

    Most nodes are only asked for their widgets and links, so the slots are made when somebody asks for them.

    Attributes
    ----------
    output_types : sequence of str
    positions : sequence of str or None
        Which widget each position of ``widgets_values`` belongs to; None for one that is never sent.
    unplaced : list of (str, value)
        The values that found no input, each with its name if the file tells it.
    spec : NodeSpec or None
        The server's definition, if there is one.
    """

    __slots__ = ("_plain", "_slots", "_widgets", "output_types", "positions", "spec", "unplaced")

    def __init__(
        self,
        widgets: dict[str, Widget] | None,
        output_types: Sequence[str],
        positions: Sequence[str | None] = (),
        slots: list[Slot] | None = None,
        plain: tuple[Node, Layout, list[Any]] | None = None,
        spec: NodeSpec | None = None,
    ) -> None:
        self._widgets = widgets
        self.output_types = output_types
        self.positions = positions
        self.unplaced: list[tuple[str, Any]] = []
        self._slots = slots
        self._plain = plain
        self.spec = spec

    @property
    def widgets(self) -> dict[str, Widget]:
        """All widgets that are sent, by name."""
        if self._widgets is None:
            self._widgets = {name: Widget(name, value, spec) for name, value, spec in self.values()}
            self._set_controls(self._widgets)
        return self._widgets

    def _set_controls(self, widgets: Mapping[str, Widget]) -> None:
        _, layout, values = self._plain or (None, None, [])
        for name, spec, place in layout.widgets if layout is not None else ():
            if spec.control_positions and place + 1 < len(values):
                widgets[name].control = values[place + 1]

    def values(self) -> list[tuple[str, Any, InputSpec | None]]:
        """Name, value and specification of all widgets that are sent."""
        if self._widgets is not None or self._plain is None:
            return [(widget.name, widget.value, widget.spec) for widget in self.widgets.values()]
        _, layout, values = self._plain
        count = len(values)
        return [(name, values[place] if place < count else MISSING, spec) for name, spec, place in layout.widgets]

    @property
    def slots(self) -> list[Slot]:
        """All inputs that a link may feed, sockets first."""
        if self._slots is None:
            self._slots = self._make_slots()
        return self._slots

    def _make_slots(self) -> list[Slot]:
        if self._plain is None:
            return []
        node, layout, _ = self._plain
        saved = {item.name: item.link for item in reversed(node.inputs)}
        slots = [Slot(name, type_name, saved.get(name), None, match) for name, type_name, match in layout.sockets]
        slots += [Slot(name, item.type, saved.get(name), name) for name, item, _ in layout.widgets]
        return [*slots, *beyond(node, layout.names)]

    def links(self) -> list[tuple[str, str]]:
        """The inputs that a link feeds, each with the link's id."""
        if self._slots is not None or self._plain is None:
            return [(slot.name, slot.link) for slot in self.slots if slot.link is not None]
        node, layout, _ = self._plain
        found: dict[str, str | None] = {}
        for item in node.inputs:
            name = item.name
            if name not in found and (name in layout.names or item.widget is None or item.widget in layout.names):
                found[name] = item.link
        return [(name, link) for name, link in found.items() if link is not None]

    def slot_named(self, name: str) -> int | None:
        """The index of the slot called `name`."""
        return next((index for index, slot in enumerate(self.slots) if slot.name == name), None)


def beyond(node: Node, names: Collection[str], widgets: Collection[str] = ()) -> list[Slot]:
    """The saved inputs that the definition lacks, but for those that name a widget which does not exist."""
    seen: set[str] = set()
    slots: list[Slot] = []
    for item in node.inputs:
        if (
            item.name not in names
            and item.name not in seen
            and (item.widget is None or item.widget in names or item.widget in widgets)
        ):
            seen.add(item.name)
            slots.append(Slot(item.name, item.type, item.link, item.widget))
    return slots
