"""Documents that hold more than a workflow: stray entries, comments, wrappers of services, and odd JSON."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from comfy_widgets.errors import WorkflowError
from comfy_widgets.workflow import Workflow, example

from .catalog import INFO, text_to_image
from .ui_graphs import recordings

PROMPT = text_to_image()
TEXT = json.dumps(PROMPT)
UI = example("text_to_image_ui").ui
HALF = "\ud83d"


# -- stray entries -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "entry"),
    [
        ("_comment", "made for the workshop"),
        ("//", ["two", "lines"]),
        ("version", 1),
        ("extra_data", {"client_id": "c"}),
        ("note", None),
        ("77", {"_meta": {"title": "x"}}),
    ],
)
def test_an_entry_that_is_no_node_is_left_out_and_named(key: str, entry: Any) -> None:
    for document in ({**PROMPT, key: entry}, {key: entry, **PROMPT}):
        workflow = Workflow.load(document)
        assert workflow.prompt == PROMPT
        assert workflow.notes == (f"The entry {key!r} beside the nodes is no node and is left out.",)
        assert workflow.check(INFO) == Workflow.load(PROMPT).check(INFO)


def test_a_node_without_a_class_is_left_out_and_named() -> None:
    broken = {**PROMPT, "77": {"inputs": {"x": 1}}}
    workflow = Workflow.load(broken)
    assert workflow.prompt == PROMPT
    assert workflow.notes == ("The node '77' has no class_type and is left out.",)


def test_the_editors_form_beside_the_nodes_is_found() -> None:
    workflow = Workflow.load({**PROMPT, "extra_data": {"extra_pnginfo": {"workflow": UI}}})
    assert workflow.form == "ui"
    assert workflow.prompt == PROMPT


@pytest.mark.parametrize("stray", [None, 7, "text", {"_comment": "x"}, {"id": 99}, {"type": "KSampler"}])
def test_a_stray_among_the_editors_nodes_is_left_out_and_named(stray: Any) -> None:
    assert UI is not None
    workflow = Workflow.load({**UI, "nodes": [stray, *UI["nodes"]]}, object_info=INFO)
    assert workflow.to_prompt() == Workflow.load(UI).to_prompt(INFO)
    assert [note for note in workflow.notes if note.endswith("It is left out.")] == list(workflow.notes)
    assert len(workflow.notes) == 1
    assert "<svg" in workflow._repr_mimebundle_()["image/svg+xml"]


COMMENTED = """
// for the workshop
{ "1": {"class_type": "A", /* the first */ "inputs": {"url": "https://example.org/*/x", "n": 1,},},
  // "2": {"class_type": "B"},
}
"""


def test_comments_and_trailing_commas_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "flow.json"
    path.write_text(COMMENTED[COMMENTED.index("{") :])
    workflow = Workflow.load(path)
    assert workflow.prompt == {"1": {"class_type": "A", "inputs": {"url": "https://example.org/*/x", "n": 1}}}


@pytest.mark.parametrize("text", ['{"1": // x', '{"1": /* x', '{"1": 1 "2"} // x', '{"1": "x\\'])
def test_what_is_no_json_without_its_comments_is_refused_with_its_place(text: str) -> None:
    with pytest.raises(WorkflowError, match=r"no valid JSON: .* line 1, column"):
        Workflow.load(text)


# -- wrappers ----------------------------------------------------------------------------------------------------------

WRAPPED: list[tuple[Any, str]] = [
    ({"input": {"workflow_json": TEXT}}, "input.workflow_json"),
    ({"version": "abc", "input": {"workflow_json": TEXT, "randomise_seeds": True}}, "input.workflow_json"),
    ({"input": {"workflow": PROMPT, "images": []}, "webhook": "https://example.org", "policy": {}}, "input.workflow"),
    ({"input": {"prompt": PROMPT}}, "input.prompt"),
    ({"COMFYUI_WORKFLOW": TEXT, "COMFYUI_WORKFLOW_NODES": []}, "COMFYUI_WORKFLOW"),
    ({"workflow": TEXT, "nodes": [{"type": "prompt", "key": "text", "node_ids": ["6"]}]}, "workflow"),
    ({"image_generation": {"prompt": {"enable": True}, "comfyui": {"workflow": TEXT}}}, "image_generation.comfyui"),
    ({"workflow_api": PROMPT}, "workflow_api"),
    ({"data": {"prompt": PROMPT}, "ok": True}, "data.prompt"),
    ({"data": {"prompt": TEXT}}, "data.prompt"),
    ({"name": "{no json", "anything": {"at": {"all": PROMPT}}}, "anything"),
    ([{"data": {"prompt": PROMPT}}], "data.prompt"),
]


@pytest.mark.parametrize(("document", "place"), WRAPPED, ids=[place for _, place in WRAPPED])
def test_a_workflow_inside_a_wrapper_is_found_and_told(document: Any, place: str) -> None:
    workflow = Workflow.load(json.dumps(document))
    assert workflow.prompt == PROMPT
    (note,) = workflow.notes
    assert note.startswith(f"The workflow was found inside, under {place}")


def test_what_is_not_used_of_a_wrapper_is_told() -> None:
    (note,) = Workflow.load(WRAPPED[2][0]).notes
    assert note == "The workflow was found inside, under input.workflow; not used: webhook, policy, images."


def test_both_forms_of_one_wrapper_are_taken() -> None:
    workflow = Workflow.load({"id": "x", "workflow": UI, "workflow_api": PROMPT})
    assert (workflow.form, workflow.prompt, workflow.ui) == ("ui", PROMPT, UI)


def test_strays_inside_a_wrapper_are_told_too() -> None:
    workflow = Workflow.load({"input": {"workflow": {**PROMPT, "_comment": "x"}}})
    assert len(workflow.notes) == 2


def test_of_several_workflows_none_is_guessed() -> None:
    with pytest.raises(WorkflowError, match=r"holds 2 workflows, under 'first', 'second'\. Give one of them"):
        Workflow.load({"first": PROMPT, "second": PROMPT})


@pytest.mark.parametrize("document", [{"prompt": PROMPT, "client_id": "c"}, {"output": PROMPT, "workflow": UI}])
def test_what_comfyui_itself_writes_is_no_wrapper(document: Any) -> None:
    assert not any("found inside" in note for note in Workflow.load(document).notes)


@pytest.mark.parametrize(
    "name", ["D1-comment-as-text.json", "E3-runpod-input-with-webhook.json", "C5-seed-minus-one.json"]
)
def test_recorded_cases(name: str) -> None:
    workflow = Workflow.load(recordings("cases", name))
    assert workflow.prompt is not None and len(workflow.prompt) == 7
    assert len(workflow.notes) == (name[0] in "DE")


# -- whatever JSON can hold --------------------------------------------------------------------------------------------

ODD: list[tuple[str, Any]] = [
    ("text as _meta", {"_meta": "KSampler"}),
    ("null as _meta", {"_meta": None}),
    ("a list as _meta", {"_meta": [1]}),
    ("null as title", {"_meta": {"title": None}}),
    ("NaN as title", {"_meta": {"title": math.nan}}),
    ("infinity beside the title", {"_meta": {"title": "x", "y": math.inf}}),
    ("half an emoji in the title", {"_meta": {"title": f"a{HALF}"}}),
    ("half an emoji in the class", {"class_type": f"A{HALF}"}),
]


@pytest.mark.parametrize(("_name", "change"), ODD, ids=[name for name, _ in ODD])
def test_an_odd_node_is_held_shown_and_saved(_name: str, change: dict[str, Any], tmp_path: Path) -> None:
    odd = {**PROMPT, "3": {**PROMPT["3"], **change}}
    workflow = Workflow.load(json.dumps(odd), object_info=INFO)
    assert workflow.params()
    workflow.check()
    assert workflow._repr_mimebundle_()
    again = Workflow.load(workflow.save(tmp_path / "odd.json"))
    saved, loaded, given = (json.dumps(form, sort_keys=True) for form in (again.prompt, workflow.prompt, odd))
    assert saved == loaded == given


@pytest.mark.parametrize("where", ["title", "text", "group", "position", "extra"])
def test_an_odd_file_of_the_editor_is_held_shown_and_saved(where: str, tmp_path: Path) -> None:
    ui = example("text_to_image_ui").ui
    assert ui is not None
    if where == "title":
        ui["nodes"][0]["title"] = HALF
    elif where == "text":
        next(node for node in ui["nodes"] if node["type"] == "CLIPTextEncode")["widgets_values"] = [HALF]
    elif where == "group":
        ui["groups"] = [{"title": HALF, "bounding": [0, 0, 10, 10]}]
    elif where == "position":
        ui["nodes"][0]["pos"] = [math.nan, math.inf]
    else:
        ui["extra"] = {"x": math.nan}
    workflow = Workflow.load(ui, object_info=INFO)
    assert workflow.params()
    workflow.check()
    assert workflow._repr_mimebundle_()
    again = Workflow.load(workflow.save(tmp_path / "odd.json"))
    assert json.dumps(again.ui) == json.dumps(ui)
    assert again.to_prompt(INFO).keys() == workflow.to_prompt().keys()


def test_inputs_that_are_null_are_none() -> None:
    assert Workflow.load({"1": {"class_type": "A", "inputs": None}}).prompt == {"1": {"class_type": "A", "inputs": {}}}
