"""Statements 15 to 22: what comes over the socket."""

from __future__ import annotations

import struct
import threading
from collections.abc import Callable
from typing import Any

import pytest

from comfy_widgets import ComfyClient, Preview
from comfy_widgets.protocol import Event
from comfy_widgets.testing import (
    FaultProxy,
    Gate,
    Reply,
    ScriptedServer,
    Stage,
    image,
    standard_run,
    text_to_image,
)

from .helpers import ONLY_WHEN_TOLD, PROMPT, conformance, kind_of, nodes_state, plain_preview, preview_of, until

Connect = Callable[..., ComfyClient]
JPEG, PNG = image("preview", kind="JPEG"), image("preview")


JUNK: list[Any] = [
    "",
    "no json",
    "[1, 2]",
    "null",
    '{"type": 5}',
    '{"type": null, "data": {}}',
    '{"data": {"prompt_id": 1}}',
    {"type": "never_heard_of", "data": {"anything": [1, {"deep": None}]}},
    {"type": "progress"},
    {"type": "progress", "data": None},
    {"type": "progress", "data": {"value": "many", "max": None, "node": {"a": 1}}},
    {"type": "progress_state", "data": {"nodes": [1, 2]}},
    {"type": "executed", "data": {"output": "text", "node": 4}},
    {"type": "execution_error", "data": {"traceback": 7, "current_inputs": []}},
    {"type": "status", "data": {"status": None}},
    "[" * 100_000,
    b"",
    b"\0\0\0",
    struct.pack(">I", 1),
    struct.pack(">II", 4, 1 << 31) + b"{}",
    struct.pack(">II", 4, 4) + b"nope" + JPEG,
    struct.pack(">II", 3, 99) + b"short",
    struct.pack(">II", 2, 0) + b"internal",
    struct.pack(">II", 77, 0) + bytes(100),
]


@conformance(15)
def test_junk_disturbs_nothing(server: ScriptedServer, proxy: FaultProxy, connect: Connect) -> None:
    client = connect(proxy.url, pace=ONLY_WHEN_TOLD)
    gate = Gate()
    server.play(standard_run(gate=gate, gate_after="progress"))
    job = client.submit(PROMPT)
    gate.wait_reached()
    for junk in JUNK:
        if isinstance(junk, dict):
            junk.get("data") and isinstance(junk["data"], dict) and junk["data"].setdefault("prompt_id", job.prompt_id)
        server.send(client.client_id, junk)
    proxy.garble_messages(times=5)
    proxy.truncate_messages(times=5)
    gate.open()
    assert len(job.result(30).images) == 1
    assert len(proxy.websockets) == 1


@conformance(16)
def test_messages_of_strangers_are_ignored(server: ScriptedServer, connect: Connect) -> None:
    client = connect(server.url, pace=ONLY_WHEN_TOLD)
    gate = Gate()
    server.play(standard_run(gate=gate, gate_after="progress"))
    job = client.submit(PROMPT)
    heard: list[Event] = []
    job.on("event", heard.append)
    gate.wait_reached()
    until(lambda: job.progress.step == 1 and job.preview is not None, "the first step and its preview")
    before, preview = job.progress, job.preview

    def stranger(kind: str, **data: Any) -> dict[str, Any]:
        return {"type": kind, "data": {"prompt_id": "another", **data}}

    for message in (
        stranger("execution_start"),
        stranger("executing", node="8", display_node="8"),
        stranger("progress", node="3", value=4, max=4),
        stranger("executed", node="9", display_node="9", output={"images": [{"filename": "not_mine.png"}]}),
        stranger("execution_error", node_id="3", exception_message="not mine", exception_type="X"),
        stranger("executing", node=None),
        preview_of("another", "3", PNG, "image/png"),
        plain_preview(PNG, 2),  # with ids agreed on, one without is a stranger's
    ):
        server.send(client.client_id, message)
    seen: list[Event] = []
    client.connect(seen.append)
    server.send(client.client_id, {"type": "the_last", "data": {}})
    until(lambda: any(getattr(event, "name", "") == "the_last" for event in seen), "the last message")
    assert job.progress == before
    assert job.preview == preview
    gate.open()
    assert [file.filename for file in job.result(30).files] == ["test_00001_.png"]
    until(lambda: any(event.type == "execution_success" for event in heard), "the job's own end")
    assert {event.prompt_id for event in heard} == {job.prompt_id}


@conformance(16)
def test_a_prompt_of_nobody_is_heard_by_all_and_belongs_to_none(server: ScriptedServer, connect: Connect) -> None:
    client = connect(server.url)
    first, second = Gate(), Gate()
    server.play(standard_run(steps=2))
    server.play(standard_run(gate=second))
    seen: list[Event] = []
    client.connect(seen.append)
    server.wait_connected(client.client_id)
    server.on("POST", "/prompt", lambda request: first.pass_through(lambda: None), times=1)
    submitting = threading.Thread(target=lambda: jobs.append(client.submit(PROMPT)))
    jobs: list[Any] = []
    # Somebody else's prompt without client_id runs first; ours waits behind it.
    server.accept("nobody", -1, text_to_image(steps=2), {}, ["9"])
    until(lambda: any(isinstance(event, Preview) for event in seen), "a preview that everybody hears")
    submitting.start()
    first.wait_reached()
    first.open()
    submitting.join(20)
    second.wait_reached()
    assert jobs[0].preview is None
    second.open()
    assert len(jobs[0].result(30).images) == 1


@conformance(16)
def test_a_preview_without_id_is_taken_where_only_one_can_be_meant(connect: Connect) -> None:
    with ScriptedServer(features=None) as server:
        client = connect(server.url)
        gate = Gate()
        server.play(standard_run(previews=False, gate=gate, gate_after="progress"))
        job = client.submit(PROMPT)
        gate.wait_reached()
        server.send(client.client_id, plain_preview(JPEG))
        until(lambda: job.preview is not None, "the preview")
        assert job.preview is not None
        assert job.preview.image == JPEG
        gate.open()
        job.result(30)


@conformance(17)
def test_executing_without_prompt_id(server: ScriptedServer, proxy: FaultProxy, connect: Connect) -> None:
    client = connect(proxy.url, pace=ONLY_WHEN_TOLD)
    gate = Gate()

    def play(stage: Stage) -> None:
        stage.start()
        stage.begin("4")
        stage.finish("4")
        stage.begin("3")  # lost: the client is away
        gate.pass_through(stage.check)
        stage.success()

    server.play(play)
    proxy.cut_websocket(after_messages=9)
    job = client.submit(PROMPT)
    gate.wait_reached()
    proxy.wait_for(lambda: len(proxy.websockets) == 2)

    def told() -> list[Any]:
        sent = [m for m in list(proxy.messages) if m.connection == 1 and m.sender == "server"]
        return [m.json() for m in sent if kind_of(m) != "binary"]

    # The node may be known from before, where the connection was cut a message later.
    until(lambda: {"type": "executing", "data": {"node": "3"}} in told(), "the node that the reconnect tells")
    until(lambda: job.progress.node == "3", "the node that the reconnect told")
    gate.open()
    job.wait(30)
    assert job.status == "completed"


@conformance(18)
@pytest.mark.parametrize(("image", "mime"), [(JPEG, "image/jpeg"), (PNG, "image/png")])
@pytest.mark.parametrize("with_ids", [True, False])
def test_previews_of_both_kinds(connect: Connect, image: bytes, mime: str, with_ids: bool) -> None:
    with ScriptedServer(features={"supports_preview_metadata": True} if with_ids else None) as server:
        client = connect(server.url)
        gate = Gate()

        def play(stage: Stage) -> None:
            stage.start()
            stage.begin("3")
            if with_ids:
                stage.preview("3", image, mime)
            else:
                stage.send_binary(1, struct.pack(">I", 2 if mime == "image/png" else 1) + image)
            gate.pass_through(stage.check)
            stage.success()

        server.play(play)
        job = client.submit(PROMPT)
        gate.wait_reached()
        until(lambda: job.preview is not None, "the preview")
        assert job.preview is not None
        assert (job.preview.image, job.preview.mime, job.preview.display_node_id) == (image, mime, "3")
        gate.open()
        job.wait(30)


@conformance(18)
@pytest.mark.parametrize("announced", [False, True])
def test_progress_text(connect: Connect, announced: bool) -> None:
    features = {"supports_preview_metadata": True, "supports_progress_text_metadata": announced}
    with ScriptedServer(features=features) as server:
        client = connect(server.url)
        gate = Gate()

        def play(stage: Stage) -> None:
            stage.start()
            stage.begin("3")
            if announced:
                prompt_id = stage.prompt_id.encode()
                node = struct.pack(">I", 1) + b"3"
                stage.send_binary(3, struct.pack(">I", len(prompt_id)) + prompt_id + node + "Größe ✓".encode())
            else:
                stage.progress_text("3", "Größe ✓")
            gate.pass_through(stage.check)
            stage.success()

        server.play(play)
        heard: list[Any] = []
        client.connect(heard.append)
        job = client.submit(PROMPT)
        gate.wait_reached()
        until(lambda: [event.text for event in heard if event.type == "progress_text"] == ["Größe ✓"], "the text")
        if announced:
            until(lambda: job.progress.text == "Größe ✓", "the text at the job")
        gate.open()
        job.wait(30)


@conformance(19)
def test_a_snapshot_needs_nothing_before_it(server: ScriptedServer, connect: Connect) -> None:
    def run(all_of_it: bool) -> Any:
        client = connect(server.url)
        gate = Gate()

        def play(stage: Stage) -> None:
            steps = [
                {"_4": (1, 1, "finished")},
                {"_4": (1, 1, "finished"), "_6": (1, 1, "finished"), "_7": (1, 1, "finished")},
                {"_4": (1, 1, "finished"), "_6": (1, 1, "finished"), "_7": (1, 1, "finished"), "_3": (3, 4, "running")},
            ]
            if all_of_it:
                stage.start()
                for step in steps[:-1]:
                    stage.send("progress_state", nodes=nodes_state(stage, **step))
            stage.send("progress_state", nodes=nodes_state(stage, **steps[-1]))
            gate.pass_through(stage.check)
            stage.success()

        server.play(play)
        job = client.submit(PROMPT)
        gate.wait_reached()
        until(lambda: job.progress.step == 3, "the snapshot")
        progress = job.progress
        gate.open()
        assert job.wait(30).status == "completed"
        return progress

    whole, last = run(True), run(False)
    assert (last.fraction, last.node, last.step, last.steps) == (whole.fraction, "3", 3, 4)


@conformance(20)
def test_nodes_made_at_run_time(server: ScriptedServer, connect: Connect) -> None:
    client = connect(server.url)
    gate = Gate()

    def play(stage: Stage) -> None:
        stage.start()
        nodes = nodes_state(stage, **{"3.0.0.1": (2, 4, "running")})
        nodes["3.0.0.1"].update(display_node_id="3", parent_node_id="3", real_node_id="3")
        stage.send("progress_state", nodes=nodes)
        stage.send("executing", node="3.0.0.1", display_node="3")
        stage.send("progress", node="3.0.0.1", value=2, max=4)
        gate.pass_through(stage.check)
        stage.success()

    server.play(play)
    job = client.submit(PROMPT)
    gate.wait_reached()
    until(lambda: job.progress.step == 2, "the step")
    assert (job.progress.node, job.progress.title) == ("3", "KSampler")
    gate.open()
    job.wait(30)


@conformance(21)
def test_slow_listeners_stop_nothing(server: ScriptedServer, connect: Connect) -> None:
    client = connect(server.url, pace=ONLY_WHEN_TOLD)
    count, big = 400, bytes(40_000)

    def play(stage: Stage) -> None:
        stage.start()
        stage.begin("3")
        for step in range(1, count + 1):
            stage.progress("3", step, count, big)
        stage.success()

    server.play(play)
    released = threading.Event()
    previews: list[Preview] = []
    events: list[Event] = []

    def slow(preview: Preview) -> None:
        released.wait(30)
        previews.append(preview)

    job = client.submit(PROMPT)
    job.on("preview", slow)
    job.on("event", events.append)
    assert job.wait(30).status == "completed"
    assert job.preview is not None
    last = job.preview.seq
    released.set()
    until(lambda: any(event.type == "execution_success" for event in events), "the end")
    steps = [event.value for event in events if event.type == "progress"]
    assert steps == list(range(int(steps[0]), count + 1))
    assert len(steps) > count / 2, "the listener came too late to show anything"
    assert len(previews) <= 3
    assert previews[-1].seq == last


@conformance(22)
@pytest.mark.parametrize("status", [403, 404, 502])
def test_without_any_websocket(server: ScriptedServer, connect: Connect, status: int) -> None:
    server.on("GET", "/ws", Reply(status))
    client = connect(server.url)
    gate = Gate()
    server.play(standard_run(gate=gate))
    first, second, third = (client.submit(text_to_image(seed=seed)) for seed in range(3))
    gate.wait_reached()
    until(lambda: first.status == "in_progress", "the start of the first")
    until(lambda: third.progress.queue_position == 2, "the place of the third")
    assert third.cancel()
    assert third.wait(30).status == "cancelled"
    assert second.status == "pending"
    gate.open()
    assert len(first.result(30).images) == len(second.result(30).images) == 1
    gate = Gate()
    server.play(standard_run(gate=gate))
    running = client.submit(PROMPT)
    gate.wait_reached()
    assert running.cancel()
    assert running.wait(30).status == "cancelled"
    assert server.traffic.websockets == []


@conformance(22)
def test_failures_without_any_websocket(server: ScriptedServer, connect: Connect) -> None:
    server.on("GET", "/ws", Reply(502))
    server.play(standard_run(fail_at="8"))
    job = connect(server.url).submit(PROMPT)
    assert job.wait(30).status == "failed"
