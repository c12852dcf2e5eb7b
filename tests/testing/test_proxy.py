"""The proxy changes nothing unless told to, and each fault is what it says."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
import requests
import websocket

from comfy_widgets.testing import FaultProxy, Gate, Manner, ScriptedServer, SeenMessage, standard_run

from .bare import BareClient, messages_until, types

LOST = (requests.ConnectionError, requests.exceptions.ChunkedEncodingError)
ENDED = (websocket.WebSocketConnectionClosedException, ConnectionError)


def drain(ws: websocket.WebSocket) -> int:
    """Count messages to the end of the connection, whatever the end."""
    count = 0
    while True:
        try:
            opcode, _ = ws.recv_data()
        except ENDED:
            return count
        if opcode == websocket.ABNF.OPCODE_CLOSE:
            return count
        count += 1


def test_everything_passes_unchanged(proxy: FaultProxy, client: BareClient, direct: BareClient) -> None:
    ws = client.connect()
    prompt_id = client.submit()
    through = messages_until(ws)
    entry = client.history(prompt_id)
    assert entry == direct.history(prompt_id)
    item = entry["outputs"]["9"]["images"][0]
    assert client.get("/view", params=item).content == direct.get("/view", params=item).content
    recorded = [message for message in proxy.messages if message.sender == "server"]
    # Its feature flags the server may tell after a run that is so short.
    assert [m.data if isinstance(m.data, bytes) else m.json() for m in recorded[: len(through)]] == through
    assert [(r.method, r.status) for r in proxy.requests[:2]] == [("GET", 101), ("POST", 200)]
    assert proxy.requests[1].json()["prompt_id"] == prompt_id
    assert proxy.count("POST", "/prompt") == proxy.count("POST", "/api/prompt") == 1


def test_large_bodies_pass_both_ways(proxy: FaultProxy, client: BareClient) -> None:
    content = bytes(range(256)) * 20_000
    name = client.post("/upload/image", files={"image": ("big.bin", content)}).json()["name"]
    stored = client.get("/view", params={"filename": name, "type": "input"})
    assert stored.content == content
    pieces = (content[at : at + 70_000] for at in range(0, len(content), 70_000))  # sent with chunked coding
    assert client.http.post(f"{proxy.url}/prompt", data=pieces, timeout=20).status_code == 500


def test_delay_is_latency_not_a_limit(server: ScriptedServer, proxy: FaultProxy, client: BareClient) -> None:
    client.get("/queue")
    content = bytes(4 << 20)
    server.files.put("big.bin", content)
    proxy.delay = 0.2
    begun = time.monotonic()
    client.get("/queue")
    assert time.monotonic() - begun >= 0.4
    # Some 64 pieces, each 0.2 s late: were they late one after the other, this would take 13 s.
    begun = time.monotonic()
    assert len(client.get("/view", params={"filename": "big.bin", "type": "input"}).content) == len(content)
    assert time.monotonic() - begun < 12


def test_a_new_connection_costs_a_round_trip_more(proxy: FaultProxy) -> None:
    proxy.delay = 0.1
    begun = time.monotonic()
    requests.get(f"{proxy.url}/queue", timeout=20)
    assert time.monotonic() - begun >= 0.4


@pytest.mark.parametrize("manner", ["close", "eof", "reset"])
@pytest.mark.parametrize("count", [0, 1, 7])
def test_cut_after_so_many_messages(proxy: FaultProxy, client: BareClient, manner: Manner, count: int) -> None:
    cut = proxy.cut_websocket(after_messages=count, manner=manner)
    ws = client.connect(flags=False)
    if count > 1:
        client.submit()
    assert drain(ws) == count
    cut.wait()
    ws.close()
    again = client.connect()  # it strikes once
    client.submit()
    assert types(messages_until(again))[-1] == "executing"


def test_the_manners_differ(proxy: FaultProxy, client: BareClient) -> None:
    proxy.cut_websocket(after_messages=1, manner="close")
    ws = client.connect(flags=False)
    ws.recv()
    opcode, data = ws.recv_data()
    assert (opcode, data[:2]) == (websocket.ABNF.OPCODE_CLOSE, (1001).to_bytes(2, "big"))

    proxy.cut_websocket(after_messages=1, manner="eof")
    ws = client.connect(flags=False)
    ws.recv()
    with pytest.raises(websocket.WebSocketConnectionClosedException):
        ws.recv()

    proxy.cut_websocket(after_messages=1, manner="reset")
    ws = client.connect(flags=False)
    ws.recv()
    with pytest.raises(ConnectionResetError):
        ws.recv()


def test_cut_in_the_middle_of_a_message(proxy: FaultProxy, client: BareClient) -> None:
    proxy.cut_websocket(after_messages=3, manner="eof", midway=True)
    ws = client.connect()
    client.submit()
    for _ in range(3):
        ws.recv()
    assert len(ws.sock.recv(1 << 16)) > 20  # a part of the fourth
    assert ws.sock.recv(1 << 16) == b""


def test_silent_passes_nothing_and_the_server_does_not_notice(
    server: ScriptedServer, proxy: FaultProxy, client: BareClient
) -> None:
    cut = proxy.cut_websocket(after_messages=1, manner="silent")
    ws = client.connect()
    ws.recv()
    cut.wait()
    client.submit()
    ws.ping("anybody?")
    ws.settimeout(0.2)
    with pytest.raises(websocket.WebSocketTimeoutException):
        ws.recv_data(control_frame=True)
    ws.shutdown()
    proxy.wait_for(lambda: proxy.open_websockets() == 0)
    assert server.traffic.open_websockets() == 1
    cut.lift()
    server.wait_for(lambda: server.traffic.open_websockets() == 0)


def test_deaf_answers_pings_only(proxy: FaultProxy, client: BareClient) -> None:
    proxy.cut_websocket(after_messages=1, manner="deaf")
    ws = client.connect()
    ws.recv()
    client.submit()
    ws.ping("anybody?")
    assert ws.recv_data(control_frame=True) == (websocket.ABNF.OPCODE_PONG, b"anybody?")
    ws.settimeout(0.2)
    with pytest.raises(websocket.WebSocketTimeoutException):
        ws.recv()


def test_cut_all_that_are_open(proxy: FaultProxy, client: BareClient) -> None:
    sockets = [client.connect(client_id=name) for name in ("a", "b")]
    proxy.wait_for(lambda: proxy.open_websockets() == 2)
    fault = proxy.cut_websockets_now("eof")
    assert fault.hits == 2
    for ws in sockets:
        assert drain(ws) <= 2
    fresh = client.connect()
    client.submit()
    assert types(messages_until(fresh))[-1] == "executing"


def test_cut_of_one_client_leaves_the_other(proxy: FaultProxy, client: BareClient) -> None:
    proxy.cut_websocket(after_messages=1, client_id="a", times=None)
    other = client.connect()
    for _ in range(3):
        assert drain(client.connect(client_id="a", flags=False)) == 1
    client.submit()
    assert types(messages_until(other))[-1] == "executing"


def test_counts_sockets_open_at_one_time(proxy: FaultProxy, client: BareClient) -> None:
    for _ in range(3):
        client.connect(client_id="one").close()
    first, second = client.connect(client_id="two"), client.connect(client_id="two")
    assert proxy.most_open_websockets("one") == 1
    assert proxy.most_open_websockets("two") == proxy.open_websockets("two") == 2
    first.close()
    second.close()
    proxy.wait_for(lambda: proxy.open_websockets() == 0)


def test_messages_dropped_garbled_and_cut_short(proxy: FaultProxy, client: BareClient) -> None:
    def of(kind: str) -> Callable[[SeenMessage], bool]:
        return lambda seen: isinstance(seen.data, str) and seen.json()["type"] == kind

    proxy.drop_messages(of("execution_start"))
    proxy.truncate_messages(of("execution_cached"))
    garbled = proxy.garble_messages(lambda seen: isinstance(seen.data, bytes), nth=2)
    proxy.garble_messages(of("executed"))
    ws = client.connect(skip_utf8_validation=True)
    client.submit()
    data: list[bytes] = []
    while not data or b'"node": null' not in data[-1]:
        data.append(ws.recv_data()[1])
    sent = [m.data for m in proxy.messages if m.sender == "server"]
    sent_bytes = [d.encode() if isinstance(d, str) else d for d in sent]
    start = next(i for i, d in enumerate(sent_bytes) if b"execution_start" in d)
    assert data[start] == sent_bytes[start + 1][: len(sent_bytes[start + 1]) // 2]
    assert garbled.hits == 1
    binaries = [d for d in data if d[:4] in (b"\0\0\0\4", b"\xff\xff\xff\xfb")]
    assert [d[:1] for d in binaries] == [b"\0", b"\xff", b"\0", b"\0"]
    assert sum(d[:1] == b"\xff" and d not in binaries for d in data) == 1  # the executed message: no UTF-8


def test_alter_messages(proxy: FaultProxy, client: BareClient) -> None:
    def is_status(seen: SeenMessage) -> bool:
        return isinstance(seen.data, str) and seen.json()["type"] == "status"

    proxy.alter_messages(lambda message: '{"type": "other", "data": {}}', is_status)
    assert json.loads(client.connect().recv())["type"] == "other"


def test_a_lost_reply_was_a_done_request(server: ScriptedServer, proxy: FaultProxy, client: BareClient) -> None:
    lost = proxy.lose_reply("POST", "/prompt", nth=2)
    client.submit()
    with pytest.raises(LOST):
        client.submit()
    assert lost.hits == 1
    assert len(server.posted) == 2
    client.submit()
    assert [request.fault for request in proxy.traffic.select("POST", "/prompt")] == ["", "LoseReply", ""]


@pytest.mark.parametrize("reaches", [False, True])
def test_failing_calls(server: ScriptedServer, proxy: FaultProxy, client: BareClient, reaches: bool) -> None:
    proxy.fail("GET", "/history/*", status=502, times=2, reaches_server=reaches)
    assert [client.get("/history/x").status_code for _ in range(3)] == [502, 502, 200]
    assert server.count("GET", "/history/*") == (3 if reaches else 1)


def test_answers_like_a_login_page(proxy: FaultProxy, client: BareClient) -> None:
    proxy.answer("*", "/*", status=200, body="<html>Log in</html>", times=None)
    reply = client.post("/prompt", {"prompt": {}})
    assert (reply.status_code, reply.headers["Content-Type"], reply.text) == (200, "text/html", "<html>Log in</html>")


def test_a_reply_that_breaks_off(server: ScriptedServer, proxy: FaultProxy, client: BareClient) -> None:
    server.files.put("a.bin", bytes(1000), folder="output")
    proxy.cut_reply("GET", "/view", after_bytes=300)
    with client.http.get(f"{proxy.url}/view?filename=a.bin", stream=True, timeout=20) as reply:
        assert reply.headers["Content-Length"] == "1000"
        with pytest.raises(LOST):
            _ = reply.content
    assert len(client.get("/view", params={"filename": "a.bin"}).content) == 1000


def test_a_slow_body(server: ScriptedServer, proxy: FaultProxy, client: BareClient) -> None:
    server.files.put("a.bin", bytes(1000), folder="output")
    proxy.slow_body("GET", "/view", bytes_per_second=2000)
    begun = time.monotonic()
    assert len(client.get("/view", params={"filename": "a.bin"}).content) == 1000
    assert time.monotonic() - begun >= 0.4


def test_a_stalled_call_goes_on_when_lifted(server: ScriptedServer, proxy: FaultProxy, client: BareClient) -> None:
    stall = proxy.stall("GET", "/queue")
    with pytest.raises(requests.ReadTimeout):
        requests.get(f"{proxy.url}/queue", timeout=(5, 0.2))
    assert server.count("GET", "/queue") == 0
    stall = proxy.stall("GET", "/queue")
    replies = []
    call = threading.Thread(target=lambda: replies.append(client.get("/queue").status_code))
    call.start()
    stall.wait()
    assert replies == []
    stall.lift()
    call.join(20)
    assert replies == [200]


def test_a_stalled_call_keeps_its_body(server: ScriptedServer, proxy: FaultProxy, client: BareClient) -> None:
    stall = proxy.stall("POST", "/queue")
    replies = []
    call = threading.Thread(target=lambda: replies.append(client.post("/queue", {"delete": ["x" * 100_000]})))
    call.start()
    stall.wait()
    assert server.count("POST", "/queue") == 0
    stall.lift()
    call.join(20)
    assert len(replies) == 1
    assert server.traffic.select("POST", "/queue")[0].json() == {"delete": ["x" * 100_000]}


def test_refusing_and_taking_connections_again(proxy: FaultProxy, client: BareClient) -> None:
    ws = client.connect()
    client.get("/queue")
    parts = urlsplit(proxy.url)
    with proxy.refusing():
        assert drain(ws) <= 2
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((parts.hostname, parts.port), timeout=5)
    assert client.get("/queue").status_code == 200
    again = client.connect()
    assert json.loads(again.recv())["type"] == "status"


def test_a_server_that_dies_is_seen_through_the_proxy(
    server: ScriptedServer, proxy: FaultProxy, client: BareClient
) -> None:
    gate = Gate()
    server.play(standard_run(gate=gate))
    ws = client.connect()
    client.submit()
    gate.wait_reached()
    server.kill()
    drain(ws)
    with pytest.raises(LOST):
        client.get("/queue")
    server.start()
    assert client.get("/queue").status_code == 200


def test_close_leaves_no_thread(server: ScriptedServer) -> None:
    before = threading.active_count()
    with FaultProxy(server.url) as proxy:
        client = BareClient(proxy.url)
        client.connect()
        client.get("/queue")
    client.close()
    server.wait_for(lambda: threading.active_count() <= before)


def test_a_target_that_is_no_http_url() -> None:
    with pytest.raises(ValueError, match="http://"):
        FaultProxy("127.0.0.1:8188")


def test_used_before_it_runs(server: ScriptedServer) -> None:
    with pytest.raises(RuntimeError, match="with block"):
        FaultProxy(server.url).refuse()
