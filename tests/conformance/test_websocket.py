"""Statements 9 to 14: the socket itself."""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable
from itertools import pairwise

from comfy_widgets import ComfyClient, Preview
from comfy_widgets.protocol import Event
from comfy_widgets.testing import (
    FaultProxy,
    Gate,
    Request,
    ScriptedServer,
    image,
    standard_run,
    text_to_image,
)

from ..hostile.server import Exchange, Hostile, welcome
from .helpers import ONLY_WHEN_TOLD, PROMPT, conformance, plain_preview, until

Connect = Callable[..., ComfyClient]
_SLOW_MACHINE = 0.3
"""Seconds that a busy machine may add to a pause."""
JPEG, PNG = image("preview", kind="JPEG"), image("preview")


@conformance(9)
def test_flags_come_first_on_every_socket(proxy: FaultProxy, client: ComfyClient) -> None:
    client.connect(lambda event: None)
    for count in range(1, 5):
        proxy.wait_for(lambda count=count: len(proxy.websockets) == count and proxy.open_websockets())
        client.run(text_to_image(seed=count), timeout=30)
        proxy.cut_websockets_now("reset")
    for number in range(4):
        sent = [m for m in proxy.messages if m.connection == number and m.sender == "client"]
        assert sent[0].json() == {"type": "feature_flags", "data": {"supports_preview_metadata": True}}


@conformance(10)
def test_a_frame_of_64_mib(server: ScriptedServer, connect: Connect) -> None:
    client = connect(server.url)
    got: list[Event] = []
    client.connect(got.append)
    server.wait_connected(client.client_id)
    image = bytes(64 << 20)
    server.send(client.client_id, plain_preview(image))
    until(lambda: any(isinstance(event, Preview) for event in got), "the preview")
    (preview,) = [event for event in got if isinstance(event, Preview)]
    assert len(preview.image) == len(image)
    assert len(server.traffic.websockets) == 1


@conformance(11)
def test_it_pings_by_itself(proxy: FaultProxy, connect: Connect) -> None:
    assert inspect.signature(ComfyClient).parameters["ping_interval"].default <= 30
    client = connect(proxy.url, ping_interval=0.1)
    client.connect(lambda event: None)
    proxy.wait_for(lambda: proxy.websockets and proxy.websockets[0].pings >= 3)
    assert len(proxy.websockets) == 1


@conformance(11)
def test_no_pong_no_socket(proxy: FaultProxy, connect: Connect) -> None:
    client = connect(proxy.url, ping_interval=0.1)
    client.connect(lambda event: None)
    proxy.wait_for(lambda: proxy.open_websockets() == 1)
    proxy.cut_websockets_now("silent")
    proxy.wait_for(lambda: len(proxy.websockets) == 2 and proxy.open_websockets() == 1)


@conformance(12)
def test_reconnecting_backs_off_with_jitter(proxy: FaultProxy, connect: Connect) -> None:
    refusal = proxy.fail("GET", "/ws", times=9)
    client = connect(proxy.url, reconnect_interval=0.05)
    client.connect(lambda event: None)
    proxy.wait_for(lambda: proxy.open_websockets() == 1)
    assert refusal.hits == 9
    tries = proxy.traffic.select("GET", "/ws")
    assert {Request(request.method, request.target).query["clientId"] for request in tries} == {client.client_id}
    pauses = [later.at - earlier.at for earlier, later in pairwise(tries)]
    assert 4 * pauses[4] < pauses[7] < 0.4 * 1.2 + _SLOW_MACHINE, "it does not double"


@conformance(12)
def test_many_clients_do_not_come_back_at_once(proxy: FaultProxy, connect: Connect) -> None:
    refusal = proxy.fail("GET", "/ws", times=None)
    for _ in range(8):
        connect(proxy.url, reconnect_interval=0.3).connect(lambda event: None)
    proxy.wait_for(lambda: refusal.hits >= 32)
    tries: dict[str, list[float]] = {}
    for request in proxy.traffic.select("GET", "/ws"):
        tries.setdefault(Request(request.method, request.target).query["clientId"], []).append(request.at)
    pauses = [later - earlier for times in tries.values() for earlier, later in pairwise(times)]
    # A busy machine makes pauses longer; only chance makes them shorter than was asked for.
    assert sum(pause < 0.3 for pause in pauses) > 2, "quite regular"
    assert min(pauses) > 0.3 * 0.75


@conformance(12)
def test_a_server_that_hangs_up_at_once_is_not_hammered(connect: Connect) -> None:
    def hang_up(exchange: Exchange) -> None:
        welcome(exchange)
        exchange.end()

    with Hostile({"GET /ws": hang_up}) as server:
        began = time.monotonic()
        client = connect(server.url, reconnect_interval=0.05)
        client.connect(lambda event: None)
        server.wait_for(lambda: server.count("GET", "/ws") >= 9)
        # 5 pauses of 0.05 s, then 0.1, 0.2, 0.4; all of them up to a fifth shorter.
        assert time.monotonic() - began > 0.8 * (5 * 0.05 + 0.1 + 0.2 + 0.4) - 0.05


@conformance(12)
def test_never_two_sockets_with_one_id(proxy: FaultProxy, connect: Connect) -> None:
    client = connect(proxy.url, ping_interval=0.1)
    client.connect(lambda event: None)
    for count, manner in enumerate(("reset", "close", "eof", "silent"), 1):
        proxy.wait_for(lambda count=count: len(proxy.websockets) == count and proxy.open_websockets() == 1)
        proxy.cut_websockets_now(manner)
    proxy.wait_for(lambda: len(proxy.websockets) == 5 and proxy.open_websockets() == 1)
    assert proxy.most_open_websockets(client.client_id) == 1
    assert {websocket.client_id for websocket in proxy.websockets} == {client.client_id}


@conformance(12)
def test_a_deaf_socket_is_closed_before_the_next_one(
    server: ScriptedServer, proxy: FaultProxy, client: ComfyClient
) -> None:
    client.run(PROMPT, timeout=30)
    server.deafen(client.client_id)
    client.run(text_to_image(seed=5), timeout=30)
    client.run(text_to_image(seed=6), timeout=30)
    proxy.wait_for(lambda: len(proxy.websockets) >= 2 and proxy.open_websockets() == 1)
    assert proxy.most_open_websockets(client.client_id) == 1
    assert {websocket.client_id for websocket in proxy.websockets} == {client.client_id}


@conformance(13)
def test_a_deaf_socket_is_replaced(server: ScriptedServer, connect: Connect) -> None:
    client = connect(server.url)
    gate = Gate()
    server.play(standard_run(gate=gate))
    job = client.submit(PROMPT)
    gate.wait_reached()
    until(lambda: job.status == "in_progress", "the start")
    server.deafen(client.client_id)
    gate.open()
    assert len(job.result(30).images) == 1
    # It may have been deaf for too short a time to be sure; with the next job it is.
    assert len(client.run(text_to_image(seed=5), timeout=30).images) == 1
    server.wait_for(lambda: len(server.traffic.websockets) == 2 and server.traffic.open_websockets() == 1)
    third = client.submit(text_to_image(seed=6))
    assert len(third.result(30).images) == 1
    assert third.preview is not None, "nothing came over the new socket"


@conformance(13)
def test_the_flaw_of_the_server_itself(server: ScriptedServer, proxy: FaultProxy, client: ComfyClient) -> None:
    # The server learns late that the old socket is dead, and forgets the new one with it.
    client.run(PROMPT, timeout=30)
    old = proxy.cut_websockets_now("reset", server_notices=False)
    proxy.wait_for(lambda: len(proxy.websockets) == 2 and proxy.open_websockets() == 1)
    server.wait_for(lambda: server.traffic.open_websockets() == 2)
    old.lift()
    server.wait_for(lambda: server.traffic.open_websockets() == 1)
    # The greeting of the new socket may still be on its way while the first of these runs.
    for seed in (1, 2):
        assert len(client.run(text_to_image(seed=seed), timeout=30).images) == 1
    proxy.wait_for(lambda: len(proxy.websockets) == 3)
    assert proxy.most_open_websockets(client.client_id) == 1


@conformance(14)
def test_a_reconnect_looks_everything_up(server: ScriptedServer, proxy: FaultProxy, connect: Connect) -> None:
    client = connect(proxy.url, pace=ONLY_WHEN_TOLD)
    gate = Gate()
    server.play(standard_run(gate=gate))
    jobs = [client.submit(text_to_image(seed=seed)) for seed in range(3)]
    gate.wait_reached()
    proxy.wait_for(lambda: [request.status for request in proxy.traffic.select("POST", "/prompt")] == [200] * 3)
    away = proxy.fail("GET", "/ws", times=None)
    failing = [proxy.fail("GET", path, times=None) for path in ("/queue", "/history/*")]
    proxy.cut_websockets_now("reset")
    # The loss itself makes the client ask, in vain: the queue, and then the history alone.
    until(lambda: failing[1].hits >= len(jobs), "the questions")
    for fault in failing:
        fault.lift()
    gate.open()
    until(lambda: server.state.remaining == 0, "the end of all runs")
    assert not any(job.done() for job in jobs)
    away.lift()
    for job in jobs:
        assert len(job.result(30).images) == 1
    back = proxy.traffic.select("GET", "/ws")[-1]
    asked = [r for r in proxy.requests if r.at > back.at and r.matches("GET", "/history/*")]
    assert {request.target.rpartition("/")[2] for request in asked} == {job.prompt_id for job in jobs}
