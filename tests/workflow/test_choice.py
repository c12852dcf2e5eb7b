"""What the author lets others see: chosen, renamed, bounded, hidden, and kept inside the file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from comfy_widgets.errors import WorkflowError
from comfy_widgets.workflow import Workflow, example

from .catalog import INFO, hires, text_to_image


def api() -> Workflow:
    return Workflow.load(hires(text_to_image())).bind(INFO)


def ui() -> Workflow:
    return example("text_to_image_ui").bind(INFO)


FORMS = pytest.mark.parametrize("make", [api, ui], ids=["api", "ui"])


@FORMS
def test_a_list_shows_exactly_these_in_this_order(make: Any) -> None:
    workflow = make().expose(["seed", "positive", "Save Image.filename_prefix"])
    assert [param.name for param in workflow.params().primary] == ["seed", "positive", "Save Image.filename_prefix"]
    # The rest is still there, under "More".
    assert workflow.with_params(steps=3).params()["steps"].value == 3


@FORMS
def test_a_mapping_renames_bounds_and_hides(make: Any) -> None:
    workflow = make().expose(
        {
            "quality": {"param": "steps", "min": 5, "max": 50, "label": "Quality", "tooltip": "More is slower."},
            "seed": None,
            "style": {"param": "sampler_name", "choices": ["euler", "heun"], "group": "Look"},
            "cfg": False,
        }
    )
    params = workflow.params()
    assert [param.name for param in params.primary] == ["quality", "seed", "style"]
    assert (params["quality"].min, params["quality"].max, params["quality"].label) == (5, 50, "Quality")
    assert params["style"].choices == ("euler", "heun")
    assert params["style"].group == "Look"
    assert "cfg" not in params
    assert workflow.with_params(quality=50).to_prompt()["3"]["inputs"]["steps"] == 50
    with pytest.raises(WorkflowError, match="above its maximum of 50"):
        workflow.with_params(quality=51)
    with pytest.raises(WorkflowError, match="not in the list: 'euler', 'heun'"):
        workflow.with_params(style="dpmpp_2m")


@FORMS
def test_hiding_alone_leaves_the_rest_as_it_was(make: Any) -> None:
    before = [param.name for param in make().params().primary]
    after = [param.name for param in make().expose({"negative": False}).params().primary]
    assert after == [name for name in before if name != "negative"]


def test_a_nodes_title_stands_for_all_it_has() -> None:
    shown = [param.name for param in api().expose(["positive", "KSampler 2"]).params().primary]
    assert shown[0] == "positive"
    assert set(shown[1:]) == {f"KSampler 2.{name}" for name in ("seed", "steps", "cfg", "denoise")} | {
        "KSampler 2.sampler_name",
        "KSampler 2.scheduler",
    }


def test_a_name_may_be_taken_over() -> None:
    params = api().expose({"seed": "KSampler 2.seed"}).params()
    assert params["seed"].node_id == "2"
    assert params["KSampler.seed"].node_id == "3"


@FORMS
def test_the_choice_is_saved_beside_the_workflow(make: Any, tmp_path: Path) -> None:
    workflow = make().expose({"quality": {"param": "steps", "max": 50}, "seed": None, "cfg": False})
    again = Workflow.load(workflow.save(tmp_path / "flow.json")).bind(INFO)
    assert again == workflow
    assert again.params() == workflow.params()
    assert [param.name for param in again.params().primary] == ["quality", "seed"]
    # It changes nothing in what runs, and the files stay what they are for everyone else.
    assert again.hash == make().hash
    assert again.expose([]) == make()


def test_an_api_file_with_a_choice_is_still_an_api_file() -> None:
    prompt = api().expose(["seed"]).to_prompt()
    assert all(set(node) <= {"class_type", "inputs", "_meta"} for node in prompt.values())
    assert prompt["3"]["_meta"]["comfy_widgets"] == {"seed": {"order": 0}}


def test_the_choice_survives_a_change_of_the_graph() -> None:
    for make in (api, ui):
        workflow = make().expose({"quality": "steps"}).remove("9")
        assert [param.name for param in workflow.params().primary] == ["quality"]
        assert workflow.remove("3").params().primary


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        (["sed"], "no parameter 'sed'"),
        ({"steps": {"maximum": 3}}, "cannot be given a 'maximum'. Did you mean 'max'"),
        ({"a": "steps", "b": "sed"}, "no parameter 'sed'"),
    ],
)
def test_a_choice_of_what_is_not_there(wanted: Any, says: str) -> None:
    with pytest.raises(WorkflowError, match=says):
        api().expose(wanted)


@pytest.mark.parametrize("junk", [3, [], "x", {"seed": 3}, {"seed": {"max": "high", "order": None, "name": 3}}])
def test_junk_in_that_place_is_passed_over(junk: Any) -> None:
    prompt = text_to_image()
    prompt["3"]["_meta"] = {"comfy_widgets": junk}
    assert Workflow.load(json.dumps(prompt)).params(INFO)["seed"].max == 2**64 - 1
    editor = example("text_to_image_ui").ui
    assert editor is not None
    editor["extra"] = {"comfy_widgets": {"params": junk}}
    assert Workflow.load(editor).params(INFO)["seed"].max == 2**64 - 1
