"""Addresses, and servers that are not there, not ComfyUI, or not to be trusted with credentials."""

from __future__ import annotations

import logging
import pickle
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from comfy_widgets.client import ComfyClient
from comfy_widgets.errors import (
    ComfyError,
    FileGone,
    Forbidden,
    NotAComfyServer,
    PayloadTooLarge,
    ServerTimeout,
    ServerUnreachable,
)
from comfy_widgets.protocol import Address, File
from comfy_widgets.testing import FaultProxy, Reply, ScriptedServer, text_to_image

Connect = Callable[..., ComfyClient]


@pytest.mark.parametrize(
    ("typed", "http", "websocket"),
    [
        ("http://a:8188", "http://a:8188/api/prompt", "ws://a:8188/ws?clientId=me"),
        ("http://a:8188/", "http://a:8188/api/prompt", "ws://a:8188/ws?clientId=me"),
        ("http://a:8188/api", "http://a:8188/api/prompt", "ws://a:8188/ws?clientId=me"),
        ("https://a/comfy/api/", "https://a/comfy/api/prompt", "wss://a/comfy/ws?clientId=me"),
        ("http://[::1]:8188", "http://[::1]:8188/api/prompt", "ws://[::1]:8188/ws?clientId=me"),
    ],
)
def test_http_and_websocket_follow_from_what_is_typed(typed: str, http: str, websocket: str) -> None:
    address = Address.parse(typed)
    assert (address.http("/prompt"), address.websocket("me")) == (http, websocket)


@pytest.mark.parametrize("typed", ["127.0.0.1:8188", "localhost", "ws://a:1", "ftp://a", "http://", "http://a:port"])
def test_an_address_that_cannot_be_meant_says_why(typed: str) -> None:
    with pytest.raises(ComfyError, match="address"):
        ComfyClient(typed)


def test_credentials_in_the_address_are_used_and_not_shown(server: ScriptedServer, connect: Connect) -> None:
    client = connect(server.url.replace("http://", "http://ann:s3cret@"), headers={"X-API-Key": "k3y"})
    client.run(text_to_image())
    for request in server.traffic.requests:
        assert request.header("Authorization") == "Basic YW5uOnMzY3JldA=="
        assert request.header("X-API-Key") == "k3y"
        assert request.header("Origin") is None
    shown = repr(client) + client.url + repr(vars(client)) + client.description
    assert "s3cret" not in shown
    assert "k3y" not in shown


def test_nothing_answers(connect: Connect) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    with pytest.raises(ServerUnreachable, match=rf"No server answers at .*:{port} \(connection refused\)"):
        connect(f"http://127.0.0.1:{port}").system_stats()


def test_something_else_answers(server: ScriptedServer, connect: Connect) -> None:
    page = Reply.text("<html><title>Login</title></html>", content_type="text/html")
    server.on("*", "/*", page)
    client = connect(server.url)
    with pytest.raises(NotAComfyServer, match="a web page"):
        client.system_stats()
    with pytest.raises(NotAComfyServer, match="a web page"):
        client.run(text_to_image(), timeout=20)


def test_something_that_is_no_http_at_all(connect: Connect) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer() -> None:
            for _ in range(4):
                try:
                    line, _ = listening.accept()
                except OSError:
                    return
                line.sendall(b"220 mail.example.org ESMTP\r\n")
                line.close()

        threading.Thread(target=answer, daemon=True).start()
        with pytest.raises((NotAComfyServer, ServerUnreachable)) as caught:
            connect(f"http://127.0.0.1:{listening.getsockname()[1]}").system_stats()
        assert "urllib3" not in str(caught.value)


def test_a_403_names_the_origin_guard(server: ScriptedServer, connect: Connect) -> None:
    server.on("GET", "/system_stats", Reply(403))
    with pytest.raises(Forbidden, match="--enable-cors-header"):
        connect(server.url).system_stats()


def test_a_413_names_size_and_limit(server: ScriptedServer, connect: Connect) -> None:
    server.on("POST", "/prompt", Reply.text("too large", 413))
    with pytest.raises(PayloadTooLarge, match="104857600"):
        connect(server.url).run(text_to_image(), timeout=20)


def test_a_server_that_says_nothing_is_a_timeout(server: ScriptedServer, connect: Connect) -> None:
    release = threading.Event()
    server.on("GET", "/queue", lambda _: release.wait(20) and None)
    with pytest.raises(ServerTimeout, match="no answer"):
        connect(server.url, timeout=0.2).queue()
    release.set()


def test_a_dead_kept_alive_connection_is_not_an_error(server: ScriptedServer, connect: Connect) -> None:
    client = connect(server.url)
    client.system_stats()
    server.restart()
    assert client.system_stats().system.comfyui_version


def test_a_file_that_is_gone_says_so(server: ScriptedServer, connect: Connect) -> None:
    client = connect(server.url)
    result = client.run(text_to_image())
    server.files.delete(result.files[0].filename)
    with pytest.raises(FileGone, match="not in the server's output folder any more"):
        client.view(result.files[0])
    assert result.images[0] is not None


def test_a_download_that_breaks_goes_on_where_it_was(server: ScriptedServer, connect: Connect, tmp_path: Path) -> None:
    content = bytes(range(256)) * 4000
    server.files.put("big.bin", content, folder="output")
    with FaultProxy(server.url) as proxy:
        proxy.cut_reply("GET", "/view", after_bytes=300_000)
        path = connect(proxy.url).download(File("big.bin"), tmp_path)
    assert path.read_bytes() == content


@contextmanager
def redirecting_to(target: str) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # the name that http.server calls
            self.send_response(302)
            self.send_header("Location", f"{target}{self.path}")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_address[1]}"
        running.shutdown()


def test_credentials_do_not_follow_a_redirect_to_another_host(server: ScriptedServer, connect: Connect) -> None:
    with redirecting_to(server.url) as url:
        client = connect(url, headers={"X-API-Key": "k3y", "Cookie": "c=1"}, auth=("ann", "s3cret"))
        assert client.system_stats().system.os
    (request,) = server.traffic.select("GET", "/system_stats")
    assert [request.header(name) for name in ("X-API-Key", "Cookie", "Authorization")] == [None, None, None]


def test_the_library_is_silent_and_errors_survive_pickling(
    server: ScriptedServer, connect: Connect, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    prompt = text_to_image()
    prompt["3"]["class_type"] = "Nothing"
    with caplog.at_level(logging.DEBUG, logger="comfy_widgets"), pytest.raises(ComfyError) as caught:
        connect(server.url, api_key="k3y-comfy").run(prompt)
    assert capsys.readouterr() == ("", "")
    assert "k3y-comfy" not in caplog.text + str(caught.value)
    again = pickle.loads(pickle.dumps(caught.value))
    assert str(again) == str(caught.value)
    assert again.problems == caught.value.problems  # type: ignore[attr-defined]  # it is a PromptRefused


def test_a_client_refuses_to_be_pickled_in_words(server: ScriptedServer, connect: Connect) -> None:
    with pytest.raises(ComfyError, match="cannot be pickled"):
        pickle.dumps(connect(server.url))
