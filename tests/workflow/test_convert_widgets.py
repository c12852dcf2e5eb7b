"""How `widgets_values` reaches a node's inputs."""

from __future__ import annotations

from typing import Any

import pytest

from comfy_widgets.workflow._convert import Conversion, convert, to_api_prompt

from .ui_graphs import INFO, SEED, Drawing, definition


def sent(info: dict[str, Any], values: Any, **saved: Any) -> dict[str, Any]:
    """What is sent for a single node of the class ``N``."""
    return conversion(info, values, **saved).prompt["1"]["inputs"]


def conversion(info: dict[str, Any], values: Any, *, strict: bool = False, **saved: Any) -> Conversion:
    drawing = Drawing()
    drawing.node("N", values, **saved)
    return convert(drawing.root(), {"N": info}, strict_frontend=strict)


def test_values_are_dealt_out_by_position_over_sockets_and_controls() -> None:
    drawing = Drawing()
    drawing.node("Sampler", [5, "randomize", 30, "euler"])
    prompt = to_api_prompt(drawing.root(), INFO)
    assert prompt == {
        "1": {
            "class_type": "Sampler",
            "inputs": {"seed": 5, "steps": 30, "name": "euler"},
            "_meta": {"title": "Sampler"},
        }
    }


def test_titles_and_versions_go_along() -> None:
    drawing = Drawing()
    drawing.node("Save", properties={"cnr_id": "comfy-core", "ver": "0.3.64", "aux_id": None})
    drawing.node("Save", title="My pictures")
    prompt = to_api_prompt(drawing.root(), INFO)
    assert prompt["1"]["_meta"] == {"title": "Save It", "cnr_id": "comfy-core", "ver": "0.3.64"}
    assert prompt["2"]["_meta"] == {"title": "My pictures"}


@pytest.mark.parametrize(
    ("spec", "name", "positions"),
    [
        (["INT", {}], "seed", 2),
        (["INT", {}], "noise_seed", 2),
        (["INT", {"control_after_generate": False}], "seed", 1),
        (["INT", {"control_after_generate": True}], "other", 2),
        (["INT", {}], "other", 1),
        (["FLOAT", {}], "seed", 1),
        (["FLOAT", {"control_after_generate": True}], "x", 2),
        ([["a", "b"], {}], "seed", 1),
        ([["a", "b"], {"control_after_generate": True}], "x", 3),
        (["COMBO", {"options": ["a"], "control_after_generate": "increment"}], "x", 3),
    ],
)
def test_controls_take_positions_and_are_not_sent(spec: list[Any], name: str, positions: int) -> None:
    values = [1, *["control"] * (positions - 1), "last"]
    assert sent(definition({name: spec, "after": ["STRING"]}), values) == {name: 1, "after": "last"}


def test_the_upload_button_stands_behind_everything_else() -> None:
    info = definition({"image": [["a.png"], {"image_upload": True}], "channel": [["red", "alpha"]]})
    assert sent(info, ["b.png", "alpha", "image"]) == {"image": "b.png", "channel": "alpha"}


def test_the_refresh_button_takes_a_position_and_is_sent() -> None:
    info = definition({"image": ["COMBO", {"remote": {"route": "/r", "refresh_button": True}}], "x": ["INT"]})
    assert sent(info, ["a.png", "refresh", 3]) == {"image": "a.png", "refresh": "refresh", "x": 3}


def test_too_few_values_are_filled_with_defaults_and_too_many_ignored() -> None:
    info = definition(
        {
            "i": ["INT", {"default": 7}],
            "j": ["INT"],
            "f": ["FLOAT"],
            "b": ["BOOLEAN"],
            "s": ["STRING"],
            "c": [["x", "y"]],
            "d": [["x", "y"], {"default": "y"}],
            "none": [[]],
        }
    )
    defaults = {"i": 7, "j": 0, "f": 0.0, "b": False, "s": "", "c": "x", "d": "y"}
    assert sent(info, []) == defaults
    assert sent(info, None) == defaults
    assert sent(definition({"i": ["INT"]}), [1, 2, 3]) == {"i": 1}


def test_an_option_that_the_server_lacks_is_sent_as_it_is() -> None:
    assert sent(definition({"c": [["x", "y"]]}), ["gone"]) == {"c": "gone"}


@pytest.mark.parametrize("hole", [None, float("nan"), float("inf")])
def test_values_that_cannot_be_sent_become_defaults_and_are_told(hole: float | None) -> None:
    info = definition({"steps": ["INT", {"default": 20}]})
    done = conversion(info, [hole], title="Mine")
    assert done.prompt["1"]["inputs"] == {"steps": 20}
    (note,) = done.report
    assert (note.kind, note.node_id, note.node_title, note.input_name) == ("substituted", "1", "Mine", "steps")
    assert conversion(info, [None], strict=True).prompt["1"]["inputs"] == {"steps": None}


def test_values_by_name() -> None:
    info = definition({"a": ["INT"], "seed": ["INT"], "b": ["INT", {"default": 4}]})
    values = {"seed": 9, "a": 1, "pix_fmt": "yuv420p", "videopreview": {"hidden": False}}
    # What a pack's script added is sent, its private state is not.
    assert sent(info, values) == {"a": 1, "seed": 9, "b": 4, "pix_fmt": "yuv420p"}


def test_lists_and_curves_are_wrapped() -> None:
    info = definition(
        {"many": ["COMBO", {"options": ["a", "b"], "multiselect": True}], "curve": ["CURVE"], "box": ["RANGE"]}
    )
    curve = {"points": [[0, 0], [1, 1]], "interpolation": "linear"}
    assert sent(info, [["a", "b"], curve, {"min": 0, "max": 1}]) == {
        "many": {"__value__": ["a", "b"]},
        "curve": {"__type__": "CURVE", "__value__": curve},
        "box": {"min": 0, "max": 1},
    }


def test_a_converted_widget_keeps_its_position() -> None:
    drawing = Drawing()
    image = drawing.node("Image", [10, 20], outputs=("IMAGE",))
    drawing.node("Sampler", [5, "fixed", 30, "euler"], widget_inputs={"steps": (image, 0, "INT")})
    assert to_api_prompt(drawing.root(), INFO)["2"]["inputs"] == {"seed": 5, "steps": ["1", 0], "name": "euler"}


def test_dummy_values_of_old_files_are_dropped_only_when_the_count_fits() -> None:
    info = definition({"a": ["INT"], "forced": ["STRING", {"forceInput": True}], "b": ["INT"]})
    assert sent(info, [1, "dummy", 2]) == {"a": 1, "b": 2}
    assert sent(info, [1, 2]) == {"a": 1, "b": 2}


def test_explicit_controls_are_counted_for_dummies_and_implicit_ones_are_not() -> None:
    explicit = definition({"seed": ["INT", SEED], "forced": ["STRING", {"forceInput": True}], "b": ["INT"]})
    assert sent(explicit, [1, "fixed", "dummy", 2]) == {"seed": 1, "b": 2}
    implicit = definition({"seed": ["INT"], "forced": ["STRING", {"forceInput": True}], "b": ["INT"]})
    assert sent(implicit, [1, "fixed", "dummy", 2]) == {"seed": 1, "b": "dummy"}


@pytest.mark.parametrize("class_type", ["KSampler", "KSamplerAdvanced", "Other"])
def test_old_sampler_names_lose_their_prefix(class_type: str) -> None:
    drawing = Drawing()
    drawing.node(class_type, ["sample_euler"])
    info = {class_type: definition({"sampler_name": [["euler"]]})}
    expected = "sample_euler" if class_type == "Other" else "euler"
    assert to_api_prompt(drawing.root(), info)["1"]["inputs"] == {"sampler_name": expected}


RULE = {"options": [{"key": "half"}, {"key": "by", "inputs": {"required": {"factor": ["FLOAT"]}}}]}
NUMBERS = {"width": ["INT"], "mask": ["MASK"], "seed": ["INT"]}
SIZE = {
    "options": [
        {"key": "by number", "inputs": {"required": NUMBERS}},
        {"key": "by rule", "inputs": {"required": {"rule": ["COMFY_DYNAMICCOMBO_V3", RULE]}}},
    ]
}


def test_a_dynamic_combo_brings_its_inputs_along() -> None:
    info = definition({"size": ["COMFY_DYNAMICCOMBO_V3", SIZE], "after": ["INT"]})
    # The prefix makes it another name than "seed", so that no control follows.
    assert sent(info, ["by number", 5, 6, 7]) == {"size": "by number", "size.width": 5, "size.seed": 6, "after": 7}
    nested = sent(info, ["by rule", "by", 0.5, 7])
    assert nested == {"size": "by rule", "size.rule": "by", "size.rule.factor": 0.5, "after": 7}
    assert sent(info, ["by rule", "half", 7]) == {"size": "by rule", "size.rule": "half", "after": 7}
    assert sent(info, []) == {"size": "by number", "size.width": 0, "size.seed": 0, "after": 0}
    assert sent(info, ["unknown", 7]) == {"size": "unknown", "after": 7}


def test_a_dynamic_combos_sockets_are_connected_by_their_full_names() -> None:
    drawing = Drawing()
    mask = drawing.node("M", [], outputs=("MASK",))
    drawing.node("N", ["by number", 5, 6], {"size.mask": (mask, 0, "MASK")})
    info = {"N": definition({"size": ["COMFY_DYNAMICCOMBO_V3", SIZE]}), "M": definition({}, ("MASK",))}
    assert to_api_prompt(drawing.root(), info)["2"]["inputs"]["size.mask"] == ["1", 0]


@pytest.mark.parametrize(
    ("template", "names"),
    [
        (
            {"input": {"required": {"image": ["IMAGE"]}}, "prefix": "image", "min": 2, "max": 9},
            ["g.image0", "g.image4"],
        ),
        ({"input": {"required": {"image": ["IMAGE"]}}, "names": ["left", "right"], "min": 1}, ["g.left", "g.right"]),
        ({"input": {"required": {"a": ["IMAGE"], "b": ["IMAGE"]}}, "prefix": "x", "min": 1}, ["g.a0", "g.b2"]),
    ],
)
def test_autogrow_sockets_are_connected_by_their_names(template: dict[str, Any], names: list[str]) -> None:
    drawing = Drawing()
    image = drawing.node("Image", [1, 2], outputs=("IMAGE",))
    drawing.node("N", [3], dict.fromkeys(names, (image, 0, "IMAGE")))
    info = {**INFO, "N": definition({"g": ["COMFY_AUTOGROW_V3", {"template": template}], "after": ["INT"]})}
    assert to_api_prompt(drawing.root(), info)["2"]["inputs"] == {"after": 3, **{name: ["1", 0] for name in names}}


def test_a_dynamic_group_counts_its_rows_first() -> None:
    group = {"template": {"required": {"name": ["STRING"], "weight": ["FLOAT"]}}, "min": 0, "max": 5}
    info = definition({"loras": ["COMFY_DYNAMICGROUP_V3", group], "after": ["INT"]})
    assert sent(info, [2, "a", 0.1, "b", 0.2, 9]) == {
        "loras.0.name": "a",
        "loras.0.weight": 0.1,
        "loras.1.name": "b",
        "loras.1.weight": 0.2,
        "after": 9,
    }
    assert sent(info, [0, 9]) == {"after": 9}


def test_a_class_that_the_server_lacks_is_sent_as_well_as_can_be_read() -> None:
    drawing = Drawing()
    image = drawing.node("Image", [1, 2], outputs=("IMAGE",))
    widgets = {"seed": "INT", "mode": "COMBO"}
    drawing.node("Lost", [7, "randomize", "fast"], {"image": (image, 0, "IMAGE")}, widget_inputs=widgets)
    drawing.node("Lost", {"a": 1})
    drawing.node("Lost", [1, 2], widgets_values_named={"a": 1, "b": 2})
    drawing.node("Lost", [1, 2])
    done = convert(drawing.root(), INFO)
    inputs = {identity: node["inputs"] for identity, node in done.prompt.items()}
    assert inputs["2"] == {"seed": 7, "mode": "fast", "image": ["1", 0]}
    assert (inputs["3"], inputs["4"], inputs["5"]) == ({"a": 1}, {"a": 1, "b": 2}, {})
    assert [(note.kind, note.node_id) for note in done.report] == [("missing-class", i) for i in "2345"]
    assert "Lost" in str(done.report[0])
