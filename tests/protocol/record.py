"""``python -m tests.protocol.record``: record small runs of the project's own servers for the tests of this folder.

Each scenario becomes ``recordings/NAME/events.jsonl`` in the format that `comfy_widgets.testing.replay` reads. It is
read with nothing but requests, websocket-client and Pillow, so that no mistake of our own client gets into it. Ids are
made from the scenario's name, so that a new recording differs from the old one only where the servers do.
"""

from __future__ import annotations

import base64
import io
import json
import struct
import sys
import threading
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import requests
import websocket
from PIL import Image

from comfy_widgets.engine import Engine
from comfy_widgets.testing import NodeError, ScriptedServer, Stage
from tests.engine.wire import text_to_image

ROOT = Path(__file__).resolve().parents[2]
RECORDINGS = Path(__file__).with_name("recordings")
LAB_NODES = ROOT / "tests" / "engine" / "lab_nodes.py"
FLAGS = {"type": "feature_flags", "data": {"supports_preview_metadata": True}}
TIMEOUT = 60.0


class Recorder:
    """One client of a server: whatever it asks for or is told becomes a line."""

    def __init__(self, name: str, url: str) -> None:
        self.name = name
        self.url = url
        self.lines: list[dict[str, Any]] = []
        self._ids = 0
        self._changed = threading.Condition()

    def new_id(self) -> str:
        """Return an id that is the same in each recording of this scenario."""
        self._ids += 1
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{self.name}/{self._ids}"))

    def add(self, kind: str, **line: Any) -> None:
        with self._changed:
            self.lines.append({"seq": len(self.lines), "kind": kind, **line})
            self._changed.notify_all()

    def call(self, method: str, path: str, body: object = None) -> Any:
        """Call a route; return its JSON, or None."""
        answer = requests.request(method, self.url + path, json=body, timeout=TIMEOUT)
        try:
            content: Any = answer.json()
        except ValueError:
            content = None
        headers = {"Content-Type": answer.headers.get("Content-Type", "")}
        response: dict[str, Any] = {"status": answer.status_code, "headers": headers}
        response |= {"json": content} if content is not None else {"bytes": len(answer.content)}
        self.add("http", method=method, path=path, request={"json": body}, response=response)
        return content

    def connect(self, *, flags: bool = True) -> str:
        """Open a websocket that is read from now on; return its client id."""
        client_id = self.new_id()
        socket = websocket.create_connection(f"ws{self.url[4:]}/ws?clientId={client_id}", timeout=TIMEOUT)
        self.add("ws_open", conn="A", client_id=client_id)
        if flags:
            socket.send(json.dumps(FLAGS))
        threading.Thread(target=self._read, args=(socket,), daemon=True).start()
        self.wait(lambda line: line.get("json", {}).get("type") == ("feature_flags" if flags else "status"))
        return client_id

    def _read(self, socket: websocket.WebSocket) -> None:
        try:
            while frame := socket.recv():
                if isinstance(frame, str):
                    self.add("ws_recv", conn="A", opcode="text", json=json.loads(frame))
                else:
                    image = _image_of(frame)
                    self.add("ws_recv", conn="A", opcode="binary", **image, b64=base64.b64encode(frame).decode())
        except (OSError, websocket.WebSocketException):
            pass

    def submit(self, prompt: object, client_id: str, **more: Any) -> str:
        prompt_id = self.new_id()
        self.call("POST", "/prompt", {"prompt": prompt, "prompt_id": prompt_id, "client_id": client_id, **more})
        return prompt_id

    def wait(self, wanted: Callable[[dict[str, Any]], bool]) -> None:
        """Wait for a line, whether it came already or not."""
        with self._changed:
            if not self._changed.wait_for(lambda: any(map(wanted, self.lines)), TIMEOUT):
                raise TimeoutError(f"{self.name}: not within {TIMEOUT:g} s")

    def wait_message(self, kind: str, **data: Any) -> None:
        """Wait for a text message with these data among others."""

        def wanted(line: dict[str, Any]) -> bool:
            message = line.get("json", {}) if line["kind"] == "ws_recv" else {}
            return message.get("type") == kind and data.items() <= message["data"].items()

        self.wait(wanted)

    def run(self, prompt: object, client_id: str) -> str:
        """Run a prompt to its end, and read its history."""
        prompt_id = self.submit(prompt, client_id)
        self.wait_message("executing", node=None, prompt_id=prompt_id)
        self.call("GET", f"/history/{prompt_id}")
        return prompt_id

    def save(self) -> None:
        text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in self.lines)
        for place, name in ((ROOT, "."), (Path(sys.base_prefix), "/usr")):
            text = text.replace(str(place), name)
        folder = RECORDINGS / self.name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "events.jsonl").write_text(text, encoding="utf-8")


def _image_of(frame: bytes) -> dict[str, Any]:
    """What a preview holds, as Pillow sees it."""
    event, second = struct.unpack(">II", frame[:8])
    if event not in (1, 4):
        return {}
    content = frame[8 if event == 1 else 8 + second :]
    with Image.open(io.BytesIO(content)) as image:
        return {"image": {"format": image.format, "size": image.size, "bytes": len(content)}}


def node(class_type: str, title: str | None = None, **inputs: Any) -> dict[str, Any]:
    return {"class_type": class_type, "inputs": inputs, **({"_meta": {"title": title}} if title else {})}


def previews(recorder: Recorder) -> None:
    """A run with previews that name their node, the same once more from the cache."""
    client = recorder.connect()
    recorder.call("GET", "/queue")
    recorder.run(text_to_image(steps=3), client)
    recorder.run(text_to_image(steps=3), client)
    recorder.run(text_to_image(steps=1, batch=2, seed=2**64 - 1), client)
    recorder.call("GET", "/history/00000000-0000-4000-8000-000000000000")
    recorder.call("GET", "/system_stats")


def plain_previews(recorder: Recorder) -> None:
    """A client that did not say that it understands previews with metadata."""
    client = recorder.connect(flags=False)
    recorder.run(text_to_image(steps=2), client)


def endings(recorder: Recorder) -> None:
    """A node that raises, a branch that is blocked, text, and an interrupt."""
    client = recorder.connect()
    image = node("LabImages", count=1, width=16, height=16, seed=1)
    save = node("SaveImage", images=["2", 0], filename_prefix="lab")
    fail = node("LabFail", "Breaks", image=["1", 0], message="boom", kind="ValueError", after_seconds=0.0, enabled=True)
    recorder.run({"1": image, "2": fail, "3": save}, client)
    recorder.run({"2": node("LabBlock", message="not today", seed=1), "3": save}, client)
    recorder.run({"1": node("LabText", text="hello")}, client)
    sleep = node("LabSleep", "Sleeps", seconds=60.0, interruptible=True, seed=1)
    prompt_id = recorder.submit({"2": sleep, "3": save}, client)
    recorder.wait_message("executing", node="2", prompt_id=prompt_id)
    recorder.call("POST", "/interrupt", {"prompt_id": prompt_id})
    recorder.wait_message("executing", node=None, prompt_id=prompt_id)
    recorder.call("GET", f"/history/{prompt_id}")


def refusals(recorder: Recorder) -> None:
    """Whatever can be wrong with a prompt."""

    def changed(node_id: str, **inputs: Any) -> dict[str, Any]:
        prompt = text_to_image()
        prompt[node_id] = {**prompt[node_id], "inputs": {**prompt[node_id]["inputs"], **inputs}}
        return prompt

    named = changed("3", steps=0)
    named["3"]["_meta"] = {"title": "The sampler"}
    missing = text_to_image()
    del missing["9"]["inputs"]["images"]
    unknown = text_to_image()
    unknown["3"]["class_type"] = "NoSuchSampler"
    cycle = text_to_image()
    cycle["3"]["inputs"]["latent_image"] = ["3", 0]
    client = recorder.new_id()
    wrong_type = changed("9", images=["5", 0])
    for prompt in (
        named,
        changed("3", steps=10**6),
        changed("3", cfg="much"),
        changed("3", sampler_name="slow"),
        changed("3", seed=-1),
        wrong_type,
        missing,
        unknown,
        cycle,
        {"4": text_to_image()["4"]},
        {"1": node("LabValidate", even=3), "2": node("SaveImage", images=["1", 0], filename_prefix="lab")},
        {},
    ):
        recorder.submit(prompt, client)
    recorder.call("POST", "/prompt", {"client_id": client})


def order(recorder: Recorder) -> None:
    """The queue with one prompt that runs and others that wait, some of which go to the front."""
    client = recorder.connect()
    save = node("PreviewImage", images=["2", 0])
    busy = recorder.submit({"2": node("LabSleep", seconds=60.0, interruptible=True, seed=1), "3": save}, client)
    recorder.wait_message("executing", node="2", prompt_id=busy)
    for seed, more in enumerate([{}, {"front": True}, {"number": 0.5}, {}, {"front": True}]):
        image = node("LabImages", count=1, width=8, height=8, seed=seed)
        recorder.submit({"2": image, "3": save}, client, **more)
    recorder.call("GET", "/queue")
    recorder.call("POST", "/queue", {"clear": True})
    recorder.call("POST", "/interrupt", {"prompt_id": busy})
    recorder.wait_message("executing", node=None, prompt_id=busy)
    recorder.call("GET", "/queue")


def expanded(recorder: Recorder, server: ScriptedServer) -> None:
    """From a scripted server: a node that grows into others, the texts of both kinds, and a message of a node pack."""

    def script(stage: Stage) -> None:
        stage.start(cached=["4"])
        stage.begin("3")
        about = {"prompt_id": stage.prompt_id, "display_node_id": "3", "real_node_id": "3", "parent_node_id": "3"}
        grown = {"value": 1, "max": 4, "state": "running", "node_id": "3.0.0.1", **about}
        stage.send("progress_state", nodes={"3.0.0.1": grown})
        stage.send("executing", node="3.0.0.1", display_node="3")
        stage.send("progress", node="3.0.0.1", value=1, max=4)
        stage.progress_text("3", "loading: äöü ✓")
        stage.server.broadcast({"type": "crystools.monitor", "data": {"cpu_utilization": 12.5}})
        line = {"t": "2026-11-25T23:52:55.951834", "m": "\x1b[32m[INFO]\x1b[0m got prompt\n"}
        stage.server.broadcast({"type": "logs", "data": {"entries": [line], "size": None}})
        stage.executed("9", {"images": [{"filename": "a.png", "subfolder": "x", "type": "output"}], "text": ["done"]})
        stage.executed("8", None)
        raise NodeError("3", "out of paint")

    server.play(script)
    client = recorder.connect()
    recorder.run(text_to_image(steps=1), client)


def main() -> None:
    for scenario in (previews, plain_previews, endings, refusals, order):
        with Engine(custom_nodes=[LAB_NODES]) as engine:
            recorder = Recorder(scenario.__name__.replace("_", "-"), engine.url)
            scenario(recorder)
            recorder.save()
    with ScriptedServer() as server:
        recorder = Recorder("expanded", server.url)
        expanded(recorder, server)
        recorder.save()


if __name__ == "__main__":
    main()
