"""Jobs on servers that drip, lie, hang and say nonsense: each ends, in time, and costs no other."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from comfy_widgets.client import ComfyClient, Pace
from comfy_widgets.errors import ComfyError, JobLost

from .server import Exchange, Hostile, frame, messages, welcome

Connect = Callable[..., ComfyClient]
PROMPT = {"1": {"class_type": "A", "inputs": {}}}
OTHER = "0b9bcb85-6f9c-4b52-9b75-6f4b2e1a0c55"


def keep_waiting(exchange: Exchange) -> None:
    """Take a prompt, and never run it."""
    posted = json.loads(exchange.body)
    exchange.server.pending.append([len(exchange.server.pending), posted["prompt_id"], posted["prompt"], {}, []])
    exchange.json({"prompt_id": posted["prompt_id"], "number": 1, "node_errors": {}})


def keep_running(exchange: Exchange) -> None:
    """Take a prompt, and run it for ever."""
    posted = json.loads(exchange.body)
    exchange.server.running.append([1, posted["prompt_id"], posted["prompt"], {}, []])
    exchange.json({"prompt_id": posted["prompt_id"], "number": 1, "node_errors": {}})


def drip(exchange: Exchange) -> None:
    exchange.drip_for_ever()


# One slow exchange


def test_a_queue_that_drips_does_not_hold_up_the_end(connect: Connect) -> None:
    with Hostile({"GET /queue": drip}) as server:
        client = connect(server.url, timeout=60.0)
        assert client.submit(PROMPT).wait(20).status == "completed"


def test_a_queue_that_drips_is_lost_within_its_bound(connect: Connect) -> None:
    with Hostile({"GET /queue": drip, "POST /prompt": keep_running, "GET /history/*": drip}) as server:
        job = connect(server.url, timeout=60.0).submit(PROMPT)
        with pytest.raises(JobLost, match="did not answer"):
            job.result(20)


def test_a_post_that_drips_holds_up_no_other_job(connect: Connect) -> None:
    first = threading.Event()

    def drip_once(exchange: Exchange) -> None:
        if first.is_set():
            exchange.server.honest(exchange)
            return
        first.set()
        exchange.drip_for_ever()

    with Hostile({"POST /prompt": drip_once}) as server:
        client = connect(server.url, timeout=30.0)
        slow, *others = [client.submit(PROMPT) for _ in range(4)]
        for job in others:
            assert job.wait(15).status == "completed"
        assert not slow.done()
        assert slow.cancel()


def test_an_image_that_drips_holds_up_no_other_job(connect: Connect) -> None:
    def fetch(exchange: Exchange) -> None:
        if "slow" in exchange.target:
            exchange.drip_for_ever()
        else:
            exchange.reply(b"x")

    with Hostile({"GET /view": fetch}) as server:
        client = connect(server.url, timeout=30.0)
        slow = [{"filename": f"slow_{index}.png", "subfolder": "", "type": "output"} for index in range(40)]
        server.finish(OTHER, PROMPT, {"1": {"images": slow}})
        held = client.attach(OTHER)
        server.wait_for(lambda: server.count("GET", "/view"))
        assert client.submit(PROMPT).wait(15).status == "completed"
        quick = "1b9bcb85-6f9c-4b52-9b75-6f4b2e1a0c55"
        server.finish(quick, PROMPT, {"1": {"images": [{"filename": "a.png", "subfolder": "", "type": "output"}]}})
        assert client.attach(quick).wait(15).status == "completed"
        assert not held.done()


def test_a_history_that_drips_holds_up_no_other_job(connect: Connect) -> None:
    with Hostile({f"GET /history/{OTHER}": drip}) as server:
        client = connect(server.url, timeout=30.0, pace=Pace(poll=0.05, silence=0.3, lost_after=30.0, gone=0.1))
        held = client.attach(OTHER)
        server.wait_for(lambda: server.count("GET", f"/history/{OTHER}"))
        assert client.submit(PROMPT).wait(15).status == "completed"
        assert not held.done()


# What is not understood


@pytest.mark.parametrize("junk", ["x", {"1": "x"}, [1], None, {"prompt": "x"}, {"outputs": "x"}, {"status": "x"}, 7])
def test_junk_in_the_history_ends(connect: Connect, junk: Any) -> None:
    with Hostile() as server:
        server.history[OTHER] = junk
        client = connect(server.url)
        assert client.attach(OTHER).wait(15).done()
        server.history[OTHER] = {"prompt": [1, OTHER, {"1": "x", "2": None}, {}, []], "outputs": {"1": "x", "2": [1]}}
        assert client.attach(OTHER).wait(15).done()


@pytest.mark.parametrize(
    "entry",
    [
        "x",
        ["x"],
        [1, OTHER],
        [1, OTHER, {"1": "x"}, {}, []],
        [None, OTHER, {"1": {"class_type": 7, "inputs": 3}}, {}, []],
        [float("nan"), OTHER, "x", "y", "z"],
        [[], OTHER, PROMPT, {}, []],
        [1, {"a": 1}, PROMPT, {}, []],
    ],
)
def test_junk_in_the_queue_costs_only_itself(connect: Connect, entry: Any) -> None:
    with Hostile() as server:
        server.running.append(entry)
        server.pending.append(entry)
        client = connect(server.url)
        stranger = client.attach(OTHER)
        assert client.submit(PROMPT).wait(15).status == "completed"
        stranger.cancel()


@pytest.mark.parametrize("answer", [[], "x", 7, None, {"queue_running": 1}, {"queue_pending": {"a": 1}}])
def test_a_queue_that_is_none_does_not_hold_up_the_end(connect: Connect, answer: Any) -> None:
    with Hostile({"GET /queue": lambda exchange: exchange.json(answer)}) as server:
        assert connect(server.url).submit(PROMPT).wait(15).status == "completed"


def test_an_error_on_the_way_to_the_end_ends_it(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    from comfy_widgets.client import _core

    def boom(*_: object) -> None:
        raise RuntimeError("boom")

    with Hostile() as server:
        client = connect(server.url)
        monkeypatch.setattr(_core, "Result", boom)
        with pytest.raises(ComfyError, match="boom"):
            client.submit(PROMPT).result(15)


# Dead workers


def log_of(*lines: tuple[float, str]) -> Callable[[Exchange], None]:
    """A log with lines of so many seconds ago, in pieces as a terminal gets them."""

    def reply(exchange: Exchange) -> None:
        entries = []
        for seconds, line in lines:
            stamp = (datetime.now() - timedelta(seconds=seconds)).isoformat()
            entries += [{"t": stamp, "m": line[: len(line) // 2]}, {"t": stamp, "m": line[len(line) // 2 :] + "\n"}]
        exchange.json({"entries": entries, "size": {}})

    return reply


DEATH = "Exception in thread Thread-9 (prompt_worker):"


@pytest.mark.parametrize(
    "lines",
    [
        [(0, "Exception in thread Thread-9 (download):"), (0, "prompt_worker is fine")],
        [(3600, DEATH)],
        [(0, DEATH), (0, "Prompt executed in 3.20 seconds")],
    ],
    ids=["two lines", "an old line", "it has worked since"],
)
def test_a_healthy_worker_is_not_declared_dead(connect: Connect, lines: list[tuple[float, str]]) -> None:
    with Hostile({"POST /prompt": keep_running, "GET /internal/logs/raw": log_of(*lines)}) as server:
        client = connect(server.url, pace=Pace(poll=0.05, silence=0.1, dead_worker=0.3, lost_after=20.0))
        job = client.submit(PROMPT)
        server.wait_for(lambda: server.count("GET", "/internal/logs/raw") > 2)
        assert job.status == "in_progress"
        prompt_id = server.running.pop()[1]
        server.finish(prompt_id, PROMPT)
        assert job.wait(15).status == "completed"


def test_a_dead_worker_is_told_to_all_that_wait(connect: Connect) -> None:
    with Hostile({"POST /prompt": keep_waiting, "GET /internal/logs/raw": log_of((60, DEATH))}) as server:
        server.running.append([0, OTHER, PROMPT, {}, []])
        client = connect(server.url)
        for job in [client.submit(PROMPT) for _ in range(3)]:
            with pytest.raises(JobLost, match=r"worker thread has died\. Restart"):
                job.result(15)
        # A new client too.
        with pytest.raises(JobLost, match="worker thread has died"):
            connect(server.url).submit(PROMPT).result(15)


def test_a_queue_of_which_nothing_runs_is_proof_enough(connect: Connect) -> None:
    # SystemExit ends the worker and leaves nothing in the log.
    with Hostile({"POST /prompt": keep_waiting}) as server:
        jobs = [connect(server.url).submit(PROMPT) for _ in range(2)]
        for job in jobs:
            with pytest.raises(JobLost, match="although nothing runs"):
                job.result(15)


def test_a_long_run_of_a_stranger_is_waited_for_and_told(connect: Connect) -> None:
    with Hostile({"POST /prompt": keep_waiting}) as server:
        server.running.append([0, OTHER, PROMPT, {}, []])
        job = connect(server.url).submit(PROMPT)
        server.wait_for(lambda: "nothing has moved in the queue for" in job.progress.message)
        assert job.progress.message.startswith("Waiting, 1 ahead")
        assert not job.done()
        server.running.clear()
        server.pending.clear()
        server.finish(job.prompt_id, PROMPT)
        assert job.wait(15).status == "completed"


# Silence


def test_silence_is_told_from_the_first_seconds(connect: Connect) -> None:
    silent = threading.Event()

    def hear(exchange: Exchange) -> None:
        welcome(exchange)
        exchange.server.wait_for(lambda: exchange.server.running)
        prompt_id = exchange.server.running[0][1]
        messages(exchange, [{"type": "execution_start", "data": {"prompt_id": prompt_id}}])
        steps = {"prompt_id": prompt_id, "node": "1", "value": 15, "max": 300}
        messages(exchange, [{"type": "progress", "data": steps}])
        exchange.hang()

    def perhaps(exchange: Exchange) -> None:
        (Exchange.hang if silent.is_set() else exchange.server.honest)(exchange)

    pace = Pace(poll=0.05, silence=0.3, lost_after=30.0, gone=0.1)
    with Hostile({"POST /prompt": keep_running, "GET /ws": hear, "GET /queue": perhaps}) as server:
        job = connect(server.url, pace=pace, timeout=2.0).submit(PROMPT)
        server.wait_for(lambda: job.progress.step == 15)
        silent.set()
        server.wait_for(lambda: "A, step 15 of 300; no answer from the server for" in job.progress.message)
        assert job.progress.no_answer_for is not None
        told = job.progress.no_answer_for
        server.wait_for(lambda: (job.progress.no_answer_for or 0) > told)
        silent.clear()
        server.wait_for(lambda: job.progress.message == "A, step 15 of 300")
        assert job.progress.no_answer_for is None
        assert job.status == "in_progress"


def test_a_server_that_is_gone_is_lost_within_its_bound(connect: Connect) -> None:
    with Hostile({"POST /prompt": keep_running}) as server:
        pace = Pace(poll=0.05, silence=0.3, lost_after=2.0, gone=0.1)
        job = connect(server.url, pace=pace, timeout=60.0).submit(PROMPT)
        server.wait_for(lambda: job.status == "in_progress")
        server.handlers["GET /queue"] = Exchange.hang
        with pytest.raises(JobLost) as caught:
            job.result(20)
        assert "60 s" not in str(caught.value)


# In doubt


def test_a_504_that_is_queued_later_is_found(connect: Connect) -> None:
    posted: list[Any] = []

    def gateway(exchange: Exchange) -> None:
        posted.append(json.loads(exchange.body))
        exchange.reply(b"", "504 Gateway Timeout")

    with Hostile({"POST /prompt": gateway}) as server:
        pace = Pace(poll=0.05, silence=0.3, lost_after=20.0, gone=0.1, uncertain=20.0)
        job = connect(server.url, pace=pace).submit(PROMPT)
        server.wait_for(lambda: server.count("GET", f"/history/{job.prompt_id}") > 10)
        assert not job.done()
        server.finish(posted[0]["prompt_id"], PROMPT)
        assert job.wait(15).status == "completed"
        assert len(posted) == 1


@pytest.mark.parametrize("status", ["504 Gateway Timeout", "502 Bad Gateway"])
def test_what_never_shows_is_uncertain(connect: Connect, status: str) -> None:
    with (
        Hostile({"POST /prompt": lambda exchange: exchange.reply(b"", status)}) as server,
        pytest.raises(JobLost, match=r"uncertain whether the server took it .*50.*run twice"),
    ):
        connect(server.url).submit(PROMPT).result(15)


# The websocket


@pytest.mark.parametrize(
    "flood",
    [
        lambda exchange: exchange.raw(
            frame(b"x" * (1 << 20), 2, final=False) + frame(b"x" * (1 << 20), 0, final=False)
        ),
        lambda exchange: [exchange.raw(frame(b"x" * 1000, 0 if n else 2, final=False)) for n in range(4000)],
        lambda exchange: [exchange.raw(frame(b"", 0 if n else 2, final=False)) for n in range(50_000)],
        lambda exchange: exchange.raw(b"\x82\x7f" + (1 << 40).to_bytes(8, "big")),
    ],
    ids=["large fragments", "fragments without end", "empty fragments", "a claim"],
)
def test_a_message_is_bounded_and_not_only_its_frames(connect: Connect, flood: Callable[[Exchange], object]) -> None:
    def hear(exchange: Exchange) -> None:
        welcome(exchange)
        flood(exchange)
        exchange.hang()

    with Hostile({"GET /ws": hear}) as server:
        client = connect(server.url, max_frame=1 << 20)
        client.wait_connected(5)
        # It is dropped and opened again, instead of filling the memory.
        server.wait_for(lambda: server.count("GET", "/ws") > 1)
        assert client.submit(PROMPT).wait(15).status == "completed"


@pytest.mark.parametrize("byte_by_byte", [b"HTTP/1.1 101 Switching Protocols\r\n" + b"X: y\r\n" * 1000])
def test_a_handshake_that_drips_is_given_up(connect: Connect, byte_by_byte: bytes) -> None:
    with Hostile({"GET /ws": lambda exchange: exchange.drip(byte_by_byte, 0.02)}) as server:
        client = connect(server.url, timeout=2.0)
        assert client.submit(PROMPT).wait(15).status == "completed"
        began = time.monotonic()
        client.close()
        assert time.monotonic() - began < 20


def test_a_message_that_drips_does_not_hold_up_the_end(connect: Connect) -> None:
    def hear(exchange: Exchange) -> None:
        welcome(exchange)
        exchange.drip(frame(b"x" * 1000), 0.05)

    with Hostile({"GET /ws": hear}) as server:
        client = connect(server.url)
        client.wait_connected(5)
        assert client.submit(PROMPT).wait(15).status == "completed"
