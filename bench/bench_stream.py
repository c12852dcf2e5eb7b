"""The websocket's stream: what reading it costs against ``json.loads`` alone, and whether a flood leaves a backlog.

Prints the ratio of parser and reducer together to ``json.loads`` of the same frames, for a graph of 10 and one of 100
nodes; then, for a server that sends 1,000 messages a second with previews of 40 kB among them, how long after the last
message was sent the client had handled it, as a share of the time that the flood lasted.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import statistics
import sys
import threading
import time
from multiprocessing.connection import Connection
from typing import Any

from comfy_widgets import ComfyClient
from comfy_widgets.client._progress import reduce
from comfy_widgets.client._run_state import Plan, RunState
from comfy_widgets.protocol import Event, Preview, parse_text
from comfy_widgets.testing import text_to_image

ID = "5f0c5f0c-0000-4000-8000-000000000000"
PREVIEW_BYTES = 40_000
SECONDS = 4
RATE = 1000


def frames(nodes: int, steps: int = 20) -> list[bytes]:
    """The text frames of a run in ComfyUI's order, in which each node counts some steps."""
    sent: list[dict[str, Any]] = [
        {"type": "execution_start", "data": {"prompt_id": ID, "timestamp": 1}},
        {"type": "execution_cached", "data": {"nodes": [], "prompt_id": ID, "timestamp": 1}},
    ]
    state: dict[str, Any] = {}
    for node in map(str, range(nodes)):
        sent.append({"type": "executing", "data": {"node": node, "display_node": node, "prompt_id": ID}})
        for step in range(1, steps // 4 + 1):
            state[node] = {
                "value": step,
                "max": steps // 4,
                "state": "running",
                "node_id": node,
                "prompt_id": ID,
                "display_node_id": node,
                "parent_node_id": None,
                "real_node_id": node,
            }
            sent.append({"type": "progress_state", "data": {"prompt_id": ID, "nodes": dict(state)}})
            sent.append({"type": "progress", "data": {"value": step, "max": steps, "prompt_id": ID, "node": node}})
        state[node] = {**state[node], "state": "finished"}
    sent.append({"type": "execution_success", "data": {"prompt_id": ID, "timestamp": 2}})
    return [json.dumps(message).encode() for message in sent]


def reading(nodes: int, rounds: int) -> tuple[float, float, int]:
    """Median seconds of parser and reducer, and of json.loads, on the same frames."""
    stream = frames(nodes)
    plan = Plan.of({str(node): {"class_type": "KSampler", "inputs": {}} for node in range(nodes)})
    ours, floor = [], []
    for _ in range(rounds):
        start = time.thread_time()
        for frame in stream:
            json.loads(frame)
        middle = time.thread_time()
        state = RunState(plan)
        for number, frame in enumerate(stream):
            state = reduce(state, parse_text(frame), float(number))
        ours.append(time.thread_time() - middle)
        floor.append(middle - start)
        assert state.ending is not None
    return statistics.median(ours), statistics.median(floor), len(stream)


def _flood(pipe: Connection) -> None:
    """A server whose one run is a flood: every tenth message a preview, each stamped with the time it was sent."""
    from comfy_widgets.testing import ScriptedServer, Stage

    def run(stage: Stage) -> None:
        stage.start()
        stage.begin("3")
        start = time.monotonic()
        for number in range(SECONDS * RATE):
            wait = start + number / RATE - time.monotonic()
            if wait > 0:
                time.sleep(wait)
            if number % 10 == 0:
                stage.preview("3", b"\xff\xd8" + bytes(PREVIEW_BYTES))
            else:
                stage.send("progress", node="3", value=number, max=SECONDS * RATE)
        pipe.send((start, time.monotonic()))
        stage.success()

    with ScriptedServer(script=run) as server:
        pipe.send(server.url)
        pipe.recv()


def flood() -> tuple[float, float, int, int]:
    """Seconds the flood lasted, seconds until all was handled after its end, messages and previews handled."""
    here, there = multiprocessing.get_context("spawn").Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_flood, args=(there,), daemon=True)
    process.start()
    heard = {"messages": 0, "previews": 0}
    last = time.monotonic()
    done = threading.Event()

    def hear(event: Event) -> None:
        nonlocal last
        heard["messages"] += 1
        heard["previews"] += isinstance(event, Preview)
        last = time.monotonic()

    with ComfyClient(here.recv(), journal=False) as client:
        job = client.submit(text_to_image())
        job.on("event", hear)
        job.add_done_callback(lambda _: done.set())
        start, end = here.recv()
        done.wait(60)
    here.send(None)
    process.join(10)
    return end - start, max(0.0, last - end), heard["messages"], heard["previews"]


def main() -> int:
    """Print the ratios."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    os.environ["COMFY_WIDGETS_STATE"] = "off"
    print(f"parser and reducer against json.loads of the same frames, median of {rounds} rounds")
    for nodes in (10, 100):
        ours, floor, count = reading(nodes, rounds)
        each = f"{ours / count * 1e6:6.1f} µs / {floor / count * 1e6:6.1f} µs a frame"
        print(f"  graph of {nodes:3} nodes, {count:4} frames: {each} = {ours / floor:.2f}")
    lasted, behind, messages, previews = flood()
    print(
        f"flood of {RATE} messages a second, every tenth a preview of {PREVIEW_BYTES // 1000} kB, {lasted:.1f} s long"
    )
    print(
        f"  {messages} handled, {previews} of them previews; the last {behind * 1000:.0f} ms after it was sent", end=""
    )
    print(f" = {behind / lasted:.3f} of the flood")
    return 0


if __name__ == "__main__":
    sys.exit(main())
