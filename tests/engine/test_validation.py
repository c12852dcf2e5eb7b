"""What POST /prompt refuses, and how."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .wire import entry, lab_images, recorded, run, submit, text_to_image

TIMEOUT = 60


def post(url: str, body: Any) -> requests.Response:
    return requests.post(f"{url}/prompt", json=body, timeout=TIMEOUT)


def comparable(answer: Any) -> Any:
    """Leave out what may differ: tracebacks, tooltips and the engine's own lists of choices."""
    if isinstance(answer, dict):
        return {
            key: comparable(value)
            for key, value in answer.items()
            if key not in ("traceback", "tooltip", "input_config", "number", "prompt_id")
        }
    return [comparable(item) for item in answer] if isinstance(answer, list) else answer


def recorded_posts(version: str) -> list[tuple[str, dict[str, Any], dict[str, Any]]]:
    posts, note = [], ""
    for event in recorded("04-validation-errors", version):
        note = event["text"] if event["kind"] == "note" else note
        if event["kind"] == "http" and event["path"] == "/prompt":
            posts.append((note, event["request"], event["response"]))
    return posts


@pytest.mark.parametrize("version", ["0.33.0", "0.8.0"])
def test_recorded_requests_are_answered_as_recorded(request: pytest.FixtureRequest, traces: Path, version: str) -> None:
    url = request.getfixturevalue("engine" if version == "0.33.0" else "older_engine").url
    compared = 0
    for note, asked, theirs in recorded_posts(version):
        if note.startswith(("values not in lists", "custom validation")):
            continue  # The lists are the engine's own, and the words those of a test node.
        if "raw" in asked:
            ours = requests.post(f"{url}/prompt", data=asked["raw"].encode(), timeout=TIMEOUT)
        else:
            prompt = asked["json"].get("prompt")
            for node in (prompt or {}).values():
                inputs = node.get("inputs", {}) if isinstance(node, dict) else {}
                if "ckpt_name" in inputs:
                    inputs["ckpt_name"] = "procedural-scenes-64.safetensors"
            ours = post(url, asked["json"])
        assert ours.status_code == theirs["status"], note
        if "json" in theirs:
            assert comparable(ours.json()) == comparable(theirs["json"]), note
        else:
            assert ours.text == theirs["text"], note
            assert ours.headers["Content-Type"].startswith("text/plain")
        compared += 1
    assert compared > 20


def test_a_value_not_in_the_list_names_the_choices(url: str) -> None:
    graph = text_to_image()
    graph["4"]["inputs"]["ckpt_name"] = "nope.safetensors"
    errors = post(url, {"prompt": graph}).json()["node_errors"]["4"]["errors"]
    assert errors[0]["type"] == "value_not_in_list"
    names = errors[0]["extra_info"]["input_config"][0]
    assert names[0] == "procedural-scenes-64.safetensors"
    assert errors[0]["details"] == f"ckpt_name: 'nope.safetensors' not in {names}"


def test_an_unknown_class_says_which_node(url: str) -> None:
    graph = {**lab_images(), "7": {"class_type": "NoSuchNode", "inputs": {}, "_meta": {"title": "My node"}}}
    answer = post(url, {"prompt": graph})
    assert answer.status_code == 400
    assert answer.json() == {
        "error": {
            "type": "missing_node_type",
            "message": "Node 'My node' not found. The custom node may not be installed.",
            "details": "Node ID '#7'",
            "extra_info": {"node_id": "7", "class_type": "NoSuchNode", "node_title": "My node"},
        },
        "node_errors": {},
    }


def test_a_cycle_is_named(url: str) -> None:
    graph = {
        "1": {"class_type": "ImageInvert", "inputs": {"image": ["2", 0]}},
        "2": {"class_type": "ImageInvert", "inputs": {"image": ["1", 0]}},
        "3": {"class_type": "PreviewImage", "inputs": {"images": ["1", 0]}},
    }
    answer = post(url, {"prompt": graph})
    assert answer.status_code == 400
    errors = answer.json()["node_errors"]["1"]["errors"]
    assert [error["type"] for error in errors] == ["dependency_cycle"]
    assert errors[0]["details"] == "1 (ImageInvert) -> 2 (ImageInvert) -> 1 (ImageInvert)"


def test_a_missing_image_is_refused(url: str, traces: Path) -> None:
    graph = {
        "1": {"class_type": "LoadImage", "inputs": {"image": "gone.png"}},
        "2": {"class_type": "PreviewImage", "inputs": {"images": ["1", 0]}},
    }
    theirs = next(
        event["response"]["json"]
        for event in recorded("07-upload-view")
        if event["kind"] == "http" and event["path"] == "/prompt" and event["response"]["status"] == 400
    )
    assert comparable(post(url, {"prompt": graph}).json()) == comparable(theirs)


def test_bad_outputs_are_left_out_and_named(url: str) -> None:
    graph = lab_images()
    graph["3"] = {"class_type": "LabImages", "inputs": {"count": 0, "width": 16, "height": 16, "seed": 1}}
    graph["4"] = {"class_type": "PreviewImage", "inputs": {"images": ["3", 0]}}
    answer = post(url, {"prompt": graph, "client_id": "x"}).json()
    assert list(answer["node_errors"]) == ["3"]
    assert answer["node_errors"]["3"]["dependent_outputs"] == ["4"]
    ended = entry(url, answer["prompt_id"])
    assert ended["prompt"][4] == ["2"]
    assert list(ended["outputs"]) == ["2"]


def test_a_node_that_no_output_needs_cannot_hurt(url: str) -> None:
    graph = lab_images()
    graph["8"] = {"class_type": "LabImages"}
    graph["9"] = {"class_type": "LabImages", "inputs": {"count": ["77", 0], "width": ["9", 1]}}
    assert run(url, graph)["status"]["completed"]
    assert run(url, lab_images())["status"]["completed"]


def test_values_are_converted_and_kept_so(url: str) -> None:
    graph = lab_images(count="1", width=16.9, seed=str(2**64 - 1))
    inputs = run(url, graph)["prompt"][2]["1"]["inputs"]
    assert inputs == {"count": 1, "width": 16, "height": 16, "seed": 2**64 - 1}


def test_a_wrapped_list_is_unwrapped(url: str) -> None:
    graph = {"1": {"class_type": "LabText", "inputs": {"text": {"__value__": [1, 2, 3]}}}}
    assert run(url, graph)["prompt"][2]["1"]["inputs"]["text"] == "[1, 2, 3]"


def test_secrets_are_shown_to_nobody(url: str) -> None:
    prompt_id = submit(url, lab_images(), "x", extra_data={"api_key_comfy_org": "s3cret", "other": 1})
    text = json.dumps(entry(url, prompt_id)) + requests.get(f"{url}/api/jobs/{prompt_id}", timeout=TIMEOUT).text
    assert "s3cret" not in text
    assert '"other"' in text


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
LINKS = st.tuples(st.sampled_from("1234"), st.integers(-1, 2)).map(list)
NODES = st.fixed_dictionaries(
    {"class_type": st.sampled_from(["LabText", "LabImages", "PreviewImage", "ImageInvert", "ImageScale", "LabBlock"])},
    optional={
        "inputs": st.dictionaries(
            st.sampled_from(["text", "images", "image", "count", "width", "height", "seed", "message", "any_in"]),
            VALUES | LINKS | st.integers(0, 30),
        ),
        "_meta": VALUES,
    },
)


@given(
    st.dictionaries(st.sampled_from("1234"), NODES | VALUES, max_size=4) | VALUES,
    st.fixed_dictionaries({}, optional={"number": VALUES, "front": VALUES, "extra_data": VALUES, "client_id": VALUES}),
)
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_request_stops_the_server_or_its_worker(url: str, prompt: Any, more: dict[str, Any]) -> None:
    answer = requests.post(f"{url}/prompt", data=json.dumps({"prompt": prompt, **more}), timeout=TIMEOUT)
    assert answer.status_code in (200, 400, 500)
    if answer.status_code == 200:
        # Numbers may be NaN or infinite: what is queued must still be run at some time.
        entry(url, answer.json()["prompt_id"])
    assert run(url, lab_images())["status"]["completed"]


def test_too_much_is_413(url: str) -> None:
    body = b'{"prompt": "' + b"x" * 104_857_601 + b'"}'
    assert requests.post(f"{url}/prompt", data=body, timeout=TIMEOUT).status_code == 413


@pytest.mark.parametrize("targets", [["2"], ["4"], ["2", "4"], None])
def test_only_the_targets_run(url: str, targets: list[str] | None) -> None:
    graph = lab_images()
    graph["4"] = {"class_type": "PreviewImage", "inputs": {"images": ["1", 0]}}
    ended = run(url, graph, partial_execution_targets=targets)
    assert sorted(ended["outputs"]) == (targets or ["2", "4"])


@pytest.mark.parametrize("targets", [[], ["1"], ["99"]])
def test_targets_that_are_no_outputs(url: str, targets: list[str]) -> None:
    answer = post(url, {"prompt": lab_images(), "partial_execution_targets": targets})
    assert (answer.status_code, answer.json()["error"]["type"]) == (400, "prompt_no_outputs")


@pytest.mark.parametrize("meta", ["text", None, 7, [], {"title": None}])
def test_a_node_may_say_anything_in_its_meta(url: str, meta: object) -> None:
    prompt = text_to_image(size=16)
    prompt["9"]["_meta"] = meta
    assert entry(url, submit(url, prompt))["status"]["completed"]
