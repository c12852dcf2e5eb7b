"""The check speaks where a server refuses, and is silent where it takes a value, whatever it makes of it."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from typing import Any

import pytest

from comfy_widgets.workflow import ModelFile, Workflow

from .catalog import INFO, SHARED, definition, text_to_image
from .ui_graphs import INFO as UI_INFO
from .ui_graphs import Drawing

WITH_CHOICES = {
    **INFO,
    "CustomCombo": definition({"choice": ["COMBO", {"options": []}]}, ("STRING",)),
    "Filled": definition({"voice": ["COMBO", {"remote": {"route": "/voices"}}], "flag": ["BOOLEAN", {}]}, ("STRING",)),
    "EmptyFolder": definition({"lora_name": [[]]}, ("MODEL",)),
    "Format": definition(
        {
            "format": [
                "COMFY_DYNAMICCOMBO_V3",
                {
                    "options": [
                        {"key": "png", "inputs": {"required": {"depth": [["8", "16"]]}}},
                        {"key": "exr", "inputs": {"required": {"depth": [["16", "32"]]}}},
                    ]
                },
            ]
        },
        ("IMAGE",),
    ),
}


def with_node(class_type: str, **inputs: Any) -> Workflow:
    prompt = text_to_image()
    prompt["30"] = {"class_type": class_type, "inputs": inputs}
    prompt["31"] = {"class_type": "SaveImage", "inputs": {"images": ["8", 0], "filename_prefix": ["30", 0]}}
    return Workflow.load(prompt).bind({**WITH_CHOICES, "SaveImage": any_prefix()})


def any_prefix() -> dict[str, Any]:
    return definition({"images": ["IMAGE"], "filename_prefix": ["*"]})


@pytest.mark.parametrize(
    ("class_type", "inputs"),
    [
        ("CustomCombo", {"choice": "Turbo"}),
        ("Filled", {"voice": "Ada", "flag": True}),
        ("Filled", {"voice": "Ada", "flag": 1}),
        ("Filled", {"voice": "Ada", "flag": "true"}),
        ("Format", {"format": "exr", "format.depth": "32"}),
    ],
)
def test_what_a_server_takes_is_not_refused(class_type: str, inputs: dict[str, Any]) -> None:
    workflow = with_node(class_type, **inputs)
    assert [problem for problem in workflow.check() if problem.node_id == "30"] == []
    # Nor does a form refuse what nobody touched.
    for param in workflow.params().values():
        assert param.check(param.value) == param.value


@pytest.mark.parametrize(
    ("class_type", "inputs", "severity", "says"),
    [
        ("EmptyFolder", {"lora_name": "ink.safetensors"}, "error", "the model file 'ink.safetensors'"),
        ("Format", {"format": "png", "format.depth": "32"}, "error", "which is not in the list"),
        ("Filled", {"voice": "Ada", "flag": "false"}, "warning", "which the server reads as true"),
    ],
)
def test_what_it_refuses_or_takes_in_another_sense(
    class_type: str, inputs: dict[str, Any], severity: str, says: str
) -> None:
    (problem,) = [problem for problem in with_node(class_type, **inputs).check() if problem.node_id == "30"]
    assert problem.severity == severity
    assert says in problem.message


def test_a_list_that_a_page_fills_takes_any_text() -> None:
    workflow = with_node("CustomCombo", choice="Turbo").with_params(choice="Quality")
    assert workflow.to_prompt()["30"]["inputs"]["choice"] == "Quality"


@pytest.mark.parametrize(("given", "taken"), [("false", False), ("True", True), (1, True), (0, False)])
def test_a_truth_value_may_be_written_in_other_ways(given: Any, taken: bool) -> None:
    workflow = with_node("Filled", voice="Ada", flag=not taken).with_params(flag=given)
    assert workflow.to_prompt()["30"]["inputs"]["flag"] is taken


@pytest.mark.parametrize(
    "stored", [{"seed": -1}, {"seed": "%seed%"}, {"sampler_name": "gone"}, {"steps": 0}, {"cfg": None}, {"steps": 7.0}]
)
def test_what_nobody_touched_never_blocks(stored: dict[str, Any]) -> None:
    prompt = text_to_image()
    prompt["3"]["inputs"].update(stored)
    for workflow in (Workflow.load(prompt).bind(INFO), Workflow.load(prompt)):
        params = workflow.params()
        values = {param.name: param.value for param in params.values()}
        assert workflow.with_params(values).to_prompt()["3"]["inputs"] == prompt["3"]["inputs"]


def test_a_stored_minus_one_is_told_with_what_to_do() -> None:
    prompt = text_to_image()
    prompt["3"]["inputs"]["seed"] = -1
    (problem,) = Workflow.load(prompt).check(INFO)
    assert (problem.severity, problem.input_name) == ("error", "seed")
    assert problem.message.endswith('Set it to "random" for a new one at each run.')


@pytest.mark.parametrize(("value", "severity"), [("nan", "warning"), ("7.5", None), ("high", "error")])
def test_numbers_as_text_are_read_as_the_server_reads_them(value: str, severity: str | None) -> None:
    prompt = text_to_image()
    prompt["3"]["inputs"]["cfg"] = value
    assert [problem.severity for problem in Workflow.load(prompt).check(INFO)] == ([severity] if severity else [])


def test_a_file_in_another_folder_is_not_in_the_list() -> None:
    prompt = text_to_image()
    prompt["10"] = {"class_type": "LoadImage", "inputs": {"image": "clipspace/mask.png [input]"}}
    prompt["11"] = {"class_type": "SaveImage", "inputs": {"images": ["10", 0], "filename_prefix": "x"}}
    assert Workflow.load(prompt).check(INFO) == []


# -- what is missing ---------------------------------------------------------------------------------------------------


def lacking(class_type: str, **meta: str) -> str:
    prompt = text_to_image()
    prompt["8"] = {"class_type": class_type, "inputs": {}, "_meta": {"title": "Mine", **meta}}
    return next(p.message for p in Workflow.load(prompt).check(INFO) if "does not know" in p.message)


def test_a_class_of_comfyui_itself_means_that_the_server_is_too_old() -> None:
    message = lacking("NewCoreNode", cnr_id="comfy-core", ver="0.20.1")
    assert "part of ComfyUI of version 0.20.1 itself: the server is too old for it" in message
    assert "Install" not in message and "pack" not in message


@pytest.mark.parametrize(
    ("class_type", "says"),
    [("KSamplr", "Did you mean 'KSampler'"), ("easy positive", "Install the pack"), ("Mask", "Install the pack")],
)
def test_a_guess_is_made_only_when_it_is_near(class_type: str, says: str) -> None:
    message = lacking(class_type)
    assert says in message
    assert ("Did you mean" in message) == ("Did you mean" in says)


def test_what_is_missing_as_one_list() -> None:
    prompt = text_to_image()
    prompt["7"] = {"class_type": "A", "inputs": {}, "_meta": {"cnr_id": "pack-one"}}
    prompt["8"] = {"class_type": "B", "inputs": {}, "_meta": {"aux_id": "someone/pack-two"}}
    prompt["9"] = {"class_type": "C", "inputs": {}, "_meta": {"cnr_id": "comfy-core", "ver": "0.40.0"}}
    workflow = Workflow.load(prompt)
    missing = workflow.missing(INFO)
    assert [(pack.id, pack.classes) for pack in missing.packs] == [
        ("pack-one", ("A",)),
        ("someone/pack-two", ("B",)),
        ("comfy-core", ("C",)),
    ]
    assert str(missing).splitlines() == [
        "comfy node install pack-one someone/pack-two",
        "# needs a newer ComfyUI (the workflow was made with 0.40.0): C",
    ]
    assert any("comfy node install pack-one someone/pack-two" in problem.message for problem in workflow.check(INFO))
    assert not Workflow.load(text_to_image()).missing(INFO)


MODEL = {
    "name": "ink.safetensors",
    "url": "https://example.org/ink.safetensors",
    "directory": "loras",
    "hash": "abc",
    "hash_type": "SHA256",
}


@pytest.mark.parametrize("where", ["node", "subgraph", "file"])
def test_a_missing_model_is_told_with_what_the_file_says_of_it(where: str) -> None:
    info = {**UI_INFO, "Lora": definition({"lora_name": [["wool.safetensors"]]})}
    properties = {"models": [MODEL]} if where != "file" else {}
    drawing = Drawing(10 if where == "subgraph" else 1)
    drawing.node("Lora", ["styles/ink.safetensors"], properties=properties)
    ui = drawing.root()
    if where == "subgraph":
        outer = Drawing()
        outer.node("sub", [])
        ui = outer.root(drawing.subgraph("sub", {}, {}))
    if where == "file":
        ui["models"] = [MODEL, {"name": 3}, "junk"]
    workflow = Workflow.load(ui).bind(info)
    assert workflow.missing().models == (
        ModelFile("styles/ink.safetensors", "loras", "https://example.org/ink.safetensors", "abc", "SHA256"),
    )
    assert "into models/loras from https://example.org/ink.safetensors" in workflow.check()[0].message
    assert "comfy model download --url https://example.org/ink.safetensors" in str(workflow.missing())


# -- what found no input -----------------------------------------------------------------------------------------------


def test_a_stored_value_without_an_input_is_a_warning() -> None:
    drawing = Drawing()
    drawing.node("Save", ["out", "left over"])
    workflow = Workflow.load(drawing.root()).bind(UI_INFO)
    (problem,) = [problem for problem in workflow.check() if "left over" in problem.message]
    assert (problem.severity, problem.node_id, problem.class_type) == ("warning", "1", "Save")
    assert problem.message in workflow.notes


def test_what_use_everywhere_connects_in_the_browser_is_told_where_it_lacks() -> None:
    ui = (
        json.loads((SHARED / "cases" / "A1-use-everywhere-with-ue_links.json").read_text()) if SHARED.is_dir() else None
    )
    if ui is None:
        pytest.skip("the cases are not beside this repository")
    ui["extra"] = {}
    problems = Workflow.load(ui).check(INFO)
    lacking = [problem for problem in problems if "is not connected" in problem.message]
    assert lacking and all("Use Everywhere may connect it" in problem.message for problem in lacking)
    assert [problem for problem in problems if problem.severity == "warning" and "Export (API)" in problem.message]


# -- against real servers ----------------------------------------------------------------------------------------------

# Nodes that judge their own values, and a refusal of what is beside the prompt: no definition says so.
UNFORESEEN = {"custom_validation_failed", "prompt_no_outputs", "invalid_prompt_id"}


def posts(version: str) -> Iterator[tuple[dict[str, Any], bool, set[str]]]:
    """Yield each prompt that was sent, whether it was taken whole, and the types of the errors."""
    for path in sorted((SHARED / "traces" / version).glob("*/events.jsonl")):
        for line in path.open(encoding="utf-8"):
            event = json.loads(line)
            request = event.get("request")
            body = request.get("json") if isinstance(request, dict) else None
            if event.get("path") != "/prompt" or not isinstance(body, dict) or not isinstance(body.get("prompt"), dict):
                continue
            status, reply = event["response"]["status"], event["response"].get("json") or {}
            if status in (200, 400):
                nodes = reply.get("node_errors") or {}
                types = {error["type"] for node in nodes.values() for error in node["errors"]}
                error = reply.get("error")
                types |= {error["type"]} if isinstance(error, dict) else set()
                yield body["prompt"], status == 200 and not nodes, types


def definitions(version: str) -> dict[str, Any] | None:
    """The whole /object_info as the recorded server gave it."""
    folder = SHARED / "traces" / version / "08-rest"
    if not folder.is_dir():
        return None
    for line in (folder / "events.jsonl").open(encoding="utf-8"):
        event = json.loads(line)
        if event.get("path") == "/object_info":
            found = json.loads(gzip.decompress((folder / event["response"]["file"]).read_bytes()))
            return found if isinstance(found, dict) else None
    return None


@pytest.mark.parametrize("version", ["v0.8.0", "v0.33.0"])
def test_the_verdict_is_that_of_a_real_server(version: str) -> None:
    info = definitions(version)
    if info is None:
        pytest.skip("the recorded traffic of real servers is not beside this repository")
    agreed = 0
    for prompt, taken, types in posts(version):
        try:
            problems = Workflow.load(prompt).check(info)
        except Exception as error:
            assert not taken, error
            continue
        if taken and {node.get("class_type") for node in prompt.values()} <= info.keys():
            assert [problem for problem in problems if problem.severity == "error"] == [], prompt
        elif not taken and not types & UNFORESEEN:
            assert [problem for problem in problems if problem.severity == "error"], (prompt, types)
        agreed += 1
    assert agreed > 100
