"""Nodes that are replaced by graphs, and inputs that are only computed when a node asks for them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import requests

from .test_messages import label, shape
from .wire import Binary, Socket, entry, lab_images, recorded, run, submit

TIMEOUT = 60


def expanding(seed: int, **inputs: Any) -> dict[str, Any]:
    return {
        "7": {"class_type": "LabExpand", "inputs": {"steps": 3, "seed": seed, **inputs}},
        "8": {"class_type": "PreviewImage", "inputs": {"images": ["7", 0]}},
    }


def switch(*, use_first: bool, seed: int) -> dict[str, Any]:
    first, second = lab_images(seed=seed)["1"], lab_images(seed=seed + 1)["1"]
    inputs = {"use_first": use_first, "first": ["1", 0], "second": ["2", 0]}
    return {
        "1": first,
        "2": second,
        "3": {"class_type": "LabSwitch", "inputs": inputs},
        "4": {"class_type": "PreviewImage", "inputs": {"images": ["3", 0]}},
    }


def told(socket: Socket, url: str, prompt: dict[str, Any]) -> list[dict[str, Any]]:
    """Run a prompt; returns its JSON messages."""
    messages = socket.until_end(submit(url, prompt, socket.client_id))
    socket.messages = []
    return [message for message in messages if not isinstance(message, Binary)]


class TestExpansion:
    def test_it_is_told_as_recorded(self, url: str, socket: Socket, traces: Path) -> None:
        events = list(recorded("12-text-and-other-outputs"))
        prompt_id = next(
            event["response"]["json"]["prompt_id"]
            for event in events
            if event["kind"] == "http" and event["path"] == "/prompt" and "LabExpand" in str(event["request"])
        )
        received = [event["json"] for event in events if event["kind"] == "ws_recv" and "json" in event]
        theirs = [message for message in received if message["data"].get("prompt_id") == prompt_id]
        ours = told(socket, url, expanding(81))
        ours = [message for message in ours if "prompt_id" in message["data"]]
        assert [label(message) for message in ours] == [label(message) for message in theirs]
        states = [
            next(m["data"]["nodes"]["7.0.0.1"] for m in messages if "7.0.0.1" in str(m["data"].get("nodes")))
            for messages in (ours, theirs)
        ]
        assert {**states[0], "prompt_id": prompt_id} == states[1]

    def test_parts_run_under_their_node(self, url: str, socket: Socket) -> None:
        messages = told(socket, url, expanding(82))
        began = [message["data"] for message in messages if message["type"] == "executing"]
        assert [(data["node"], data.get("display_node")) for data in began] == [
            ("7", "7"),
            ("7.0.0.1", "7"),
            ("8", "8"),
            (None, None),
        ]

    def test_previews_name_the_node_that_people_see(self, url: str, socket: Socket) -> None:
        messages = socket.until_end(submit(url, expanding(83), socket.client_id))
        frames = [message.metadata for message in messages if isinstance(message, Binary)]
        assert frames
        assert (frames[0]["node_id"], frames[0]["display_node_id"], frames[0]["real_node_id"]) == ("7.0.0.1", "7", "7")

    def test_an_error_inside_is_that_of_the_node(self, url: str, socket: Socket, traces: Path) -> None:
        messages = told(socket, url, expanding(84, fail=True))
        error = next(message["data"] for message in messages if message["type"] == "execution_error")
        assert (error["node_id"], error["node_type"], error["executed"]) == ("7", "LabExpand", ["7.0.0.1"])
        assert error["exception_message"] == "inside the expansion\n"
        theirs = next(
            event["json"]["data"]
            for event in recorded("20-more-edge-cases")
            if event["kind"] == "ws_recv" and "inside the expansion" in str(event.get("json"))
        )
        assert shape(error).keys() == shape(theirs).keys()

    def test_what_is_shown_inside_is_in_the_history(self, url: str) -> None:
        ended = run(url, expanding(85, show=True))
        assert list(ended["outputs"]) == ["7.0.0.2", "8"]
        meta = {"node_id": "7.0.0.2", "display_node": "7", "parent_node": "7", "real_node_id": "7"}
        assert ended["meta"]["7.0.0.2"] == meta

    def test_expansions_in_expansions(self, url: str, socket: Socket) -> None:
        messages = told(socket, url, expanding(86, depth=2))
        last = [message["data"]["nodes"] for message in messages if message["type"] == "progress_state"][-1]
        inner = last["7.0.0.1.0.0.1.0.0.1"]
        assert (inner["display_node_id"], inner["real_node_id"]) == ("7", "7")
        assert inner["parent_node_id"] == "7.0.0.1.0.0.1"
        assert {state["state"] for state in last.values()} == {"finished"}

    def test_a_cached_one_is_not_expanded_again(self, url: str, socket: Socket) -> None:
        told(socket, url, expanding(87))
        again = told(socket, url, expanding(87))
        cached = next(message["data"]["nodes"] for message in again if message["type"] == "execution_cached")
        assert sorted(cached) == ["7", "8"]
        assert [message["data"]["node"] for message in again if message["type"] == "executing"] == [None]

    def test_a_taken_id_is_the_nodes_error(self, url: str) -> None:
        graph = {"1": {"class_type": "LabExpandTaken", "inputs": {"steps": 1, "seed": 1}}}
        graph["2"] = {"class_type": "PreviewImage", "inputs": {"images": ["1", 0]}}
        error = run(url, graph)["status"]["messages"][-1][1]
        assert error["node_id"] == "1"
        assert "which is taken" in error["exception_message"]


class TestLazyInputs:
    @pytest.mark.parametrize("use_first", [True, False])
    def test_only_what_is_asked_for_runs(self, url: str, socket: Socket, use_first: bool) -> None:
        messages = told(socket, url, switch(use_first=use_first, seed=1000 + 10 * use_first))
        began = [message["data"]["node"] for message in messages if message["type"] == "executing"]
        assert began == ["3", "1" if use_first else "2", "3", "4", None]

    def test_the_other_one_runs_when_it_is_asked_for_later(self, url: str, socket: Socket) -> None:
        told(socket, url, switch(use_first=True, seed=2000))
        messages = told(socket, url, switch(use_first=False, seed=2000))
        began = [message["data"]["node"] for message in messages if message["type"] == "executing"]
        assert began == ["3", "2", "3", "4", None]

    def test_what_is_cached_is_taken_at_once(self, url: str, socket: Socket) -> None:
        prompt = switch(use_first=True, seed=3000)
        alone = {"1": prompt["1"], "9": {"class_type": "PreviewImage", "inputs": {"images": ["1", 0]}}}
        entry(url, submit(url, alone, "nobody"))
        messages = told(socket, url, prompt)
        assert [m["data"]["node"] for m in messages if m["type"] == "executing"] == ["3", "4", None]

    def test_they_are_described(self, url: str) -> None:
        info = requests.get(f"{url}/object_info/LabSwitch", timeout=TIMEOUT).json()["LabSwitch"]
        assert info["input"]["required"]["first"] == ["IMAGE", {"lazy": True}]
