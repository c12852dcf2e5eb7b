"""Order of the queue, interrupting, deleting, and what history says then."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from comfy_widgets.engine import Engine

from .wire import Binary, Socket, entry, lab_images, lab_progress, recorded, run, submit, text_to_image

TIMEOUT = 60


@pytest.fixture
def busy(url: str, socket: Socket) -> Iterator[str]:
    """A prompt that runs until it is interrupted."""
    prompt_id = submit(url, lab_progress(100_000, rate=100), socket.client_id, number=-1e9)
    socket.until_type("progress")
    yield prompt_id
    requests.post(f"{url}/interrupt", json={"prompt_id": prompt_id}, timeout=TIMEOUT)
    entry(url, prompt_id)


def queue(url: str) -> dict[str, Any]:
    shown: dict[str, Any] = requests.get(f"{url}/queue", timeout=TIMEOUT).json()
    return shown


def test_the_order_is_by_number_and_fronted_prompts_go_first_last_in_first_out(url: str, busy: str) -> None:
    run_order: list[str] = []
    names: dict[str, str] = {}
    for name, more in {
        "back": {},
        "front": {"front": True},
        "front again": {"front": True},
        "minus a half": {"number": -0.5},
        "a half": {"number": "0.5"},
        "far back": {"number": 1e9},
    }.items():
        names[submit(url, lab_images(), "x", **more)] = name
    listed = queue(url)
    assert [item[1] for item in listed["queue_running"]] == [busy]
    assert len(listed["queue_running"][0]) == 5
    pending = sorted(listed["queue_pending"], key=lambda item: (item[0], item[1]))
    assert len(pending) == 6
    requests.post(f"{url}/interrupt", timeout=TIMEOUT)
    for prompt_id in names:
        entry(url, prompt_id)
    history = requests.get(f"{url}/history", timeout=TIMEOUT).json()
    run_order = [names[prompt_id] for prompt_id in history if prompt_id in names]
    assert run_order == ["front again", "front", "minus a half", "a half", "back", "far back"]
    assert [names[item[1]] for item in pending] == run_order


def test_queue_items_tell_client_and_time(url: str, busy: str, socket: Socket) -> None:
    number, prompt_id, prompt, extra, outputs = queue(url)["queue_running"][0]
    assert (number, prompt_id, outputs) == (-1e9, busy, ["2"])
    assert set(extra) == {"client_id", "create_time"}
    assert prompt["1"]["class_type"] == "LabProgress"


def test_the_same_number_and_id_twice_is_no_trouble(url: str, busy: str) -> None:
    twice = str(uuid.uuid4())
    for _ in range(2):
        submit(url, lab_images(), "x", number=7, prompt_id=twice)
    requests.post(f"{url}/interrupt", timeout=TIMEOUT)
    assert entry(url, twice)["status"]["completed"]
    assert run(url, lab_images())["status"]["completed"]


def test_a_deleted_prompt_leaves_no_trace(url: str, busy: str, socket: Socket) -> None:
    gone, kept = submit(url, lab_images(), "x"), submit(url, lab_images(), "x")
    for prompt_id in (gone, "unknown", busy):
        answer = requests.post(f"{url}/queue", json={"delete": [prompt_id]}, timeout=TIMEOUT)
        assert (answer.status_code, answer.content) == (200, b"")
    listed = queue(url)
    assert [item[1] for item in listed["queue_pending"]] == [kept]
    assert [item[1] for item in listed["queue_running"]] == [busy]
    requests.post(f"{url}/queue", json={"clear": True}, timeout=TIMEOUT)
    assert queue(url)["queue_pending"] == []
    assert requests.get(f"{url}/history/{gone}", timeout=TIMEOUT).json() == {}
    assert requests.get(f"{url}/prompt", timeout=TIMEOUT).json() == {"exec_info": {"queue_remaining": 1}}


def test_interrupting_a_sampler_between_two_steps(url: str, socket: Socket, traces: Path) -> None:
    prompt_id = submit(url, text_to_image(steps=10_000, seed=4, scheduler="karras"), socket.client_id)
    socket.until_type("progress")
    requests.post(f"{url}/interrupt", json={}, timeout=TIMEOUT)
    messages = [m for m in socket.until_end(prompt_id) if not isinstance(m, Binary)]
    assert [m["type"] for m in messages[-3:]] == ["execution_interrupted", "status", "executing"]
    told = messages[-3]["data"]
    theirs = next(
        event["json"]["data"]
        for event in recorded("06-interrupt-and-queue-delete")
        if event["kind"] == "ws_recv" and event.get("json", {}).get("type") == "execution_interrupted"
    )
    assert set(told) == set(theirs)
    assert (told["node_id"], told["node_type"]) == ("3", "KSampler")
    status = entry(url, prompt_id)["status"]
    assert (status["status_str"], status["completed"]) == ("error", False)
    assert status["messages"][-1] == ["execution_interrupted", told]


def test_an_interrupt_for_another_prompt_does_nothing(url: str, busy: str, socket: Socket) -> None:
    answer = requests.post(f"{url}/interrupt", json={"prompt_id": "another"}, timeout=TIMEOUT)
    assert (answer.status_code, answer.content) == (200, b"")
    socket.until_type("progress")
    assert [item[1] for item in queue(url)["queue_running"]] == [busy]


def test_an_interrupt_while_idle_does_not_hit_the_next_prompt(url: str) -> None:
    requests.post(f"{url}/interrupt", data=b"not json", timeout=TIMEOUT)
    assert run(url, lab_progress(3))["status"]["completed"]


def test_an_interrupt_acts_at_the_next_node_if_the_node_does_not_look(url: str, socket: Socket) -> None:
    sleep = {"class_type": "LabSleep", "inputs": {"seconds": 0.3, "interruptible": False, "seed": 3}}
    prompt = {"1": sleep, "2": {"class_type": "PreviewImage", "inputs": {"images": ["1", 0]}}}
    prompt_id = submit(url, prompt, socket.client_id)
    socket.until(lambda m: m["type"] == "executing")
    requests.post(f"{url}/interrupt", timeout=TIMEOUT)
    interrupted = next(m for m in socket.until_end(prompt_id) if m["type"] == "execution_interrupted")
    assert (interrupted["data"]["node_id"], interrupted["data"]["executed"]) == ("2", ["1"])


class TestHistory:
    def test_pages(self, url: str) -> None:
        requests.post(f"{url}/history", json={"clear": True}, timeout=TIMEOUT)
        ids = []
        for _ in range(4):
            ids.append(submit(url, lab_images(), "x"))
            entry(url, ids[-1])

        def listed(query: str) -> list[str]:
            return list(requests.get(f"{url}/history?{query}", timeout=TIMEOUT).json())

        assert listed("") == ids
        assert listed("max_items=3") == ids[1:]
        assert listed("max_items=2&offset=0") == ids[:2]
        assert listed("max_items=2&offset=3") == ids[3:]
        assert listed("max_items=0") == listed("max_items=-1") == []
        assert requests.get(f"{url}/history?max_items=abc", timeout=TIMEOUT).status_code == 500
        requests.post(f"{url}/history", json={"delete": [ids[0], "unknown"]}, timeout=TIMEOUT)
        assert listed("") == ids[1:]

    def test_unknown_and_running_are_empty(self, url: str, busy: str) -> None:
        for prompt_id in (busy, "unknown"):
            answer = requests.get(f"{url}/history/{prompt_id}", timeout=TIMEOUT)
            assert (answer.status_code, answer.json()) == (200, {})

    def test_any_id_works_with_an_older_version(self, older_engine: Engine) -> None:
        url = older_engine.url
        submit(url, lab_images(), "x", prompt_id="my own id/1")
        end = entry(url, submit(url, lab_images(), "x", number=1e12))
        assert end["status"]["completed"]
        found = requests.get(f"{url}/history/my%20own%20id%2F1", timeout=TIMEOUT).json()
        assert list(found) == ["my own id/1"]


class TestJobs:
    def test_a_finished_job(self, url: str, traces: Path) -> None:
        workflow = {"id": "11111111-2222-4333-8444-555555555555"}
        prompt_id = submit(url, lab_images(count=2), "x", extra_data={"extra_pnginfo": {"workflow": workflow}})
        ended = entry(url, prompt_id)
        job = requests.get(f"{url}/api/jobs/{prompt_id}", timeout=TIMEOUT).json()
        theirs = next(
            event["response"]["json"]
            for event in recorded("16-jobs-api")
            if event["kind"] == "http" and event["path"].startswith("/api/jobs/f3af")
        )
        assert set(job) == set(theirs)
        assert (job["status"], job["outputs_count"], job["workflow_id"]) == ("completed", 2, workflow["id"])
        assert job["outputs"] == ended["outputs"]
        first = ended["outputs"]["2"]["images"][0]
        assert job["preview_output"] == {**first, "nodeId": "2", "mediaType": "images"}

    def test_listing(self, url: str, busy: str) -> None:
        waiting = submit(url, lab_images(), "x")

        def jobs(query: str = "") -> dict[str, Any]:
            listed: dict[str, Any] = requests.get(f"{url}/api/jobs?{query}", timeout=TIMEOUT).json()
            return listed

        both = jobs("status=pending,in_progress")["jobs"]
        assert {(job["id"], job["status"]) for job in both} == {(busy, "in_progress"), (waiting, "pending")}
        assert jobs("limit=1")["pagination"]["has_more"]
        assert jobs("status=nonsense")["error"].startswith("Invalid status value(s): nonsense.")
        assert jobs("limit=0") == {"error": "limit must be a positive integer"}
        requests.post(f"{url}/queue", json={"clear": True}, timeout=TIMEOUT)

    def test_cancelling(self, url: str, busy: str) -> None:
        waiting = submit(url, lab_images(), "x")

        def cancel(prompt_id: str) -> Any:
            return requests.post(f"{url}/api/jobs/{prompt_id}/cancel", timeout=TIMEOUT).json()

        assert cancel(waiting) == cancel(busy) == {"cancelled": True}
        entry(url, busy)
        assert cancel(waiting) == cancel("unknown") == {"cancelled": False}
        assert requests.get(f"{url}/api/jobs/{busy}", timeout=TIMEOUT).json()["status"] == "cancelled"
        assert requests.get(f"{url}/api/jobs/{waiting}", timeout=TIMEOUT).status_code == 404
