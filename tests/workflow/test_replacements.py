"""Node classes that a server replaces: converted and checked as the server reads them."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from comfy_widgets.workflow import NodeClasses, NodeSpecs, Workflow
from comfy_widgets.workflow._convert import convert, replace_classes

from .ui_graphs import INFO, Drawing, definition

ENTRY: dict[str, Any] = {
    "new_node_id": "New",
    "old_node_id": "Old",
    "old_widget_ids": ["seed", "mode"],
    "input_mapping": [
        {"new_id": "how", "old_id": "mode"},
        {"new_id": "picture", "old_id": "image"},
        {"new_id": "extra", "set_value": 3},
        {"new_id": "absent", "old_id": "nowhere"},
    ],
    "output_mapping": [{"new_idx": 1, "old_idx": 0}],
}
NEW = {
    **INFO,
    "New": definition(
        {"how": ["STRING"], "picture": ["IMAGE"], "extra": ["INT", {"default": 0}]},
        ("MASK", "IMAGE"),
        {"seed": ["INT", {"control_after_generate": True}]},
    ),
}


class Server:
    """Counts how often it is asked."""

    def __init__(self, *entries: Any) -> None:
        self.entries = entries
        self.asked = 0

    def __call__(self) -> dict[str, Any]:
        self.asked += 1
        return {"Old": list(self.entries)}


def known(*entries: Any) -> NodeClasses:
    return NodeClasses(NEW, Server(*(entries or (ENTRY,))))


def old_workflow(values: Any) -> dict[str, Any]:
    drawing = Drawing()
    image = drawing.node("Image", [1, 2], outputs=("IMAGE",))
    old = drawing.node("Old", values, {"image": (image, 0, "IMAGE")}, ("IMAGE",), title="Mine")
    drawing.node("Save", ["x"], {"images": (old, 0, "IMAGE")})
    return drawing.root()


@pytest.mark.parametrize("values", [[7, "randomize", "fast"], [7, "fast"], {"seed": 7, "mode": "fast"}])
def test_an_old_node_is_sent_as_the_new_one(values: Any) -> None:
    done = convert(old_workflow(values), known())
    assert done.prompt["2"]["class_type"] == "New"
    assert done.prompt["2"]["inputs"] == {"how": "fast", "picture": ["1", 0], "extra": 3}
    assert done.prompt["3"]["inputs"]["images"] == ["2", 1]
    assert [(note.kind, note.node_id, str(note)) for note in done.report] == [
        ("replaced", "2", '"Mine" is a Old, which this server replaces by New.')
    ]


def test_a_form_and_a_check_see_the_new_class() -> None:
    workflow = Workflow.load(old_workflow([7, "fast"]), object_info=known())
    assert workflow.params()["how"].value == "fast"
    assert workflow.check() == []


def test_in_api_format_the_server_replaces_and_the_check_knows_it() -> None:
    prompt = {
        "1": {"class_type": "Image", "inputs": {"width": 8, "height": 8}},
        "2": {"class_type": "Old", "inputs": {"mode": "fast", "image": ["1", 0]}},
        "3": {"class_type": "Save", "inputs": {"images": ["2", 0], "filename_prefix": "x"}},
    }
    before = copy.deepcopy(prompt)
    workflow = Workflow.load(prompt, object_info=known())
    assert workflow.check() == []
    assert workflow.to_prompt() == before
    assert replace_classes(prompt, NodeSpecs(known()))["3"]["inputs"]["images"] == ["2", 1]
    assert prompt == before


def test_the_server_is_asked_once_and_only_for_a_class_that_it_lacks() -> None:
    server = Server(ENTRY)
    info = NodeClasses(NEW, server)
    drawing = Drawing()
    drawing.node("Image", [1, 2])
    convert(drawing.root(), info)
    assert server.asked == 0
    for _ in range(2):
        convert(old_workflow([7, "fast"]), info)
    assert server.asked == 1


@pytest.mark.parametrize(
    "entries",
    [[], [None], ["New"], [{"new_node_id": "Gone"}], [{"new_node_id": "Gone"}, ENTRY], [{"new_node_id": ["New"]}]],
)
def test_what_leads_nowhere_replaces_nothing(entries: list[Any]) -> None:
    info = NodeClasses(NEW, Server(*entries))
    done = convert(old_workflow([7, "fast"]), info)
    assert done.prompt["2"]["class_type"] == "Old"
    assert [note.kind for note in done.report] == ["missing-class"]


@pytest.mark.parametrize("mapping", [None, [], [None], [{"new_id": 3}], "x"])
def test_mappings_that_cannot_be_read_are_passed_over(mapping: Any) -> None:
    entry = {**ENTRY, "input_mapping": mapping, "output_mapping": mapping}
    done = convert(old_workflow([7, "fast"]), NodeClasses(NEW, Server(entry)))
    assert (done.prompt["2"]["class_type"], done.prompt["2"]["inputs"]) == ("New", {})
    assert done.prompt["3"]["inputs"]["images"] == ["2", 0]


def test_node_classes_are_a_plain_object_info() -> None:
    assert known() == NEW
    assert NodeSpecs(NEW).replacement("Old") is None
