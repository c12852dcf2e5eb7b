"""Drawing: valid, safe, complete, and cheap."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given, settings

from comfy_widgets.workflow import Workflow, example

from .catalog import INFO, recorded_info, recorded_rows, text_to_image
from .test_edit import prompts
from .ui_graphs import Drawing

SVG = "{http://www.w3.org/2000/svg}"


def drawn(workflow: Workflow) -> ET.Element:
    return ET.fromstring(workflow.to_svg())


def cards(root: ET.Element) -> list[tuple[float, float, float, float]]:
    found = [rect for rect in root.iter(f"{SVG}rect") if rect.get("fill") in ("#fcfcfd", "#fff8dc", "#d9dee4")]
    return [tuple(float(rect.get(key, "0")) for key in ("x", "y", "width", "height")) for rect in found]  # type: ignore[misc]


def words(root: ET.Element) -> str:
    return " ".join("".join(text.itertext()) for text in root.iter(f"{SVG}text"))


@pytest.mark.parametrize("name", ["text_to_image", "text_to_image_ui"])
@pytest.mark.parametrize("bound", [True, False])
def test_every_node_wire_and_value_is_there(name: str, bound: bool) -> None:
    workflow = example(name).bind(INFO) if bound else example(name)
    root = drawn(workflow)
    assert len(cards(root)) == 7
    assert len(list(root.iter(f"{SVG}path"))) == 9
    shown = words(root)
    for text in ("KSampler", "Load Checkpoint", "seed 42", "steps 20", "height 512", "MODEL"):
        assert text in shown


def test_changed_values_are_drawn() -> None:
    for name in ("text_to_image", "text_to_image_ui"):
        assert "steps 31" in words(drawn(example(name).bind(INFO).with_params(steps=31)))


def test_the_picture_stands_alone_and_runs_nothing() -> None:
    hostile = "</text><script>alert(1)</script>&\"'\x00\x0b\ud800"
    prompt = text_to_image()
    prompt["6"]["inputs"]["text"] = hostile
    prompt["6"]["_meta"] = {"title": hostile}
    svg = Workflow.load(prompt).to_svg()
    root = ET.fromstring(svg)
    assert {element.tag for element in root.iter()} <= {
        SVG + tag for tag in ("svg", "g", "rect", "path", "circle", "text", "tspan")
    }
    # Ids and style sheets would reach into the other pictures of the page.
    assert not re.search(r"<style|\sid=|\sclass=|href|\son\w+=", svg)


def test_cards_of_the_layered_layout_do_not_overlap() -> None:
    for row in list(recorded_rows("template"))[:40]:
        boxes = cards(drawn(Workflow.load(row["output"])))
        for (x, y, w, h), (x2, y2, w2, h2) in combinations(boxes, 2):
            assert x + w <= x2 or x2 + w2 <= x or y + h <= y2 or y2 + h2 <= y, row["name"]


def test_work_flows_one_way() -> None:
    prompt: dict[str, Any] = {"0": {"class_type": "Start", "inputs": {}}}
    for number in range(1, 30):
        prompt[str(number)] = {"class_type": f"Step{number}", "inputs": {"image": [str(number - 1), 0]}}
    root = drawn(Workflow.load(prompt))
    # A long chain goes down, where a notebook has room, and not off to the right.
    assert float(root.get("width", "0")) < 1000
    assert len({y for _, y, _, _ in cards(root)}) == 30


def test_the_authors_layout_is_kept() -> None:
    ui = example("text_to_image_ui").ui
    assert ui is not None
    at = {tuple(node["pos"]) for node in ui["nodes"]}
    assert {(x, y + 30) for x, y, _, _ in cards(drawn(example("text_to_image_ui")))} == at


def test_a_file_whose_nodes_lie_in_one_place_is_laid_out() -> None:
    ui = example("text_to_image_ui").ui
    assert ui is not None
    for node in ui["nodes"]:
        node["pos"] = [0, 0]
    assert len({(x, y) for x, y, _, _ in cards(drawn(Workflow.load(ui)))}) == 7


def test_muted_and_bypassed_nodes_look_it() -> None:
    ui = example("text_to_image_ui").ui
    assert ui is not None
    ui["nodes"][0]["mode"], ui["nodes"][1]["mode"] = 4, 2
    root = drawn(Workflow.load(ui))
    assert "(bypassed)" in words(root) and "(muted)" in words(root)
    assert sum(rect.get("stroke-dasharray") is not None for rect in root.iter(f"{SVG}rect")) == 2


@settings(deadline=None, max_examples=60)
@given(prompt=prompts())
def test_any_graph_can_be_drawn(prompt: dict[str, Any]) -> None:
    workflow = Workflow.load(prompt)
    assert len(cards(drawn(workflow))) == len(prompt)
    assert workflow.to_mermaid().startswith("flowchart")


def test_odd_places_in_the_editors_form() -> None:
    for place in ({"0": 5, "1": 6}, [1e300, 0], ["a", "b"], None, [float("nan"), 1], [True, False]):
        ui = example("text_to_image_ui").ui
        assert ui is not None
        ui["nodes"][0]["pos"] = place
        ui["groups"] = [None, {"bounding": [0, 0]}, {"title": "Ok", "bounding": [0, 0, 10, 10]}]
        assert len(cards(drawn(Workflow.load(ui)))) == 7


def test_all_real_workflows_are_drawn() -> None:
    info = recorded_info()
    for row in recorded_rows("template", "older"):
        root = drawn(Workflow.load(row["workflow"]))
        assert len(cards(root)) == len(row["workflow"]["nodes"]), row["name"]
        assert len(cards(drawn(Workflow.load(row["output"]).bind(info)))) == len(row["output"])


def test_the_last_value_of_a_cell() -> None:
    bundle = example()._repr_mimebundle_()
    assert bundle["image/svg+xml"].startswith("<svg")
    assert "7 nodes" in bundle["text/plain"]
    broken = Workflow.load({"nodes": [{"id": 1}], "links": []})._repr_mimebundle_()
    assert set(broken) == {"text/plain"}
    assert "has no type" in broken["text/plain"]


def test_mermaid() -> None:
    prompt = text_to_image()
    prompt["9"]["_meta"] = {"title": 'Save "it" [now]; #1'}
    text = Workflow.load(prompt).bind(INFO).to_mermaid()
    assert '["KSampler"]' in text
    assert "-->|LATENT|" in text
    assert '["Save #34;it#34; #91;now#93;#59; #35;1"]' in text
    assert text.count("-->") == 9


# -- subgraphs -------------------------------------------------------------------------------------------------------


def with_insides() -> Workflow:
    deepest = Drawing(20)
    deepest.node(
        "Text", ["in the deep"], {"clip": "CLIP"}, ("CONDITIONING",), title="Deepest", pos=[0, 0], size=[200, 90]
    )
    inner = Drawing(10)
    inner.node(
        "Text", ["inside"], widget_inputs={"text": (-10, 0, "STRING")}, title="Inner", pos=[0, 0], size=[200, 90]
    )
    inner.node("deep", [], {}, ("CONDITIONING",), pos=[300, 0], size=[200, 60])
    outer = Drawing()
    outer.node("sub", [], {}, ("CONDITIONING",), pos=[0, 0], size=[200, 60])
    outer.node("Save", ["x"], {}, title="Outer", pos=[300, 0], size=[200, 60])
    definitions = (
        inner.subgraph("sub", {"text": "STRING"}, {"out": (11, 0, "CONDITIONING")}),
        deepest.subgraph("deep", {}, {"out": (20, 0, "CONDITIONING")}),
        Drawing(90).subgraph("unused", {}, {}),
    )
    return Workflow.load(outer.root(*definitions))


def test_the_inside_of_each_subgraph_is_drawn_below_with_its_border() -> None:
    workflow = with_insides()
    shown = words(drawn(workflow))
    for text in ("Outer", "Inside The sub", "Inner", "Inputs", "Inside The deep", "Deepest", "Outputs"):
        assert text in shown
    assert "unused" not in shown
    heights = [workflow.to_svg().index(text) for text in ("Outer", "Inside The sub", "Inside The deep")]
    assert heights == sorted(heights)


def test_a_notebook_opens_the_insides_on_a_click() -> None:
    bundle = with_insides()._repr_mimebundle_()
    assert bundle["text/html"].count("<details>") == 2
    assert "<summary>Inside The sub</summary>" in bundle["text/html"]
    assert "<script" not in bundle["text/html"]
    assert "text/html" not in example()._repr_mimebundle_()


def test_a_wide_drawing_scales_to_the_page() -> None:
    ui = example("text_to_image_ui").ui
    assert ui is not None
    for number, node in enumerate(ui["nodes"]):
        node["pos"] = [number * 3000, 0]
    svg = drawn(Workflow.load(ui))
    assert float(svg.get("width", "")) <= 1250
    assert "max-width:100%" in svg.get("style", "")
    assert svg.get("viewBox", "").split()[2] > svg.get("width", "")


def test_types_with_half_an_emoji_are_drawn() -> None:
    document = example("text_to_image_ui").ui
    for link in document["links"]:
        link[5] = "half \ud83d <b>"
    drawn = Workflow.load(document).to_svg()
    assert drawn.startswith("<svg") and "<b>" not in drawn
