"""The graph of a workflow beside its runs: what its page is told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from comfy_widgets import ComfyClient, ComfyPanel, Workflow, WorkflowError, WorkflowGraph, example
from comfy_widgets.testing import Gate, ScriptedServer, standard_run, text_to_image

from .conftest import page_of
from .page import Page


def graph(page: Page) -> dict[str, Any]:
    page.say("graph")
    found: dict[str, Any] = page.custom("graph")[-1][0]
    return found


def statuses(page: Page) -> dict[str, str]:
    return {row["id"]: row["status"] for row in page.state["_nodes"]["rows"]}


def test_nodes_have_places_and_links_go_between_them() -> None:
    told = graph(page_of(WorkflowGraph(text_to_image())))
    nodes = {node["id"]: node for node in told["nodes"]}
    assert set(nodes) == set(text_to_image())
    assert nodes["4"]["x"] < nodes["3"]["x"] < nodes["8"]["x"] < nodes["9"]["x"]
    for node in nodes.values():
        assert 0 <= node["x"] <= told["width"] - node["width"]
        assert 0 <= node["y"] <= told["height"] - node["height"]
    assert {("3", "8"), ("8", "9"), ("4", "3")} <= {(wire["origin"], wire["target"]) for wire in told["wires"]}
    values = dict(nodes["3"]["values"])
    assert (values["seed"], values["model"]) == ("0", "from CheckpointLoaderSimple")


def test_nodes_say_how_they_stand_while_a_job_runs(server: ScriptedServer, client: ComfyClient) -> None:
    gate = Gate()
    server.play(standard_run(gate=gate, gate_after="progress", cached=("4",)))
    widget = WorkflowGraph(text_to_image())
    page = page_of(widget)
    job = client.submit(text_to_image(seed=5))
    widget.job = job
    gate.wait_reached()
    page.wait_for(lambda: page.state["_nodes"]["rows"] and statuses(page)["3"] == "running")
    assert (statuses(page)["4"], statuses(page)["9"]) == ("cached", "pending")
    gate.open()
    page.wait_for(lambda: set(statuses(page).values()) == {"cached", "finished"})
    told = page.state["_nodes"]
    assert told["seconds"] is not None
    assert all(row["seconds"] is not None for row in told["rows"] if row["status"] == "finished")
    # The values are those that ran.
    node = next(node for node in graph(page)["nodes"] if node["id"] == "3")
    assert dict(node["values"])["seed"] == "5"


def test_a_node_that_fails_says_why(server: ScriptedServer, client: ComfyClient) -> None:
    server.play(standard_run(fail_at="3"))
    page = page_of(WorkflowGraph(job=client.submit(text_to_image())))
    page.wait_for(lambda: page.state["_nodes"]["error"])
    page.wait_for(lambda: statuses(page)["3"] == "failed")
    assert "made to fail" in page.state["_nodes"]["error"]


def test_a_job_of_another_workflow_brings_it_along(client: ComfyClient) -> None:
    widget = WorkflowGraph({"1": {"class_type": "Note", "inputs": {}}})
    page = page_of(widget)
    assert [node["id"] for node in graph(page)["nodes"]] == ["1"]
    widget.job = client.submit(text_to_image())
    page.wait_for(lambda: {node["id"] for node in page.custom("graph")[-1][0]["nodes"]} == set(text_to_image()))
    assert widget.workflow is not None
    assert {node.id for node in widget.workflow} == set(text_to_image())


def test_a_node_is_selected_from_both_sides() -> None:
    widget = WorkflowGraph(text_to_image())
    page = page_of(widget)
    seen: list[str | None] = []
    widget.observe(lambda change: seen.append(change.new), "selected")
    page.say("select-node", node="3")
    assert widget.selected == "3"
    widget.selected = None
    assert page.state["_selected"] is None
    assert seen == ["3", None]


def test_the_editors_format_is_read_with_the_servers_definitions(
    make_engine_panel: Callable[..., ComfyPanel], engine: Any
) -> None:
    with ComfyClient(engine.url) as client:
        ui = example("text_to_image_ui", client.object_info()).to_ui()
        told = graph(page_of(WorkflowGraph(ui, client=client)))
    assert "KSampler" in {node["class_type"] for node in told["nodes"]}


def test_what_is_no_workflow_is_refused_and_nothing_is_allowed() -> None:
    with pytest.raises(WorkflowError):
        WorkflowGraph({"what": 7})
    page = page_of(WorkflowGraph())
    page.say("graph")
    assert page.custom("graph") == []


def test_a_panel_tells_of_nodes_only_while_somebody_looks(panel: ComfyPanel, page: Page) -> None:
    panel.run().wait(60)
    page.wait_phase("done")
    assert page.state["_nodes"] == {}
    page.say("nodes", wanted=True)
    page.wait_for(lambda: page.state["_nodes"].get("rows"))
    assert set(statuses(page).values()) == {"finished"}
    page.say("nodes", wanted=False)
    before = len(page.updates("_nodes"))
    panel.params.seed = 8
    panel.run().wait(60)
    page.wait_for(lambda: page.run["run"] == 2 and page.run["phase"] == "done")
    assert len(page.updates("_nodes")) == before


def test_the_nodes_of_a_panel_know_their_fields(panel: ComfyPanel, page: Page) -> None:
    nodes = {node["id"]: node for node in graph(page)["nodes"]}
    assert {"seed", "steps", "cfg"} <= set(nodes["3"]["fields"])
    assert nodes["8"]["fields"] == []


def test_the_nodes_of_an_earlier_run_are_told_while_it_is_shown(panel: ComfyPanel, page: Page) -> None:
    for seed in range(2):
        panel.params.seed = seed
        panel.run().wait(60)
    page.wait_for(lambda: page.state["_runs"]["shown"] == 2)
    page.say("nodes", wanted=True)
    page.wait_for(lambda: page.state["_nodes"].get("run") == 2)
    page.say("show", run=1)
    page.wait_for(lambda: page.state["_nodes"].get("run") == 1)


def test_a_large_graph_is_laid_out() -> None:
    prompt: dict[str, Any] = {"0": {"class_type": "Source", "inputs": {}}}
    for number in range(1, 300):
        prompt[str(number)] = {"class_type": "Step", "inputs": {"image": [str(number - 1), 0], "mask": ["0", 0]}}
    drawing = Workflow.load(prompt).to_drawing()
    assert len(drawing.nodes) == 300
    places = {(node.x, node.y) for node in drawing.nodes}
    assert len(places) == 300
    assert drawing.width > 10 * drawing.height
