"""A job with all of asyncio and concurrent.futures."""

from __future__ import annotations

import asyncio
import concurrent.futures
import sys
from collections.abc import Callable

import pytest

from comfy_widgets import ComfyClient, Result
from comfy_widgets.errors import ComfyError, JobCancelled
from comfy_widgets.testing import Gate, NodeError, ScriptedServer, Stage, standard_run, text_to_image

Connect = Callable[..., ComfyClient]
WRAPPED = sys.version_info < (3, 11)
"""Whether `asyncio.wait` makes tasks of what it is given, and gives those back."""


def fail(stage: Stage) -> None:
    stage.start()
    raise NodeError("3")


def test_asyncio_takes_jobs(client: ComfyClient) -> None:
    async def main() -> None:
        jobs = [client.submit(text_to_image(), seed=seed) for seed in range(12)]
        first, second = await asyncio.gather(jobs[0], jobs[1])
        assert first.status == second.status == "completed"
        done, pending = await asyncio.wait(jobs[2:5], timeout=20)  # type: ignore[type-var]
        assert (len(done), pending) == (3, set())
        if not WRAPPED:
            assert done == set(jobs[2:5])
        assert (await asyncio.wait_for(jobs[5], 20)).status == "completed"
        assert (await asyncio.shield(jobs[6])).status == "completed"
        assert (await asyncio.create_task(jobs[7].wait_for_result())).status == "completed"
        assert (await asyncio.wrap_future(jobs[8].future)).status == "completed"
        for following in asyncio.as_completed(jobs[9:11], timeout=20):
            assert (await following).status == "completed"
        if sys.version_info >= (3, 11):
            async with asyncio.TaskGroup() as group:
                task = group.create_task(jobs[11].wait_for_result())
            assert task.result().status == "completed"
        # Those that have ended already, too.
        done, _ = await asyncio.wait(jobs, timeout=20)  # type: ignore[type-var]
        assert len(done) == 12

    asyncio.run(main())


def test_asyncio_waits_for_the_first_that_ends(server: ScriptedServer, client: ComfyClient) -> None:
    gate = Gate()
    server.play(standard_run())
    server.play(standard_run(gate=gate, gate_after="progress"))

    async def main() -> None:
        jobs = [client.submit(text_to_image(), seed=seed) for seed in range(2)]
        done, pending = await asyncio.wait(jobs, return_when=asyncio.FIRST_COMPLETED, timeout=20)  # type: ignore[type-var]
        assert (len(done), len(pending)) == (1, 1)
        if not WRAPPED:
            assert (done, pending) == ({jobs[0]}, {jobs[1]})
        assert jobs[0].done() and not jobs[1].done()
        done, pending = await asyncio.wait(pending, timeout=0.05)
        assert not done
        gate.open()
        assert (await jobs[1]).status == "completed"

    asyncio.run(main())


def test_concurrent_futures_takes_jobs(server: ScriptedServer, client: ComfyClient) -> None:
    jobs = [client.submit(text_to_image(), seed=seed) for seed in range(3)]
    done, pending = concurrent.futures.wait([job.future for job in jobs], timeout=20)
    assert (len(done), pending) == (3, set())
    found = concurrent.futures.as_completed([job.future for job in jobs], timeout=20)
    assert {future.result().prompt_id for future in found} == {job.prompt_id for job in jobs}
    assert jobs[0].future is jobs[0].future
    server.play(fail)
    failed = client.submit(text_to_image(), seed=9)
    assert isinstance(failed.future.exception(20), ComfyError)


def test_what_is_called_back_by_a_future_gets_the_result(client: ComfyClient) -> None:
    found: concurrent.futures.Future[Result] = concurrent.futures.Future()
    job = client.submit(text_to_image())
    job.future.add_done_callback(lambda future: found.set_result(future.result()))
    assert found.result(20) is job.result()


def test_cancelling_the_future_cancels_the_job(server: ScriptedServer, client: ComfyClient) -> None:
    gate = Gate()
    server.play(standard_run(gate=gate, gate_after="progress"))
    job = client.submit(text_to_image())
    gate.wait_reached()

    async def main() -> None:
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(asyncio.wrap_future(job.future), 0.05)

    asyncio.run(main())
    assert job.wait(20).status == "cancelled"
    gate.open()
    with pytest.raises(JobCancelled):
        job.result()
    assert job.future.cancelled()
