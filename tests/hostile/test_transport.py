"""Replies that drip, flood, lie and bomb: every call ends in time, with a sentence, and in bounded memory."""

from __future__ import annotations

import gzip
import socket
import ssl
import threading
import time
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from comfy_widgets.client import ComfyClient
from comfy_widgets.errors import (
    ComfyError,
    HTTPError,
    NotAComfyServer,
    PayloadTooLarge,
    ServerError,
    ServerTimeout,
    ServerUnreachable,
)
from comfy_widgets.protocol import File
from comfy_widgets.testing import text_to_image

from .server import Exchange, Hostile

Connect = Callable[..., ComfyClient]


def drip_head(exchange: Exchange) -> None:
    exchange.drip(b"HTTP/1.1 200 OK\r\n" + b"X-Slow: yes\r\n" * 100)


def drip_status(exchange: Exchange) -> None:
    exchange.drip(b"HTTP/1.1 200 " + b"O" * 1000)


def continue_for_ever(exchange: Exchange) -> None:
    while not exchange.server.stopped.is_set():
        exchange.raw(b"HTTP/1.1 100 Continue\r\n\r\n")


def drip_chunks(exchange: Exchange) -> None:
    exchange.raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    exchange.drip(b"1\r\n \r\n" * 1000, 0.02)


def drip_trailers(exchange: Exchange) -> None:
    exchange.raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n")
    exchange.drip(b"X: y\r\n" * 1000, 0.02)


def drip_redirects(exchange: Exchange) -> None:
    exchange.drip(b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: /queue\r\n\r\n", 0.02)


@pytest.mark.parametrize(
    "drip",
    [
        lambda exchange: exchange.drip_for_ever(),
        drip_head,
        drip_status,
        drip_chunks,
        drip_trailers,
        drip_redirects,
        continue_for_ever,
        lambda exchange: exchange.hang(),
    ],
    ids=["body", "head", "status", "chunks", "trailers", "redirects", "continue", "silence"],
)
@pytest.mark.parametrize("call", ["queue", "view", "object_info", "interrupt"])
def test_every_exchange_has_a_total_deadline(connect: Connect, drip: Callable[[Exchange], None], call: str) -> None:
    calls: dict[str, Callable[[ComfyClient], object]] = {
        "queue": lambda client: client.queue(),
        "view": lambda client: client.view(File("a.png")),
        "object_info": lambda client: client.object_info(),
        "interrupt": lambda client: client.interrupt(),
    }
    method = "POST" if call == "interrupt" else "GET"
    with Hostile({f"{method} /{call}": drip}) as server:
        # The body that is whole must have the time to come on a busy machine, too.
        client = connect(server.url, timeout=2.0 if drip is drip_trailers else 0.4)
        began = time.monotonic()
        if drip is drip_trailers:
            # The body is whole; what comes after it may take time, but costs nothing of the answer.
            calls[call](client)
        else:
            with pytest.raises(ServerError):
                calls[call](client)
        assert time.monotonic() - began < 30
        assert client.system_stats().system.comfyui_version == "0.33.0"


def test_a_file_may_take_longer_than_the_timeout_as_long_as_it_comes(connect: Connect) -> None:
    def steadily(exchange: Exchange) -> None:
        exchange.head_of_reply(10 << 16)
        for _ in range(10):
            time.sleep(0.1)
            exchange.raw(b"x" * (1 << 16))

    with Hostile({"GET /view": steadily}) as server:
        assert len(connect(server.url, timeout=0.5).view(File("a.mp4"))) == 10 << 16


def test_an_upload_that_is_not_taken_ends_in_time(connect: Connect) -> None:
    with Hostile({"POST /upload/image": lambda exchange: exchange.hang()}) as server:
        began = time.monotonic()
        with pytest.raises(ServerTimeout, match="may have been carried out"):
            connect(server.url, timeout=0.5).upload_image(b"x" * (4 << 20), "a.png")
        # A file may take as long as its size allows, and not for ever.
        assert time.monotonic() - began < 300


@pytest.mark.parametrize("route", ["object_info", "queue", "history/x", "system_stats"])
def test_a_bomb_ends_in_bounded_memory(connect: Connect, route: str) -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = b"".join(packer.compress(b" " * (1 << 24)) for _ in range(16)) + packer.flush()  # 256 MB in 256 kB

    def explode(exchange: Exchange) -> None:
        exchange.reply(bomb, headers="Content-Encoding: gzip\r\n")

    import tracemalloc

    with Hostile({f"GET /{route}": explode}) as server:
        client = connect(server.url, timeout=20.0)
        tracemalloc.start()
        try:
            with pytest.raises(NotAComfyServer, match="MiB"):
                {
                    "object_info": client.object_info,
                    "queue": client.queue,
                    "history/x": lambda: client.history("x"),
                    "system_stats": client.system_stats,
                }[route]()
            assert tracemalloc.get_traced_memory()[1] < 300 << 20
        finally:
            tracemalloc.stop()


@pytest.mark.parametrize("encoding", ["gzip, gzip", "deflate", "br", "zstd", "gzip, gzip, gzip, gzip"])
def test_layers_of_compression_are_not_opened(connect: Connect, encoding: str) -> None:
    content = gzip.compress(gzip.compress(b"{}"))
    header = f"Content-Encoding: {encoding}\r\n"
    with (
        Hostile({"GET /queue": lambda exchange: exchange.reply(content, headers=header)}) as server,
        pytest.raises(NotAComfyServer),
    ):
        connect(server.url).queue()


def test_an_endless_reply_is_cut_by_its_size(connect: Connect) -> None:
    def flood(exchange: Exchange) -> None:
        exchange.raw(b"HTTP/1.1 200 OK\r\n\r\n")
        while not exchange.server.stopped.is_set():
            exchange.raw(b" " * (1 << 20))

    with Hostile({"GET /queue": flood, "GET /view": flood}) as server:
        client = connect(server.url, timeout=20.0, max_body=1 << 24)
        for call in (client.queue, lambda: client.view(File("a.png"))):
            with pytest.raises(NotAComfyServer, match="16 MiB"):
                call()


@pytest.mark.parametrize(
    "lie",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 2000 OK\r\n\r\n",
        b"\xff\xfe\x00garbage",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: http://[::1\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 500 + b"\r\n{}",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000 + b"\r\n\r\n{}",
        b"",
    ],
)
def test_what_is_no_answer_is_an_error_of_ours(connect: Connect, lie: bytes) -> None:
    def tell(exchange: Exchange) -> None:
        exchange.raw(lie)
        exchange.end()

    with Hostile({"GET /queue": tell, "GET /system_stats": tell}) as server:
        client = connect(server.url)
        with pytest.raises(ServerError):
            client.queue()
        with pytest.raises(ServerError):
            client.system_stats()


# Sent again


def test_a_redirect_to_no_address_after_a_lost_connection_is_an_error_of_ours(connect: Connect) -> None:
    def lose(exchange: Exchange) -> None:
        server.handlers["GET /system_stats"] = mislead
        exchange.end()

    def mislead(exchange: Exchange) -> None:
        exchange.raw(b"HTTP/1.1 302 Found\r\nLocation: http://[::1\r\nContent-Length: 0\r\n\r\n")
        exchange.end()

    with Hostile({"GET /system_stats": lose}) as server, pytest.raises(ServerError):
        connect(server.url).system_stats()


def lose(exchange: Exchange) -> None:
    exchange.end()


@pytest.mark.parametrize(
    ("route", "call", "times"),
    [
        ("POST /interrupt", lambda client: client.interrupt(), 1),
        ("POST /interrupt", lambda client: client.interrupt("0b9bcb85-6f9c-4b52-9b75-6f4b2e1a0c55"), 1),
        ("POST /queue", lambda client: client.clear_queue(), 1),
        ("POST /history", lambda client: client.clear_history(), 1),
        ("POST /userdata*", lambda client: client.save_workflow("mine", {"nodes": []}), 1),
        ("POST /upload/image", lambda client: client.upload_image(b"x", "a.png"), 1),
        ("POST /prompt", lambda client: client.prompt({"1": {"class_type": "A", "inputs": {}}}), 1),
        ("POST /queue", lambda client: client.delete_from_queue("x"), 2),
        ("POST /history", lambda client: client.delete_history("x"), 2),
        ("POST /free", lambda client: client.free(), 2),
        ("GET /queue", lambda client: client.queue(), 2),
    ],
)
def test_only_what_may_be_repeated_is_sent_again(
    connect: Connect, route: str, call: Callable[[ComfyClient], object], times: int
) -> None:
    with Hostile({route: lose}) as server:
        with pytest.raises(ServerUnreachable) as caught:
            call(connect(server.url))
        method, path = route.split(" ")
        start = path.removesuffix("*")
        assert sum(e.method == method and e.path.startswith(start) for e in server.seen) == times
        assert caught.value.sent
        assert ("may have been carried out" in str(caught.value)) == (times == 1)


@pytest.mark.parametrize("saved", [True, False])
def test_a_workflow_whose_answer_is_lost_is_looked_for(connect: Connect, saved: bool) -> None:
    workflow = {"nodes": [], "extra": {"scale": 0.5, "title": "ä"}, "1": None}
    with Hostile() as server:
        kept: list[bytes] = []

        def take(exchange: Exchange) -> None:
            kept.append(exchange.body if saved else b'{"nodes": [1]}')
            exchange.end()

        server.handlers["POST /userdata*"] = take
        server.handlers["GET /userdata*"] = lambda exchange: exchange.reply(kept[0])
        client = connect(server.url)
        if saved:
            assert client.save_workflow("mine", workflow) == "workflows/mine.json"
        else:
            with pytest.raises(ServerUnreachable, match="may have been carried out"):
                client.save_workflow("mine", workflow)
        assert len(kept) == 1


# The end


@pytest.mark.parametrize("route", ["GET /queue", "GET /view", "POST /upload/image", "GET /object_info"])
@pytest.mark.parametrize("manner", ["hang", "drip_for_ever"])
def test_close_ends_an_exchange_that_is_under_way(connect: Connect, route: str, manner: str) -> None:
    calls: dict[str, Callable[[ComfyClient], object]] = {
        "GET /queue": lambda client: client.queue(),
        "GET /view": lambda client: client.view(File("a.png")),
        "POST /upload/image": lambda client: client.upload_image(b"x" * (1 << 20), "a.png"),
        "GET /object_info": lambda client: client.object_info(),
    }
    with Hostile({route: lambda exchange: getattr(exchange, manner)()}) as server:
        client = connect(server.url, timeout=60.0)
        errors: list[BaseException] = []

        def call() -> None:
            try:
                calls[route](client)
            except ComfyError as error:
                errors.append(error)

        thread = threading.Thread(target=call, daemon=True)
        thread.start()
        server.wait_for(lambda: server.seen)
        client.close()
        thread.join(20)
        assert not thread.is_alive()
        assert "closed" in str(errors[0])


def test_a_closed_client_makes_no_calls(connect: Connect) -> None:
    with Hostile() as server:
        client = connect(server.url)
        client.queue()
        client.close()
        seen = len(server.seen)
        for call in (client.queue, client.object_info, client.system_stats, lambda: client.view(File("a.png"))):
            with pytest.raises(ComfyError, match="closed"):
                call()
        assert len(server.seen) == seen


# Sentences


def test_the_wrong_scheme_is_named() -> None:
    with Hostile() as server:
        client = ComfyClient(server.url.replace("http:", "https:"), timeout=5.0)
        with pytest.raises(ServerUnreachable, match=rf"does not speak TLS.*{server.url}"):
            client.queue()
        client.close()

    def alert(exchange: Exchange) -> None:
        # What an OpenSSL server answers to plain HTTP.
        exchange.raw(b"\x15\x03\x01\x00\x02\x02\x46")
        exchange.end()

    with Hostile({"GET /queue": alert}) as server:
        client = ComfyClient(server.url, timeout=5.0)
        with pytest.raises(ServerError, match=rf"speaks TLS.*{server.url.replace('http:', 'https:')}"):
            client.queue()
        client.close()


def test_https_is_named_where_a_server_with_tls_only_hangs_up() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(Path(__file__).with_name("localhost.pem"))
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                with connection, suppress(OSError):
                    context.wrap_socket(connection, server_side=True).close()

    threading.Thread(target=serve, daemon=True).start()
    port = listener.getsockname()[1]
    client = ComfyClient(f"http://127.0.0.1:{port}", timeout=20.0)
    for call in (client.queue, client.system_stats, lambda: client.run(text_to_image(), timeout=60)):
        with pytest.raises(NotAComfyServer, match=rf"speaks TLS.*https://127\.0\.0\.1:{port}"):
            call()
    client.close()
    listener.close()


def test_a_server_that_hangs_up_is_not_said_to_want_tls() -> None:
    with Hostile({"GET /*": Exchange.end}) as server:
        client = ComfyClient(server.url, timeout=20.0)
        with pytest.raises(ServerUnreachable, match="broke during GET /queue"):
            client.queue()
        client.close()


def test_the_secrets_that_a_proxy_echoes_are_not_told(connect: Connect) -> None:
    def echo(exchange: Exchange) -> None:
        exchange.reply(f"bad gateway, your request was: {exchange.head}".encode(), "502 Bad Gateway")

    with Hostile({"GET /queue": echo, "POST /prompt": echo}) as server:
        url = server.url.replace("http://", "http://ann:s3cr3t-w0rd@") + "?token=t0ken-in-url"
        client = connect(url, headers={"X-API-Key": "k3y-of-ann", "Cookie": "session=c00kie"})
        with pytest.raises(HTTPError) as caught:
            client.queue()
        for secret in ("s3cr3t-w0rd", "YW5uOnMzY3IzdC13MHJk", "t0ken-in-url", "k3y-of-ann", "c00kie"):
            assert secret not in str(caught.value)


def test_one_rule_for_credentials_in_http_and_the_handshake(connect: Connect) -> None:
    with Hostile() as server:
        url = server.url.replace("http://", "http://ann:word@")
        client = connect(url, headers={"authorization": "Bearer mine"})
        client.queue()
        client.wait_connected(1.0)
        server.wait_for(lambda: server.count("GET", "/ws"))
        assert {
            line for e in server.seen for line in e.head.splitlines() if line.lower().startswith("authorization")
        } == {"authorization: Bearer mine"}


def test_a_long_error_is_cut_and_has_no_escapes(connect: Connect) -> None:
    text = "\x1b[31mboom\x1b[0m\x07 " * 20_000
    with Hostile({"GET /queue": lambda e: e.reply(text.encode(), "500 Internal Server Error")}) as server:
        with pytest.raises(HTTPError) as caught:
            connect(server.url).queue()
        assert len(str(caught.value)) < 600
        assert "\x1b" not in str(caught.value)
        assert "boom" in str(caught.value)


def test_what_is_too_large_is_told_with_the_limit(connect: Connect) -> None:
    def small(exchange: Exchange) -> None:
        exchange.json({"max_upload_size": 1048576.0})

    def refuse(exchange: Exchange) -> None:
        exchange.reply(b"", "413 Too Large")

    with (
        Hostile({"GET /features": small, "POST /upload/image": refuse}) as server,
        pytest.raises(
            PayloadTooLarge,
            match=r"a\.png has 5 MiB \(5242880 bytes\), more than the server takes \(413\)\. .* is 1 MiB",
        ),
    ):
        connect(server.url).upload_image(b"x" * (5 << 20), "a.png")


def test_a_socks_proxy_without_its_library_is_named(monkeypatch: pytest.MonkeyPatch, connect: Connect) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:9")
    with pytest.raises(ServerUnreachable, match=r"SOCKS.*requests\[socks\].*NO_PROXY=example\.invalid"):
        connect("http://example.invalid:8188").queue()


def test_this_machine_is_never_asked_through_a_proxy(monkeypatch: pytest.MonkeyPatch, connect: Connect) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with Hostile() as server:
        for host in ("0.0.0.0", "localhost", "127.0.0.1"):
            assert connect(f"http://{host}:{server.port}").system_stats().system.comfyui_version


@pytest.mark.parametrize("typed", ["user:secret", "user:secret@host", "http//user:secret@host:8188", "secret word:1"])
def test_an_address_that_cannot_be_used_is_not_echoed(typed: str) -> None:
    with pytest.raises(ComfyError) as caught:
        ComfyClient(typed)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "typed", ["127.0.0.1:8188", "localhost:8188", "myhost", "my-host.local:80/comfy", "[::1]:8188"]
)
def test_an_address_without_scheme_names_the_one_that_would_do(typed: str) -> None:
    with pytest.raises(ComfyError, match=f"http://{typed}".replace("[", r"\[").replace("]", r"\]")):
        ComfyClient(typed)
