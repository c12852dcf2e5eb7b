"""What a person types as the address of a server."""

from __future__ import annotations

from typing import Any

import pytest

from comfy_widgets.errors import ComfyError
from comfy_widgets.protocol import Address


@pytest.mark.parametrize(
    ("typed", "base"),
    [
        ("http://127.0.0.1:8188", "http://127.0.0.1:8188"),
        ("  http://127.0.0.1:8188/ \n", "http://127.0.0.1:8188"),
        ("http://127.0.0.1:8188/api", "http://127.0.0.1:8188"),
        ("http://127.0.0.1:8188/api/", "http://127.0.0.1:8188"),
        ("https://host/prefix/api", "https://host/prefix"),
        ("https://host/prefix//", "https://host/prefix"),
        ("https://host/capi", "https://host/capi"),
        ("HTTP://Host", "http://host"),
        ("http://[::1]:8188", "http://[::1]:8188"),
        ("http://host#part", "http://host"),
    ],
)
def test_the_base_of_an_address(typed: str, base: str) -> None:
    assert Address.parse(typed) == Address(base)


def test_what_follows_from_an_address() -> None:
    address = Address.parse("https://host:9/comfy?token=a%20b&x=1")
    assert address.http("/prompt") == "https://host:9/comfy/api/prompt"
    assert address.http("/internal/logs") == "https://host:9/comfy/internal/logs"
    assert address.websocket("me & you") == "wss://host:9/comfy/ws?clientId=me%20%26%20you&token=a%20b&x=1"
    assert address.host == "host:9"
    assert address.query == (("token", "a b"), ("x", "1"))
    assert Address.parse("http://host").websocket("me") == "ws://host/ws?clientId=me"


def test_a_user_and_a_password_are_taken_out_of_the_address() -> None:
    address = Address.parse("http://me:p%40ss@host:8188?token=secret")
    assert address.auth == ("me", "p@ss")
    assert address.base == "http://host:8188"
    assert Address.parse("http://me@host").auth == ("me", "")
    assert Address.parse("http://host").auth is None
    assert "p@ss" not in repr(address)
    assert "secret" not in repr(address)


@pytest.mark.parametrize(
    ("typed", "loopback"),
    [
        ("http://localhost:1", True),
        ("http://127.0.0.1", True),
        ("http://127.1.2.3", True),
        ("http://[::1]:1", True),
        ("http://10.0.0.1", False),
        ("http://host127.0.0.1", False),
        ("http://localhost.example", False),
    ],
)
def test_which_servers_are_on_this_machine(typed: str, loopback: bool) -> None:
    assert Address.parse(typed).loopback is loopback


@pytest.mark.parametrize(
    "typed",
    [
        "http://localhost:8188",
        "HTTP://LocalHost.:8188/api/",
        "http://[::1]:8188",
        "http://[0:0:0:0:0:0:0:1]:8188",
        "http://[::ffff:127.0.0.1]:8188/",
    ],
)
def test_all_spellings_of_an_address_are_one(typed: str) -> None:
    assert Address.parse(typed).identity == Address.parse("http://127.0.0.1:8188").identity
    assert Address.parse(typed).identity != Address.parse("http://127.0.0.2:8188").identity


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (
            "127.0.0.1:8188",
            "The address '127.0.0.1:8188' has no scheme. Write it with http:// or https://, for example "
            "'http://127.0.0.1:8188'.",
        ),
        ("//host", "The address '//host' has no scheme. Write it with http:// or https://, for example 'http://host'."),
        ("", "The address '' has no scheme. Write it with http:// or https://, for example 'http://127.0.0.1:8188'."),
        (
            "ws://me:secret@host?token=secret",
            "The address 'ws://host' starts with ws://. Give the http:// or https:// address of the server; the "
            "websocket address follows from it.",
        ),
        ("http://", "The address 'http://' names no host, as in 'http://127.0.0.1:8188'."),
        (
            "http://me:secret@host:port#secret",
            "The address 'http://...' cannot be read; write it as 'http://127.0.0.1:8188'. Special "
            "characters in a user name or password must be percent-encoded, or given as auth=(user, password).",
        ),
        (
            "http://host:99999",
            "The address 'http://host:99999' cannot be read; write it as 'http://127.0.0.1:8188'. Special "
            "characters in a user name or password must be percent-encoded, or given as auth=(user, password).",
        ),
    ],
)
def test_an_address_that_cannot_be_is_refused_without_its_secrets(typed: str, said: str) -> None:
    with pytest.raises(ComfyError) as caught:
        Address.parse(typed)
    assert str(caught.value) == said


@pytest.mark.parametrize(("given", "said"), [(8188, "8188"), (9000, "9000"), (b"http://host", "8188"), (3.5, "8188")])
def test_what_is_no_text_is_told_how_an_address_is_written(given: Any, said: str) -> None:
    with pytest.raises(ComfyError) as caught:
        Address.parse(given)
    assert str(caught.value).startswith(f"The server is given as {given!r}; give its address, such as")
    assert f"'http://127.0.0.1:{said}'" in str(caught.value)
