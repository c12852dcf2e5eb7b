"""Several jobs together: as they end, and one workflow with many values."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from comfy_widgets import ComfyClient, Job, as_completed, runs
from comfy_widgets.client import show_runs_with
from comfy_widgets.errors import ExecutionFailed, WorkflowError
from comfy_widgets.testing import Gate, NodeError, ScriptedServer, Stage, standard_run, text_to_image

SEEDS = [{"seed": seed} for seed in range(4)]


def fail(stage: Stage) -> None:
    stage.start()
    raise NodeError("3")


def hold_all(server: ScriptedServer) -> list[Gate]:
    """Let each of the next runs end only when it is interrupted: one that is cancelled late must not slip through."""
    gates = [Gate() for _ in SEEDS]
    for gate in gates:
        server.play(standard_run(gate=gate))
    return gates


def seed_of(job: Job) -> int:
    seed: int = job.prompt["3"]["inputs"]["seed"]
    return seed


def test_jobs_come_as_they_end(connect: Callable[..., ComfyClient]) -> None:
    gate = Gate()
    with ScriptedServer() as slow, ScriptedServer() as quick:
        slow.play(standard_run(gate=gate))
        first = connect(slow.url).submit(text_to_image())
        gate.wait_reached()
        second = connect(quick.url).submit(text_to_image())
        found = as_completed([first, second, first], timeout=60)
        assert next(found) is second
        gate.open()
        assert list(found) == [first]


def test_jobs_that_have_ended_come_too_and_failures_are_jobs(server: ScriptedServer, client: ComfyClient) -> None:
    server.play(fail)
    jobs = [client.submit(text_to_image(), seed=seed) for seed in range(3)]
    for job in jobs:
        job.wait(60)
    assert [job.status.value for job in as_completed(jobs)] == ["failed", "completed", "completed"]
    assert list(as_completed([])) == []


def test_who_waits_too_long_is_told_and_the_jobs_go_on(server: ScriptedServer, client: ComfyClient) -> None:
    gate = Gate()
    server.play(standard_run(gate=gate))
    jobs = [client.submit(text_to_image(), seed=seed) for seed in range(2)]
    with pytest.raises(TimeoutError, match=r"2 of 2 jobs .* 0\.05 s"):
        next(as_completed(jobs, timeout=0.05))
    gate.open()
    assert [job.status.value for job in as_completed(jobs, timeout=60)] == ["completed"] * 2


def test_what_is_no_job_is_refused_at_once(client: ComfyClient) -> None:
    job = client.submit(text_to_image())
    with pytest.raises(TypeError, match="a list of jobs"):
        as_completed(job)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="but one is 7"):
        as_completed([job, 7])  # type: ignore[list-item]


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Let SIGINT raise KeyboardInterrupt, also where the parent process had it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def interrupt_within(function: str) -> None:
    """Interrupt the main thread as soon as it is in a function of the client's batches."""

    def is_within() -> bool:
        frame = sys._current_frames().get(threading.main_thread().ident or 0)
        codes = [frame.f_code for frame, _ in traceback.walk_stack(frame)]
        return any(code.co_name == function and code.co_filename.endswith("_batch.py") for code in codes)

    def press() -> None:
        deadline = time.monotonic() + 60
        while not is_within() and time.monotonic() < deadline:
            time.sleep(0.001)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=press).start()


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("way", ["as_completed", "map"])
def test_an_interrupt_cancels_all_that_have_not_ended(server: ScriptedServer, client: ComfyClient, way: str) -> None:
    gates = hold_all(server)
    batch = client.map(text_to_image(), SEEDS)
    gates[0].wait_reached()
    interrupt_within("_next" if way == "as_completed" else "_wait")
    with pytest.raises(KeyboardInterrupt):
        next(as_completed(batch.jobs) if way == "as_completed" else batch)
    assert [job.wait(60).status.value for job in batch.jobs] == ["cancelled"] * 4


def test_results_come_in_the_order_of_the_values(client: ComfyClient) -> None:
    batch = client.map(text_to_image(), SEEDS, steps=3)
    assert len(batch) == 4
    results = list(batch)
    assert [result.prompt["3"]["inputs"]["seed"] for result in results] == [0, 1, 2, 3]
    assert {result.prompt["3"]["inputs"]["steps"] for result in results} == {3}
    assert [job.result() for job in batch.jobs] == results
    assert list(client.map(text_to_image(), [])) == []


def test_values_of_one_run_come_before_those_of_all(client: ComfyClient) -> None:
    results = client.map(text_to_image(), [{"seed": 5}, {}], seed=9)
    assert [result.prompt["3"]["inputs"]["seed"] for result in results] == [5, 9]


def test_one_that_fails_ends_no_other(server: ScriptedServer, client: ComfyClient) -> None:
    server.play(standard_run())
    server.play(fail)
    batch = client.map(text_to_image(), SEEDS)
    assert next(batch).status == "completed"
    with pytest.raises(ExecutionFailed):
        next(batch)
    # Reading goes on behind it.
    assert [result.status.value for result in batch] == ["completed"] * 2
    server.play(fail)
    first, *others = client.map(text_to_image(), SEEDS, return_exceptions=True)
    assert isinstance(first, ExecutionFailed)
    assert [result.status.value for result in others] == ["completed"] * 3


def test_values_that_do_not_fit_start_nothing(server: ScriptedServer, client: ComfyClient) -> None:
    with pytest.raises(WorkflowError, match=r"values\[1\]: .*'sed'.* Did you mean 'seed'"):
        client.map(text_to_image(), [{"seed": 1}, {"sed": 2}])
    with pytest.raises(TypeError, match=r"values\[0\] is 7"):
        client.map(text_to_image(), [7])  # type: ignore[list-item]
    with pytest.raises(TypeError, match="a list of dicts"):
        client.map(text_to_image(), {"seed": 1})  # type: ignore[arg-type]
    assert list(runs()) == []


def test_leaving_the_block_cancels_what_has_not_ended(server: ScriptedServer, client: ComfyClient) -> None:
    other = client.submit(text_to_image(), seed=100).wait(60)
    server.play(standard_run())
    gates = hold_all(server)
    with client.map(text_to_image(), SEEDS) as batch:
        assert next(batch).status == "completed"
        gates[0].wait_reached()
    assert [job.wait(60).status.value for job in batch.jobs] == ["completed", *["cancelled"] * 3]
    assert other.status == "completed"


def test_a_batch_can_be_awaited_and_read_as_it_ends(client: ComfyClient) -> None:
    batch = client.map(text_to_image(), SEEDS)
    assert {seed_of(job) for job in as_completed(batch.jobs, timeout=60)} == {0, 1, 2, 3}

    async def main() -> list[str]:
        return [result.status.value for result in await asyncio.gather(*client.map(text_to_image(), SEEDS).jobs)]

    assert asyncio.run(main()) == ["completed"] * 4


def test_a_batch_that_takes_too_long_goes_on(server: ScriptedServer, client: ComfyClient) -> None:
    gate = Gate()
    server.play(standard_run(gate=gate))
    batch = client.map(text_to_image(), SEEDS, timeout=0.05)
    with pytest.raises(TimeoutError, match="4 of 4 runs"):
        next(batch)
    gate.open()
    assert [job.wait(60).status.value for job in batch.jobs] == ["completed"] * 4


def test_all_are_shown_together_and_only_when_asked(client: ComfyClient) -> None:
    shown: list[int] = []
    show_runs_with(lambda jobs: shown.append(len(jobs)))
    try:
        batch = client.map(text_to_image(), SEEDS)
        assert shown == []
        list(batch)
        assert shown == [4]
        list(as_completed(batch.jobs))
        assert shown == [4, 4]
        list(client.map(text_to_image(), SEEDS, progress=False))
        list(as_completed(batch.jobs, progress=False))
        assert shown == [4, 4]
    finally:
        show_runs_with(None)


@pytest.mark.parametrize("value", [None, 5, [[]], ["x"]])
def test_what_are_no_jobs_is_told(value: Any) -> None:
    with pytest.raises(TypeError, match="as_completed takes"):
        as_completed(value)


def test_a_timeout_that_is_none_is_told_before_anything_is_submitted(
    server: ScriptedServer, client: ComfyClient
) -> None:
    for timeout in ("a", [], {}):
        with pytest.raises(TypeError, match="must be a number of seconds"):
            client.map(text_to_image(), [{"seed": 1}], timeout=timeout)  # type: ignore[arg-type]
    for values in (None, 5, "abc"):
        with pytest.raises(TypeError, match="map takes a list of dicts"):
            client.map(text_to_image(), values)  # type: ignore[arg-type]
    assert server.posted == []
