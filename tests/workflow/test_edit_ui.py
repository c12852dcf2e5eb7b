"""Changing the graph of a workflow in the editor's form: it stays in that form, and opens in the editor."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from comfy_widgets.errors import WorkflowError
from comfy_widgets.workflow import Workflow, example

from .catalog import INFO as CATALOG
from .catalog import definition
from .ui_graphs import INFO as UI_INFO
from .ui_graphs import Drawing

STRENGTH = ["FLOAT", {"default": 1.0}]
INFO = {
    **CATALOG,
    "LoraLoaderModelOnly": definition(
        {"model": ["MODEL"], "lora_name": [["a/ink.safetensors"]], "strength_model": STRENGTH}, ("MODEL",)
    ),
    "UNETLoader": definition({"unet_name": [["u.safetensors"]]}, ("MODEL",)),
    "CLIPLoader": definition({"clip_name": [["c.safetensors"]]}, ("CLIP",)),
}
SUB_INFO = {
    **UI_INFO,
    "Load": definition({"name": [["m"]]}, ("MODEL",)),
    "Decode": definition({"samples": ["LATENT"]}, ("IMAGE",)),
    "Sharpen": definition({"image": ["IMAGE"], "by": ["FLOAT", {"default": 0.5}]}, ("IMAGE",)),
}


def flow() -> Workflow:
    return example("text_to_image_ui").bind(INFO)


def document(workflow: Workflow) -> dict[str, Any]:
    assert workflow.form == "ui"
    ui = workflow.to_ui()
    assert ui is not None
    return ui


def assert_opens_in_the_editor(ui: dict[str, Any]) -> None:
    """What every editor relies on: ids are unique, and a link stands in all its places and in no other."""
    for scope in (ui, *ui.get("definitions", {}).get("subgraphs", [])):
        nodes = {node["id"]: node for node in scope["nodes"]}
        assert len(nodes) == len(scope["nodes"])
        links = {}
        for link in scope["links"]:
            parts = list(link.values()) if isinstance(link, dict) else link
            assert parts[0] not in links
            links[parts[0]] = parts
        for number, parts in links.items():
            _, origin, origin_slot, target, target_slot = parts[:5]
            if origin in nodes:
                assert number in nodes[origin]["outputs"][origin_slot]["links"]
            if target in nodes:
                assert nodes[target]["inputs"][target_slot]["link"] == number
        for node in nodes.values():
            for slot, item in enumerate(node.get("inputs", [])):
                assert item.get("link") is None or links[item["link"]][3:5] == [node["id"], slot]
            for slot, item in enumerate(node.get("outputs", [])):
                for number in item.get("links") or []:
                    assert links[number][1:3] == [node["id"], slot]
        if scope is ui:
            assert max(nodes, default=0) <= ui["last_node_id"]
            assert max(links, default=0) <= ui["last_link_id"]


def overlap(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return all(
        one["pos"][axis] < other["pos"][axis] + other["size"][axis]
        and other["pos"][axis] < one["pos"][axis] + one["size"][axis]
        for axis in (0, 1)
    )


def test_a_node_is_drawn_right_of_what_feeds_it() -> None:
    after = flow().add("SaveImage", "Second", images=("VAE Decode", 0), filename_prefix="two")
    ui = document(after)
    assert_opens_in_the_editor(ui)
    nodes = {node["id"]: node for node in ui["nodes"]}
    new, source = nodes.pop(max(nodes)), nodes[8]
    assert (new["type"], new["title"], new["widgets_values"]) == ("SaveImage", "Second", ["two"])
    assert new["pos"][0] >= source["pos"][0] + source["size"][0]
    assert not any(overlap(new, other) for other in nodes.values())
    assert dict(after["Second"].inputs) == {"images": ["8", 0], "filename_prefix": "two"}


def test_a_new_node_has_its_defaults_and_its_seed_a_control() -> None:
    after = flow().add("KSampler", "Again", model=("Load Checkpoint", "MODEL"), steps=7)
    new = next(node for node in document(after)["nodes"] if node.get("title") == "Again")
    assert new["widgets_values"] == [0, "fixed", 7, 8.0, "euler", "normal", 1.0]
    assert after["Again"].inputs["model"] == ["4", 0]


def test_a_removed_node_takes_its_links() -> None:
    after = flow().remove("VAE Decode")
    assert_opens_in_the_editor(document(after))
    assert "images" not in after["Save Image"].inputs
    with pytest.raises(WorkflowError, match="no node 'VAE Decode'"):
        _ = after["VAE Decode"]


def test_an_input_is_connected_otherwise_and_to_nothing() -> None:
    after = flow().rewire("KSampler", "positive", ("CLIP Text Encode (Prompt) 2", 0))
    assert_opens_in_the_editor(document(after))
    assert after["KSampler"].inputs["positive"] == ["7", 0]
    nothing = after.rewire("KSampler", "positive", None)
    assert_opens_in_the_editor(document(nothing))
    assert "positive" not in nothing["KSampler"].inputs


def test_a_widget_may_be_connected() -> None:
    after = flow().add("PrimitiveInt", "Wide", value=640).rewire("Empty Latent Image", "width", ("Wide", 0))
    assert_opens_in_the_editor(document(after))
    assert after["Empty Latent Image"].inputs["width"] == [after["Wide"].id, 0]


def test_a_bypassed_node_stays_in_the_drawing() -> None:
    after = flow().bypass("KSampler")
    node = next(node for node in document(after)["nodes"] if node["id"] == 3)
    assert node["mode"] == 4
    assert after["VAE Decode"].inputs["samples"] == ["5", 0]


def test_values_and_the_authors_choice_come_along() -> None:
    after = flow().with_params(seed=9, steps=3).expose(["steps", "seed"]).add("SaveImage")
    assert (after["KSampler"].inputs["seed"], after["KSampler"].inputs["steps"]) == (9, 3)
    assert [param.name for param in after.params().primary] == ["steps", "seed"]
    assert Workflow.load(document(after)).bind(INFO)["KSampler"].inputs["seed"] == 9
    assert flow().with_params(seed=9).remove("KSampler").form == "ui"


def test_it_is_saved_and_loaded_again(tmp_path: Path) -> None:
    after = flow().add("SaveImage", "Second", images=("VAE Decode", 0)).bypass("Save Image")
    again = Workflow.load(after.save(tmp_path / "flow.json")).bind(INFO)
    assert again.to_prompt() == after.to_prompt()
    assert again.form == "ui"


# -- LoRAs -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["ui", "api"])
def test_a_lora_goes_between_the_loader_and_all_that_it_fed(form: str) -> None:
    before = flow() if form == "ui" else example().bind(INFO)
    after = before.insert_lora("ink.safetensors", 0.7)
    (lora,) = after.find(class_type="LoraLoader")
    assert after.form == form
    assert dict(lora.inputs) == {
        "model": ["4", 0],
        "clip": ["4", 1],
        "lora_name": "ink.safetensors",
        "strength_model": 0.7,
        "strength_clip": 0.7,
    }
    assert after["KSampler"].inputs["model"] == [lora.id, 0]
    assert [node.inputs["clip"] for node in after.find(class_type="CLIPTextEncode")] == [[lora.id, 1]] * 2
    assert after["VAE Decode"].inputs["vae"] == ["4", 2]
    second = after.insert_lora("wool", 0.5, strength_clip=0.1)
    first, last = second.find(class_type="LoraLoader")
    assert (first.inputs["model"], last.inputs["model"]) == (["4", 0], [first.id, 0])
    assert (last.inputs["lora_name"], last.inputs["strength_clip"]) == ("wool.safetensors", 0.1)
    if form == "ui":
        assert_opens_in_the_editor(document(second))


def test_a_model_without_a_clip_of_its_own_gets_a_lora_for_the_model_alone() -> None:
    prompt = example().prompt
    assert prompt is not None
    prompt["4"] = {"class_type": "UNETLoader", "inputs": {"unet_name": "u.safetensors"}}
    prompt["14"] = {"class_type": "CLIPLoader", "inputs": {"clip_name": "c.safetensors"}}
    for node_id in ("6", "7"):
        prompt[node_id]["inputs"]["clip"] = ["14", 0]
    after = Workflow.load(prompt).bind(INFO).insert_lora("ink")
    (lora,) = after.find(class_type="LoraLoaderModelOnly")
    assert dict(lora.inputs) == {"model": ["4", 0], "lora_name": "a/ink.safetensors", "strength_model": 1.0}
    assert after.find(class_type="CLIPTextEncode")[0].inputs["clip"] == ["14", 0]


def test_a_lora_that_cannot_be() -> None:
    with pytest.raises(WorkflowError, match="The LoRA is 'inc', which is not in the list"):
        flow().insert_lora("inc")
    with pytest.raises(WorkflowError, match="no node that takes a model"):
        Workflow.load({"1": {"class_type": "LoadImage", "inputs": {"image": "x.png"}}}).bind(INFO).insert_lora("ink")
    with pytest.raises(WorkflowError, match="definitions"):
        example().insert_lora("ink")


# -- subgraphs -------------------------------------------------------------------------------------------------------


def nested(instances: int = 1) -> Workflow:
    """A subgraph that samples, on the root with a loader and a saver."""
    inner = Drawing(10)
    inner.node("Sampler", [7, "fixed", 20, "euler"], {"model": (-10, 0, "MODEL")}, ("LATENT",))
    inner.node("Decode", None, {"samples": (10, 0, "LATENT")}, ("IMAGE",))
    scope = inner.subgraph("sub", {"model": "MODEL"}, {"IMAGE": (11, 0, "IMAGE")})
    outer = Drawing()
    outer.node("Load", ["m"], outputs=("MODEL",))
    for _ in range(instances):
        host = outer.node("sub", [], {"model": (1, 0, "MODEL")}, ("IMAGE",))
        outer.node("Save", ["out"], {"images": (host, 0, "IMAGE")})
    for link in outer.links:
        outer.nodes[link[1] - 1]["outputs"][link[2]]["links"].append(link[0])
    for link in scope["links"]:
        if link["origin_id"] > 0:
            scope["nodes"][link["origin_id"] - 10]["outputs"][link["origin_slot"]]["links"].append(link["id"])
    return Workflow.load(outer.root(scope, last_node_id=5, last_link_id=len(outer.links))).bind(SUB_INFO)


def one(workflow: Workflow, class_type: str) -> str:
    return workflow.find(class_type=class_type)[0].id


def test_a_node_goes_into_the_subgraph_that_feeds_it() -> None:
    workflow = nested()
    decode = one(workflow, "Decode")
    after = workflow.add("Sharpen", image=(decode, 0)).rewire(decode, "samples", None)
    new = after.find(class_type="Sharpen")[0]
    assert new.id.startswith("2:")
    assert dict(new.inputs) == {"image": [decode, 0], "by": 0.5}
    assert_opens_in_the_editor(document(after))


def test_an_output_that_a_subgraph_shows_may_be_used_outside() -> None:
    workflow = nested()
    decode, save = one(workflow, "Decode"), one(workflow, "Save")
    after = workflow.rewire(save, "images", None).rewire(save, "images", (decode, 0))
    assert after[save].inputs["images"] == [decode, 0]
    assert_opens_in_the_editor(document(after))


def test_what_cannot_be_drawn_goes_on_in_api_format_and_is_told() -> None:
    shared = nested(2)
    after = shared.remove(one(shared, "Decode"))
    assert after.form == "api"
    assert "stands in several places" in after.notes[-1]
    hidden = nested().rewire(one(nested(), "Save"), "images", ("2:10", 0))
    assert hidden.form == "api"
    assert "does not show that output" in hidden.notes[-1]


@pytest.mark.parametrize("way", ["inputs", "proxyWidgets"])
def test_values_that_the_file_leaves_to_the_inside_are_written_out_before_one_that_is_set(way: str) -> None:
    # The editor takes a null among the values of an instance for a value, and sends it.
    inner = Drawing(10)
    fed = {"name": (-10, 0, "COMBO"), "seed": (-10, 1, "INT"), "steps": (-10, 2, "INT")} if way == "inputs" else {}
    inner.node("Sampler", [7, "fixed", 20, "euler"], widget_inputs=fed, outputs=("LATENT",))
    inner.node("Decode", None, {"samples": (10, 0, "LATENT")}, ("IMAGE",))
    ports = {"name": "COMBO", "seed": "INT", "steps": "INT"} if fed else {}
    scope = inner.subgraph("sub", ports, {"IMAGE": (11, 0, "IMAGE")})
    outer = Drawing()
    listed = [] if fed else [["10", "name"], ["10", "seed"], ["10", "steps"]]
    host = outer.node("sub", [], outputs=("IMAGE",), properties={"proxyWidgets": listed} if listed else {})
    outer.node("Save", ["out"], {"images": (host, 0, "IMAGE")})
    workflow = Workflow.load(outer.root(scope)).bind(SUB_INFO)
    after = workflow.with_params(steps=30)
    assert document(after)["nodes"][0]["widgets_values"] == ["euler", 7, 30]
    assert after.with_params(seed=8).to_prompt() == Workflow.load(document(after.with_params(seed=8))).to_prompt(
        SUB_INFO
    )


def test_a_node_without_values_gets_those_of_a_fresh_one_before_the_one_that_is_set() -> None:
    ui = document(flow())
    sampler = next(node for node in ui["nodes"] if node["type"] == "KSampler")
    sampler["widgets_values"] = []
    after = Workflow.load(ui).bind(INFO).with_params(cfg=3.0)
    values = next(node for node in document(after)["nodes"] if node["type"] == "KSampler")["widgets_values"]
    assert values == [0, None, 20, 3.0]


# -- any edits -------------------------------------------------------------------------------------------------------

CHANGES = st.one_of(
    st.tuples(st.just("add"), st.sampled_from(["SaveImage", "VAEDecode", "KSampler", "CLIPTextEncode", "Resize"])),
    st.tuples(st.just("remove"), st.integers(0, 20)),
    st.tuples(st.just("bypass"), st.integers(0, 20)),
    st.tuples(st.just("rewire"), st.integers(0, 20), st.integers(0, 20), st.integers(0, 6)),
    st.tuples(st.just("lora"), st.sampled_from(["ink", "wool"])),
    st.tuples(st.just("set"), st.integers(0, 2**53)),
)


def apply(workflow: Workflow, change: tuple[Any, ...]) -> Workflow:
    nodes = list(workflow)
    kind, *what = change
    if kind == "add":
        return workflow.add(what[0])
    if kind == "lora":
        return workflow.insert_lora(what[0])
    if kind == "set":
        return workflow.with_params({"seed": what[0]} if "seed" in workflow.params() else {})
    node = nodes[what[0] % len(nodes)]
    if kind == "remove":
        return workflow.remove(node.id)
    if kind == "bypass":
        return workflow.bypass(node.id)
    names = [name for name, value in node.inputs.items() if isinstance(value, list)] or ["nothing"]
    origin = nodes[what[1] % len(nodes)]
    return workflow.rewire(node.id, names[what[2] % len(names)], (origin.id, 0))


@given(changes=st.lists(CHANGES, max_size=8))
@settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow])
def test_after_any_edits_the_drawing_is_whole_and_says_what_is_sent(changes: list[tuple[Any, ...]]) -> None:
    drawn = flow()
    for change in changes:
        if not list(drawn):
            return
        try:
            after = apply(drawn, change)
        except WorkflowError:
            continue
        if after.form == "api":
            # Only a circle cannot be told apart from what the conversion makes of it.
            assert after.notes
            continue
        drawn = after
        ui = document(drawn)
        assert_opens_in_the_editor(ui)
        assert Workflow.load(json.loads(json.dumps(ui))).bind(INFO).to_prompt() == drawn.to_prompt()
