"""Errors are sentences for people, and say nothing that is secret, whatever the way to the server."""

from __future__ import annotations

import logging
import socket
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest

from comfy_widgets.client import ComfyClient
from comfy_widgets.client._discover import find_server
from comfy_widgets.errors import (
    ComfyError,
    HTTPError,
    NotAComfyServer,
    ServerError,
    ServerUnreachable,
)
from comfy_widgets.protocol import Address
from comfy_widgets.testing import FaultProxy, Reply, ScriptedServer, text_to_image

Connect = Callable[..., ComfyClient]


def closed_port() -> int:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return int(unused.getsockname()[1])


def test_the_address_from_the_environment_is_shown_without_its_secrets(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COMFYUI_URL", server.url.replace("//", "//ann:s3cret@") + "?token=t0ken")
    url, _, _ = find_server()
    assert url == server.url.replace("//", "//ann:s3cret@") + "?token=t0ken"
    shown = capsys.readouterr().out
    assert server.url in shown
    assert "s3cret" not in shown
    assert "t0ken" not in shown


@pytest.mark.parametrize(
    "typed",
    ["ann:s3cret@host:8188", "host:8188/?token=s3cret", "http://ann:s3cret#x@host:1", "ftp://host/?token=s3cret"],
)
def test_an_address_that_cannot_be_read_is_shown_without_its_secrets(typed: str) -> None:
    with pytest.raises(ComfyError) as caught:
        Address.parse(typed)
    assert "s3cret" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("value", ["Bearer s3cret\n", "Bearer s3cret\r\nX-Other: 1"])
def test_a_header_that_cannot_be_sent_is_named_without_its_value(server: ScriptedServer, value: str) -> None:
    with pytest.raises(ComfyError, match="Authorization") as caught:
        ComfyClient(server.url, headers={"Authorization": value})
    assert "s3cret" not in "".join(traceback.format_exception(caught.value))


def test_headers_go_out_in_utf_8(server: ScriptedServer, connect: Connect) -> None:
    client = connect(server.url, headers={"X-User": "Ł ünï"})
    client.run(text_to_image())
    assert {(request.header("X-User") or "").encode("latin-1") for request in server.traffic.requests} == {
        "Ł ünï".encode()
    }


def test_no_error_shows_a_token_of_the_address_nor_pages_of_the_library(
    caplog: pytest.LogCaptureFixture, connect: Connect
) -> None:
    client = connect(f"http://127.0.0.1:{closed_port()}/?token=s3cret")
    with caplog.at_level(logging.DEBUG, logger="comfy_widgets"):
        for call in (client.system_stats, lambda: client.run(text_to_image(), timeout=20)):
            with pytest.raises(ServerUnreachable) as caught:
                call()
            shown = "".join(traceback.format_exception(caught.value))
            assert "s3cret" not in shown
            assert "urllib3" not in shown
    assert "s3cret" not in caplog.text


def test_the_log_holds_no_headers_of_a_refused_handshake(
    server: ScriptedServer, connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    server.on("GET", "/ws", Reply(403, headers={"Set-Cookie": "session=s3cret"}))
    with caplog.at_level(logging.DEBUG, logger="comfy_widgets"):
        assert connect(server.url).run(text_to_image(), timeout=20).status == "completed"
    assert "403" in caplog.text
    assert "s3cret" not in caplog.text


@pytest.mark.parametrize("status", [404, 405, 501])
def test_a_server_that_knows_no_prompts_says_so_at_once(
    server: ScriptedServer, client: ComfyClient, status: int
) -> None:
    page = Reply.text("<!DOCTYPE html><title>Error</title>", status, "text/html")
    server.on("*", "/*", page)
    with pytest.raises(ServerError) as caught:
        client.run(text_to_image(), timeout=60)
    assert "DOCTYPE" not in str(caught.value)
    assert isinstance(caught.value, NotAComfyServer)
    # Not after the time in which a server that is away is waited for.
    assert server.count("GET", "/queue") == 0


def test_a_gateways_page_is_not_copied_into_the_error(server: ScriptedServer, client: ComfyClient) -> None:
    server.on("GET", "/queue", Reply.text("<html><h1>Bad Gateway</h1></html>", 502, "text/html"))
    with pytest.raises(HTTPError, match="502") as caught:
        client.queue()
    assert "<" not in str(caught.value)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_post_that_is_sent_elsewhere_names_the_address_to_use(
    server: ScriptedServer, connect: Connect, status: int
) -> None:
    server.on("POST", "/*", Reply(status, headers={"Location": "https://comfy.example.org/api/prompt?token=s3cret"}))
    with pytest.raises(HTTPError, match=r"https://comfy\.example\.org") as caught:
        connect(server.url).run(text_to_image(), timeout=20)
    assert "s3cret" not in str(caught.value)
    assert caught.value.status == status


def test_a_host_that_is_called_like_an_error_is_no_error(server: ScriptedServer, connect: Connect) -> None:
    # Whether a call may have arrived must not be read from words that the address has too.
    with ScriptedServer(prefix="/refused/unreachable") as prefixed, FaultProxy(prefixed.url) as proxy:
        proxy.lose_reply("POST", "/refused/unreachable/api/prompt", manner="reset")
        proxy.lose_reply("POST", "/prompt", manner="reset")
        client = connect(proxy.url)
        assert client.run(text_to_image(), timeout=20).status == "completed"
        assert len(prefixed.posted) == 1


def test_a_netrc_of_the_user_does_not_replace_the_given_credentials(
    server: ScriptedServer, connect: Connect, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A name that resolves to this machine but is no loopback name, as the rule for proxies goes by names.
    host = socket.gethostname()
    try:
        socket.create_connection((host, int(server.url.rpartition(":")[2])), 2).close()
    except OSError:
        pytest.skip("this machine does not reach its loopback under its own name")
    netrc = tmp_path / "netrc"
    netrc.write_text(f"machine {host} login eve password other\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    client = connect(server.url.replace("127.0.0.1", host), headers={"Authorization": "Bearer t0ken"})
    client.system_stats()
    assert server.traffic.requests[-1].header("Authorization") == "Bearer t0ken"


def test_a_proxy_that_is_not_there_is_named(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://ann:s3cret@127.0.0.1:{closed_port()}")
    monkeypatch.setenv("http_proxy", f"http://ann:s3cret@127.0.0.1:{closed_port()}")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    with pytest.raises(ServerUnreachable, match=r"proxy.*NO_PROXY") as caught:
        connect("http://comfy.invalid:8188").system_stats()
    assert "s3cret" not in "".join(traceback.format_exception(caught.value))


def test_an_authority_that_is_not_there_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(ComfyError, match="verify"):
        ComfyClient("https://comfy.invalid", verify=str(tmp_path / "none.pem"))


@pytest.mark.parametrize("setting", ["ping_interval", "reconnect_interval", "timeout", "lost_after"])
def test_times_must_be_positive(server: ScriptedServer, setting: str) -> None:
    with pytest.raises(ValueError, match=setting):
        ComfyClient(server.url, **{setting: 0})  # type: ignore[arg-type]  # one of the times
