"""A workflow behind a URL: bounded in time and size, with its secrets kept."""

from __future__ import annotations

import base64
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from comfy_widgets import Workflow, WorkflowError, example
from comfy_widgets.workflow import _source

BODY = json.dumps(example().to_prompt()).encode()


@contextmanager
def served(answer: Callable[[socket.socket, str], Any]) -> Iterator[str]:
    """Serve plain sockets: `answer` takes each connection and what it asked."""
    listener = socket.create_server(("127.0.0.1", 0))
    ended = threading.Event()

    def serve() -> None:
        while not ended.is_set():
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                asked = connection.recv(65536).decode("latin-1")
                try:
                    answer(connection, asked)
                except OSError:
                    continue

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield f"127.0.0.1:{listener.getsockname()[1]}"
    ended.set()
    listener.close()


def whole(connection: socket.socket, asked: str) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(BODY) + BODY)


def drip(data: bytes) -> Callable[[socket.socket, str], None]:
    def answer(connection: socket.socket, asked: str) -> None:
        for byte in data:
            connection.sendall(bytes([byte]))
            time.sleep(0.05)

    return answer


def test_it_is_loaded() -> None:
    with served(whole) as place:
        assert Workflow.load(f"http://{place}/flow.json") == example()


@pytest.mark.parametrize(
    "data", [b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n" + b" " * 9000, b"HTTP/1.1 200 OK\r\nX: " + b"a" * 9000]
)
def test_an_answer_that_drips_ends_in_time(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    monkeypatch.setattr(_source, "_DEADLINE", 1.0)
    started = time.monotonic()
    with served(drip(data)) as place, pytest.raises(WorkflowError, match="did not arrive within 1 seconds"):
        Workflow.load(f"http://{place}/flow.json")
    assert time.monotonic() - started < 20


def test_silence_ends_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_source, "_DEADLINE", 1.0)
    with (
        served(lambda connection, asked: time.sleep(3)) as place,
        pytest.raises(WorkflowError, match="did not arrive within 1 seconds"),
    ):
        Workflow.load(f"http://{place}/flow.json")


def test_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_source, "_MAX_DOWNLOAD", 100)
    with served(whole) as place, pytest.raises(WorkflowError, match="larger than"):
        Workflow.load(f"http://{place}/flow.json")


def test_user_and_password_are_sent_to_that_server_only_and_shown_nowhere() -> None:
    asked: list[str] = []

    def other(connection: socket.socket, text: str) -> None:
        asked.append(text)
        whole(connection, text)

    with served(other) as elsewhere:

        def leads_on(connection: socket.socket, text: str) -> None:
            asked.append(text)
            connection.sendall(f"HTTP/1.1 302 Found\r\nLocation: http://{elsewhere}/x\r\n\r\n".encode())

        with served(leads_on) as place:
            workflow = Workflow.load(f"http://user:secret@{place}/flow.json?token=hidden")
    assert base64.b64encode(b"user:secret").decode() in asked[0]
    assert "token=hidden" in asked[0]
    assert "Authorization" not in asked[1]
    for text in (repr(workflow), workflow.source):
        assert "secret" not in text
        assert "hidden" not in text
        assert place in text


@pytest.mark.parametrize(
    "url",
    [
        "http://user:secret@127.0.0.1:1/x.json?token=hidden",
        "http://user:secret@[::1/x?token=hidden",
        "http://user:secret@127.0.0.1:port/x?token=hidden",
        "https://secret@127.0.0.1:1/x#hidden",
    ],
)
def test_an_error_names_no_secret(url: str) -> None:
    with pytest.raises(WorkflowError) as raised:
        Workflow.load(url)
    assert "secret" not in str(raised.value)
    assert "hidden" not in str(raised.value)
