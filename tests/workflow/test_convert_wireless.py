"""Connections that Use Everywhere makes in the browser."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from comfy_widgets.workflow._convert import convert

from .ui_graphs import INFO, Drawing, definition, recorded_object_info, recordings

TYPES = ("MODEL", "CLIP", "VAE")
UE = "Anything Everywhere3"
WIRE = {"downstream": 2, "downstream_slot": 0, "upstream": "1", "upstream_slot": 1, "controller": 9, "type": "CLIP"}


def broadcast(extra: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A loader (1) whose CLIP goes to Use Everywhere (9), and a text (2) that waits for it."""
    drawing = Drawing()
    loader = drawing.node("Model", ["a.safetensors"], outputs=TYPES)
    drawing.node("Text", ["x"], {"clip": "CLIP"}, ("COND",))
    drawing.node(UE, None, {"CLIP": (loader, 1, "*")}, id=9, **more)
    return drawing.root(extra=extra)


@pytest.mark.parametrize(
    "wire",
    [
        WIRE,
        {**WIRE, "downstream": "2", "upstream": 1},
        {**WIRE, "downstream_slot": 5},
        {key: value for key, value in WIRE.items() if key != "type"},
    ],
)
def test_the_connections_in_the_file_are_obeyed(wire: dict[str, Any]) -> None:
    done = convert(broadcast({"ue_links": [wire]}), INFO)
    assert done.prompt["2"]["inputs"]["clip"] == ["1", 1]
    assert set(done.prompt) == {"1", "2"}
    assert done.report == ()


def test_a_real_link_comes_before_a_wireless_one() -> None:
    workflow = broadcast({"ue_links": [{**WIRE, "upstream_slot": 2}]})
    workflow["links"].append([77, 1, 1, 2, 0, "CLIP"])
    workflow["nodes"][1]["inputs"][0]["link"] = 77
    assert convert(workflow, INFO).prompt["2"]["inputs"]["clip"] == ["1", 1]


def test_links_that_a_run_left_in_the_file_are_kept() -> None:
    workflow = broadcast({"ue_links": [WIRE], "links_added_by_ue": [77]})
    workflow["links"].append([77, 1, 1, 2, 0, "CLIP"])
    assert convert(workflow, INFO).prompt["2"]["inputs"]["clip"] == ["1", 1]


def test_a_subgraph_has_connections_of_its_own() -> None:
    inner = Drawing(10)
    inner.node("Text", ["x"], {"clip": "CLIP"}, ("COND",))
    inner.node("Anything Everywhere", None, {"anything": (-10, 0, "*")})
    wire = {**WIRE, "downstream": 10, "upstream": -10, "upstream_slot": 0, "controller": 11}
    scope = inner.subgraph("sub", {"clip": "CLIP"}, {}, extra={"ue_links": [wire]})
    outer = Drawing()
    loader = outer.node("Model", ["a.safetensors"], outputs=TYPES)
    outer.node("sub", [], {"clip": (loader, 1, "CLIP")})
    done = convert(outer.root(scope), INFO)
    assert done.prompt["2:10"]["inputs"]["clip"] == ["1", 1]
    assert done.report == ()


def test_a_seed_that_is_broadcast_is_sent() -> None:
    drawing = Drawing()
    drawing.node("Seed Everywhere", [77, "randomize"], outputs=("INT",))
    drawing.node("Sampler", [1, "fixed", 20, "euler"], {"model": "MODEL"}, widget_inputs={"seed": "INT"})
    wire = {"downstream": 2, "downstream_slot": 1, "upstream": "1", "upstream_slot": 0, "controller": 1, "type": "INT"}
    done = convert(drawing.root(extra={"ue_links": [wire]}), INFO)
    assert done.prompt["2"]["inputs"]["seed"] == 77


@pytest.mark.parametrize("extra", [{}, {"ue_links": []}, {"ue_links": None}, {"ue_links": "?"}, None, []])
def test_connections_that_only_the_browser_knows_are_told(extra: Any) -> None:
    done = convert(broadcast(extra), INFO)
    assert "clip" not in done.prompt["2"]["inputs"]
    (note,) = done.report
    assert (note.kind, note.node_id) == ("unknown-wire", "9")
    assert "Use Everywhere" in note.message and "CLIP" in note.message and "reproduce()" in note.message


def test_nothing_is_told_where_nothing_waits_or_nothing_is_sent() -> None:
    assert convert(broadcast({}, mode=4), INFO).report == ()
    workflow = broadcast({})
    workflow["nodes"][1]["inputs"] = []
    assert convert(workflow, INFO).report == ()


@pytest.mark.parametrize(
    "wire", [None, 7, {}, {**WIRE, "downstream": 99}, {**WIRE, "upstream": 99}, {**WIRE, "upstream_slot": "x"}]
)
def test_what_cannot_be_read_of_the_connections_is_left_out(wire: Any) -> None:
    done = convert(broadcast({"ue_links": [wire, WIRE]}), INFO)
    assert done.prompt["2"]["inputs"]["clip"] == ["1", 1]
    assert [note.kind for note in done.report] == ([] if not isinstance(wire, dict) else ["dropped"])


def test_a_server_with_the_pack_gets_its_nodes_too() -> None:
    info = {**INFO, UE: definition({}, (), {"CLIP": ["*"]})}
    assert UE in {node["class_type"] for node in convert(broadcast({"ue_links": [WIRE]}), info).prompt.values()}


def test_a_recorded_case() -> None:
    workflow = json.loads(recordings("cases", "A1-use-everywhere-with-ue_links.json").read_text())
    before = copy.deepcopy(workflow)
    done = convert(workflow, recorded_object_info())
    assert workflow == before
    assert done.report == ()
    assert done.prompt["3"]["inputs"]["model"] == ["4", 0]
    assert done.prompt["8"]["inputs"]["vae"] == ["4", 2]
