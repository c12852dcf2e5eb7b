"""The widgets and slots that a node really has, by its definition: how `widgets_values` is read.

The file holds values by position and slots by the numbers of the day it was saved; what counts is the definition of
today. So the values are dealt out to the widgets that the definition lists, and the saved inputs are matched by name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .._specs_types import Autogrow, DynamicCombo, DynamicGroup, InputSpec, Layout, MatchType, NodeSpec
from .extensions import (
    CUSTOM_COMBO,
    OLD_PREFIX,
    button_positions,
    custom_combo_options,
    has_3d_view,
    is_special,
    without_old_prefix,
)
from .pack_values import is_control_word, named_inputs, pack_inputs, without_state
from .parts import Node, SavedInput
from .widgets import CONTROL, MISSING, LiveNode, Slot, Widget, beyond

_MAX_ROWS = 1000


def live_node(node: Node, spec: NodeSpec | None, old_names: Sequence[str] = ()) -> LiveNode:
    """The widgets and slots of an ordinary node.

    Without `spec` (an unknown class) they are what the file itself shows, and `old_names`, if they are known: the names
    of its widgets in the order of their values.
    """
    if spec is None:
        return _unknown_node(node, old_names)
    if spec.layout is not None and not is_special(spec.class_type):
        plain = _plain_node(node, spec, spec.layout)
        if plain is not None:
            return plain
    builder = _Builder(node, spec)
    for item in spec.inputs:
        builder.add(item, item.name, builder.sockets)
    if spec.class_type == CUSTOM_COMBO:
        builder.add_custom_options()
    if has_3d_view(spec.class_type):
        builder.widgets.setdefault("image", Widget("image", ""))
    return builder.finish()


def _plain_node(node: Node, spec: NodeSpec, layout: Layout) -> LiveNode | None:
    """The short way for nearly all nodes: values in a list, in the places of the layout. None where it is not so."""
    if node.values is not None and not isinstance(node.values, list):
        return None
    values = node.values or []
    if len(values) > len(layout.positions):
        return None
    for value in values:
        if type(value) is dict or (type(value) is str and value.startswith(OLD_PREFIX)):
            return None
    for item in node.inputs:
        if item.widget is not None and item.name in layout.socket_names:
            return None
    types: Sequence[str] = layout.output_types
    if len(node.saved_outputs) > len(types):
        types = (*types, *node.outputs[len(types) :])
    return LiveNode(None, types, layout.positions, None, (node, layout, values), spec)


class _Builder:
    """Walks a definition and deals out values and saved inputs on the way."""

    def __init__(self, node: Node, spec: NodeSpec) -> None:
        self.node = node
        self.spec = spec
        self.widgets: dict[str, Widget] = {}
        self.positions: list[str | None] = []
        self.saved: dict[str, SavedInput] = {}
        for item in node.inputs:
            self.saved.setdefault(item.name, item)
        self.sockets: list[Slot] = []
        self.widget_slots: list[Slot] = []
        values = node.values
        self.named = values if isinstance(values, dict) else None
        self.listed, self.state = _readable(values, spec) if isinstance(values, list) else ([], [])

    def add(self, item: InputSpec, name: str, sockets: list[Slot]) -> None:
        """Add input `item` under its full `name`; its sockets go to `sockets`."""
        dynamic = item.dynamic
        if isinstance(dynamic, Autogrow):
            self._add_rows(dynamic, name, sockets)
        elif item.is_widget and isinstance(dynamic, DynamicGroup):
            self._add_group(dynamic, name)
        elif item.is_widget or self._is_pack_widget(item, name):
            self._add_widget(item, name)
            if isinstance(dynamic, DynamicCombo):
                chosen = dynamic.variant(self._current(name))
                for inner in chosen.inputs if chosen else ():
                    self.add(inner, f"{name}.{inner.name}", self.widget_slots)
        else:
            sockets.append(self._socket(item, name))

    def _is_pack_widget(self, item: InputSpec, name: str) -> bool:
        """Whether the editor showed a widget although it has none for the type itself: a pack's script brings it."""
        saved = self.saved.get(name)
        return saved is not None and saved.widget == name and item.dynamic is None and not item.force_input

    def _add_widget(self, item: InputSpec, name: str) -> None:
        value = without_old_prefix(self.spec.class_type, name, self._take(name))
        self.widgets[name] = Widget(name, value, item)
        slot = self._slot(name, item.type)
        slot.widget = name
        self.widget_slots.append(slot)
        # The companions of a widget take positions of their own, directly after it.
        companions = [self._take(None) for _ in range(_control_positions(item, name))]
        if companions:
            named = self.named
            self.widgets[name].control = companions[0] if named is None else named.get(CONTROL, MISSING)
        if item.remote and item.remote.get("refresh_button"):
            pressed = self._take("refresh")
            if pressed is not MISSING:
                self.widgets["refresh"] = Widget("refresh", pressed)
        for _ in range(button_positions(self.spec.class_type, name, self._following())):
            self._take(None)

    def _add_rows(self, dynamic: Autogrow, name: str, sockets: list[Slot]) -> None:
        connected = {saved.name for saved in self.node.inputs if saved.link and saved.name.startswith(f"{name}.")}
        last = -1
        for index in range(min(dynamic.limit, _MAX_ROWS) if connected else 0):
            if any(row_name in connected for row_name, _ in dynamic.row(name, index)):
                last = index
        for index in range(min(max(dynamic.min + 1, last + 2), dynamic.limit, _MAX_ROWS)):
            for row_name, item in dynamic.row(name, index):
                sockets.append(self._socket(item, row_name))

    def _add_group(self, dynamic: DynamicGroup, name: str) -> None:
        count = self._take(name, sent=False)
        rows = count if isinstance(count, int) and not isinstance(count, bool) else dynamic.min
        for row in range(max(0, min(rows, dynamic.max, _MAX_ROWS))):
            for item in dynamic.template:
                self.add(item, f"{name}.{row}.{item.name}", self.widget_slots)

    def _take(self, name: str | None, *, sent: bool = True) -> Any:
        """The next value, or the one under `name` where values are saved by name."""
        if self.named is not None:
            return MISSING if name is None else self.named.get(name, MISSING)
        position = len(self.positions)
        self.positions.append(name if sent else None)
        return self.listed[position] if position < len(self.listed) else MISSING

    def _following(self) -> list[Any]:
        """The values that no input has taken yet."""
        return self.listed[len(self.positions) :]

    def _current(self, name: str) -> Any:
        widget = self.widgets[name]
        return widget.spec.initial if widget.value is MISSING and widget.spec else widget.value

    def _slot(self, name: str, type_name: str) -> Slot:
        saved = self.saved.get(name)
        return Slot(name, type_name, saved.link if saved else None)

    def _socket(self, item: InputSpec, name: str) -> Slot:
        if not isinstance(item.dynamic, MatchType):
            return self._slot(name, item.type)
        slot = self._slot(name, item.dynamic.allowed_types)
        slot.match = item.dynamic.template_id
        return slot

    def add_custom_options(self) -> None:
        """A CustomCombo has its options in its values: after the choice comes an index, which is computed anew."""
        if self.named is None:
            self._take(None)
            options = custom_combo_options(self._following())
        else:
            options = custom_combo_options([value for name, value in self.named.items() if name.startswith("option")])
        for name, value in options.items():
            self._take(name)
            self.widgets[name] = Widget(name, value)

    def finish(self) -> LiveNode:
        """Put the slots in order, sockets first, and append the saved inputs that the definition lacks."""
        slots = [*self.sockets, *self.widget_slots]
        slots += beyond(self.node, {slot.name for slot in slots}, self.widgets)
        types = [output.type for output in self.spec.outputs]
        live = LiveNode(
            self.widgets, [*types, *self.node.outputs[len(types) :]], self.positions, slots, None, self.spec
        )
        if self.named is not None:
            _keep_unlisted(live, self.named)
        elif surplus := [*self.state, *self._following()]:
            _place_surplus(live, self.node, surplus, self.spec)
        return live


def _control_positions(item: InputSpec, name: str) -> int:
    """How many positions the control of a widget takes."""
    if item.control_after_generate and item.control_positions == 1 and name != item.name:
        # The rule for seeds without an explicit setting looks at the full name, which a dynamic input's prefix changes.
        return 1 if item.options.get("control_after_generate") else 0
    return item.control_positions


def _without_dummies(values: list[Any], spec: NodeSpec) -> list[Any]:
    """Drop the places that front ends before 1.16 kept for inputs which only look like widgets (``forceInput``)."""
    if any(isinstance(item.dynamic, DynamicGroup) for item in spec.inputs):
        return values
    dummies: list[int] = []
    count = 0
    for item in spec.inputs:
        if not (item.is_widget or item.force_input):
            continue
        if item.force_input:
            dummies.append(count)
        count += 2 if item.options.get("control_after_generate") else 1
    if not dummies or count != len(values):
        return values
    return [value for position, value in enumerate(values) if position not in dummies]


def _keep_unlisted(live: LiveNode, named: Mapping[str, Any]) -> None:
    """Send what a node pack's own script added to the node, such as VideoHelperSuite's format options."""
    for name, value in list(named_inputs(named, live.widgets)):
        live.widgets[name] = Widget(name, value)


def _place_surplus(live: LiveNode, node: Node, surplus: list[Any], spec: NodeSpec | None) -> None:
    named, live.unplaced = pack_inputs(node, surplus, live.widgets, spec)
    for name, value in named.items():
        live.widgets[name] = Widget(name, value)


def _readable(values: list[Any], spec: NodeSpec) -> tuple[list[Any], list[Any]]:
    """The values without what never was a widget's, and the state of a pack's script that was among them."""
    values = _without_dummies(values, spec)
    if not any(isinstance(value, dict) for value in values) or any(item.dynamic for item in spec.inputs):
        return values, []
    widgets = [item for item in spec.inputs if item.is_widget]
    return without_state(values, widgets, [_control_positions(item, item.name) for item in widgets])


def _unknown_node(node: Node, old_names: Sequence[str]) -> LiveNode:
    """The best reading of a node whose class the server lacks: its saved inputs, and values that have a name."""
    slots = [Slot(item.name, item.type, item.link, item.widget) for item in node.inputs if item.name]
    live = LiveNode({}, node.outputs, slots=slots)
    if isinstance(node.values, dict):
        _keep_unlisted(live, node.values)
    elif node.named_values:
        _keep_unlisted(live, node.named_values)
    elif node.values:
        # Newer files list an input for each widget in the order of the widgets; the words of a seed control go between.
        shown = [item for item in node.inputs if item.widget]
        known = [SavedInput(name, "INT" if "seed" in name else "*", None, name) for name in old_names]
        names = iter(known or shown)
        previous: SavedInput | None = None
        surplus: list[Any] = []
        for value in node.values:
            if previous is not None and previous.type in ("INT", "FLOAT") and is_control_word(value):
                previous = None
                continue
            previous = next(names, None)
            if previous is None:
                surplus.append(value)
            else:
                live.widgets[previous.name] = Widget(previous.name, value)
        _place_surplus(live, node, surplus, None)
    return live
