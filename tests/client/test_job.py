"""Jobs as a person uses them: submitting, waiting in every manner, cancelling, and what each ending says."""

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

from comfy_widgets import as_completed
from comfy_widgets.client import ComfyClient
from comfy_widgets.errors import ExecutionFailed, JobCancelled, JobLost, PromptRefused, ServerUnreachable, WorkflowError
from comfy_widgets.protocol import Executing, Preview
from comfy_widgets.testing import Gate, NodeError, Reply, ScriptedServer, dead_worker, standard_run, text_to_image

SEED = 2**64 - 1


def test_a_status_shows_as_its_word(client: ComfyClient) -> None:
    job = client.submit(text_to_image()).wait(20)
    assert repr(job.status) == str(job.status).join("''") == "'completed'"
    assert repr(job.progress.phase) == "'ended'"
    assert repr(job) == str(job) and "completed" in repr(job)


def test_run_gives_images_and_the_seed_survives(server: ScriptedServer, client: ComfyClient) -> None:
    result = client.run(text_to_image(), seed=SEED)
    assert [image.mode for image in result.images] == ["RGB"]
    assert result.status == "completed"
    entry = client.history(result.prompt_id)
    assert entry is not None
    assert SEED in [node["inputs"].get("seed") for node in entry.prompt.values()]


def test_a_job_knows_when_it_was_submitted_began_and_ended(server: ScriptedServer, client: ComfyClient) -> None:
    gate = Gate()
    server.play(standard_run(gate=gate))
    before = time.time()
    job = client.submit(text_to_image())
    assert before <= job.submitted_at <= time.time()
    gate.wait_reached()
    assert job.ended_at is None
    gate.open()
    job.result(20)
    assert job.started_at is not None
    assert job.ended_at is not None
    assert job.submitted_at <= job.started_at <= job.ended_at <= time.time()


def test_a_callback_of_ours_is_not_taken_back(client: ComfyClient) -> None:
    ended: list[str] = []
    job = client.submit(text_to_image())
    job.add_done_callback(lambda job: ended.append(job.prompt_id))
    assert job.remove_done_callback(ended.append) == 0
    job.result(20)
    deadline = time.monotonic() + 20
    while not ended and time.monotonic() < deadline:
        time.sleep(0.005)
    assert ended == [job.prompt_id]


def test_submit_does_not_wait_for_the_server(server: ScriptedServer, client: ComfyClient) -> None:
    gate = threading.Event()

    def slow(_: object) -> None:
        gate.wait(20)

    server.on("POST", "/prompt", slow, times=1)
    job = client.submit(text_to_image())
    assert job.status == "pending"
    assert not job.done()
    gate.set()
    assert job.wait(20).status == "completed"


def test_jobs_reach_the_server_in_the_order_of_submission(server: ScriptedServer, client: ComfyClient) -> None:
    jobs = [client.submit(text_to_image(), seed=seed) for seed in range(20)]
    for job in jobs:
        job.result(20)
    assert [body["prompt_id"] for body in server.posted] == [job.prompt_id for job in jobs]


def test_a_job_can_be_awaited_on_any_loop_and_several_at_once(client: ComfyClient) -> None:
    async def main() -> list[str]:
        jobs = [client.submit(text_to_image(), seed=seed) for seed in range(5)]
        results = await asyncio.gather(*jobs)
        return [result.status for result in results]

    assert asyncio.run(main()) == ["completed"] * 5
    assert asyncio.run(main()) == ["completed"] * 5


def test_awaiting_a_failed_job_raises_its_error(server: ScriptedServer, client: ComfyClient) -> None:
    def fail(stage: object) -> None:
        raise NodeError("3", "out of luck", "RuntimeError")

    server.play(fail)

    async def main() -> None:
        await client.submit(text_to_image())

    with pytest.raises(ExecutionFailed, match="out of luck"):
        asyncio.run(main())


def test_events_can_be_iterated_plainly_and_asynchronously(server: ScriptedServer, client: ComfyClient) -> None:
    gates = [Gate(), Gate()]
    for gate in gates:
        server.play(standard_run(gate=gate, gate_after="execution_start"))
    events = client.submit(text_to_image(), seed=1).events()
    gates[0].open()
    plain = [event.type for event in events]
    assert {"progress", "preview", "executed"} <= set(plain)

    async def main() -> list[str]:
        events = client.submit(text_to_image(), seed=2).events()
        gates[1].open()
        return [event.type async for event in events]

    assert {"progress", "preview", "executed"} <= set(asyncio.run(main()))


def test_listeners_hear_progress_previews_and_status(server: ScriptedServer, client: ComfyClient) -> None:
    gate = Gate()
    server.play(standard_run(gate=gate, gate_after="execution_start"))
    job = client.submit(text_to_image())
    fractions: list[float] = []
    previews: list[Preview] = []
    statuses: list[str] = []
    heard = threading.Event()
    job.on("progress", lambda progress: fractions.append(progress.fraction))
    job.on("preview", previews.append)
    job.on("status", lambda status: (statuses.append(status), heard.set() if status == "completed" else None))
    gate.wait_reached()
    gate.open()
    job.result(20)
    assert heard.wait(10)
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    assert previews
    assert previews[-1].image[:2] == b"\xff\xd8"
    assert statuses[-1] == "completed"


def test_a_slow_listener_does_not_hold_up_the_job(client: ComfyClient) -> None:
    release = threading.Event()
    job = client.submit(text_to_image())
    subscription = job.on("event", lambda _: release.wait(20))
    assert job.result(20).status == "completed"
    subscription.cancel()
    release.set()


def test_cancelling_a_waiting_job_settles_it_at_once(server: ScriptedServer, client: ComfyClient) -> None:
    gate = Gate()
    server.play(standard_run(gate=gate, gate_after="execution_start"))
    first, second = client.submit(text_to_image(), seed=1), client.submit(text_to_image(), seed=2)
    gate.wait_reached()
    server.wait_for(lambda: len(server.posted) == 2)
    assert second.cancel()
    with pytest.raises(JobCancelled):
        second.result(20)
    assert second.status == "cancelled"
    gate.open()
    assert first.result(20).status == "completed"
    assert not first.cancel()


def test_cancelling_a_running_job_interrupts_it_and_keeps_what_it_gave(
    server: ScriptedServer, client: ComfyClient
) -> None:
    gate = Gate()
    server.play(standard_run(gate=gate, gate_after="progress"))
    job = client.submit(text_to_image())
    gate.wait_reached()
    assert job.cancel()
    with pytest.raises(JobCancelled) as caught:
        job.result(20)
    assert caught.value.prompt_id == job.prompt_id
    assert caught.value.result is not None
    assert client.run(text_to_image(), seed=3).status == "completed"


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Let SIGINT raise KeyboardInterrupt, also where the parent process had it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def waits_in_the_client(thread: threading.Thread) -> bool:
    """Whether a thread is blocked on a lock or an event, in a call that goes through the client."""
    frame = sys._current_frames().get(thread.ident or 0)
    files = [frame.f_code.co_filename for frame, _ in traceback.walk_stack(frame)]
    return files[:1] == [threading.__file__] and any("comfy_widgets/client" in file for file in files)


@pytest.mark.usefixtures("interruptible")
def test_an_interrupt_while_waiting_cancels_the_own_job(server: ScriptedServer, client: ComfyClient) -> None:
    gate = Gate()
    server.play(standard_run(gate=gate, gate_after="progress"))
    job = client.submit(text_to_image())

    def press() -> None:
        gate.wait_reached()
        deadline = time.monotonic() + 20
        while not waits_in_the_client(threading.main_thread()) and time.monotonic() < deadline:
            time.sleep(0.001)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=press).start()
    with pytest.raises(KeyboardInterrupt):
        job.wait(20)
    assert job.wait(20).status == "cancelled"


def test_waiting_has_an_end_and_the_job_goes_on(server: ScriptedServer, client: ComfyClient) -> None:
    gate = Gate()
    server.play(standard_run(gate=gate, gate_after="progress"))
    job = client.submit(text_to_image())
    gate.wait_reached()
    with pytest.raises(TimeoutError, match="goes on"):
        job.result(0.05)
    gate.open()
    assert job.result(20).status == "completed"


def test_a_refusal_says_node_class_input_and_what_to_do(client: ComfyClient) -> None:
    prompt = text_to_image()
    prompt["3"]["class_type"] = "NoSuchSampler"
    prompt["6"]["class_type"] = "NoSuchEncoder"
    with pytest.raises(PromptRefused) as caught:
        client.run(prompt)
    text = str(caught.value)
    assert "NoSuchSampler" in text
    assert "NoSuchEncoder" in text
    assert caught.value.type in ("invalid_prompt", "missing_node_type")


def test_nothing_is_sent_that_has_no_such_parameter(server: ScriptedServer, client: ComfyClient) -> None:
    with pytest.raises(WorkflowError, match="steps"):
        client.submit(text_to_image(), stepz=3)
    assert server.posted == []


def test_a_dead_address_is_one_clear_error(connect: Callable[..., ComfyClient], server: ScriptedServer) -> None:
    server.kill()
    with pytest.raises(ServerUnreachable, match="No server answers"):
        connect(server.url).run(text_to_image())


def test_a_lost_reply_is_looked_up_and_nothing_is_sent_twice(server: ScriptedServer, client: ComfyClient) -> None:
    def swallow(request: object) -> Reply:
        server.default(request)  # type: ignore[arg-type]  # the handler's own request
        return Reply.text("bad gateway", 502)

    server.on("POST", "/prompt", swallow, times=1)
    assert client.run(text_to_image(), timeout=20).status == "completed"
    assert len(server.posted) == 1


def test_a_5xx_that_queued_nothing_is_reported_as_such(server: ScriptedServer, client: ComfyClient) -> None:
    server.on("POST", "/prompt", Reply.text("Server got itself in trouble", 500), times=1)
    with pytest.raises(Exception, match="500"):
        client.run(text_to_image(), timeout=20)


def test_a_restart_in_the_middle_is_one_lost_result_and_the_client_goes_on(
    server: ScriptedServer, client: ComfyClient
) -> None:
    gate = Gate()
    server.play(standard_run(gate=gate, gate_after="progress"))
    job = client.submit(text_to_image())
    gate.wait_reached()
    server.restart()
    with pytest.raises(JobLost, match="restarted"):
        job.result(20)
    assert client.run(text_to_image(), seed=4, timeout=20).status == "completed"


def test_a_server_that_stays_away_is_reported_in_bounded_time(server: ScriptedServer, client: ComfyClient) -> None:
    gate = Gate()
    server.play(standard_run(gate=gate, gate_after="progress"))
    job = client.submit(text_to_image())
    gate.wait_reached()
    server.kill()
    with pytest.raises(JobLost, match="did not answer"):
        job.result(20)


def test_a_dead_worker_is_named(server: ScriptedServer, client: ComfyClient) -> None:
    server.play(dead_worker)
    server.on(
        "GET",
        "/internal/logs/raw",
        Reply.json({"entries": [{"t": "", "m": "Exception in thread Thread-1 (prompt_worker):\n"}], "size": {}}),
    )
    with pytest.raises(JobLost, match="worker thread has died"):
        client.run(text_to_image(), timeout=20)


def test_outputs_that_the_server_leaves_out_are_a_warning(server: ScriptedServer, client: ComfyClient) -> None:
    errors = {
        "9": {
            "class_type": "SaveImage",
            "dependent_outputs": ["9"],
            "errors": [
                {
                    "type": "required_input_missing",
                    "message": "Required input is missing",
                    "details": "images",
                    "extra_info": {"input_name": "images"},
                }
            ],
        }
    }

    def accept(request: object) -> Reply:
        body = request.json()  # type: ignore[attr-defined]  # the handler's own request
        return server.accept(body["prompt_id"], 0, body["prompt"], body.get("extra_data", {}), ["9"], errors)

    server.on("POST", "/prompt", accept, times=1)
    result = client.run(text_to_image(), timeout=20)
    assert len(result.warnings) == 1
    assert "'images' is missing" in result.warnings[0]


def test_attach_gives_a_finished_job_again(client: ComfyClient) -> None:
    first = client.run(text_to_image())
    again = client.attach(first.prompt_id).result(20)
    assert again.files == first.files
    assert again.bytes() == first.bytes()


def test_attach_to_nothing_is_a_clear_error(client: ComfyClient) -> None:
    with pytest.raises(JobLost, match="knows no prompt"):
        client.attach("00000000-0000-4000-8000-000000000000").result(20)


def client_threads(before: set[threading.Thread]) -> list[threading.Thread]:
    """The threads of clients that were made since; another file's client may live in the same process."""
    return [thread for thread in threading.enumerate() if thread.name.startswith("comfy-") and thread not in before]


def expect_no_threads(before: set[threading.Thread]) -> None:
    deadline = time.monotonic() + 20
    while threads := client_threads(before):
        assert time.monotonic() < deadline, threads
        time.sleep(0.01)


def test_closing_ends_threads_and_wakes_who_waits(server: ScriptedServer, connect: Callable[..., ComfyClient]) -> None:
    before = set(threading.enumerate())
    gate = Gate()
    server.play(standard_run(gate=gate, gate_after="progress"))
    client = connect(server.url)
    job = client.submit(text_to_image())
    job.on("event", lambda _: None)
    gate.wait_reached()
    assert client_threads(before)
    client.close()
    with pytest.raises(JobLost, match="client was closed"):
        job.result(20)
    expect_no_threads(before)
    gate.open()


def test_a_client_that_nobody_holds_ends_its_threads(server: ScriptedServer) -> None:
    before = set(threading.enumerate())
    ComfyClient(server.url).run(text_to_image(), timeout=20)
    expect_no_threads(before)


def test_connect_and_listen_give_the_raw_stream(client: ComfyClient) -> None:
    seen: list[str] = []
    done = threading.Event()

    def hear(event: object) -> None:
        seen.append(type(event).__name__)
        if isinstance(event, Executing) and event.node is None:
            done.set()

    stop = client.connect(hear)
    client.run(text_to_image())
    assert done.wait(20)
    stop()
    assert {"Status", "ExecutionStart", "Executing", "ProgressEvent", "Preview", "Executed"} <= set(seen)


def test_a_frame_beyond_the_bound_is_not_read_and_the_job_ends_well(
    server: ScriptedServer, connect: Callable[..., ComfyClient]
) -> None:
    client = connect(server.url, max_frame=100_000)
    gate = Gate()
    server.play(standard_run(gate=gate, gate_after="execution_start"))
    job = client.submit(text_to_image())
    gate.wait_reached()
    server.send(client.client_id, b"\x00\x00\x00\x01\x00\x00\x00\x01" + bytes(200_000))
    gate.open()
    assert job.result(20).status == "completed"
    assert job.preview is None or len(job.preview.image) < 100_000


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform has no fork")
def test_a_fork_is_refused_in_words_and_does_not_disturb_its_parent(
    server: ScriptedServer, client: ComfyClient
) -> None:
    client.run(text_to_image())
    child = os.fork()
    if child == 0:
        code = 1
        try:
            client.submit(text_to_image(), seed=2)
        except Exception as error:
            code = 0 if "forked" in str(error) else 2
            client.close()
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert client.connected
    assert client.run(text_to_image(), seed=3, timeout=20).status == "completed"


@pytest.mark.parametrize(("timeout", "error"), [(float("nan"), ValueError), ("1", TypeError), (True, TypeError)])
def test_what_is_no_time_is_refused_by_all_that_wait(
    server: ScriptedServer, client: ComfyClient, timeout: Any, error: type[Exception]
) -> None:
    gate = Gate()
    server.play(standard_run(gate=gate, gate_after="execution_start"))
    job = client.submit(text_to_image())
    for wait in (job.wait, job.result, job.exception, lambda seconds: list(as_completed([job], seconds))):
        with pytest.raises(error, match="must be a number of seconds, or None"):
            wait(timeout)
    gate.open()
