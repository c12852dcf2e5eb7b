"""The editor's form of a workflow: converted when needed, and written back to when values change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..protocol import WorkflowError
from ._dynamic import set_inputs
from ._prompt import Place, Prompt, copied, is_link, normalise, unwrap
from ._specs import NodeSpecs

if TYPE_CHECKING:
    from ._convert import Note, RunTexts
    from ._widgets import EditorWidgets


@dataclass(frozen=True)
class Converted:
    """The editor's form as a prompt.

    Attributes
    ----------
    prompt : dict
        API format, with texts as their author wrote them. Not to be changed.
    notes : tuple of Note
        What there is to say about it.
    texts : RunTexts
        What of it is written anew for each run.
    """

    prompt: Prompt
    notes: tuple[Note, ...]
    texts: RunTexts


class Editor:
    """The editor's form, with the last prompt it was converted to.

    All workflows that were derived from one loaded document share it, so a form that asks for parameters at every key
    press converts once.
    """

    def __init__(self, ui: dict[str, Any]) -> None:
        self.ui = ui
        self._last: tuple[NodeSpecs, Converted] | None = None
        self._widgets: tuple[NodeSpecs, EditorWidgets] | None = None

    def convert(self, specs: NodeSpecs) -> Converted:
        """Return what the server would be sent."""
        if self._last is None or self._last[0].object_info is not specs.object_info:
            from ._convert import convert

            done = convert(self.ui, specs, expand_texts=False)
            self._last = (specs, Converted(normalise(done.prompt), done.report, done.texts))
        return self._last[1]

    def widgets(self, specs: NodeSpecs) -> EditorWidgets:
        """Return where in the prompt the editor's widgets are."""
        if self._widgets is None or self._widgets[0].object_info is not specs.object_info:
            from ._widgets import EditorWidgets

            self._widgets = (specs, EditorWidgets(self.ui, specs))
        return self._widgets[1]

    def with_values(self, values: Mapping[Place, Any], specs: NodeSpecs) -> dict[str, Any]:
        """Return the editor's form with other values in its widgets.

        Where a value stands in the file is a matter of trying: in the node, in a primitive that feeds it, or in one of
        the subgraphs around it. The right place is the one after which the conversion gives exactly the wanted prompt.

        Raises
        ------
        WorkflowError
            If some value has no place of its own in the file.
        """
        from ._convert.extensions import COMPUTED
        from ._value_slots import value_slots

        wanted = copied(self.convert(specs).prompt)
        set_inputs(wanted, values, specs)
        for node_id, _ in values:
            node = wanted[node_id]
            if node["class_type"] in COMPUTED:
                node["inputs"] |= COMPUTED[node["class_type"]](node["inputs"])
        ui = self._without_links(wanted, specs)
        missing = _differences(Editor(ui).convert(specs).prompt, wanted)
        while missing:
            # What is chosen first decides which other widgets there are.
            node_id, name = min(missing, key=lambda place: (place[1].count("."), place not in values, place))
            for number in range(len(value_slots(ui, node_id, name, specs))):
                tried = copied(ui)
                value_slots(tried, node_id, name, specs)[number].put(
                    unwrap(copied(wanted[node_id]["inputs"].get(name)))
                )
                left = _differences(Editor(tried).convert(specs).prompt, wanted)
                # A primitive may set several at once; what was right already must stay so.
                if left is not None and left < missing:
                    ui, missing = tried, left
                    break
            else:
                raise WorkflowError(
                    f"The value set for {name} of node {node_id} has no place of its own in the editor's form (it is "
                    'computed, or shared with other nodes). Save the workflow in API format: save(path, form="api").',
                    node_id=node_id,
                    input_name=name,
                )
        return copied(ui)

    def _without_links(self, wanted: Prompt, specs: NodeSpecs) -> dict[str, Any]:
        """Return the form without the links into inputs that another choice took away."""
        from ._ui_edit import connect
        from ._ui_scope import NotDrawn

        gone = [
            (node_id, name)
            for node_id, node in self.convert(specs).prompt.items()
            for name, value in node["inputs"].items()
            if is_link(value) and name not in wanted[node_id]["inputs"]
        ]
        if not gone:
            return self.ui
        ui = copied(self.ui)
        for node_id, name in gone:
            try:
                connect(ui, self.widgets(specs).raw_id(node_id), name, None, specs)
            except NotDrawn as error:
                raise WorkflowError(
                    f"What feeds {name} of node {node_id} cannot be taken away in the editor's form ({error}). "
                    'Save the workflow in API format: save(path, form="api").',
                    node_id=node_id,
                    input_name=name,
                ) from error
        return ui


def _differences(prompt: Prompt, wanted: Prompt) -> set[Place] | None:
    """Return the places whose values are not the wanted ones; None where the graphs differ in more than values."""
    if prompt.keys() != wanted.keys():
        return None
    found: set[Place] = set()
    for node_id, node in prompt.items():
        inputs, others = node["inputs"], wanted[node_id]["inputs"]
        found.update((node_id, name) for name in inputs.keys() | others.keys() if _differs(inputs, others, name))
    return found


def _differs(inputs: Mapping[str, Any], others: Mapping[str, Any], name: str) -> bool:
    return name not in inputs or name not in others or inputs[name] != others[name]
