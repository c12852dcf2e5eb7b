"""A server that answers as a real one was recorded to, and says where it was asked otherwise."""

from __future__ import annotations

import base64
import email.parser
import email.policy
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

RECORDING = Path(__file__).parent / "recordings" / "routes-0.33.0.jsonl"
# What the recording left to the server's default, and the client says.
_SAID_BESIDES = {"recurse", "overwrite"}


@dataclass
class RecordedServer:
    """Exchanges of one scenario, in order; equal requests get their answers in turn, and then the last again.

    Attributes
    ----------
    foreign : list of str
        Requests that the recording does not have.
    """

    url: str
    exchanges: list[dict[str, Any]]
    foreign: list[str] = field(default_factory=list)
    _used: set[int] = field(default_factory=set)

    def answer(self, method: str, path: str, user: str | None, body: Any) -> dict[str, Any]:
        fits = [
            (number, exchange)
            for number, exchange in enumerate(self.exchanges)
            if exchange["method"] == method
            and _same_path(exchange["path"], path)
            and exchange.get("user") == user
            and _same_body(exchange.get("request"), body)
        ]
        if not fits:
            self.foreign.append(f"{method} {path} {body!r}")
            return {"status": 404, "type": "", "body": {}}
        number, exchange = next(((n, e) for n, e in fits if n not in self._used), fits[-1])
        self._used.add(number)
        return exchange


def _same_path(recorded: str, asked: str) -> bool:
    theirs, ours = urlsplit(recorded), urlsplit(asked)
    said, asks = dict(parse_qsl(theirs.query)), dict(parse_qsl(ours.query))
    return (
        theirs.path.removeprefix("/api") == ours.path.removeprefix("/api")
        and said.items() <= asks.items()
        and asks.keys() - said.keys() <= _SAID_BESIDES
    )


def _same_body(recorded: dict[str, Any] | None, body: Any) -> bool:
    if recorded is None:
        return body is None
    if "files" in recorded:
        return bool(body == {"form": recorded["form"], "files": sorted(recorded["files"])})
    if "raw" in recorded:
        return bool(body == json.loads(recorded["raw"] or "null"))
    # An empty object and no body are the same to the server.
    return bool(body == recorded["json"] or (not body and not recorded["json"]))


@contextmanager
def recorded_server(scenario: str, *more: dict[str, Any]) -> Iterator[RecordedServer]:
    """Serve a scenario of the recording, and exchanges written by hand for what it does not show."""
    lines = [json.loads(line) for line in RECORDING.read_text(encoding="utf-8").splitlines()]
    exchanges = [line for line in lines if line["scenario"] == scenario] + list(more)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def serve(self) -> None:
            content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            body = _read(content, self.headers.get("Content-Type", ""))
            exchange = server.answer(self.command, self.path, self.headers.get("comfy-user"), body)
            answer = _content(exchange.get("body") or {})
            self.send_response(exchange["status"])
            self.send_header("Content-Type", exchange.get("type") or "application/octet-stream")
            if exchange["status"] != 204:
                self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(answer)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"):
        setattr(Handler, f"do_{method}", Handler.serve)
    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
    server = RecordedServer(f"http://127.0.0.1:{http.server_port}", exchanges)
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        http.server_close()
        thread.join()


def _read(content: bytes, kind: str) -> Any:
    if kind.startswith("multipart/"):
        head = f"Content-Type: {kind}\r\n\r\n".encode()
        message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + content)
        form: dict[str, str] = {}
        files: list[str] = []
        for part in message.iter_parts():  # type: ignore[attr-defined]  # a multipart message has it
            name = part.get_param("name", header="content-disposition")
            if part.get_filename():
                files.append(name)
            else:
                form[name] = part.get_payload(decode=True).decode()
        return {"form": form, "files": files}
    return json.loads(content) if content else None


def _content(body: dict[str, Any]) -> bytes:
    if "b64" in body:
        return base64.b64decode(body["b64"])
    return json.dumps(body["json"]).encode() if "json" in body else str(body.get("text", "")).encode()


def by_hand(method: str, path: str, status: int, body: Any = None, *, asked: Any = None) -> dict[str, Any]:
    """An exchange that the recording does not have, as ComfyUI's documentation and source show it."""
    request = {"request": {"json": asked}} if asked is not None else {}
    return {"method": method, "path": unquote(path), "status": status, "body": {"json": body}, **request}
