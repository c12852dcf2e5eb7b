"""Statements 23 to 33: what is sent."""

from __future__ import annotations

import json
import math
import re
import uuid
from collections.abc import Callable
from typing import Any

import numpy
import pytest

from comfy_widgets import ComfyClient, Workflow, WorkflowError, WorkflowForm
from comfy_widgets.testing import (
    Gate,
    Reply,
    Request,
    ScriptedServer,
    text_to_image,
)

from .helpers import ONLY_WHEN_TOLD, PROMPT, conformance, until

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
    connect(server.url).run(prompt, timeout=30)
    # The rest runs, and the stray entry is named.
    assert server.posted[0]["prompt"].keys() == text_to_image().keys()
    assert any("'20'" in note or '"20"' in note for note in Workflow.load(prompt).notes)


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
    typed = {"kind": "edit", "page": "a", "n": 1, "values": {"seed": str(BIG_SEED - 2)}, "modes": {}}
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


NAN = math.nan
NESTED: dict[str, Any] = {
    "in a list of lists": [[1.0, [NAN]]],
    "in a tuple": (1, math.inf),
    "in a dict": {"a": {"b": [1, {"c": -math.inf}]}},
    "as a key": {NAN: 1},
    "of numpy": numpy.float32("nan"),
    "of numpy, nested": {"a": [numpy.float64("inf")]},
}


@conformance(32)
@pytest.mark.parametrize("kind", NESTED)
def test_nan_is_refused_however_deep(server: ScriptedServer, connect: Connect, kind: str) -> None:
    client = connect(server.url)
    prompt = changed(cfg=NESTED[kind])
    for send in (client.prompt, client.submit, client.run):
        with pytest.raises(WorkflowError, match=r"cfg is .*cannot be sent"):
            send(prompt)
    assert server.posted == []


@conformance(32)
@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_nan_in_a_text_is_refused(server: ScriptedServer, connect: Connect, number: str) -> None:
    text = json.dumps(changed(cfg="HERE")).replace('"HERE"', number)
    with pytest.raises(WorkflowError, match=r"cfg is .*cannot be sent"):
        connect(server.url).submit(text)
    assert server.posted == []


@conformance(32)
def test_nan_goes_to_no_other_route_either(server: ScriptedServer, connect: Connect) -> None:
    client = connect(server.url)
    for send in (
        lambda: client.save_workflow("x", {"nodes": [], "extra": {"a": [NAN]}}),
        lambda: client.store_setting("x", NAN),
        lambda: client.store_settings({"x": [math.inf]}),
    ):
        with pytest.raises(WorkflowError, match="cannot be sent"):
            send()
    assert [request.target for request in server.traffic.requests if request.method == "POST"] == []


@conformance(32)
def test_what_is_sent_with_a_prompt_is_json(server: ScriptedServer, connect: Connect) -> None:
    # Titles and extra data are nobody's numbers: null takes the place of what JSON does not have.
    prompt = {key: {**node, "_meta": {"a": [NAN]}} for key, node in PROMPT.items()}
    connect(server.url).run(prompt, timeout=30, extra_data={"a": [math.inf], "b": {"c": NAN}})
    (request,) = [r for r in server.traffic.requests if r.method == "POST" and r.target.endswith("/prompt")]

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} was sent")

    json.loads(request.body, parse_constant=refuse)


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
