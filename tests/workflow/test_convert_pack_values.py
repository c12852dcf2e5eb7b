"""Values that a node pack's script adds to a node: sent where the file shows how, told where it does not."""

from __future__ import annotations

from typing import Any

import pytest

from comfy_widgets.workflow._convert import Conversion, convert

from .ui_graphs import INFO, Drawing, definition

PACK = {"python_module": "custom_nodes.a-pack"}
POWER = "Power Lora Loader (rgthree)"
SAVED_ROWS: list[Any] = [
    {},
    {"type": "PowerLoraLoaderHeaderWidget"},
    {"on": True, "lora": "styles\\ink.safetensors", "strength": 0.8, "strengthTwo": None},
    {"on": False, "lora": "wool.safetensors", "strength": 1, "strengthTwo": 0.5},
    {},
    "",
]
SENT_ROWS = {
    "lora_1": {"on": True, "lora": "styles\\ink.safetensors", "strength": 0.8},
    "lora_2": {"on": False, "lora": "wool.safetensors", "strength": 1, "strengthTwo": 0.5},
}


def converted(node_type: str, values: Any, known: dict[str, Any] | None, **more: Any) -> Conversion:
    drawing = Drawing()
    drawing.node(node_type, values, outputs=("MODEL",), **more)
    return convert(drawing.root(), {**INFO, **({node_type: known} if known else {})})


def inputs(done: Conversion) -> dict[str, Any]:
    found: dict[str, Any] = done.prompt["1"]["inputs"]
    return found


def unplaced(done: Conversion) -> list[str]:
    return [note.message for note in done.report if note.kind == "unplaced-value"]


@pytest.mark.parametrize("known", [definition({}, ("MODEL",), **PACK), definition({}, ("MODEL",)), None])
def test_the_rows_of_a_power_lora_loader_are_sent(known: dict[str, Any] | None) -> None:
    done = converted(POWER, SAVED_ROWS, known)
    assert inputs(done) == SENT_ROWS
    assert unplaced(done) == []


def test_the_rows_are_sent_from_inside_a_subgraph_and_without_changing_the_file() -> None:
    inner = Drawing(10)
    inner.node(POWER, SAVED_ROWS, outputs=("MODEL",))
    outer = Drawing()
    outer.node("sub", [])
    done = convert(outer.root(inner.subgraph("sub", {}, {})), {POWER: definition({}, ("MODEL",), **PACK)})
    assert done.prompt["1:10"]["inputs"] == SENT_ROWS
    done.prompt["1:10"]["inputs"]["lora_1"]["on"] = "changed"
    assert SAVED_ROWS[2]["on"] is True


STATE = {"version": 1, "textWidgetName": "text"}
LORAS = [{"name": "ink", "strength": 0.8, "active": True}]
TEXT = ["AUTOCOMPLETE_TEXT_PROMPT,STRING", {"widgetType": "AUTOCOMPLETE_TEXT_PROMPT"}]


@pytest.mark.parametrize("spec", [["STRING", {"multiline": True, "dynamicPrompts": True}], TEXT])
@pytest.mark.parametrize("saved", [[STATE, "a hill"], ["a hill", STATE], ["a hill"]])
def test_the_state_of_a_script_does_not_take_the_place_of_a_text(spec: Any, saved: list[Any]) -> None:
    done = converted("Prompt (LoraManager)", saved, definition({"text": spec, "clip": ["CLIP"]}, ("COND",), **PACK))
    assert inputs(done) == {"text": "a hill"}
    assert done.report == ()


def test_the_loras_of_a_lora_manager_are_sent() -> None:
    known = definition({"model": ["MODEL"], "text": TEXT}, ("MODEL",), **PACK)
    done = converted("Lora Loader (LoraManager)", ["<lora:ink:0.8>", STATE, LORAS], known)
    assert inputs(done) == {"text": "<lora:ink:0.8>", "loras": {"__value__": LORAS}}
    assert done.report == ()


def test_the_words_of_a_lora_manager_are_sent() -> None:
    known = definition({"group_mode": ["BOOLEAN"]}, ("STRING",), **PACK)
    words = [{"text": "ink", "active": True}]
    done = converted("TriggerWord Toggle (LoraManager)", [True, words, "ink, wool"], known)
    assert inputs(done) == {
        "group_mode": True,
        "toggle_trigger_words": {"__value__": words},
        "orinalMessage": "ink, wool",
    }


def test_a_widget_that_only_a_script_makes_is_read_where_the_file_shows_it() -> None:
    drawing = Drawing()
    drawing.node("Odd", ["x", 7], widget_inputs={"curve": "MY_CURVE"})
    info = {"Odd": definition({"curve": ["MY_CURVE"], "size": ["INT"]}, **PACK)}
    assert convert(drawing.root(), info).prompt["1"]["inputs"] == {"curve": "x", "size": 7}


def test_named_values_of_a_pack_are_sent_under_their_names() -> None:
    known = definition({"size": ["INT"]}, ("MODEL",), **PACK)
    named = {"size": 7, "mode": "fast", "rows": [1, 2], "control_after_generate": "fixed"}
    done = converted("Odd", [7, "fast", [1, 2], "fixed"], known, widgets_values_named=named)
    assert inputs(done) == {"size": 7, "mode": "fast", "rows": {"__value__": [1, 2]}}
    assert done.report == ()


def test_values_saved_by_name_are_sent_whatever_they_are() -> None:
    done = converted("Odd", {"size": 7, "crf": 19, "row": {"on": True}}, definition({"size": ["INT"]}, **PACK))
    assert inputs(done) == {"size": 7, "crf": 19, "row": {"on": True}}


def test_a_value_without_an_input_is_told_with_its_node() -> None:
    done = converted(
        "Odd", [7, {"rows": [1]}, "left over"], definition({"size": ["INT"]}, ("X",), **PACK), title="Mine"
    )
    assert inputs(done) == {"size": 7}
    assert unplaced(done) == [
        '"Mine" (Odd) holds 2 values that none of its inputs on this server takes, so the run does without them: '
        '{"rows": [1]}, "left over". They come from another version of the node, or from a widget that its pack adds '
        "in the browser."
    ]
    (note,) = done.report
    assert (note.node_id, note.node_title) == ("1", "Mine")


def test_a_value_that_a_newer_comfyui_saved_is_told_by_its_name_and_not_sent() -> None:
    known = definition({"fps": ["FLOAT"]}, ("VIDEO",), python_module="comfy_extras.nodes_video")
    named = {"fps": 25, "color_space": "sRGB"}
    done = converted("CreateVideo", [25, "sRGB"], known, widgets_values_named=named)
    assert inputs(done) == {"fps": 25}
    assert 'color_space "sRGB"' in unplaced(done)[0]
    assert done.report[0].input_name == "color_space"


@pytest.mark.parametrize(
    ("values", "known"),
    [
        (["a.png", "image"], definition({"image": [["a.png"], {"image_upload": True}]}, ("IMAGE",))),
        ([7, None, "", {}, []], definition({"size": ["INT"]}, ("X",))),
        ([7, "fixed"], definition({"size": ["INT"]}, ("X",))),
        (["what was shown last"], definition({"source": ["*"]})),
    ],
)
def test_buttons_modes_and_results_are_not_told(values: list[Any], known: dict[str, Any]) -> None:
    assert converted("Odd", values, known).report == ()


def test_values_of_a_class_that_the_server_lacks_are_told_too() -> None:
    done = converted("Gone", [1, "two"], None)
    (note,) = done.report
    assert note.kind == "missing-class"
    assert note.message.endswith('without values whose inputs only the server knows: 1, "two".')


def test_an_object_in_a_text_is_left_where_it_is_if_nothing_follows() -> None:
    known = definition({"text": ["STRING"]}, ("STRING",))
    assert inputs(converted("Odd", [{"a": 1}], known)) == {"text": {"a": 1}}
