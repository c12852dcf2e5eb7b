"""What the conformance tests share."""

from __future__ import annotations

import json
import struct
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest

from comfy_widgets.client import Pace
from comfy_widgets.testing import SeenMessage, Stage, text_to_image

T = TypeVar("T")

conformance = pytest.mark.conformance

PACE = Pace(poll=0.1, silence=0.3, gone=0.2, dead_worker=0.5)
"""A watch that asks often, so that tests do not wait."""

ONLY_WHEN_TOLD = Pace(poll=600, silence=600)
"""A watch that never asks by itself: what is learned was told by the websocket, or asked for after a reconnect."""

TRACES = Path(__file__).parents[3] / "shared" / "traces"
needs_traces = pytest.mark.skipif(not TRACES.is_dir(), reason="the recordings are not beside the repository")

PROMPT = text_to_image()


def until(look: Callable[[], T], what: str, timeout: float = 20.0) -> T:
    """Wait until `look()` is true; fails naming `what`."""
    deadline = time.monotonic() + timeout
    while not (found := look()):
        assert time.monotonic() < deadline, f"{what}: not within {timeout:g} s"
        time.sleep(0.005)
    return found


def kind_of(message: SeenMessage) -> str:
    """The type of a websocket message."""
    return "binary" if isinstance(message.data, bytes) else str(message.json()["type"])


def plain_preview(image: bytes, image_type: int = 1) -> bytes:
    """A preview without any id (event 1); image type 1 is JPEG, 2 PNG."""
    return struct.pack(">II", 1, image_type) + image


def preview_of(prompt_id: str, node_id: str, image: bytes, image_type: str = "image/jpeg") -> bytes:
    """A preview that says whose it is (event 4)."""
    about = {"prompt_id": prompt_id, "node_id": node_id, "display_node_id": node_id, "image_type": image_type}
    metadata = json.dumps(about).encode()
    return struct.pack(">II", 4, len(metadata)) + metadata + image


def nodes_state(stage: Stage, **nodes: tuple[float, float, str]) -> dict[str, Any]:
    """The ``nodes`` of a progress_state: id without its leading underscore -> value, max, state."""
    return {
        key.lstrip("_"): {
            "value": value,
            "max": maximum,
            "state": state,
            "node_id": key.lstrip("_"),
            "display_node_id": key.lstrip("_"),
            "parent_node_id": None,
            "real_node_id": key.lstrip("_"),
            "prompt_id": stage.prompt_id,
        }
        for key, (value, maximum, state) in nodes.items()
    }
