"""Node definitions: every form that servers send, and every form of nonsense that custom nodes send."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comfy_widgets.workflow._specs import (
    Autogrow,
    DynamicCombo,
    DynamicGroup,
    DynamicSlot,
    InputSpec,
    MatchType,
    NodeSpecs,
    parse_input,
    parse_node,
)

from .ui_graphs import SHARED, definition


def spec(*parts: Any, name: str = "x") -> InputSpec:
    return parse_input(name, list(parts), "required")


def test_a_v1_number_keeps_its_bounds_exactly() -> None:
    seed = spec("INT", {"default": 0, "min": 0, "max": 2**64 - 1, "tooltip": "noise"}, name="seed")
    assert (seed.min, seed.max, seed.default, seed.tooltip) == (0, 2**64 - 1, 0, "noise")
    assert seed.kind == "seed"
    number = spec("FLOAT", {"default": 8, "min": 0, "max": 100, "step": 0.1, "round": False})
    assert (number.kind, number.step, number.round) == ("float", 0.1, False)


@pytest.mark.parametrize(
    ("name", "options", "mode"),
    [
        ("seed", {}, "randomize"),
        ("noise_seed", {}, "randomize"),
        ("seed", {"control_after_generate": False}, None),
        ("other", {}, None),
        ("other", {"control_after_generate": True}, "randomize"),
        ("other", {"control_after_generate": "increment"}, "increment"),
    ],
)
def test_a_seed_is_controlled_by_name_unless_the_definition_says_otherwise(
    name: str, options: dict[str, Any], mode: str | None
) -> None:
    assert spec("INT", options, name=name).control_after_generate == mode


def test_both_forms_of_a_combo_are_the_same() -> None:
    old = spec(["a", "b"], {"default": "b"})
    new = spec("COMBO", {"options": ["a", "b"], "default": "b"})
    for combo in (old, new):
        assert (combo.type, combo.kind, combo.choices, combo.initial) == ("COMBO", "choice", ("a", "b"), "b")


def test_combos_say_where_their_options_come_from() -> None:
    assert spec("COMBO", {"options": []}).choices == ()
    remote = spec(
        "COMBO", {"remote": {"route": "/internal/files/output", "refresh_button": True}, "image_upload": True}
    )
    assert remote.choices is None
    assert remote.remote is not None and remote.remote["route"] == "/internal/files/output"
    assert (remote.kind, remote.upload) == ("image", "image")
    assert spec("COMBO", {"options": ["a"], "multi_select": {"chip": True}}).kind == "choices"
    assert spec("COMBO", {"options": ["a"], "video_upload": True}).kind == "choice"


def test_text_is_a_line_or_an_area() -> None:
    assert spec("STRING", {}).kind == "string"
    area = spec("STRING", {"multiline": True, "dynamicPrompts": True})
    assert (area.kind, area.dynamic_prompts, area.initial) == ("text", True, "")


def test_what_has_no_widget_is_a_socket() -> None:
    assert not spec("MODEL").is_widget
    assert spec("SOMETHING_NEW", {"default": 3}).kind == "socket"
    assert spec("STRING", {"forceInput": True}).kind == "socket"
    assert spec("INT,FLOAT").kind == "socket"
    assert spec("INT,FLOAT", {"widgetType": "FLOAT"}).kind == "float"
    assert spec("INT,FLOAT").types == ("INT", "FLOAT")
    assert spec("CURVE").kind == "json"


def test_labels_fall_back_to_names() -> None:
    assert spec("INT", {"display_name": "Steps"}).label == "Steps"
    assert spec("INT").label == "x"
    node = parse_node("Thing", definition({"x": ["INT"]}))
    assert node.display_name == "Thing"


@pytest.mark.parametrize("form", [["INT"], ["INT", {}], ["INT", None], "INT", ("INT",)])
def test_short_forms(form: Any) -> None:
    assert parse_input("x", form, "required").kind == "int"


def test_dynamic_inputs_unfold() -> None:
    option = {"key": "by size", "inputs": {"required": {"width": ["INT", {"max": 9}]}, "optional": {"mask": ["MASK"]}}}
    combo = spec("COMFY_DYNAMICCOMBO_V3", {"options": [option, {"key": "off"}]})
    assert isinstance(combo.dynamic, DynamicCombo)
    assert (combo.choices, combo.initial) == (("by size", "off"), "by size")
    chosen = combo.dynamic.variant("by size")
    assert chosen is not None and [inner.name for inner in chosen.inputs] == ["width", "mask"]

    rows = spec(
        "COMFY_AUTOGROW_V3", {"template": {"input": {"required": {"i": ["IMAGE"]}}, "prefix": "i", "min": 2, "max": 5}}
    )
    assert isinstance(rows.dynamic, Autogrow)
    assert not rows.is_widget
    assert [name for name, _ in rows.dynamic.row("images", 1)] == ["images.i1"]
    named = spec(
        "COMFY_AUTOGROW_V3", {"template": {"input": {"required": {"i": ["IMAGE"]}}, "names": ["a", "b"], "min": 1}}
    )
    assert isinstance(named.dynamic, Autogrow)
    assert (named.dynamic.limit, [name for name, _ in named.dynamic.row("g", 1)]) == (2, ["g.b"])

    match = spec("COMFY_MATCHTYPE_V3", {"template": {"template_id": "t", "allowed_types": "IMAGE,MASK"}})
    assert match.dynamic == MatchType("t", "IMAGE,MASK")
    slot = spec("COMFY_DYNAMICSLOT_V3", {"slotType": "IMAGE", "inputs": {"required": {"strength": ["FLOAT"]}}})
    assert isinstance(slot.dynamic, DynamicSlot) and slot.dynamic.inputs[0].kind == "float"
    group = spec("COMFY_DYNAMICGROUP_V3", {"template": {"required": {"f": ["INT"]}}, "min": 1, "max": 3})
    assert isinstance(group.dynamic, DynamicGroup)
    assert (group.dynamic.template[0].name, group.dynamic.max) == ("f", 3)


def test_dotted_names_are_found() -> None:
    option = {"key": "k", "inputs": {"required": {"width": ["INT", {"max": 9}]}}}
    rows = {"template": {"input": {"required": {"image": ["IMAGE"]}}, "prefix": "image"}}
    groups = {"template": {"required": {"weight": ["FLOAT", {"max": 2}]}}}
    node = parse_node(
        "N",
        definition(
            {
                "size": ["COMFY_DYNAMICCOMBO_V3", {"options": [option]}],
                "images": ["COMFY_AUTOGROW_V3", rows],
                "loras": ["COMFY_DYNAMICGROUP_V3", groups],
            }
        ),
    )
    found = [node.input(name) for name in ("size.width", "images.image3", "loras.1.weight", "size")]
    assert [item and item.type for item in found] == ["INT", "IMAGE", "FLOAT", "COMFY_DYNAMICCOMBO_V3"]
    assert node.input("size.nothing") is None
    assert node.input("sizes") is None


def test_inputs_stand_in_the_order_that_the_editor_shows() -> None:
    info = definition({"b": ["INT"], "a": ["INT"]}, optional={"c": ["INT"]})
    info["input_order"] = {"required": ["a", "gone", "b"]}
    info["input"]["hidden"] = {"prompt": "PROMPT", "id": ["UNIQUE_ID"]}
    node = parse_node("N", info)
    assert [item.name for item in node.inputs] == ["a", "b", "c"]
    assert [item.required for item in node.inputs] == [True, True, False]
    assert node.hidden == ("prompt", "id")


def test_outputs() -> None:
    info = definition(
        {}, ("IMAGE", "COMFY_MATCHTYPE_V3"), output_matchtypes=[None, "t"], output_tooltips=[None, "same"]
    )
    info["output"].append(["a", "b"])
    info["output_name"] = ["picture"]
    outputs = parse_node("N", info).outputs
    assert [(output.name, output.type, output.match) for output in outputs] == [
        ("picture", "IMAGE", None),
        ("*", "*", "t"),
        ("COMBO", "COMBO", None),
    ]
    assert outputs[1].tooltip == "same"


def test_values_outside_the_bounds_are_caught() -> None:
    steps = spec("INT", {"min": 1, "max": 100})
    assert steps.problem(20) is None
    assert steps.problem(0) == "must be at least 1"
    assert steps.problem(101) == "must be at most 100"
    assert steps.problem(2.5) == "must be a whole number"
    assert steps.problem(float("nan")) == "must be a finite number"
    assert steps.problem(True) == "must be a number"
    assert spec("BOOLEAN").problem(1) == "must be true or false"
    assert spec("STRING").problem(None) == "must be text"
    assert spec(["a", "b"]).problem("c") == "must be one of the 2 options"
    assert spec([]).problem("c") == "has no options on this server"
    assert spec(["a"], {"image_upload": True}).problem("just uploaded.png") is None
    seed = spec("INT", {"min": 0, "max": 2**64 - 1})
    assert (seed.problem(2**64 - 1), seed.problem(2**64)) == (None, f"must be at most {2**64 - 1}")


def test_a_class_is_parsed_when_it_is_asked_for() -> None:
    specs = NodeSpecs({"A": definition({"x": ["INT"]}), "B": definition()})
    assert (len(specs), list(specs), "A" in specs, "C" in specs) == (2, ["A", "B"], True, False)
    assert specs["A"] is specs["A"]
    assert NodeSpecs.of(specs) is specs
    with pytest.raises(KeyError):
        specs["C"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=12,
)
TYPES = st.sampled_from(
    [
        "INT",
        "COMBO",
        "STRING",
        "COMFY_DYNAMICCOMBO_V3",
        "COMFY_AUTOGROW_V3",
        "COMFY_MATCHTYPE_V3",
        "COMFY_DYNAMICGROUP_V3",
    ]
)
OPTIONS = st.dictionaries(
    st.sampled_from(["options", "template", "default", "min", "max", "control_after_generate", "remote", "tooltip"]),
    JSON,
)


@given(st.dictionaries(st.text(max_size=3), JSON | st.tuples(TYPES | JSON, OPTIONS | JSON).map(list)), JSON)
@settings(max_examples=200, deadline=None)
def test_no_definition_raises(inputs: dict[str, Any], junk: Any) -> None:
    for info in (definition(inputs), {"input": {"required": junk}, "output": junk, "input_order": junk}, junk):
        node = parse_node("N", info)
        assert all(item.kind and isinstance(item.label, str) for item in node.inputs)
    assert [item.name for item in parse_node("N", definition(inputs)).inputs] == list(inputs)


def test_definitions_that_hold_themselves_come_to_an_end() -> None:
    options: dict[str, Any] = {"options": []}
    options["options"].append({"key": "k", "inputs": {"required": {"again": ["COMFY_DYNAMICCOMBO_V3", options]}}})
    assert spec("COMFY_DYNAMICCOMBO_V3", options).choices == ("k",)


RECORDED = [
    Path("convert/object_info-0.8.0.json.gz"),
    Path("traces/08-rest/body-0016.json.gz"),
    Path("traces/v0.8.0/08-rest/body-0016.json.gz"),
]


@pytest.mark.parametrize("file", RECORDED, ids=str)
def test_every_recorded_definition_becomes_controls_and_sockets(file: Path) -> None:
    if not (SHARED / file).exists():
        pytest.skip(f"recordings are not here: {file}")
    info = json.loads(gzip.decompress((SHARED / file).read_bytes()))
    specs = NodeSpecs(info)
    assert len(specs) > 300
    for name, node in specs.items():
        raw = info[name]["input"]
        declared = [*raw.get("required", {}), *raw.get("optional", {})]
        assert sorted(item.name for item in node.inputs) == sorted(declared), name
        assert len(node.outputs) == len(info[name]["output"]), name
        for item in node.inputs:
            section = raw[item.section][item.name]
            options = section[1] if len(section) > 1 else {}
            assert item.default == options.get("default"), (name, item.name)
            assert (item.kind == "socket") != item.is_widget, (name, item.name)
            if item.kind in ("int", "seed", "float") and item.default is not None:
                # Some real defaults are out of bounds; the check says so instead of sending them.
                inside = (item.min is None or item.default >= item.min) and (
                    item.max is None or item.default <= item.max
                )
                assert (item.problem(item.default) is None) == inside, (name, item.name)


def test_definitions_that_are_handed_over_again_are_not_parsed_again() -> None:
    info = {"A": {"input": {"required": {"x": ["INT"]}}}, "B": {"input": {"required": {"x": ["INT"]}}}}
    first, other = NodeSpecs.of(info)["A"], NodeSpecs.of(info)["B"]
    assert NodeSpecs.of(info)["A"] is first
    info["A"] = {"input": {"required": {"y": ["INT"]}}}
    assert NodeSpecs.of(info)["A"].inputs[0].name == "y"
    assert NodeSpecs.of(info)["B"] is other
    del info["A"]
    assert "A" not in NodeSpecs.of(info)
    assert NodeSpecs.of({"A": {}})["A"].inputs == ()
