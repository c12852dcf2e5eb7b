"""A ComfyUI client that is nothing but sockets, so that these tests lean on no code of the package."""

from __future__ import annotations

import json
import uuid
from typing import Any

import requests
import websocket

from comfy_widgets.testing import text_to_image


class BareClient:
    """Talks to a server with requests and websocket-client and nothing else."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.client_id = str(uuid.uuid4())
        self.http = requests.Session()
        self._sockets: list[websocket.WebSocket] = []

    def connect(self, *, flags: bool = True, client_id: str | None = None, **options: Any) -> websocket.WebSocket:
        address = f"{self.url.replace('http', 'ws', 1)}/ws?clientId={client_id or self.client_id}"
        ws = websocket.create_connection(address, timeout=20, **options)
        self._sockets.append(ws)
        if flags:
            ws.send(json.dumps({"type": "feature_flags", "data": {"supports_preview_metadata": True}}))
        return ws

    def get(self, path: str, **options: Any) -> requests.Response:
        return self.http.get(f"{self.url}/api{path}", timeout=20, **options)

    def post(self, path: str, body: Any = None, **options: Any) -> requests.Response:
        return self.http.post(f"{self.url}/api{path}", json=body, timeout=20, **options)

    def submit(self, prompt: dict[str, Any] | None = None, **fields: Any) -> str:
        prompt_id = str(uuid.uuid4())
        body = {"prompt": prompt or text_to_image(), "client_id": self.client_id, "prompt_id": prompt_id, **fields}
        reply = self.post("/prompt", body)
        assert reply.status_code == 200, reply.text
        return prompt_id

    def history(self, prompt_id: str) -> dict[str, Any]:
        return self.get(f"/history/{prompt_id}").json().get(prompt_id, {})

    def close(self) -> None:
        self.http.close()
        for ws in self._sockets:
            ws.close()


def messages_until(ws: websocket.WebSocket, *, end: str = "executing") -> list[Any]:
    """Messages up to the end marker of a run, or the first one of another type; binary ones as bytes."""
    found: list[Any] = []
    while True:
        opcode, data = ws.recv_data()
        if opcode == websocket.ABNF.OPCODE_BINARY:
            found.append(data)
            continue
        found.append(json.loads(data))
        if found[-1]["type"] == end and found[-1]["data"].get("node") is None:
            return found


def types(messages: list[Any]) -> list[str]:
    return ["binary" if isinstance(message, bytes) else message["type"] for message in messages]
