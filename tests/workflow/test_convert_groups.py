"""Old group nodes, sent as front ends of their time did."""

from __future__ import annotations

from typing import Any

import pytest

from comfy_widgets.errors import WorkflowError
from comfy_widgets.workflow._convert import convert, to_api_prompt

from .ui_graphs import INFO, Drawing, inputs_of


def slots(*named: tuple[str, str]) -> list[dict[str, Any]]:
    return [{"name": name, "type": type_name, "link": 900 + index} for index, (name, type_name) in enumerate(named)]


GROUP: dict[str, Any] = {
    "nodes": [
        {"type": "Reroute", "inputs": slots(("", "*")), "outputs": slots(("", "*"))},
        {
            "type": "Sampler",
            "inputs": slots(("model", "MODEL"), ("positive", "COND")),
            "outputs": slots(("LATENT", "LATENT")),
            "widgets_values": [1, "fixed", 2, "heun"],
        },
        {"type": "Image", "outputs": slots(("IMAGE", "IMAGE")), "widgets_values": [5, 6]},
        {"type": "Save", "inputs": slots(("images", "IMAGE")), "widgets_values": ["inner"]},
        {"type": "Save", "inputs": slots(("images", "IMAGE")), "widgets_values": ["second"], "title": "Second"},
    ],
    "links": [[None, 0, 0, 0, 4, "MODEL"], [0, 0, 1, 0, 7, "MODEL"], [2, 0, 3, 0, 9, "IMAGE"]],
    "external": [[{"type": "Image", "index": 2}, 0, "IMAGE"]],
    "config": {"0": {"input": {"MODEL": {"name": "the model"}}}},
}
VALUES = [77, "randomize", 30, "euler", 64, 65, "outer", "other"]


def drawn(
    values: list[Any], saved: dict[str, Any], separator: str = ">", group: dict[str, Any] = GROUP
) -> dict[str, Any]:
    """Model (1), Text (2), Image (3) -> the group node (4) -> Save (5)."""
    drawing = Drawing()
    drawing.node("Model", ["a.safetensors"], outputs=("MODEL", "CLIP", "VAE"))
    drawing.node("Text", ["cat"], outputs=("COND",))
    drawing.node("Image", [1, 2], outputs=("IMAGE",))
    drawing.node(f"workflow{separator}G", values, saved, ("LATENT", "IMAGE"))
    drawing.node("Save", ["x"], {"images": (4, 1, "IMAGE")})
    return drawing.root(extra={"groupNodes": {"G": group}})


BY_NAME = {"images": (3, 0, "IMAGE"), "positive": (2, 0, "COND"), "the model": (1, 0, "MODEL")}
BY_PLACE = {"MODEL": (1, 0, "MODEL"), "cond": (2, 0, "COND"), "images": (3, 0, "IMAGE")}


@pytest.mark.parametrize("saved", [BY_NAME, BY_PLACE], ids=["by name", "by place"])
@pytest.mark.parametrize("separator", [">", "/"])
def test_a_group_is_unfolded_under_its_hosts_id(saved: dict[str, Any], separator: str) -> None:
    done = convert(drawn(VALUES, saved, separator), INFO)
    inputs = inputs_of(done.prompt)
    assert set(inputs) == {"1", "2", "3", "4:1", "4:2", "4:3", "4:4", "5"}
    assert inputs["4:1"] == {"seed": 77, "steps": 30, "name": "euler", "model": ["1", 0], "positive": ["2", 0]}
    assert inputs["4:2"] == {"width": 64, "height": 65}
    assert inputs["4:3"] == {"filename_prefix": "outer", "images": ["4:2", 0]}
    assert inputs["4:4"] == {"filename_prefix": "other", "images": ["3", 0]}
    assert inputs["5"]["images"] == ["4:2", 0]
    assert done.prompt["4:4"]["_meta"] == {"title": "Second"}
    assert [(note.kind, note.node_id) for note in done.report] == [("frontend-differs", "4")]


def test_two_inputs_of_one_name_are_told_apart_by_the_inner_title() -> None:
    group = {**GROUP, "links": GROUP["links"][:2]}
    saved = {"Second images": (3, 0, "IMAGE")}
    inputs = inputs_of(to_api_prompt(drawn(VALUES, saved, group=group), INFO))
    assert ("images" in inputs["4:3"], inputs["4:4"]["images"]) == (False, ["3", 0])


def test_what_a_reroute_at_the_entry_carries_is_known_from_its_old_link() -> None:
    reroute = {"type": "Reroute", "inputs": slots(("", "*")), "outputs": slots(("", "*"))}
    links = [GROUP["links"][0], [0, 0, 5, 0, 7, "MODEL"], [5, 0, 1, 0, 8, "MODEL"], GROUP["links"][2]]
    group = {**GROUP, "nodes": [*GROUP["nodes"], reroute], "links": links}
    inputs = inputs_of(to_api_prompt(drawn(VALUES, BY_NAME, group=group), INFO))
    assert inputs["4:1"]["model"] == ["1", 0]


def test_hidden_inputs_and_outputs_are_not_offered() -> None:
    config = {"1": {"input": {"positive": {"visible": False}}, "output": {"0": {"visible": False}}}}
    group = {**GROUP, "config": {**GROUP["config"], **config}}
    workflow = drawn(VALUES, {"the model": (1, 0, "MODEL"), "images": (3, 0, "IMAGE")}, group=group)
    workflow["links"][-1][2] = 0
    inputs = inputs_of(to_api_prompt(workflow, INFO))
    assert inputs["4:4"]["images"] == ["3", 0]
    assert "positive" not in inputs["4:1"]
    assert inputs["5"]["images"] == ["4:2", 0]


def test_converted_widgets_have_no_place_among_the_hosts_values() -> None:
    sampler = {**GROUP["nodes"][1]}
    sampler["inputs"] = [*sampler["inputs"], {"name": "seed", "type": "INT", "widget": {"name": "seed"}, "link": 1}]
    group = {**GROUP, "nodes": [GROUP["nodes"][0], sampler, *GROUP["nodes"][2:]]}
    saved = {**BY_NAME, "seed": (3, 0, "INT")}
    inputs = inputs_of(to_api_prompt(drawn(VALUES[2:], saved, group=group), INFO))
    assert inputs["4:1"] == {"seed": ["3", 0], "steps": 30, "name": "euler", "model": ["1", 0], "positive": ["2", 0]}
    assert inputs["4:2"] == {"width": 64, "height": 65}
    assert inputs["4:4"]["filename_prefix"] == "other"


def test_a_primitive_inside_keeps_its_place_among_the_hosts_values() -> None:
    sampler = {**GROUP["nodes"][1]}
    sampler["inputs"] = [*sampler["inputs"], {"name": "seed", "type": "INT", "widget": {"name": "seed"}, "link": 1}]
    primitive = {"type": "PrimitiveNode", "outputs": slots(("INT", "INT")), "widgets_values": [1, "fixed"]}
    nodes = [GROUP["nodes"][0], sampler, *GROUP["nodes"][2:], primitive]
    group = {**GROUP, "nodes": nodes, "links": [*GROUP["links"], [5, 0, 1, 2, 50, "INT"]]}
    inputs = inputs_of(to_api_prompt(drawn([*VALUES[2:], 4321, "randomize"], BY_NAME, group=group), INFO))
    assert (inputs["4:1"]["seed"], inputs["4:1"]["steps"], inputs["4:2"]["width"]) == (4321, 30, 64)


@pytest.mark.parametrize("mode", [2, 4])
def test_a_group_that_is_switched_off_is_not_unfolded(mode: int) -> None:
    workflow = drawn(VALUES, BY_NAME)
    workflow["nodes"][3]["mode"] = mode
    prompt = to_api_prompt(workflow, INFO)
    assert set(prompt) == {"1", "2", "3", "5"}
    assert prompt["5"]["inputs"].get("images") == (["3", 0] if mode == 4 else None)


def test_groups_in_groups() -> None:
    outer = {"nodes": [{"type": "workflow>G", "outputs": slots(("LATENT", "LATENT"), ("IMAGE", "IMAGE"))}], "links": []}
    drawing = Drawing()
    drawing.node("workflow>Outer", [], id=4)
    workflow = drawing.root(extra={"groupNodes": {"G": GROUP, "Outer": outer}})
    assert set(to_api_prompt(workflow, INFO)) == {"4:0:1", "4:0:2", "4:0:3", "4:0:4"}


def test_a_group_in_itself_is_refused() -> None:
    group = {"nodes": [{"type": "workflow>G"}, {"type": "workflow>G"}], "links": []}
    with pytest.raises(WorkflowError, match='"G" contains itself'):
        to_api_prompt(drawn([], {}, group=group), INFO)


def test_groups_that_double_at_every_level_are_refused_in_time() -> None:
    groups = {f"L{level}": {"nodes": [{"type": f"workflow>L{level + 1}"}] * 2, "links": []} for level in range(40)}
    drawing = Drawing()
    drawing.node("workflow>L0", [])
    with pytest.raises(WorkflowError, match="unfold"):
        to_api_prompt(drawing.root(extra={"groupNodes": groups}), INFO)


def test_a_group_without_its_template_is_a_missing_class() -> None:
    workflow = drawn(VALUES, BY_NAME)
    del workflow["extra"]
    done = convert(workflow, INFO)
    assert done.prompt["4"]["class_type"] == "workflow>G"
    assert [note.kind for note in done.report] == ["missing-class"]
