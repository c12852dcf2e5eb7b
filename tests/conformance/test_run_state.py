"""Statements 39 to 48: how a job ends."""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import pytest

from comfy_widgets import ComfyClient
from comfy_widgets.errors import ExecutionFailed, JobCancelled, JobLost
from comfy_widgets.testing import (
    FaultProxy,
    Gate,
    NodeError,
    Reply,
    ScriptedServer,
    Stage,
    dead_worker,
    standard_run,
    text_to_image,
)
from comfy_widgets.testing._stage import Interrupted

from ..hostile.server import Exchange, Hostile
from .helpers import ONLY_WHEN_TOLD, PACE, PROMPT, conformance, until

Connect = Callable[..., ComfyClient]


@conformance(39)
@pytest.mark.parametrize("ending", ["success", "error", "interrupt"])
def test_a_job_ends_once(server: ScriptedServer, connect: Connect, ending: str) -> None:
    # A watch that asks all the time races with a socket that tells everything twice.
    client = connect(server.url, pace=replace(PACE, poll=0.01, silence=0.01))

    def play(stage: Stage) -> None:
        stage.start()
        stage.begin("3")
        for _ in range(2):
            if ending == "success":
                stage.success()
            elif ending == "error":
                stage.error(NodeError("3"))
            else:
                stage.interrupt()
        stage.end()
        for _ in range(3):
            stage.send("executing", node=None)
            stage.send("execution_success")

    server.script = play
    for _ in range(10):
        job = client.submit(PROMPT)
        done: list[str] = []
        statuses: list[str] = []
        job.add_done_callback(lambda job, done=done: done.append(job.status))
        job.on("status", statuses.append)
        job.wait(30)
        expected = {"success": "completed", "error": "failed", "interrupt": "cancelled"}[ending]
        client.submit(PROMPT).wait(30)  # whatever else the first one's messages would do has happened by then
        assert job.status == expected
        until(lambda done=done: done, "the callback")
        assert done == [expected]
        until(lambda statuses=statuses, expected=expected: expected in statuses, "the last status")
        assert Counter(statuses)[expected] == 1
        assert statuses[-1] == expected


@conformance(40)
@pytest.mark.parametrize("ending", ["success", "error", "interrupt"])
def test_the_end_marker_alone(server: ScriptedServer, connect: Connect, ending: str) -> None:
    client = connect(server.url, pace=ONLY_WHEN_TOLD)

    def play(stage: Stage) -> None:
        stage.start()
        stage.begin("3")
        told = {
            "success": ["execution_success", {"prompt_id": stage.prompt_id}],
            "error": ["execution_error", {"prompt_id": stage.prompt_id, "node_id": "3", "exception_type": "X"}],
            "interrupt": ["execution_interrupted", {"prompt_id": stage.prompt_id, "node_id": "3"}],
        }[ending]
        # Only history tells which it was; of the socket nothing but the end marker is heard.
        stage.status["messages"].append(told)
        if ending != "success":
            stage.status.update(status_str="error", completed=False)
        stage.end()

    server.play(play)
    job = client.submit(PROMPT).wait(30)
    assert job.status == {"success": "completed", "error": "failed", "interrupt": "cancelled"}[ending]


@conformance(41)
def test_history_that_comes_late(server: ScriptedServer, connect: Connect) -> None:
    client = connect(server.url)
    gate = Gate()
    server.play(standard_run(gate=gate, gate_after="execution_success"))
    # The queue too does not know it any more: this is as empty as it can get.
    server.on("GET", "/queue", Reply.json({"queue_running": [], "queue_pending": []}))
    job = client.submit(PROMPT)
    gate.wait_reached()
    server.wait_for(lambda: server.count("GET", "/history/*") >= 4)
    assert not job.done()
    gate.open()
    assert len(job.result(30).images) == 1


@conformance(42)
def test_blocked_is_a_warning(server: ScriptedServer, connect: Connect) -> None:
    client = connect(server.url)
    gate = Gate()

    def play(stage: Stage) -> None:
        stage.start()
        stage.begin("3")
        stage.block("3", "the picture is too dark")
        gate.pass_through(stage.check)
        stage.executed("9", stage.make_output("9", 1))
        stage.success()

    server.play(play)
    job = client.submit(PROMPT)
    gate.wait_reached()
    until(lambda: job.warnings, "the warning")
    assert "too dark" in job.warnings[0]
    assert job.status == "in_progress"
    gate.open()
    result = job.result(30)
    assert len(result.images) == 1
    assert result.warnings == job.warnings


@conformance(43)
@pytest.mark.parametrize("by_us", [True, False])
@pytest.mark.parametrize("with_websocket", [True, False])
def test_interrupted_is_cancelled(server: ScriptedServer, connect: Connect, by_us: bool, with_websocket: bool) -> None:
    if not with_websocket:
        server.on("GET", "/ws", Reply(502))
    client = connect(server.url)
    gate = Gate()
    server.play(standard_run(gate=gate, gate_after="progress"))
    job = client.submit(PROMPT)
    gate.wait_reached()
    if by_us:
        assert job.cancel()
    else:
        connect(server.url).interrupt()
    error = job.exception(30)
    assert isinstance(error, JobCancelled)
    assert job.status == "cancelled"
    assert job.cancelled()
    assert ("somebody else" in str(error)) != by_us
    assert not job.cancel()


@conformance(44)
@pytest.mark.parametrize("ending", ["failed", "cancelled"])
@pytest.mark.parametrize("with_websocket", [True, False])
def test_what_came_before_is_delivered(
    server: ScriptedServer, connect: Connect, ending: str, with_websocket: bool
) -> None:
    if not with_websocket:
        server.on("GET", "/ws", Reply(502))

    def play(stage: Stage) -> None:
        stage.start()
        stage.begin("9")
        stage.executed("9", stage.make_output("9", 2))
        stage.finish("9")
        stage.begin("10")
        if ending == "failed":
            raise NodeError("10", "out of paint", "PaintError")
        raise Interrupted

    server.play(play)
    prompt = text_to_image()
    prompt["10"] = {"class_type": "PreviewImage", "inputs": {"images": ["8", 0]}}
    job = connect(server.url).submit(prompt)
    error = job.exception(30)
    assert job.status == ending
    assert isinstance(error, ExecutionFailed if ending == "failed" else JobCancelled)
    assert error.result is not None
    assert len(error.result.images) == 2
    assert job.outputs["9"] == error.result.outputs["9"]
    if isinstance(error, ExecutionFailed):
        assert (error.node_id, error.node_type, error.exception_message) == ("10", "PreviewImage", "out of paint")
        assert "out of paint" in str(error)


@conformance(45)
def test_queue_before_history_and_gone_only_twice(server: ScriptedServer, proxy: FaultProxy, connect: Connect) -> None:
    proxy.fail("GET", "/ws", times=None)
    server.play(standard_run(keep_history=False))
    job = connect(proxy.url).submit(PROMPT)
    error = job.exception(30)
    assert isinstance(error, JobLost)
    assert job.status == "lost"
    assert job.prompt_id in str(error)
    asked = [r for r in proxy.requests if r.method == "GET" and ("/queue" in r.target or "/history" in r.target)]
    for before, after in pairwise(asked):
        if "/history" in after.target:
            assert "/queue" in before.target
    looks = [request.at for request in asked if job.prompt_id in request.target]
    assert len(looks) >= 2
    assert looks[-1] - looks[0] >= PACE.gone


@conformance(45)
def test_gone_once_and_back_is_not_gone(server: ScriptedServer, connect: Connect) -> None:
    server.on("GET", "/ws", Reply(502))
    gate = Gate()
    server.play(standard_run(gate=gate))
    job = connect(server.url).submit(PROMPT)
    gate.wait_reached()
    for _ in range(3):
        looks = server.count("GET", "/history/*")
        server.on("GET", "/queue", Reply.json({"queue_running": [], "queue_pending": []}), times=1)
        server.wait_for(lambda looks=looks: server.count("GET", "/history/*") > looks)
        queues = server.count("GET", "/queue")
        server.wait_for(lambda queues=queues: server.count("GET", "/queue") > queues)
        assert not job.done()
    gate.open()
    assert len(job.result(30).images) == 1


ERRORS = {
    "500": Reply.text("500 Internal Server Error", 500),
    "502 page": Reply.text("<html>Bad gateway</html>", 502, "text/html"),
    "login page": Reply.text("<html>Log in</html>", 200, "text/html"),
    "404": Reply(404),
    "403": Reply(403),
    "nothing": Reply(200),
    "list": Reply.json([]),
}


@conformance(46)
@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("path", ["/queue", "/history/*"])
def test_no_error_counts_as_gone(server: ScriptedServer, connect: Connect, error: str, path: str) -> None:
    server.on("GET", "/ws", Reply(502))
    gate = Gate()
    server.play(standard_run(gate=gate))
    job = connect(server.url).submit(PROMPT)
    gate.wait_reached()
    failing = [True]
    server.on("GET", path, lambda request: ERRORS[error] if failing else None)
    if path == "/history/*":
        empty = Reply.json({"queue_running": [], "queue_pending": []})
        server.on("GET", "/queue", lambda request: empty if failing else None)
    count = server.count("GET", path)
    server.wait_for(lambda: server.count("GET", path) >= count + 6)
    assert not job.done()
    failing.clear()
    gate.open()
    assert len(job.result(30).images) == 1


@conformance(47)
@pytest.mark.parametrize("away", [0.0, 0.7])
def test_a_restart_loses_the_job_once_and_nothing_else(server: ScriptedServer, connect: Connect, away: float) -> None:
    client = connect(server.url)
    gate = Gate()
    server.play(standard_run(gate=gate))
    running, pending = client.submit(PROMPT), client.submit(PROMPT)
    gate.wait_reached()
    until(lambda: pending.progress.queue_position == 1, "both in the queue")
    ended: list[str] = []
    for job in (running, pending):
        job.add_done_callback(lambda job: ended.append(job.prompt_id))
    server.kill()
    time.sleep(away)
    server.start()
    for job in (running, pending):
        error = job.exception(20)
        assert isinstance(error, JobLost)
        assert "restarted" in str(error)
        assert job.status == "lost"
    until(lambda: len(ended) >= 2, "both callbacks")
    assert sorted(ended) == sorted([running.prompt_id, pending.prompt_id])
    assert len(client.run(text_to_image(seed=9), timeout=30).images) == 1
    third = client.submit(text_to_image(seed=10))
    assert len(third.result(30).images) == 1
    until(lambda: client.connected, "the socket")


@conformance(47)
def test_a_server_that_stays_away(server: ScriptedServer, connect: Connect) -> None:
    client = connect(server.url, pace=replace(PACE, lost_after=0.5))
    gate = Gate()
    server.play(standard_run(gate=gate))
    job = client.submit(PROMPT)
    gate.wait_reached()
    server.kill()
    error = job.exception(20)
    assert isinstance(error, JobLost)
    assert "attach" in str(error)
    server.start()
    assert len(client.run(PROMPT, timeout=30).images) == 1


LOG = [
    {"t": "", "m": "got prompt\n"},
    {"t": "", "m": "Exception in thread Thread-3 (prompt_worker):\nTraceback (most recent call last):\n"},
]


@conformance(48)
def test_a_dead_worker_that_the_log_tells_of(server: ScriptedServer, connect: Connect) -> None:
    server.on("GET", "/internal/logs/raw", Reply.json({"entries": LOG, "size": {"cols": 80, "rows": 24}}))
    server.script = dead_worker
    job = connect(server.url).submit(PROMPT)
    error = job.exception(30)
    assert isinstance(error, JobLost)
    assert "worker" in str(error)
    assert "Restart ComfyUI" in str(error)
    assert len(server.posted) == 1


@conformance(48)
def test_a_long_silence_is_no_dead_worker(server: ScriptedServer, connect: Connect) -> None:
    server.on("GET", "/internal/logs/raw", Reply.json({"entries": LOG[:1], "size": {"cols": 80, "rows": 24}}))
    gate = Gate()
    server.play(standard_run(gate=gate))
    job = connect(server.url).submit(PROMPT)
    gate.wait_reached()
    server.wait_for(lambda: server.count("GET", "/internal/logs/raw") >= 2)
    assert not job.done()
    gate.open()
    assert len(job.result(30).images) == 1


@conformance(48)
@pytest.mark.parametrize(
    "death",
    [
        [("2020-01-01T00:00:00", "Exception in thread Thread-3 (prompt_worker):\n")],
        [("", "Exception in thread Thread-3 (prompt_worker):\n"), ("", "Prompt executed in 3.20 seconds\n")],
        [("", "Exception in thread Thread-3 (download):\n"), ("", "prompt_worker\n")],
    ],
    ids=["of long ago", "work since", "another thread"],
)
def test_a_worker_that_lives_is_not_declared_dead(
    server: ScriptedServer, connect: Connect, death: list[tuple[str, str]]
) -> None:
    server.on("GET", "/internal/logs/raw", Reply.json({"entries": [{"t": t, "m": m} for t, m in death]}))
    gate = Gate()
    server.play(standard_run(gate=gate))
    job = connect(server.url).submit(PROMPT)
    gate.wait_reached()
    server.wait_for(lambda: server.count("GET", "/internal/logs/raw") >= 2)
    assert not job.done()
    gate.open()
    assert len(job.result(30).images) == 1


@conformance(48)
def test_a_dead_worker_that_nothing_proves_is_told_and_not_ended(server: ScriptedServer, connect: Connect) -> None:
    # The log says nothing: this looks like a node that takes long, so nobody is told that the job is lost.
    gate = Gate()
    server.play(standard_run(gate=gate))
    job = connect(server.url).submit(PROMPT)
    gate.wait_reached()
    until(lambda: re.search(r"no sign of life for [1-9]\d* s", job.progress.message), "the sentence")
    assert "the server's worker is dead" in job.progress.message
    assert not job.done()
    gate.open()
    assert len(job.result(30).images) == 1
    assert "no sign of life" not in job.progress.message


@conformance(48)
@pytest.mark.parametrize("behind", [False, True], ids=["nothing runs", "behind what runs no more"])
def test_a_dead_worker_is_told_to_every_job_that_waits(connect: Connect, behind: bool) -> None:
    def keep_waiting(exchange: Exchange) -> None:
        prompt_id = json.loads(exchange.body)["prompt_id"]
        server.pending.append([len(server.pending), prompt_id, PROMPT, {}, []])
        exchange.json({"prompt_id": prompt_id, "number": 1, "node_errors": {}})

    with Hostile({"POST /prompt": keep_waiting}) as server:
        if behind:
            server.running.append([0, "5e0fb9d6-66d8-4a5c-8d5f-0b1f3d0f8c11", PROMPT, {}, []])
            server.handlers["GET /internal/logs/raw"] = lambda exchange: exchange.json({"entries": LOG})
        for client in (connect(server.url), connect(server.url)):
            for job in [client.submit(PROMPT), client.submit(PROMPT)]:
                error = job.exception(30)
                assert isinstance(error, JobLost)
                assert "worker thread has died. Restart ComfyUI" in str(error)


@conformance(48)
def test_a_dead_worker_that_only_a_vain_interrupt_shows(server: ScriptedServer, connect: Connect) -> None:
    server.script = dead_worker
    job = connect(server.url).submit(PROMPT)
    until(lambda: job.status == "in_progress", "the start")
    job.cancel()
    error = job.exception(20)
    assert error is not None
    assert "worker" in str(error)
