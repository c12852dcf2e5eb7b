"""The check beside real servers: what they refused, what they took, and the official templates."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest

from comfy_widgets.errors import WorkflowError
from comfy_widgets.workflow import Workflow

from .ui_graphs import recorded_object_info, recorded_rows, recordings

#: Refusals that are about the call, not about the workflow.
OF_THE_CALL = {"invalid_prompt_id", "no_prompt", None}

#: A node's own code refuses these, and its definition does not say so. A file that may have been uploaded since is a
#: warning.
OF_THE_NODE = {"custom_validation_failed"}


def posts(version: str) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Every prompt that was posted to a recorded server: where, its body, and the answer."""
    for events in sorted(recordings("traces", version).glob("*/events.jsonl")):
        for line in events.read_text(encoding="utf-8").splitlines():
            event = json.loads(line)
            if event.get("kind") != "http" or event.get("method") != "POST" or event.get("path") != "/prompt":
                continue
            body = event["request"].get("json")
            if isinstance(body, dict) and isinstance(body.get("prompt"), dict):
                yield f"{events.parent.name} {event['seq']}", body, event["response"]


def error_types(answer: dict[str, Any]) -> set[str]:
    errors = answer.get("node_errors") or {}
    return (
        {error["type"] for node in errors.values() for error in node["errors"]} if isinstance(errors, dict) else set()
    )


def complaints(prompt: dict[str, Any], info: dict[str, Any]) -> list[str]:
    """What is said of a prompt before it is sent: that it cannot be loaded, what is left out, and what is wrong."""
    try:
        workflow = Workflow.load({"prompt": prompt}, object_info=info)
    except WorkflowError as error:
        return [str(error)]
    return [*workflow.notes, *(str(problem) for problem in workflow.check() if problem.severity == "error")]


@pytest.mark.parametrize("version", ["v0.33.0", "v0.8.0"])
def test_the_check_speaks_where_a_server_refuses_and_is_silent_where_it_takes_all(version: str) -> None:
    info = recorded_object_info("traces", version, "08-rest", "body-0016.json.gz")
    judged = {True: 0, False: 0}
    for where, body, response in posts(version):
        answer = response.get("json")
        if response["status"] not in (200, 400) or not isinstance(answer, dict) or "partial_execution_targets" in body:
            continue
        error = answer.get("error")
        kind = error.get("type") if isinstance(error, dict) else None
        types = error_types(answer)
        refused = response["status"] == 400 or bool(types)
        if (refused and not types and kind in OF_THE_CALL) or (types and types <= OF_THE_NODE):
            continue
        if not refused and any(node["class_type"] not in info for node in body["prompt"].values()):
            continue  # the definitions were recorded before that node was there
        told = complaints(body["prompt"], info)
        assert bool(told) == refused, (where, kind, types, told)
        judged[refused] += 1
    assert judged[True] > 10 and judged[False] > 100


#: Templates that hold values which this server does not take: made for a later one, and refused by this one.
NEWER = {
    "3d_hunyuan3d-v2.1.json",
    "api_grok_imagine_video_1_5_lite_i2v.json",
    "api_meshy7_1_text_to_model.json",
    "api_meshy7_image_to_model.json",
    "image_ming_image_01_design_t2i.json",
    "image_moss_image_base_t2i.json",
    "video_ltx2_3_ia2v.json",
    "video_ltx2_3_t2v.json",
    "video_minimax_h3_multiframe_reference.json",
}
FILES = (".safetensors", ".ckpt", ".pt", ".pth", ".bin", ".gguf", ".sft", ".onnx")


def with_files(info: dict[str, Any], prompt: dict[str, Any]) -> dict[str, Any]:
    """The definitions of a server that has the model files of a prompt."""
    own = dict(info)
    for node in prompt.values():
        class_type = node["class_type"]
        for name, value in node["inputs"].items():
            if not isinstance(value, str) or not value.lower().endswith(FILES):
                continue
            if own[class_type] is info[class_type]:
                own[class_type] = copy.deepcopy(info[class_type])
            for section in own[class_type]["input"].values():
                spec = section.get(name)
                if spec and isinstance(spec[0], list):
                    spec[0].append(value)
                elif spec and spec[0] == "COMBO":
                    spec[1].setdefault("options", []).append(value)
    return own


def test_the_check_is_silent_on_templates_whose_models_are_there() -> None:
    info = recorded_object_info("convert-0.33", "object_info-0.33.0.json.gz")
    rows = [row for row in recorded_rows("convert-0.33", "templates-0.33.jsonl.gz") if row["kind"] == "template"]
    spoken: dict[str, list[str]] = {}
    for row in rows:
        workflow = Workflow.load(row["workflow"], object_info=with_files(info, row["output"]))
        errors = [str(problem) for problem in workflow.check() if problem.severity == "error"]
        if errors:
            spoken[row["name"]] = errors
    assert set(spoken) == NEWER, spoken
    assert len(rows) > 200
