"""Calls as values: method, route, query and body, and what is refused before it is sent."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from comfy_widgets.errors import WorkflowError
from comfy_widgets.protocol import File, requests
from comfy_widgets.protocol.requests import Request, Upload

ID = "5cc2c4bd-38b0-4b1a-9a2f-1a1f5d9f2b10"


def test_a_prompt_says_only_what_was_asked_for() -> None:
    plain = requests.prompt({"3": {}}, prompt_id=ID, client_id="me")
    assert plain == Request("POST", "/prompt", body={"prompt": {"3": {}}, "prompt_id": ID, "client_id": "me"})
    whole = requests.prompt(
        {"3": {}},
        prompt_id=ID,
        client_id="me",
        front=True,
        number=0,
        partial_execution_targets=("9",),
        extra_data={"extra_pnginfo": {}},
    )
    assert whole.body == {
        **plain.body,
        "front": True,
        "number": 0,
        "partial_execution_targets": ["9"],
        "extra_data": {"extra_pnginfo": {}},
    }
    none = requests.prompt({}, prompt_id=ID, client_id="me", partial_execution_targets=[], extra_data={})
    assert none.body["partial_execution_targets"] == []
    assert "extra_data" not in none.body


def test_a_prompt_is_the_only_call_that_must_not_be_sent_twice() -> None:
    assert not requests.prompt({}, prompt_id=ID, client_id="me").idempotent
    assert requests.get("/prompt").idempotent
    assert not requests.post("/queue", {"clear": True}).idempotent
    assert requests.post("/queue", {"delete": [ID]}, repeatable=True).idempotent


def test_the_body_of_a_call() -> None:
    assert requests.get("/queue").payload is None
    assert requests.post("/interrupt").payload is None
    assert json.loads(requests.post("/queue", {"a": [1, 2.5, None, "ä"]}).payload or b"") == {"a": [1, 2.5, None, "ä"]}
    array = {"a": np.int64(2**60), "b": np.float32(0.5), "c": np.bool_(True), "d": np.array(7)}
    assert json.loads(requests.post("/queue", array).payload or b"") == {"a": 2**60, "b": 0.5, "c": True, "d": 7}
    for bad in ({1, 2}, np.array([1, 2]), np.array(1j), b"bytes"):
        with pytest.raises(TypeError, match=f"{type(bad).__name__} is no JSON"):
            _ = requests.post("/queue", [bad]).payload
    with pytest.raises(WorkflowError, match="cannot be sent"):
        _ = requests.post("/queue", [float("nan")]).payload


def test_a_get_leaves_out_what_is_none() -> None:
    assert requests.get("/history", max_items=3, offset=None, name="") == (
        Request("GET", "/history", {"max_items": "3", "name": ""})
    )


def test_history_of_an_id_that_needs_quoting() -> None:
    assert requests.history(ID) == Request("GET", f"/history/{ID}")
    assert requests.history("a/b c").route == "/history/a%2Fb%20c"


@pytest.mark.parametrize(
    ("file", "filename", "subfolder"),
    [
        (File("a.png", "x"), "a.png", "x"),
        (File("a.png"), "a.png", ""),
        (File("y/z/a.png", "x"), "a.png", "x/y/z"),
        (File("y/a.png"), "a.png", "y"),
    ],
)
def test_a_directory_in_a_filename_is_a_subfolder(file: File, filename: str, subfolder: str) -> None:
    query = {"filename": filename, "subfolder": subfolder, "type": "output"}
    assert requests.view(file) == Request("GET", "/view", query)
    assert requests.view(file, preview="webp;80", channel="rgb").query == {
        **query,
        "preview": "webp;80",
        "channel": "rgb",
    }


def test_an_upload() -> None:
    file = Upload("image", "a.png", b"png", "image/png")
    plain = requests.upload("/upload/image", file)
    assert plain == Request("POST", "/upload/image", form={"type": "input", "subfolder": ""}, upload=file)
    mask = requests.upload(
        "/upload/mask", file, type="temp", subfolder="x", overwrite=True, original_ref=File("b.png", "y", "output")
    )
    assert mask.route == "/upload/mask"
    assert mask.form["overwrite"] == "true"
    assert (mask.form["type"], mask.form["subfolder"]) == ("temp", "x")
    assert json.loads(mask.form["original_ref"]) == {"filename": "b.png", "subfolder": "y", "type": "output"}


def prompt_with(value: object) -> dict[str, Any]:
    meta = {"title": "The sampler"}
    return {"3": {"class_type": "KSampler", "inputs": {"ok": 1, "cfg": value}, "_meta": meta}}


@pytest.mark.parametrize("number", [float("nan"), float("inf"), [1, [float("-inf")]], {"a": {"b": float("nan")}}])
def test_what_is_not_finite_is_refused_with_node_and_input(number: object) -> None:
    with pytest.raises(WorkflowError) as caught:
        requests.prompt(prompt_with(number), prompt_id=ID, client_id="me")
    assert str(caught.value).startswith("The sampler (node 3): cfg is ")
    assert str(caught.value).endswith(", which cannot be sent. Give it a finite number.")
    found = caught.value
    assert (found.node_id, found.node_title, found.class_type, found.input_name) == (
        *("3", "The sampler", "KSampler", "cfg"),
    )


@pytest.mark.parametrize("value", [{1, 2}, np.array([1, 2]), [b"bytes"], (object(),)])
def test_what_json_cannot_carry_is_refused(value: object) -> None:
    inner = value[0] if isinstance(value, (list, tuple)) else value
    with pytest.raises(WorkflowError) as caught:
        requests.refuse_unsendable(prompt_with(value))
    assert str(caught.value) == (
        f"The sampler (node 3): cfg is of type {type(inner).__name__}, which cannot be sent. Give it text, a number, "
        "true or false, or a list."
    )


def test_a_node_without_a_title_is_named_by_its_class() -> None:
    with pytest.raises(WorkflowError, match=r"^KSampler \(node 3\): cfg is nan"):
        requests.refuse_unsendable({"3": {"class_type": "KSampler", "inputs": {"cfg": float("nan")}}})


@pytest.mark.parametrize(
    "value", [None, True, 1, 2**70, 0.5, "text", [1, ["a"]], (1, 2), {"a": [None]}, np.float64(0.5), np.array(1)]
)
def test_what_json_can_carry_is_taken(value: object) -> None:
    requests.refuse_unsendable(prompt_with(value))


def test_a_prompt_may_have_nan_where_nobody_calculates_with_it() -> None:
    node = {"class_type": "A", "inputs": {"x": 1.5}, "_meta": {"title": float("nan")}}
    extra = {"extra_pnginfo": {"workflow": {"extra": [float("inf"), 2]}}}
    payload = requests.prompt({"3": node}, prompt_id="p", client_id="c", extra_data=extra).payload
    assert payload is not None
    body = json.loads(payload)
    assert body["prompt"] == {"3": {"class_type": "A", "inputs": {"x": 1.5}, "_meta": {"title": None}}}
    assert body["extra_data"]["extra_pnginfo"]["workflow"]["extra"] == [None, 2]


def test_a_title_that_is_no_object_does_not_hide_what_is_wrong() -> None:
    with pytest.raises(WorkflowError, match=r"^KSampler \(node 3\): cfg is nan"):
        requests.refuse_unsendable({"3": {"class_type": "KSampler", "inputs": {"cfg": float("nan")}, "_meta": "x"}})


@pytest.mark.parametrize("node", [None, [], {"inputs": None}, {}, {"inputs": [float("nan")]}])
def test_what_is_no_node_is_for_the_server_to_judge(node: object) -> None:
    requests.refuse_unsendable({"3": node})
