"""Statements 59 and 60: from node definitions to controls."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from comfy_widgets import ComfyClient, Param, Workflow, WorkflowError
from comfy_widgets.testing import RecordedExchange, ScriptedServer, node_info, replay, text_to_image
from comfy_widgets.workflow import NodeSpecs

from .helpers import PROMPT, TRACES, conformance, needs_traces

Connect = Callable[..., ComfyClient]


def recorded_definitions() -> list[tuple[str, dict[str, Any]]]:
    found = []
    for folder in sorted(path.parent for path in TRACES.rglob("events.jsonl")):
        for event in replay(folder):
            if isinstance(event, RecordedExchange) and event.path == "/object_info" and event.body:
                found.append((str(folder.relative_to(TRACES)), json.loads(event.body)))
    return found


def default_inputs(info: dict[str, Any]) -> dict[str, Any]:
    """Something for every input of a node, whatever it is."""
    inputs = {}
    for section in ("required", "optional"):
        for name, spec in (info["input"].get(section) or {}).items():
            options = spec[1] if isinstance(spec, list) and len(spec) > 1 and isinstance(spec[1], dict) else {}
            inputs[name] = options.get("default", 0)
    return inputs


@conformance(59)
@needs_traces
def test_every_recorded_definition() -> None:
    recorded = recorded_definitions()
    assert {"08-rest", "v0.8.0/08-rest"} <= {name for name, _ in recorded}
    for name, infos in recorded:
        assert len(infos) > 300
        specs = NodeSpecs(infos)
        for node_class, info in infos.items():
            spec = specs[node_class]
            declared = {
                *(info["input"].get("required") or {}),
                *(info["input"].get("optional") or {}),
            }
            assert declared <= {entry.name for entry in spec.inputs}, (name, node_class)
            prompt = {"1": {"class_type": node_class, "inputs": default_inputs(info)}}
            workflow = Workflow.load(prompt, object_info=infos)
            workflow.params()
            workflow.check()


ODD: dict[str, Any] = {
    "bare string": "INT",
    "one element": ["FLOAT"],
    "options null": ["STRING", None],
    "options a list": ["INT", []],
    "unknown type": ["HOLOGRAM", {"default": {"a": 1}, "socketless": True}],
    "unknown socket": ["HOLOGRAM"],
    "union": ["INT,FLOAT", {"default": 1}],
    "any": ["*", {}],
    "empty combo": [[], {}],
    "combo of numbers": [[1, 2.5, True, None], {"default": 2.5}],
    "combo v2": ["COMBO", {"options": ["a", "b"]}],
    "combo without options": ["COMBO", {"remote": {"route": "/internal/files/output"}}],
    "multi": ["COMBO", {"options": ["a", "b"], "multiselect": True, "default": ["a"]}],
    "dynamic": ["COMFY_DYNAMICCOMBO_V3", {"options": [{"key": "k", "inputs": {"required": {"x": ["INT", {}]}}}]}],
    "grow": ["COMFY_AUTOGROW_V3", {"template": {"input": {"required": {"i": ["IMAGE", {}]}}, "prefix": "i", "min": 1}}],
    "match": ["COMFY_MATCHTYPE_V3", {"template": {"template_id": "T", "allowed_types": "*"}}],
    "null": None,
    "empty": [],
    "number": 7,
    "nested": [["INT", {}], {}],
    "default out of range": ["INT", {"default": 99, "min": 0, "max": 9}],
    "default not in list": [["a"], {"default": "z"}],
    "float default of an int": ["INT", {"default": 1.0, "min": 0.0, "max": 5.0}],
    "round false": ["FLOAT", {"default": 0, "round": False, "step": 0}],
}


@conformance(59)
@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("value", [None, 0, "text", [1], {"a": 1}, True])
def test_odd_definitions(odd: str, value: Any) -> None:
    info = node_info("Odd", "Odd", {"x": ODD[odd]}, output_node=True)
    info["input"]["hidden"] = {"id": "UNIQUE_ID", "v3": ["UNIQUE_ID"], "p": ["PROMPT", {}]}
    info.update(display_name=None, output_tooltips=[None], output_matchtypes=None, output=["A", ["b", "c"]])
    infos = {"Odd": info}
    spec = NodeSpecs(infos)["Odd"]
    assert "x" in {entry.name for entry in spec.inputs}
    workflow = Workflow.load({"1": {"class_type": "Odd", "inputs": {"x": value}}}, object_info=infos)
    for param in workflow.params().values():
        assert param.kind in ("int", "float", "text", "string", "choice", "bool", "seed", "image", "json")
        if odd.startswith("unknown"):
            assert param.kind == "json"
    assert isinstance(workflow.check(), list)


def controls(connect: Connect, server: ScriptedServer, required: dict[str, Any], **values: Any) -> dict[str, Param]:
    server.object_info["Controls"] = node_info("Controls", "All Controls", required, output_node=True)
    prompt = {"1": {"class_type": "Controls", "inputs": values, "_meta": {"title": "My node"}}}
    workflow = Workflow.load(prompt, object_info=connect(server.url).object_info())
    return {param.input_name: param for param in workflow.params().values()}


@conformance(60)
def test_definitions_reach_the_controls(server: ScriptedServer, connect: Connect) -> None:
    counted = {"default": 3, "min": 1, "max": 9, "step": 2}
    found = controls(
        connect,
        server,
        {
            "count": ["INT", {**counted, "tooltip": "How many.", "display_name": "Count"}],
            "strength": ["FLOAT", {"default": 0.5, "min": -1, "max": 1, "step": 0.05, "round": False}],
            "seed": ["INT", {"default": 0, "min": 0, "max": 2**64 - 1, "control_after_generate": True}],
            "noise_seed": ["INT", {"default": 0, "min": 0, "max": 2**64 - 1}],
            "no_seed": ["INT", {"default": 0}],
            "long": ["STRING", {"multiline": True, "default": "hello"}],
            "short": ["STRING", {}],
            "on": ["BOOLEAN", {"default": True, "label_on": "yes", "label_off": "no"}],
            "pick": [["a", "b"], {"default": "b"}],
            "pick2": ["COMBO", {"options": ["c", "d"]}],
        },
        count=3,
        strength=0.5,
        seed=1,
        noise_seed=2,
        no_seed=3,
        long="x",
        short="y",
        on=False,
        pick="a",
        pick2="d",
    )
    count = found["count"]
    assert (count.kind, count.value, count.default, count.min, count.max, count.step) == ("int", 3, 3, 1, 9, 2)
    assert (count.label, count.tooltip, count.node_title) == ("Count", "How many.", "My node")
    strength = found["strength"]
    assert (strength.kind, strength.min, strength.max, strength.step, strength.default) == ("float", -1, 1, 0.05, 0.5)
    assert [found[name].kind for name in ("seed", "noise_seed", "no_seed")] == ["seed", "seed", "int"]
    assert found["seed"].max == 2**64 - 1
    assert [found[name].kind for name in ("long", "short", "on")] == ["text", "string", "bool"]
    assert found["long"].default == "hello"
    assert (found["on"].value, found["on"].default) == (False, True)
    assert (found["pick"].choices, found["pick"].value, found["pick"].default) == (("a", "b"), "a", "b")
    assert (found["pick2"].choices, found["pick2"].value) == (("c", "d"), "d")


@conformance(60)
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("steps", 0),
        ("steps", 10001),
        ("steps", 2.5),
        ("steps", "many"),
        ("steps", True),
        ("cfg", 100.5),
        ("cfg", "nan"),
        ("denoise", -0.1),
        ("seed", -1),
        ("seed", 2**64),
        ("sampler_name", "nobody's"),
        ("positive", 7),
        ("stpes", 4),
    ],
)
def test_what_is_out_of_bounds_is_not_sent(server: ScriptedServer, connect: Connect, name: str, value: Any) -> None:
    client = connect(server.url)
    client.object_info()
    with pytest.raises(WorkflowError) as caught:
        client.run(PROMPT, timeout=10, **{name: value})
    assert name in str(caught.value) or caught.value.input_name is not None
    assert server.posted == []


@conformance(60)
def test_bounds_of_a_workflow_are_checked_before_sending(server: ScriptedServer, connect: Connect) -> None:
    prompt = text_to_image()
    prompt["3"]["inputs"]["steps"] = 0
    problems = Workflow.load(prompt).check(connect(server.url).object_info())
    assert any(problem.input_name == "steps" and problem.severity == "error" for problem in problems)


@conformance(60)
def test_the_edges_of_the_bounds_are_sent(server: ScriptedServer, connect: Connect) -> None:
    client = connect(server.url)
    client.object_info()
    client.run(PROMPT, timeout=30, steps=1, cfg=100, seed=2**64 - 1, denoise=0)
    inputs = server.posted[0]["prompt"]["3"]["inputs"]
    assert (inputs["steps"], inputs["cfg"], inputs["seed"], inputs["denoise"]) == (1, 100, 2**64 - 1, 0)
