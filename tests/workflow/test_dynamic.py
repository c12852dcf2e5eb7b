"""Another choice of a dynamic combo: which inputs the node then has, in the prompt and in the editor's form."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from comfy_widgets.errors import WorkflowError
from comfy_widgets.workflow import Workflow

from .ui_graphs import INFO as UI_INFO
from .ui_graphs import Drawing, definition

QUALITY = ["COMBO", {"options": ["low", "high"], "default": "low"}]
SPEED = {"options": [{"key": "fixed", "inputs": {"required": {"rate": ["INT", {"default": 30, "min": 1}]}}}]}
FORMAT = {
    "options": [
        {"key": "mp4", "inputs": {"required": {"quality": QUALITY, "name": ["STRING", {"default": "film"}]}}},
        {
            "key": "webm",
            "inputs": {
                "required": {
                    "name": ["STRING", {"default": "film"}],
                    "quality": ["COMBO", {"options": ["low", "lossless"], "default": "low"}],
                    "speed": ["COMFY_DYNAMICCOMBO_V3", SPEED],
                }
            },
        },
        {"key": "gif", "inputs": {"optional": {"mask": ["MASK"]}}},
        {"key": "matted", "inputs": {"required": {"mask": ["MASK"]}}},
    ]
}
INFO: dict[str, Any] = {
    **UI_INFO,
    "Film": definition(
        {
            "images": ["IMAGE"],
            "format": ["COMFY_DYNAMICCOMBO_V3", FORMAT],
            "seed": ["INT", {"default": 1, "control_after_generate": True}],
            "loop": ["BOOLEAN", {"default": True}],
        }
    ),
    "Mask": definition({}, ("MASK",)),
}
MP4 = {"format": "mp4", "format.quality": "high", "format.name": "my film"}
REST = {"seed": 5, "loop": False}


def drawn() -> Workflow:
    drawing = Drawing()
    image = drawing.node("Image", [64, 64], outputs=("IMAGE",))
    values = ["mp4", "high", "my film", 5, "fixed", False]
    drawing.node("Film", values, {"images": (image, 0, "IMAGE")})
    return Workflow.load(drawing.root()).bind(INFO)


def written() -> Workflow:
    return Workflow.load(drawn().to_prompt()).bind(INFO)


def film(workflow: Workflow) -> dict[str, Any]:
    inputs = workflow.to_prompt()["2"]["inputs"]
    return {name: value for name, value in inputs.items() if name != "images"}


def saved(workflow: Workflow) -> list[Any]:
    """The values in the editor's form, which must open as what is sent."""
    ui = workflow.to_ui()
    assert ui is not None
    assert Workflow.load(copy.deepcopy(ui)).to_prompt(INFO) == workflow.to_prompt()
    values: list[Any] = ui["nodes"][-1]["widgets_values"]
    return values


@pytest.mark.parametrize("make", [drawn, written])
def test_another_choice_brings_its_own_inputs_and_drops_the_others(make: Any) -> None:
    webm = make().with_params(format="webm")
    # The name fits both and stays; "high" does not fit, so the default comes; the speed is new.
    assert film(webm) == {
        "format": "webm",
        "format.name": "my film",
        "format.quality": "low",
        "format.speed": "fixed",
        "format.speed.rate": 30,
        **REST,
    }
    assert film(webm.with_params(format="gif")) == {"format": "gif", **REST}
    assert film(webm.with_params(format="mp4")) == {**MP4, **REST}
    assert film(make().with_params(format="mp4")) == {**MP4, **REST}


def test_the_editors_form_holds_it() -> None:
    assert saved(drawn().with_params(format="webm")) == ["webm", "my film", "low", "fixed", 30, 5, "fixed", False]
    assert saved(drawn().with_params(format="gif")) == ["gif", 5, "fixed", False]
    both = {"format": "webm", "format.speed.rate": 12, "loop": True}
    assert saved(drawn().with_params(both)) == ["webm", "my film", "low", "fixed", 12, 5, "fixed", True]


def test_what_stands_behind_a_choice_is_set_together_with_it_in_any_order() -> None:
    values = {"format.speed.rate": 12, "format.quality": "lossless", "format": "webm"}
    inputs = film(written().with_params(values))
    assert (inputs["format.speed.rate"], inputs["format.quality"]) == (12, "lossless")
    with pytest.raises(WorkflowError, match=r"no parameter 'format\.speed\.rate'"):
        written().with_params({"format.speed.rate": 12})


def test_parameters_are_those_of_the_choice_with_its_own_bounds() -> None:
    webm = written().with_params(format="webm")
    params = webm.params()
    assert params["format"].dynamic and params["format.speed"].dynamic and not params["format.quality"].dynamic
    assert params["format.quality"].choices == ("low", "lossless")
    with pytest.raises(WorkflowError, match="lossless"):
        webm.with_params({"format.quality": "high"})
    assert "format.quality" not in written().with_params(format="gif").params()
    assert [str(problem) for problem in webm.check() if problem.severity == "error"] == []


def test_a_value_set_before_comes_back_with_its_choice() -> None:
    other = drawn().with_params({"format.name": "other"})
    there_and_back = other.with_params(format="gif").with_params(format="mp4")
    assert film(there_and_back)["format.name"] == "other"
    assert saved(other.with_params(format="gif")) == ["gif", 5, "fixed", False]


@pytest.mark.parametrize(("choice", "linked"), [("gif", True), ("mp4", False)])
def test_a_link_stays_where_the_choice_has_its_input(choice: str, linked: bool) -> None:
    drawing = Drawing()
    image = drawing.node("Image", [64, 64], outputs=("IMAGE",))
    mask = drawing.node("Mask", [], outputs=("MASK",))
    drawing.node("Film", ["matted", 5, "fixed", False], {"images": (1, 0, "IMAGE"), "format.mask": (2, 0, "MASK")})
    for link in drawing.links:
        drawing.nodes[link[1] - 1]["outputs"][link[2]]["links"].append(link[0])
    assert (image, mask) == (1, 2)
    after = Workflow.load(drawing.root()).bind(INFO).with_params(format=choice)
    assert ("format.mask" in after.to_prompt()["3"]["inputs"]) is linked
    saved(after)
