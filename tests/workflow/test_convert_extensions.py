"""What the front end's own scripts do for single classes: ImageCompare, CustomCombo, Load3D."""

from __future__ import annotations

from typing import Any

import pytest

from comfy_widgets.workflow._convert import convert, to_api_prompt

from .ui_graphs import INFO, Drawing, definition

EMPTY_VIEW = {"__value__": ["", ""]}
COMBO = definition({"choice": ["COMBO", {"options": []}]}, ("STRING", "INT"))


@pytest.mark.parametrize(
    "saved", [None, [], [None], ["saved.png"], [["a.png", "b.png"]], [{"before": "a.png"}], {"view": 1}]
)
def test_a_comparison_is_sent_with_an_empty_view(saved: Any) -> None:
    drawing = Drawing()
    image = drawing.node("Image", [1, 2], outputs=("IMAGE",))
    drawing.node("ImageCompare", saved, {"image_a": (image, 0, "IMAGE")})
    info = {**INFO, "ImageCompare": definition({"view": ["IMAGECOMPARE"]}, (), {"image_a": ["IMAGE"]})}
    inputs = to_api_prompt(drawing.root(), info)["2"]["inputs"]
    assert inputs == {"view": EMPTY_VIEW, "image_a": ["1", 0]}


@pytest.mark.parametrize(
    ("saved", "sent"),
    [
        (["c", 0, "a", "b", "c", ""], {"choice": "c", "index": 2, "option1": "a", "option2": "b", "option3": "c"}),
        (["b", "a", "b", "c", ""], {"choice": "b", "index": 0, "option1": "b", "option2": "c"}),
        (["x", 1, "a", "b"], {"choice": "x", "index": -1, "option1": "a", "option2": "b"}),
        (["a", 1, "a", "", "b"], {"choice": "a", "index": 0, "option1": "a"}),
        (
            {"choice": "b", "index": 0, "option1": "a", "option2": "b", "option3": ""},
            {"choice": "b", "index": 1, "option1": "a", "option2": "b"},
        ),
    ],
)
def test_a_custom_combo_is_sent_with_its_options_and_the_place_of_its_choice(saved: Any, sent: dict[str, Any]) -> None:
    drawing = Drawing()
    drawing.node("CustomCombo", saved, outputs=("STRING", "INT"))
    inputs = to_api_prompt(drawing.root(), {"CustomCombo": COMBO})["1"]["inputs"]
    assert inputs == {**sent, f"option{len(sent) - 1}": ""}


def combo_in_a_subgraph(host_value: str, *, by_proxy: bool) -> dict[str, Any]:
    inner = Drawing(10)
    port = {"choice": (-10, 0, "COMBO")}
    inner.node("CustomCombo", ["a", 0, "a", "b", ""], outputs=("STRING", "INT"), widget_inputs={} if by_proxy else port)
    scope = inner.subgraph("sub", {} if by_proxy else {"pick": "COMBO"}, {"index": (10, 1, "INT")})
    outer = Drawing()
    properties = {"proxyWidgets": [["10", "choice"]]} if by_proxy else {}
    outer.node("sub", [host_value], outputs=("INT",), properties=properties)
    return outer.root(scope)


@pytest.mark.parametrize("by_proxy", [True, False])
def test_the_choice_that_a_subgraph_shows_decides_the_index(by_proxy: bool) -> None:
    inputs = to_api_prompt(combo_in_a_subgraph("b", by_proxy=by_proxy), {"CustomCombo": COMBO})["1:10"]["inputs"]
    assert (inputs["choice"], inputs["index"]) == ("b", 1)


def test_the_index_follows_a_choice_that_is_made_later() -> None:
    drawing = Drawing()
    drawing.node("CustomCombo", ["a", 0, "a", "b", ""], outputs=("STRING", "INT"))
    done = convert(drawing.root(), {"CustomCombo": COMBO}, expand_texts=False)
    done.prompt["1"]["inputs"]["choice"] = "b"
    assert done.texts.expand(done.prompt, edited=[("1", "choice")])["1"]["inputs"]["index"] == 1
    # Untouched it stays as it is, right or wrong.
    assert done.texts.expand(done.prompt)["1"]["inputs"]["index"] == 0


LOAD_3D = definition(
    {
        "model_file": [["none"]],
        "image": ["LOAD_3D", {}],
        "width": ["INT", {"default": 1024}],
        "height": ["INT", {"default": 1024}],
    },
    ("IMAGE",),
)


@pytest.mark.parametrize("buttons", [["upload3dmodel", "uploadExtraResources", "clear"], []])
def test_the_buttons_of_a_3d_view_take_positions_where_the_file_has_them(buttons: list[str]) -> None:
    drawing = Drawing()
    drawing.node("Load3D", ["toy.glb", *buttons, "", 640, 480], outputs=("IMAGE",))
    done = convert(drawing.root(), {"Load3D": LOAD_3D})
    inputs = done.prompt["1"]["inputs"]
    assert (inputs["model_file"], inputs["width"], inputs["height"]) == ("toy.glb", 640, 480)


@pytest.mark.parametrize(
    ("node_type", "values", "known", "told"),
    [
        ("Load3D", ["toy.glb", "", 640, 480], LOAD_3D, "image"),
        ("Load3D", ["toy.glb"], LOAD_3D, "image"),
        ("Load3D", ["toy.glb", {"image": "3d/a.png [temp]", "mask": "3d/b.png [temp]"}, 640, 480], LOAD_3D, None),
        ("WebcamCapture", [None, 0], definition({"image": ["WEBCAM"], "width": ["INT"]}, ("IMAGE",)), "image"),
        ("WebcamCapture", ["webcam/1.png [temp]", 0], definition({"image": ["WEBCAM"]}, ("IMAGE",)), None),
        ("RecordAudio", [""], definition({"audio": ["AUDIO_RECORD"]}, ("AUDIO",)), "audio"),
        ("SaveGLB", [], definition({"viewport": ["LOAD_3D"]}), None),
    ],
)
def test_what_only_a_browser_can_run_is_told(
    node_type: str, values: list[Any], known: dict[str, Any], told: str | None
) -> None:
    drawing = Drawing()
    drawing.node(node_type, values, outputs=("IMAGE",))
    notes = [note for note in convert(drawing.root(), {node_type: known}).report if note.kind == "browser-only"]
    assert [note.input_name for note in notes] == ([told] if told else [])
    assert all("browser" in note.message and node_type in note.message for note in notes)
