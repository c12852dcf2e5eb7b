"""The end of a client, at any moment: nothing hangs, nothing is left, and what was asked for is still done."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from PIL import Image

from comfy_widgets import Workflow
from comfy_widgets.client import ComfyClient, Pace
from comfy_widgets.errors import ComfyError, JobCancelled, JobLost
from comfy_widgets.testing import Gate, Reply, Request, ScriptedServer, standard_run, text_to_image

Connect = Callable[..., ComfyClient]


def held_up(release: threading.Event) -> Callable[[Request], None]:
    """A handler that waits before the server answers."""

    def wait(_: Request) -> None:
        release.wait(20)

    return wait


def test_a_cancel_reaches_the_server_although_the_client_is_closed_at_once(
    server: ScriptedServer, client: ComfyClient
) -> None:
    # What Ctrl-C in `with ComfyClient() as client: client.run(...)` does.
    gate = Gate()
    server.play(standard_run(gate=gate, gate_after="progress"))
    job = client.submit(text_to_image())
    gate.wait_reached()
    job.cancel()
    client.close()
    server.wait_for(lambda: server.count("POST", "/interrupt"))
    gate.open()


@pytest.mark.parametrize(("method", "path"), [("POST", "/queue"), ("GET", "/queue"), ("POST", "/interrupt")])
def test_a_cancel_whose_call_is_cut_by_the_end_of_the_client_is_sent_again(
    server: ScriptedServer, client: ComfyClient, method: str, path: str
) -> None:
    gate, arrived, release = Gate(), threading.Event(), threading.Event()
    server.play(standard_run(gate=gate, gate_after="progress"))
    job = client.submit(text_to_image())
    gate.wait_reached()
    server.wait_for(lambda: job.status == "in_progress")

    def slow(_: Request) -> Reply:
        # The server never comes to do what this call wants.
        arrived.set()
        release.wait(20)
        return Reply(500)

    server.on(method, path, slow, times=1)
    job.cancel()
    assert arrived.wait(20)
    client.close()
    server.wait_for(lambda: server.state.running is None)
    release.set()
    gate.open()


def test_a_cancel_before_the_answer_to_the_post_survives_the_end_of_the_client(
    server: ScriptedServer, client: ComfyClient
) -> None:
    arrived, release = threading.Event(), threading.Event()
    gate = Gate()
    server.play(standard_run(gate=gate, gate_after="execution_start"))

    def slow(request: Request) -> Reply:
        reply = server.default(request)
        arrived.set()
        release.wait(20)
        return reply

    server.on("POST", "/prompt", slow, times=1)
    job = client.submit(text_to_image())
    assert arrived.wait(20)
    gate.wait_reached()
    job.cancel()
    client.close()
    release.set()
    server.wait_for(lambda: server.count("POST", "/interrupt"))
    gate.open()


def test_a_cancel_does_not_wait_for_the_submissions_of_other_jobs(server: ScriptedServer, client: ComfyClient) -> None:
    gate, release = Gate(), threading.Event()
    server.play(standard_run(gate=gate, gate_after="progress"))
    first = client.submit(text_to_image())
    gate.wait_reached()
    server.on("POST", "/prompt", held_up(release), times=1)
    second = client.submit(text_to_image(), seed=2)
    server.wait_for(lambda: server.count("POST", "/prompt") == 2)
    first.cancel()
    with pytest.raises(JobCancelled):
        first.result(10)
    release.set()
    gate.open()
    assert second.wait(20).status == "completed"


def test_an_interrupt_that_came_too_early_is_sent_again(server: ScriptedServer, connect: Connect) -> None:
    # ComfyUI clears the flag when it begins a prompt; an interrupt just before that is forgotten.
    client = connect(server.url, pace=Pace(poll=0.05, silence=0.3))
    gate = Gate()
    server.play(standard_run(gate=gate, gate_after="progress"))
    server.on("POST", "/interrupt", Reply(200), times=1)
    job = client.submit(text_to_image())
    gate.wait_reached()
    job.cancel()
    with pytest.raises(JobCancelled):
        job.result(20)
    gate.open()


def test_a_cancel_that_could_not_be_sent_can_be_repeated(server: ScriptedServer, client: ComfyClient) -> None:
    gate = Gate()
    server.play(standard_run(gate=gate, gate_after="progress"))
    server.on("POST", "/queue", Reply.text("500", 500), times=1)
    job = client.submit(text_to_image())
    gate.wait_reached()
    job.cancel()
    server.wait_for(lambda: any("could not be told" in text for text in job.warnings))
    job.cancel()
    with pytest.raises(JobCancelled):
        job.result(20)
    gate.open()


def test_a_closed_client_refuses_in_words_and_starts_nothing(server: ScriptedServer, client: ComfyClient) -> None:
    result = client.run(text_to_image())
    client.close()
    for use in (
        lambda: client.submit(text_to_image()),
        lambda: client.attach(result.prompt_id),
        lambda: client.connect(print),
        lambda: client.wait_connected(1),
        lambda: next(client.listen()),
    ):
        with pytest.raises(ComfyError, match="closed"):
            use()
    assert not client.connected


def test_a_submission_that_is_under_way_opens_nothing_once_the_client_is_closed(
    server: ScriptedServer, connect: Connect
) -> None:
    arrived, release = threading.Event(), threading.Event()
    client = connect(server.url)

    def slow(request: Request) -> None:
        arrived.set()
        release.wait(20)

    server.on("POST", "/upload/image", slow, times=1)
    workflow = Workflow.load(
        {
            "1": {"class_type": "LoadImage", "inputs": {"image": "a.png"}},
            "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "x"}},
        }
    ).with_params(image=Image.new("RGB", (8, 8)))
    job = client.submit(workflow)
    assert arrived.wait(20)
    client.close()
    assert job.status == "lost"
    release.set()
    server.wait_for(lambda: not any(t.name.startswith("comfy-submit") for t in threading.enumerate()))
    assert not [t.name for t in threading.enumerate() if t.name.startswith("comfy-listener")]
    assert server.posted == []


def test_the_events_of_an_ended_job_end_also_when_the_client_is_closed(client: ComfyClient) -> None:
    job = client.submit(text_to_image())
    job.result(20)
    client.close()
    ended = threading.Thread(target=lambda: list(job.events()), daemon=True)
    ended.start()
    ended.join(10)
    assert not ended.is_alive()


def test_done_callbacks_may_run_further_jobs_however_many(server: ScriptedServer, client: ComfyClient) -> None:
    statuses: list[str] = []
    ended = threading.Event()

    def again(job: Any) -> None:
        statuses.append(job.status)
        if len(statuses) == 20:
            ended.set()
            return
        nested = client.submit(text_to_image(), seed=len(statuses))
        nested.add_done_callback(again)
        list(nested.events())

    client.submit(text_to_image(), seed=100).add_done_callback(again)
    assert ended.wait(60)
    assert statuses == ["completed"] * 20


def test_closing_in_a_done_callback_ends_everything(server: ScriptedServer, client: ComfyClient) -> None:
    closed = threading.Event()
    job = client.submit(text_to_image())

    def close(_: object) -> None:
        client.close()
        closed.set()

    job.add_done_callback(close)
    assert closed.wait(20)
    assert job.status == "completed"
    server.wait_for(lambda: not any(t.name.startswith("comfy-") for t in threading.enumerate()))


def test_submitting_while_the_client_is_closed_gives_an_error_or_a_job_that_ends(
    server: ScriptedServer, connect: Connect
) -> None:
    for _ in range(10):
        client = connect(server.url)
        client.run(text_to_image(), timeout=20)
        closer = threading.Thread(target=client.close)
        jobs = []
        closer.start()
        try:
            while True:
                jobs.append(client.submit(text_to_image()))
        except ComfyError as error:
            assert "closed" in str(error)
        closer.join(20)
        for job in jobs:
            with suppress(JobLost):
                job.result(20)


def test_cancelling_a_task_that_awaits_a_job_cancels_the_job(server: ScriptedServer, client: ComfyClient) -> None:
    # What the notebook's stop button does to a cell that awaits.
    gate = Gate()
    server.play(standard_run(gate=gate, gate_after="progress"))
    job = client.submit(text_to_image())
    gate.wait_reached()

    async def main() -> None:
        await asyncio.wait_for(job, 0.05)

    with pytest.raises(asyncio.TimeoutError):
        asyncio.run(main())
    assert job.wait(20).status == "cancelled"
    gate.open()


def test_a_job_behind_other_submissions_is_cancelled_at_once_and_never_sent(
    server: ScriptedServer, client: ComfyClient
) -> None:
    release = threading.Event()
    server.on("POST", "/prompt", held_up(release), times=1)
    first, second = client.submit(text_to_image(), seed=1), client.submit(text_to_image(), seed=2)
    server.wait_for(lambda: server.count("POST", "/prompt"))
    second.cancel()
    assert second.status == "cancelled"
    release.set()
    assert first.wait(20).status == "completed"
    client.run(text_to_image(), seed=3)
    assert second.prompt_id not in [body["prompt_id"] for body in server.posted]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform has no fork")
def test_a_job_is_not_waited_for_in_a_fork(server: ScriptedServer, client: ComfyClient) -> None:
    gate = Gate()
    server.play(standard_run(gate=gate, gate_after="progress"))
    job = client.submit(text_to_image())
    gate.wait_reached()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            job.wait(20)
        except ComfyError as error:
            code = 0 if "forked" in str(error) else 2
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    gate.open()
    assert job.wait(20).status == "completed"
