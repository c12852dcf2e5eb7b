"""App mode: what an author chose in ComfyUI decides the form, and what is chosen here is an app in ComfyUI."""

from __future__ import annotations

import copy
import gzip
import importlib.util
import json
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from comfy_widgets.errors import WorkflowError
from comfy_widgets.workflow import Workflow, example

from .catalog import INFO, SHARED
from .ui_graphs import INFO as UI_INFO
from .ui_graphs import Drawing


def app(inputs: list[Any], **more: Any) -> Workflow:
    ui = example("text_to_image_ui").ui
    assert ui is not None
    ui["id"] = "aaaa-bbbb"
    ui["extra"] = {"linearData": {"inputs": inputs, "outputs": ["9"], **more}, "linearMode": True}
    return Workflow.load(ui).bind(INFO)


def shown(workflow: Workflow) -> list[str]:
    return [param.name for param in workflow.params().primary]


@pytest.mark.parametrize(
    "inputs",
    [
        [[3, "steps"], [6, "text"], [3, "seed"]],
        [["3", "steps"], ["6", "text"], ["3", "seed", {"height": 100}]],
        [["aaaa-bbbb:3:steps", "steps"], ["aaaa-bbbb:6:te%78t", "text"], ["aaaa-bbbb:3:seed", "seed"]],
    ],
)
def test_an_author_decides_what_is_shown_and_in_which_order(inputs: list[Any]) -> None:
    workflow = app(inputs)
    assert shown(workflow) == ["steps", "positive", "seed"]
    assert workflow.outputs == ("9",)
    assert "cfg" in workflow.params()
    assert workflow.with_params(cfg=3).params()["cfg"].value == 3


def test_what_is_gone_is_passed_over_and_told() -> None:
    workflow = app([[99, "text"], [3, "steps"], [3, "nothing"]])
    assert shown(workflow) == ["steps"]
    assert [note for note in workflow.notes if "App mode shows 'text' of node 99" in note]


@pytest.mark.parametrize(
    "junk", [None, 7, {"inputs": 3}, {"inputs": [None, 1, [], [1], [True, "x"], [None, "y"], ["3", 5], [[], []]]}]
)
def test_junk_in_that_place_is_passed_over(junk: Any) -> None:
    ui = example("text_to_image_ui").ui
    assert ui is not None
    ui["extra"] = {"linearData": junk}
    assert shown(Workflow.load(ui).bind(INFO))[:2] == ["positive", "negative"]


def test_what_is_exposed_here_is_an_app(tmp_path: Path) -> None:
    workflow = example("text_to_image_ui").bind(INFO)
    exposed = workflow.expose({"quality": "steps", "positive": None, "cfg": {"min": 0, "max": 20}})
    document = json.loads(exposed.save(tmp_path / "app.json").read_text())
    assert document["extra"]["linearData"]["inputs"] == [[3, "steps"], [6, "text"], [3, "cfg"]]
    assert document["extra"]["linearData"]["outputs"] == [9]
    assert document["extra"]["linearMode"] is True
    again = Workflow.load(document).bind(INFO)
    assert shown(again) == ["quality", "positive", "cfg"]
    assert (again.params()["cfg"].min, again.params()["cfg"].max) == (0, 20)
    assert "linearData" not in (exposed.expose([]).ui or {})["extra"]


def test_a_choice_that_is_changed_in_comfyui_counts() -> None:
    document = example("text_to_image_ui").bind(INFO).expose({"quality": "steps", "positive": None}).ui
    assert document is not None
    document["extra"]["linearData"]["inputs"] = [[3, "seed"], [3, "steps"]]
    assert shown(Workflow.load(document).bind(INFO)) == ["seed", "quality"]


def test_hiding_one_leaves_the_others_of_an_app() -> None:
    assert shown(app([[3, "steps"], [6, "text"]]).expose({"steps": False})) == ["positive"]


def test_nothing_is_said_of_app_mode_where_nothing_is_chosen() -> None:
    workflow = example("text_to_image_ui").bind(INFO)
    hidden = workflow.expose({"cfg": False})
    assert "linearData" not in (hidden.ui or {})["extra"]
    assert workflow.outputs == ()


# -- subgraphs -------------------------------------------------------------------------------------------------------


def with_subgraph() -> dict[str, Any]:
    inner = Drawing(10)
    inner.node("Text", ["inside"], widget_inputs={"text": (-10, 0, "STRING")})
    scope = inner.subgraph("sub", {"text": "STRING"}, {})
    outer = Drawing()
    outer.node("sub", ["a hill"])
    outer.node("Text", ["outside"])
    return {**outer.root(scope), "id": "root-id"}


@pytest.mark.parametrize("entry", [["10", "text"], ["sub:10:text", "text"], ["root-id:1:text", "text"], [1, "text"]])
def test_inputs_inside_a_subgraph_are_found(entry: list[Any]) -> None:
    ui = with_subgraph()
    ui["extra"] = {"linearData": {"inputs": [entry], "outputs": []}}
    workflow = Workflow.load(ui).bind(UI_INFO)
    assert [param.place for param in workflow.params().primary] == [("1:10", "text")]
    exposed = workflow.expose([param.name for param in workflow.params().primary])
    assert [param.place for param in Workflow.load(exposed.ui).bind(UI_INFO).params().primary] == [("1:10", "text")]


def test_a_primitive_that_feeds_several_is_one_parameter() -> None:
    drawing = Drawing()
    primitive = drawing.node("PrimitiveNode", ["a hill"], outputs=("STRING",))
    for _ in range(3):
        drawing.node("Text", ["old"], widget_inputs={"text": (primitive, 0, "STRING")})
    ui = drawing.root()
    workflow = Workflow.load(ui).bind(UI_INFO)
    (only,) = workflow.params().values()
    changed = workflow.with_params({only.name: "a lake"})
    assert {node["inputs"]["text"] for node in changed.to_prompt().values()} == {"a lake"}
    assert Workflow.load(changed.to_ui()).bind(UI_INFO).to_prompt() == changed.to_prompt()
    alone = workflow.with_params({"2.text": "a pond"})
    assert [node["inputs"]["text"] for node in alone.to_prompt().values()] == ["a pond", "a hill", "a hill"]
    with pytest.raises(WorkflowError, match="no place of its own"):
        alone.to_ui()


# -- the official templates ------------------------------------------------------------------------------------------


def test_what_authors_of_the_official_templates_chose_is_found_and_mostly_foreseen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    definitions = SHARED / "convert-0.33" / "object_info-0.33.0.json.gz"
    if importlib.util.find_spec("comfyui_workflow_templates_json") is None or not definitions.is_file():
        pytest.skip("the official templates, or the definitions of their nodes, are not here")
    monkeypatch.syspath_prepend(Path(__file__).parents[2] / "bench")
    bench = import_module("bench_forms")
    object_info = json.loads(gzip.decompress(definitions.read_bytes()))
    found = foreseen = chosen = 0
    for name, document in bench.templates():
        before = copy.deepcopy(document)
        counts = bench.score(document, object_info)
        chosen, found, foreseen = chosen + counts[0], found + counts[1], foreseen + counts[2]
        assert document == before
        if "contact_sheet-step_3" in name:
            # The front end sends what the host has, not what a primitive behind a Reroute holds.
            params = Workflow.load(document, object_info=object_info).params()
            assert (params["duration"].value, len(params["duration"].others)) == (3, 6)
    # The others were chosen on nodes that are gone from the files.
    assert found >= 0.89 * chosen
    assert foreseen >= 0.86 * chosen
