"""Talks to a server with nothing but requests and websocket-client, and says what it said."""

from __future__ import annotations

import json
import struct
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import requests
import websocket

TRACES = Path(__file__).resolve().parents[3] / "shared" / "traces"
TIMEOUT = 60.0


class Binary:
    """A decoded binary frame."""

    def __init__(self, frame: bytes) -> None:
        self.event = int.from_bytes(frame[:4], "big")
        second = int.from_bytes(frame[4:8], "big")
        if self.event == 1:
            self.format, self.image, self.metadata = second, frame[8:], None
        elif self.event == 4:
            self.metadata = json.loads(frame[8 : 8 + second])
            self.image = frame[8 + second :]
        else:
            self.node, self.text = frame[8 : 8 + second].decode(), frame[8 + second :].decode()


class Socket:
    """A websocket that remembers everything."""

    def __init__(self, url: str, client_id: str | None = None, *, flags: bool = True, first: str | None = None) -> None:
        self.client_id = client_id or str(uuid.uuid4())
        self.messages: list[Any] = []
        address = url.replace("http://", "ws://") + f"/ws?clientId={self.client_id}"
        self.ws = websocket.create_connection(address, timeout=TIMEOUT)
        if first is not None:
            self.ws.send(first)
        if flags:
            self.ws.send(json.dumps({"type": "feature_flags", "data": {"supports_preview_metadata": True}}))

    def receive(self) -> Any:
        frame = self.ws.recv()
        message = json.loads(frame) if isinstance(frame, str) else Binary(frame)
        self.messages.append(message)
        return message

    def until(self, wanted: Callable[[Any], bool]) -> Any:
        """Receive up to and including the first message that is wanted."""
        while not wanted(message := self.receive()):
            pass
        return message

    def until_type(self, kind: str) -> dict[str, Any]:
        """Receive up to the first message of a type; returns its data."""
        data: dict[str, Any] = self.until(lambda m: not isinstance(m, Binary) and m["type"] == kind)["data"]
        return data

    def until_end(self, prompt_id: str) -> list[Any]:
        """Receive up to the end marker of a prompt; returns everything since the start."""
        end = {"node": None, "prompt_id": prompt_id}
        self.until(lambda m: not isinstance(m, Binary) and m["type"] == "executing" and m["data"] == end)
        return self.messages

    def close(self) -> None:
        self.ws.close()


def until(true: Callable[[], bool]) -> None:
    """Wait until something is true."""
    end = time.monotonic() + TIMEOUT
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


def submit(url: str, prompt: dict[str, Any], client_id: str | None = None, **more: Any) -> str:
    """Post a prompt that must be accepted; returns its id."""
    prompt_id = more.pop("prompt_id", str(uuid.uuid4()))
    body = {"prompt": prompt, "prompt_id": prompt_id, **more}
    if client_id is not None:
        body["client_id"] = client_id
    answer = requests.post(f"{url}/prompt", json=body, timeout=TIMEOUT)
    assert answer.status_code == 200, answer.text
    assert answer.json()["prompt_id"] == prompt_id
    return prompt_id


def entry(url: str, prompt_id: str) -> dict[str, Any]:
    """Wait until a prompt is in the history; returns its entry."""
    end = time.monotonic() + TIMEOUT
    while time.monotonic() < end:
        found = requests.get(f"{url}/history/{prompt_id}", timeout=TIMEOUT).json()
        if prompt_id in found:
            result: dict[str, Any] = found[prompt_id]
            return result
        time.sleep(0.01)
    raise AssertionError(f"{prompt_id} did not end")


def run(url: str, prompt: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Run a prompt without a socket; returns its history entry."""
    return entry(url, submit(url, prompt, "nobody", **more))


def view(url: str, item: dict[str, str]) -> bytes:
    """Fetch a file item."""
    answer = requests.get(f"{url}/view", params=item, timeout=TIMEOUT)
    assert answer.status_code == 200
    return answer.content


def text_to_image(**inputs: Any) -> dict[str, Any]:
    """The default graph, small; keyword arguments change it."""
    size = inputs.pop("size", 64)
    text, negative = inputs.pop("text", "a red balloon over blue mountains"), inputs.pop("negative", "text, watermark")
    batch, prefix = inputs.pop("batch", 1), inputs.pop("prefix", "picture")
    sampler = {
        "seed": 1, "steps": 2, "cfg": 7.0, "sampler_name": "euler", "scheduler": "normal", "denoise": 1.0,
        "model": ["4", 0], "positive": ["6", 0], "negative": ["7", 0], "latent_image": ["5", 0], **inputs,
    }  # fmt: skip
    return {
        "3": {"class_type": "KSampler", "inputs": sampler},
        "4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "procedural-scenes-64.safetensors"}},
        "5": {"class_type": "EmptyLatentImage", "inputs": {"width": size, "height": size, "batch_size": batch}},
        "6": {"class_type": "CLIPTextEncode", "inputs": {"text": text, "clip": ["4", 1]}},
        "7": {"class_type": "CLIPTextEncode", "inputs": {"text": negative, "clip": ["4", 1]}},
        "8": {"class_type": "VAEDecode", "inputs": {"samples": ["3", 0], "vae": ["4", 2]}},
        "9": {"class_type": "SaveImage", "inputs": {"images": ["8", 0], "filename_prefix": prefix}},
    }


def lab_images(**inputs: Any) -> dict[str, Any]:
    """One LabImages and one SaveImage."""
    values = {"count": 1, "width": 16, "height": 16, "seed": int.from_bytes(uuid.uuid4().bytes[:6], "big"), **inputs}
    return {
        "1": {"class_type": "LabImages", "inputs": values},
        "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "lab"}},
    }


def lab_progress(steps: int, rate: float = 50.0, preview_every: int = 0) -> dict[str, Any]:
    """A node that counts, and a PreviewImage."""
    seed = int.from_bytes(uuid.uuid4().bytes[:6], "big")
    inputs = {"steps": steps, "rate": rate, "preview_every": preview_every, "seed": seed}
    return {
        "1": {"class_type": "LabProgress", "inputs": inputs},
        "2": {"class_type": "PreviewImage", "inputs": {"images": ["1", 0]}},
    }


def recorded(scenario: str, version: str = "0.33.0") -> Iterator[dict[str, Any]]:
    """Yield the events of a recorded scenario."""
    with (TRACES / f"v{version}" / scenario / "events.jsonl").open(encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)


def png_chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    """Split a PNG into (kind, content)."""
    chunks, position = [], 8
    while position < len(data):
        (length,) = struct.unpack(">I", data[position : position + 4])
        chunks.append((data[position + 4 : position + 8], data[position + 8 : position + 8 + length]))
        position += 12 + length
    return chunks
