"""Statements 49 to 52: the queue, cancelling, and the cache."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from comfy_widgets import ComfyClient
from comfy_widgets.testing import (
    Gate,
    Reply,
    ScriptedServer,
    standard_run,
    text_to_image,
)

from .helpers import ONLY_WHEN_TOLD, PACE, PROMPT, conformance, until

Connect = Callable[..., ComfyClient]


@conformance(49)
def test_the_place_in_the_queue(server: ScriptedServer, connect: Connect) -> None:
    client = connect(server.url)
    gate = Gate()
    server.play(standard_run(gate=gate))
    client.submit(PROMPT)
    gate.wait_reached()
    other = connect(server.url)
    jobs = {name: client.submit(PROMPT) for name in ("second", "third")}
    until(lambda: len(server.state.pending) == 2, "two waiting")
    fronted = client.submit(PROMPT, front=True)
    other.prompt(PROMPT, number=0.5)
    # In the answer of the server they stand in another order, as in a heap.
    until(lambda: fronted.progress.queue_position == 1, "the fronted one is next")
    until(lambda: jobs["second"].progress.queue_position == 3, "the stranger's goes before it")
    until(lambda: jobs["third"].progress.queue_position == 4, "and this one is last")
    assert "4" in jobs["third"].progress.message
    gate.open()
    for job in jobs.values():
        job.result(30)
    assert jobs["third"].progress.queue_position is None


@conformance(50)
def test_cancelling_a_waiting_job_ends_it_at_once(server: ScriptedServer, connect: Connect) -> None:
    client = connect(server.url, pace=replace(ONLY_WHEN_TOLD, gone=600))
    gate = Gate()
    server.play(standard_run(gate=gate))
    running = client.submit(PROMPT)
    gate.wait_reached()
    waiting = client.submit(PROMPT)
    until(lambda: len(server.state.pending) == 1, "the waiting prompt")
    assert waiting.cancel()
    assert waiting.wait(20).status == "cancelled"
    assert not running.done()
    gate.open()
    assert len(running.result(30).images) == 1


@conformance(51)
@pytest.mark.parametrize("jobs_api", [None, "read", "cancel"])
def test_cancel_on_old_and_new_servers(connect: Connect, jobs_api: Any) -> None:
    with ScriptedServer(jobs_api=jobs_api) as server:
        client, stranger = connect(server.url), connect(server.url)
        gate = Gate()
        server.play(standard_run(gate=gate))
        theirs = stranger.submit(PROMPT)
        gate.wait_reached()
        first, second, third = (client.submit(text_to_image(seed=seed)) for seed in range(3))
        until(lambda: len(server.state.pending) == 3, "three waiting")
        assert second.cancel()
        assert second.wait(30).status == "cancelled"
        assert not theirs.done()
        own = Gate()
        server.state.pending[0].script = standard_run(gate=own)
        gate.open()
        assert len(theirs.result(30).images) == 1
        own.wait_reached()
        assert first.cancel()
        assert first.wait(30).status == "cancelled"
        assert len(third.result(30).images) == 1
        for request in server.traffic.select("POST", "/interrupt"):
            assert request.json()["prompt_id"] == first.prompt_id
        assert bool(server.count("POST", "/api/jobs/*/cancel")) is True
        assert bool(server.count("POST", "/interrupt")) is (jobs_api != "cancel")


@conformance(51)
def test_cancel_before_the_post(server: ScriptedServer, connect: Connect) -> None:
    answering = Gate()

    def late(request: Any) -> Reply:
        reply = server.default(request)
        answering.pass_through(lambda: None)
        return reply

    gate = Gate()
    server.play(standard_run(gate=gate))
    server.on("POST", "/prompt", late)
    client = connect(server.url)
    sent = client.submit(PROMPT)
    answering.wait_reached()
    not_sent = client.submit(PROMPT)
    assert sent.cancel()
    assert not_sent.cancel()
    answering.open()
    assert sent.wait(30).status == not_sent.wait(30).status == "cancelled"
    assert len(server.posted) == 1


@conformance(52)
@pytest.mark.parametrize("with_websocket", [True, False])
def test_a_run_that_is_wholly_cached(server: ScriptedServer, connect: Connect, with_websocket: bool) -> None:
    if not with_websocket:
        server.on("GET", "/ws", Reply(502))
    client = connect(server.url, pace=ONLY_WHEN_TOLD if with_websocket else PACE)
    server.play(standard_run(cached=list(PROMPT)))
    job = client.submit(PROMPT)
    result = job.result(30)
    assert len(result.images) == 1
    assert job.progress.fraction == 1.0
    types = [kind for kind, _ in server.state.history[job.prompt_id]["status"]["messages"]]
    assert types == ["execution_start", "execution_cached", "execution_success"]
