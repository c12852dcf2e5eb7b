"""Statements 34 to 38: what comes of a submit that is refused, half accepted or not answered."""

from __future__ import annotations

import copy
import json
import logging
import pickle
import re
from collections.abc import Callable
from typing import Any

import pytest

from comfy_widgets import ComfyClient, ComfyError, WorkflowError, WorkflowForm
from comfy_widgets.errors import HTTPError, PayloadTooLarge, PromptRefused, ServerTimeout
from comfy_widgets.testing import (
    FaultProxy,
    Gate,
    RecordedExchange,
    Reply,
    Request,
    ScriptedServer,
    replay,
    standard_run,
    text_to_image,
)

from .helpers import PROMPT, TRACES, conformance, needs_traces, until

Connect = Callable[..., ComfyClient]
BIG_SEED = 2**64 - 1


def refusals() -> list[tuple[str, RecordedExchange]]:
    found = []
    for folder in sorted(path.parent for path in TRACES.rglob("events.jsonl")):
        for event in replay(folder):
            refused = isinstance(event, RecordedExchange) and event.path == "/prompt" and event.status == 400
            if refused and isinstance(event.request, dict) and event.request.get("prompt"):
                found.append((f"{folder.relative_to(TRACES)}:{event.seq}", event))
    return found


@conformance(34)
@needs_traces
def test_every_recorded_refusal_in_words(server: ScriptedServer, connect: Connect) -> None:
    kinds = set()
    cases = refusals()
    assert len(cases) > 20
    for name, exchange in cases:
        assert exchange.body is not None
        refusal = json.loads(exchange.body)
        server.on("POST", "/prompt", Reply(400, exchange.body, "application/json"))
        prompt = {
            key: node if isinstance(node, dict) and "class_type" in node else {"class_type": "?", "inputs": {}}
            for key, node in exchange.request["prompt"].items()
        }
        server.object_info = {node["class_type"]: {} for node in prompt.values() if node["class_type"] != "NoSuchNode"}
        client = connect(server.url)
        try:
            client.prompt(prompt)
        except PromptRefused as error:
            text = str(error)
        except WorkflowError as error:
            # Found before sending: also in words.
            assert len(str(error)) > 20, name
            continue
        for node_id, node in refusal["node_errors"].items():
            for problem in node["errors"]:
                kinds.add(problem["type"])
                title = prompt[node_id].get("_meta", {}).get("title", node["class_type"])
                assert title in text, (name, text)
                assert node["class_type"] in text, (name, text)
                wrong = problem["extra_info"].get("input_name")
                assert wrong is None or wrong in text, (name, text)
        assert "JSON" not in text
    assert kinds >= {
        "required_input_missing",
        "value_smaller_than_min",
        "value_bigger_than_max",
        "invalid_input_type",
        "value_not_in_list",
        "return_type_mismatch",
        "custom_validation_failed",
    }


@conformance(34)
@pytest.mark.parametrize("spelling", ["invalid_prompt", "missing_node_type"])
def test_all_missing_classes_are_named(server: ScriptedServer, connect: Connect, spelling: str) -> None:
    prompt: dict[str, Any] = text_to_image()
    prompt["20"] = {"class_type": "FancyPack", "inputs": {}, "_meta": {"title": "Fancy one"}}
    prompt["21"] = {"class_type": "OtherPack", "inputs": {}}
    extra = {"node_id": "20", "class_type": "FancyPack", "node_title": "Fancy one"}
    error = {
        "type": spelling,
        "message": "Node 'Fancy one' not found. The custom node may not be installed.",
        "details": "Node ID '#20'",
        "extra_info": extra if spelling == "missing_node_type" else {},
    }
    server.on("POST", "/prompt", Reply.json({"error": error, "node_errors": {}}, 400))
    with pytest.raises(PromptRefused) as caught:
        connect(server.url).prompt(prompt)
    for name in ("Fancy one", "FancyPack", "OtherPack"):
        assert name in str(caught.value)
    assert {problem.class_type for problem in caught.value.problems} == {"FancyPack", "OtherPack"}


NODE_ERRORS = {
    "10": {
        "class_type": "PreviewImage",
        "dependent_outputs": ["10"],
        "errors": [
            {
                "type": "required_input_missing",
                "message": "Required input is missing",
                "details": "images",
                "extra_info": {"input_name": "images"},
            }
        ],
    }
}


@conformance(35)
def test_accepted_with_errors(server: ScriptedServer, connect: Connect) -> None:
    def accept(request: Request) -> Reply:
        body = request.json()
        extra = {"client_id": body["client_id"]}
        return server.accept(body["prompt_id"], 1, body["prompt"], extra, ["9"], node_errors=NODE_ERRORS)

    server.on("POST", "/prompt", accept)
    prompt: dict[str, Any] = text_to_image()
    prompt["10"] = {"class_type": "PreviewImage", "inputs": {}, "_meta": {"title": "Second look"}}
    client = connect(server.url)
    job = client.submit(prompt)
    result = job.result(30)
    assert len(result.images) == 1
    (warning,) = [text for text in job.warnings if "Second look" in text]
    assert "images" in warning
    assert warning in result.warnings
    assert client.prompt(prompt).node_errors == NODE_ERRORS


@conformance(36)
def test_413_says_how_large_and_how_large_it_may_be(server: ScriptedServer, connect: Connect) -> None:
    server.features = {"max_upload_size": 1000}
    server.on("POST", "/prompt", Reply.text("Maximum request body size 1000 exceeded", 413))
    server.on("POST", "/upload/image", Reply.text("Maximum request body size 1000 exceeded", 413))
    client = connect(server.url)
    calls: list[Callable[[], Any]] = [
        lambda: client.prompt(PROMPT),
        lambda: client.run(PROMPT, timeout=10),
        lambda: client.upload_image(bytes(4321), "a.png"),
    ]
    for call in calls:
        with pytest.raises(PayloadTooLarge) as caught:
            call()
        sizes = [int(number) for number in re.findall(r"\d+", str(caught.value).replace("413", ""))]
        assert 1000 in sizes
        assert 4321 in sizes or any(900 <= size < 1000 for size in sizes)


@conformance(37)
@pytest.mark.parametrize("how", ["reset", "close", "silent", "500", "502"])
def test_a_submit_without_an_answer_is_looked_up(proxy: FaultProxy, connect: Connect, how: str) -> None:
    client = connect(proxy.url, timeout=0.5)
    proxy.fail("GET", "/ws", times=None)  # which would tell of the run all the same
    if how.isdigit():
        proxy.fail("POST", "/prompt", status=int(how), reaches_server=True)
    else:
        proxy.lose_reply("POST", "/prompt", manner=how)
    job = client.submit(PROMPT)
    assert len(job.result(30).images) == 1
    assert proxy.count("POST", "/prompt") == 1
    (posted,) = proxy.traffic.select("POST", "/prompt")
    assert any(request.at > posted.at for request in proxy.traffic.select("GET", "/queue"))


@conformance(37)
@pytest.mark.parametrize(("status", "error"), [(503, HTTPError), (None, ServerTimeout)])
def test_a_submit_that_never_arrived_fails_after_the_look(
    proxy: FaultProxy, connect: Connect, status: int | None, error: type[ComfyError]
) -> None:
    client = connect(proxy.url, timeout=0.5)
    fault = proxy.stall("POST", "/prompt") if status is None else proxy.fail("POST", "/prompt", status=status)
    job = client.submit(PROMPT)
    assert isinstance(job.exception(30), error)
    assert fault.hits == proxy.count("POST", "/prompt") == 1
    assert proxy.count("GET", f"/history/{job.prompt_id}") >= 2


KEY = "sk-comfy-0123456789"


@conformance(38)
def test_keys_are_nowhere_but_in_extra_data(
    server: ScriptedServer, connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    client = connect(server.url, api_key=KEY)
    gate = Gate()
    server.play(standard_run(gate=gate))
    job = client.submit(PROMPT)
    gate.wait_reached()
    waiting = client.submit(PROMPT)
    until(lambda: len(server.state.pending) == 1, "the waiting prompt")
    # Old servers show the keys of all prompts in the queue.
    shown = [repr(client.queue()), str(client.queue())]
    gate.open()
    result, other = job.result(30), waiting.result(30)
    (first, _) = server.posted
    assert first["extra_data"]["api_key_comfy_org"] == KEY
    without = copy.deepcopy(first)
    del without["extra_data"]["api_key_comfy_org"]
    assert KEY not in json.dumps(without)
    history = client.history(job.prompt_id)
    server.on("POST", "/prompt", Reply.text(f"500: {KEY}"[:4], 500))
    server.on("GET", "/history/*", Reply.json({}))
    failed = client.submit(PROMPT).exception(30)
    shown += [repr(thing) for thing in (client, job, waiting, result, other, history, failed, job.prompt, vars(result))]
    shown += [str(result.prompt), str(job.prompt), str(failed), caplog.text]
    form = WorkflowForm(PROMPT, client=client)
    shown.append(repr(form.get_state()))
    form.close()
    for text in shown:
        assert KEY not in text
    with pytest.raises(ComfyError):
        pickle.dumps(client)
