"""Workflows and replacements that a server brings along, as a client uses them."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from comfy_widgets.client import ComfyClient
from comfy_widgets.errors import WorkflowError
from comfy_widgets.workflow import Workflow

from .recorded import RecordedServer, by_hand, recorded_server

Connect = Callable[..., ComfyClient]


def flow(node_type: str) -> dict[str, Any]:
    return {"version": 0.4, "nodes": [{"id": 1, "type": node_type, "widgets_values": [7]}], "links": []}


NODE = {"input": {"required": {"size": ["INT", {}]}}, "output": [], "output_node": True}
REPLACEMENT = {
    "new_node_id": "New",
    "old_node_id": "Old",
    "old_widget_ids": ["width"],
    "input_mapping": [{"new_id": "size", "old_id": "width"}],
    "output_mapping": None,
}
SUBGRAPH = {"source": "templates", "name": "Blur", "info": {}, "data": json.dumps(flow("New"))}


@pytest.fixture
def server() -> Iterator[RecordedServer]:
    index = [{"title": "Basics", "templates": [{"name": "default", "title": "Text to Image"}, {"name": "old"}]}]
    exchanges = [
        by_hand("GET", "/object_info", 200, {"New": NODE}),
        by_hand("GET", "/node_replacements", 200, {"Old": [REPLACEMENT]}),
        by_hand("GET", "/templates/index.json", 200, index),
        by_hand("GET", "/templates/default.json", 200, flow("New")),
        by_hand("GET", "/templates/old.json", 200, flow("Old")),
        by_hand("GET", "/templates/none.json", 404),
        by_hand("GET", "/workflow_templates", 200, {"a-pack": ["example"]}),
        by_hand("GET", "/workflow_templates/a-pack/example.json", 200, flow("New")),
        by_hand("GET", "/global_subgraphs", 200, {"abc": {"source": "templates", "name": "Blur", "info": {}}}),
        by_hand("GET", "/global_subgraphs/abc", 200, SUBGRAPH),
    ]
    with recorded_server("none", *exchanges) as server:
        yield server
        assert server.foreign == []


@pytest.mark.parametrize("is_installed", [True, False])
def test_a_template_to_be_submitted_is_said_to_be_loaded_first(
    server: RecordedServer, connect: Connect, monkeypatch: pytest.MonkeyPatch, is_installed: bool
) -> None:
    if not is_installed:
        monkeypatch.setitem(sys.modules, "comfyui_workflow_templates_json", None)
    client = connect(server.url)
    for send in (client.submit, client.run):
        with pytest.raises(WorkflowError, match=r"client\.workflow\('template:a-pack/example'\)"):
            send("template:a-pack/example")


def test_all_that_can_be_loaded_by_name_is_listed(server: RecordedServer, connect: Connect) -> None:
    assert connect(server.url).templates() == {
        "default": "Text to Image",
        "old": "",
        "a-pack/example": "example",
        "subgraph/Blur": "Blur",
    }


@pytest.mark.parametrize("name", ["default", "old", "a-pack/example", "subgraph/Blur"])
def test_a_template_loads_by_its_name(server: RecordedServer, connect: Connect, name: str) -> None:
    client = connect(server.url)
    for workflow in (
        client.workflow(f"template:{name}"),
        Workflow.load(f"template:{name}", fetch=client.fetch, object_info=client.object_info()),
    ):
        assert workflow.source == f"template:{name}"
        assert workflow.to_prompt()["1"]["inputs"] == {"size": 7}
        assert workflow.to_prompt()["1"]["class_type"] == "New"
        assert workflow.check() == []


def test_a_name_that_the_server_does_not_know(server: RecordedServer, connect: Connect) -> None:
    client = connect(server.url)
    with pytest.raises(WorkflowError, match=r"no template 'none'\. client\.templates\(\) lists"):
        client.workflow("template:none")
    with pytest.raises(WorkflowError, match=r"templates of its server only, not 'https"):
        client.fetch("https://example.org/flow.json")


def test_a_replaced_class_is_told(server: RecordedServer, connect: Connect) -> None:
    notes = connect(server.url).workflow("template:old").notes
    assert notes == ('"Old" is a Old, which this server replaces by New.',)


@pytest.mark.parametrize("status", [404, 500])
def test_a_server_without_replacements_is_read_as_it_is(connect: Connect, status: int) -> None:
    exchanges = [by_hand("GET", "/object_info", 200, {"New": NODE}), by_hand("GET", "/node_replacements", status)]
    with recorded_server("none", *exchanges) as server:
        workflow = Workflow.load(flow("Old"), object_info=connect(server.url).object_info())
        assert workflow.to_prompt()["1"]["class_type"] == "Old"
        assert "does not know the node class 'Old'" in str(workflow.check()[0])
