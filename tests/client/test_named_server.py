"""A client with a name for its server: nobody who reads its messages learns the address."""

from __future__ import annotations

import time

import pytest

from comfy_widgets import ComfyClient
from comfy_widgets.errors import ComfyError
from comfy_widgets.testing import Reply, Request, ScriptedServer

NAME = "the server of the class"
ANSWERS = {
    "login": Reply(401),
    "guard": Reply(403),
    "web page": Reply(404, b"<html>", "text/html"),
    "no JSON": Reply(200, b"<html>", "text/html"),
    "foreign JSON": Reply(200, b"[]", "application/json"),
    "broken": Reply(500, b"oops"),
}


def slow(_: Request) -> Reply:
    time.sleep(0.5)
    return Reply(200, b"{}")


def named(server: ScriptedServer, **options: float) -> ComfyClient:
    return ComfyClient(server.url, name=NAME, journal=False, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("answer", ANSWERS)
def test_no_error_gives_the_address(answer: str) -> None:
    with ScriptedServer() as server, named(server) as client:
        server.on("GET", "/system_stats", ANSWERS[answer])
        with pytest.raises(ComfyError) as caught:
            client.system_stats()
        said = str(caught.value)
        assert server.url.partition("//")[2] not in said
        if answer != "broken":
            assert NAME in said
        # Programs still find it.
        assert client.url == server.url


def test_an_address_to_which_callers_are_sent_on_is_not_told_either() -> None:
    with ScriptedServer() as server, named(server) as client:
        server.on("POST", "/interrupt", Reply(302, b"", "", {"Location": "http://10.0.0.7:8188/api/interrupt"}))
        with pytest.raises(ComfyError, match=f"{NAME} sends callers on") as caught:
            client.interrupt()
        assert "10.0.0.7" not in str(caught.value)


def test_a_server_that_is_gone_or_silent_is_told_by_its_name() -> None:
    with ScriptedServer() as server, named(server, timeout=0.1) as client:
        server.on("GET", "/system_stats", slow)
        with pytest.raises(ComfyError, match=NAME) as silent:
            client.system_stats()
    with named(server) as client, pytest.raises(ComfyError, match=NAME) as gone:
        client.system_stats()
    for caught in (silent, gone):
        assert server.url.partition("//")[2] not in str(caught.value)


def test_what_the_client_shows_of_itself_has_the_name() -> None:
    with ScriptedServer() as server, named(server) as client:
        assert client.name == NAME
        assert NAME in client.description
        for shown in (client.description, repr(client)):
            assert server.url.partition("//")[2] not in shown


def test_without_a_name_the_address_is_told() -> None:
    with ScriptedServer() as server, ComfyClient(server.url, journal=False) as client:
        server.on("GET", "/system_stats", Reply(401))
        with pytest.raises(ComfyError, match=server.url):
            client.system_stats()
        assert client.name == server.url


@pytest.mark.parametrize("name", [3, b"gpu", ["gpu"], None])
def test_a_name_that_is_no_text_is_refused(name: object) -> None:
    with pytest.raises(TypeError, match=r"name is .* must be a text"):
        ComfyClient("http://127.0.0.1:1", name=name, journal=False)  # type: ignore[arg-type]
