"""Statements 23 to 38: what is sent, and what comes of a refusal."""

from __future__ import annotations

import copy
import json
import logging
import math
import pickle
import re
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from comfy_widgets import ComfyClient, ComfyError, Workflow, WorkflowError, WorkflowForm
from comfy_widgets.client.errors import HTTPError, PayloadTooLarge, PromptRefused, ServerTimeout
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

from .helpers import ONLY_WHEN_TOLD, PROMPT, TRACES, conformance, needs_traces, until

Connect = Callable[..., ComfyClient]
BIG_SEED = 2**64 - 1


def changed(**inputs: Any) -> dict[str, Any]:
    """The text-to-image prompt with other inputs of its sampler."""
    prompt = text_to_image()
    prompt["3"]["inputs"].update(inputs)
    return prompt


@conformance(23)
def test_every_submit_has_a_fresh_id(server: ScriptedServer, connect: Connect) -> None:
    client = connect(server.url)
    client.run(PROMPT, timeout=30)
    client.run(PROMPT, timeout=30)
    client.prompt(PROMPT)
    ids = [body["prompt_id"] for body in server.posted]
    assert len(set(ids)) == 3
    for prompt_id in ids:
        assert prompt_id == str(uuid.UUID(prompt_id))
        assert uuid.UUID(prompt_id).version == 4


@conformance(23)
@pytest.mark.parametrize("with_websocket", [True, False])
def test_the_id_of_the_reply_counts(server: ScriptedServer, connect: Connect, with_websocket: bool) -> None:
    minted = "old-server-1"

    def mint(request: Request) -> Reply:
        body = request.json()
        return server.accept(minted, 1, body["prompt"], {"client_id": body["client_id"]}, ["9"])

    server.on("POST", "/prompt", mint)
    if not with_websocket:
        server.on("GET", "/ws", Reply(502))
    job = connect(server.url).submit(PROMPT)
    assert len(job.result(30).images) == 1
    assert job.prompt_id == minted


@conformance(24)
def test_the_client_id_is_that_of_the_socket(server: ScriptedServer, connect: Connect) -> None:
    for options in ({}, {"client_id": "my own"}):
        client = connect(server.url, **options)
        client.run(PROMPT, timeout=30)
        sent = server.posted[-1]["client_id"]
        assert sent == client.client_id == server.traffic.websockets[-1].client_id != ""
    client.prompt(PROMPT)
    assert server.posted[-1]["client_id"] == client.client_id


@conformance(25)
def test_messages_before_the_reply(server: ScriptedServer, connect: Connect) -> None:
    answering = Gate()

    def late(request: Request) -> Reply:
        reply = server.default(request)
        answering.pass_through(lambda: None)
        return reply

    server.on("POST", "/prompt", late)
    job = connect(server.url, pace=ONLY_WHEN_TOLD).submit(PROMPT)
    answering.wait_reached()
    until(lambda: job.progress.fraction > 0.9, "the whole run before the reply")
    assert job.preview is not None
    answering.open()
    assert len(job.result(30).images) == 1


@conformance(26)
def test_a_node_without_inputs_gets_some(server: ScriptedServer, connect: Connect) -> None:
    prompt: dict[str, Any] = text_to_image()
    prompt["20"] = {"class_type": "CheckpointLoaderSimple"}
    connect(server.url).run(prompt, timeout=30)
    for node in server.posted[0]["prompt"].values():
        assert isinstance(node["class_type"], str)
        assert isinstance(node["inputs"], dict)


@conformance(26)
@pytest.mark.parametrize("node", [{"inputs": {}}, {"class_type": None, "inputs": {}}, {"class_type": 7}, "text", None])
def test_a_node_without_class_is_not_sent(server: ScriptedServer, connect: Connect, node: Any) -> None:
    prompt: dict[str, Any] = {**text_to_image(), "20": node}
    client = connect(server.url)
    for submit in (lambda: client.run(prompt, timeout=10), lambda: client.prompt(prompt)):
        with pytest.raises(WorkflowError, match="class_type"):
            submit()
    assert server.posted == []


@conformance(27)
@pytest.mark.parametrize("link", [["77", 0], ["8", 5], ["4", -1], [8, 0]])
def test_links_to_nothing_are_found(server: ScriptedServer, connect: Connect, link: list[Any]) -> None:
    prompt = text_to_image()
    prompt["9"]["inputs"]["images"] = link
    client = connect(server.url)
    try:
        workflow = Workflow.load(prompt)
    except WorkflowError as error:
        problems = [str(error)]
    else:
        sent = workflow.to_prompt()["9"]["inputs"]["images"]
        problems = [str(problem) for problem in workflow.check(client.object_info())]
        if link == [8, 0] and not problems:
            assert sent == ["8", 0], "an id that is no string reaches the server"
            return
    assert problems
    assert any("images" in problem for problem in problems)
    assert server.posted == []


@conformance(28)
@pytest.mark.parametrize("around", [["3", "5"], ["5", "5"]])
def test_cycles_are_found(server: ScriptedServer, connect: Connect, around: list[str]) -> None:
    prompt = text_to_image()
    first, second = around
    prompt[second]["inputs"]["width"] = [first, 0]
    workflow = Workflow.load(prompt)
    problems = workflow.check(connect(server.url).object_info())
    assert any("wait for each other" in str(problem) for problem in problems), problems


@conformance(29)
def test_what_the_server_added_is_not_sent_back(server: ScriptedServer, connect: Connect) -> None:
    prompt: dict[str, Any] = text_to_image()
    prompt["9"]["is_changed"] = [math.nan]
    prompt["8"]["_loop_body"] = ["9"]
    prompt["8"]["_loop_end"] = "9"
    client = connect(server.url)
    client.run(prompt, timeout=30)
    client.prompt(prompt)
    client.prompt(json.dumps(prompt))
    for body in server.posted:
        for node in body["prompt"].values():
            assert not {"is_changed", "_loop_body", "_loop_end"} & node.keys()


@conformance(30)
@pytest.mark.parametrize("value", [[1, 2, 3], ["a", "b"], [], [[1, 2]], ["nowhere", 0]])
def test_lists_are_wrapped(server: ScriptedServer, connect: Connect, value: list[Any]) -> None:
    prompt: dict[str, Any] = {**text_to_image(), "20": {"class_type": "PreviewAny", "inputs": {"source": value}}}
    if value == ["nowhere", 0]:
        # To look at, a link that leads nowhere. Wrapped it would be a value; as it is, the check names it.
        assert Workflow.load(prompt).check(connect(server.url).object_info())
        return
    connect(server.url).prompt(prompt)
    assert server.posted[0]["prompt"]["20"]["inputs"]["source"] == {"__value__": value}
    assert server.posted[0]["prompt"]["9"]["inputs"]["images"] == ["8", 0]


@conformance(30)
def test_a_wrapped_list_is_not_wrapped_again(server: ScriptedServer, connect: Connect) -> None:
    wrapped = {"__value__": [1, 2, 3]}
    prompt: dict[str, Any] = {**text_to_image(), "20": {"class_type": "PreviewAny", "inputs": {"source": wrapped}}}
    connect(server.url).prompt(prompt)
    assert server.posted[0]["prompt"]["20"]["inputs"]["source"] == wrapped


@conformance(31)
def test_numbers_and_switches_go_as_they_are(server: ScriptedServer, connect: Connect) -> None:
    prompt = changed(seed=BIG_SEED, flag=True, other=False, steps=4)
    connect(server.url).run(prompt, timeout=30)
    (request,) = server.traffic.select("POST", "/prompt")
    text = request.body.decode()
    assert f'"seed": {BIG_SEED}' in text
    assert re.search(r'"flag": true, "other": false', text)
    assert re.search(r'"steps": 4\b(?!\.)', text)


@conformance(31)
def test_a_seed_goes_through_the_page_and_back(server: ScriptedServer, connect: Connect) -> None:
    client = connect(server.url)
    form = WorkflowForm(changed(seed=BIG_SEED), client=client)
    values = form.get_state()["_values"]["values"]
    # The page reads JSON as JavaScript does: a number this large would be rounded, text is not.
    assert values["seed"] == str(BIG_SEED)
    typed = {"kind": "edit", "page": "a", "n": 1, "values": {"seed": str(BIG_SEED - 2)}, "randomize": []}
    form._handle_msg({"content": {"data": {"method": "custom", "content": typed}}, "buffers": []})
    assert form.params.seed == BIG_SEED - 2
    client.run(form.workflow, timeout=30)
    assert server.posted[0]["prompt"]["3"]["inputs"]["seed"] == BIG_SEED - 2
    assert client.history(server.posted[0]["prompt_id"]).prompt["3"]["inputs"]["seed"] == BIG_SEED - 2
    form.close()


@conformance(32)
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("depth", [0, 1])
def test_nan_is_refused(server: ScriptedServer, connect: Connect, value: float, depth: int) -> None:
    prompt = changed(cfg={"deep": [1.0, value]} if depth else value)
    client = connect(server.url)
    for submit in (lambda: client.run(prompt, timeout=10), lambda: client.prompt(prompt)):
        with pytest.raises(WorkflowError, match="cfg"):
            submit()
    with pytest.raises(WorkflowError, match="cfg"):
        client.run(PROMPT, timeout=10, cfg=value)
    assert server.posted == []


UI = {
    "last_node_id": 1,
    "last_link_id": 0,
    "nodes": [{"id": 1, "type": "PreviewAny", "pos": [0, 0], "size": [1, 1], "flags": {}, "order": 0, "mode": 0}],
    "links": [],
    "version": 0.4,
}


@conformance(33)
@pytest.mark.parametrize("form", [UI, json.dumps(UI), json.dumps(UI).encode()])
def test_the_editor_s_format_is_recognised(server: ScriptedServer, connect: Connect, form: Any) -> None:
    with pytest.raises(WorkflowError, match="editor"):
        connect(server.url).prompt(form)
    assert server.posted == []


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
        proxy.lose_reply("POST", "/prompt", manner=how)  # type: ignore[arg-type]
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
