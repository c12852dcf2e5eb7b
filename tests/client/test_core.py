"""The core of a job by itself: no client, no socket; told of events, it tells those who subscribed, and ends once."""

from __future__ import annotations

import logging
import pickle
import threading
from typing import Any

import pytest

from comfy_widgets.client._core import CHANNELS, Channel, JobCore
from comfy_widgets.client._dispatch import Subscription
from comfy_widgets.client._status import JobStatus, Phase
from comfy_widgets.errors import ComfyError, ExecutionFailed, JobCancelled, JobError, JobLost
from comfy_widgets.protocol import (
    Executed,
    Executing,
    ExecutionError,
    ExecutionStart,
    ExecutionSuccess,
    File,
    Preview,
    ProgressEvent,
)

ID = "5cc2c4bd-38b0-4b1a-9a2f-1a1f5d9f2b10"
PROMPT = {
    "3": {"class_type": "KSampler", "inputs": {}},
    "9": {"class_type": "SaveImage", "inputs": {}},
    "10": {"class_type": "SaveImageWebsocket", "inputs": {}},
}


def no_fetch(file: File) -> bytes:
    raise AssertionError(file)


class Listener:
    """Keeps what each channel brought."""

    def __init__(self, core: JobCore) -> None:
        self.heard: dict[Channel, list[Any]] = {channel: [] for channel in CHANNELS}
        for channel in CHANNELS:
            core.subscribe(channel, Subscription(None, self.heard[channel].append))


@pytest.fixture
def core() -> JobCore:
    core = JobCore(ID, no_fetch)
    core.prepare(PROMPT)
    return core


def test_a_new_job_waits_and_knows_nothing() -> None:
    core = JobCore(ID, no_fetch)
    assert (core.prompt_id, core.prompt, core.drawn, core.outputs) == (ID, {}, {}, {})
    assert (core.status, core.progress.phase) == (JobStatus.PENDING, Phase.WAITING)
    assert (core.preview, core.error, core.started_at, core.ended_at) == (None, None, None, None)
    assert not core.done()
    assert not core.marked
    assert not core.cancelling
    assert not core.wait(0)


def test_each_event_reaches_the_channels_it_belongs_to(core: JobCore) -> None:
    heard = Listener(core).heard
    start, step = ExecutionStart(), ProgressEvent("3", 2, 20)
    preview, executed = Preview(image=b"a", node_id="3"), Executed("9", "9", {"images": []})
    for event in (start, step, preview, executed):
        core.handle(event)
    (shown,) = heard["preview"]
    assert heard["event"] == [start, step, shown, executed]
    assert heard["executed"] == [executed]
    assert heard["status"] == [JobStatus.IN_PROGRESS]
    assert [progress.step for progress in heard["progress"]] == [None, 2]
    assert core.outputs == {"9": {"images": []}}
    assert core.started_at is not None


def test_progress_is_told_only_where_it_changed(core: JobCore) -> None:
    heard = Listener(core).heard
    core.handle(ProgressEvent("3", 2, 20))
    core.handle(ProgressEvent("3", 2, 20))
    assert len(heard["progress"]) == 1
    assert len(heard["event"]) == 2


def test_previews_are_counted_and_belong_to_the_node_that_works(core: JobCore) -> None:
    core.handle(Executing("3", "3"))
    core.handle(Preview(image=b"a"))
    assert core.preview == Preview(image=b"a", display_node_id="3", seq=1)
    core.handle(Preview(image=b"b", node_id="9.1", display_node_id="9"))
    assert core.preview == Preview(image=b"b", node_id="9.1", display_node_id="9", seq=2)


def test_images_that_exist_nowhere_else_are_results(core: JobCore) -> None:
    core.handle(Executing("10", "10"))
    core.handle(Preview(image=b"png", mime="image/png"))
    core.handle(Preview(image=b"jpeg", mime="image/jpeg"))
    core.handle(Preview(image=b"other", mime="image/png", display_node_id="3"))
    core.handle(Preview(image=b"again", mime="image/png"))
    core.finish(JobStatus.COMPLETED)
    assert core.outcome().streamed == (b"png", b"again")


@pytest.mark.parametrize(
    "ending", [ExecutionSuccess(), ExecutionError("3", "KSampler", "no", "ValueError"), Executing(None)]
)
def test_what_tells_of_the_end_tells_once(core: JobCore, ending: Any) -> None:
    assert not core.handle(ExecutionStart())
    assert core.handle(ending)
    assert not core.handle(ending)
    assert not core.done()


def test_the_end_marker_is_awaited_apart_from_the_end(core: JobCore) -> None:
    core.handle(ExecutionSuccess())
    assert not core.marked
    waiter = threading.Thread(target=core.wait_marked, args=(20.0,))
    waiter.start()
    core.handle(Executing(None))
    waiter.join(20)
    assert not waiter.is_alive()
    assert core.marked


def test_a_job_ends_once_whoever_is_first() -> None:
    ended: list[JobCore] = []
    core = JobCore(ID, no_fetch, on_end=ended.append)
    core.prepare(PROMPT, {"seed": 7})
    core.handle(ExecutionStart())
    heard = Listener(core).heard
    assert core.finish(JobStatus.COMPLETED, outputs={"9": {"text": ["t"]}})
    assert not core.finish(JobStatus.FAILED)
    assert not core.finish_cancelled()
    assert not core.handle(ExecutionSuccess())
    assert not core.ask_cancel()
    core.warn("too late")
    assert ended == [core]
    assert core.done()
    assert core.marked
    assert core.wait(0)
    assert core.status is JobStatus.COMPLETED
    assert heard["status"] == [JobStatus.COMPLETED]
    assert [progress.fraction for progress in heard["progress"]] == [1.0]
    assert heard["event"] == []
    result = core.outcome()
    assert (result.prompt_id, result.prompt, result.outputs) == (ID, PROMPT, {"9": {"text": ["t"]}})
    assert (result.status, result.warnings, core.drawn) == (JobStatus.COMPLETED, (), {"seed": 7})
    assert core.outputs == result.outputs
    assert core.started_at is not None
    assert core.ended_at is not None
    assert result.elapsed == pytest.approx(core.ended_at - core.started_at)
    assert core.progress.message == f"Done in {result.elapsed:.1f} s"


def test_a_job_that_never_began_has_no_time(core: JobCore) -> None:
    core.finish(JobStatus.COMPLETED)
    assert core.outcome().elapsed is None
    assert core.progress.message == "Done"


def test_the_history_has_the_last_word(core: JobCore) -> None:
    same = {"images": [{"filename": "a.png"}]}
    core.handle(Executed("9", "9", {"text": ["early"]}))
    core.handle(Executed("7.1", "7.1", same))
    core.handle(Executed("10", "10", {"text": ["only told"]}))
    core.finish(JobStatus.COMPLETED, outputs={"9": {"text": ["late"]}, "7": same})
    assert core.outputs == {"10": {"text": ["only told"]}, "9": {"text": ["late"]}, "7": same}


def test_an_error_is_made_from_what_there_is(core: JobCore) -> None:
    core.handle(Executed("9", "9", {"text": ["t"]}))

    def error(result: Any) -> JobLost:
        return JobLost("gone", prompt_id=ID, result=result)

    assert core.finish(JobStatus.LOST, error=error)
    assert core.status is JobStatus.LOST
    assert core.progress.message == "gone"
    with pytest.raises(JobLost) as caught:
        core.outcome()
    assert caught.value is core.error
    assert caught.value.result is not None
    assert caught.value.result.texts == ("t",)


def test_an_end_that_cannot_be_worked_out_is_an_end(core: JobCore, caplog: pytest.LogCaptureFixture) -> None:
    def broken(_: object) -> ComfyError:
        raise KeyError("9")

    assert core.finish(JobStatus.COMPLETED, error=broken)
    assert core.status is JobStatus.FAILED
    assert core.wait(0)
    with pytest.raises(ComfyError, match="The result could not be worked out: KeyError: '9'"):
        core.outcome()
    assert ID in caplog.text


def test_what_fails_at_the_end_holds_up_nobody(caplog: pytest.LogCaptureFixture) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("broken")

    core, called = JobCore(ID, no_fetch, on_end=fail), []
    core.when_ended(fail)
    core.when_ended(lambda: called.append("after"))
    with caplog.at_level(logging.ERROR):
        assert core.finish(JobStatus.COMPLETED)
    assert core.done()
    assert called == ["after"]
    assert "a done callback failed" in caplog.text
    assert "could not be kept" in caplog.text
    core.when_ended(lambda: called.append("at once"))
    assert called == ["after", "at once"]


@pytest.mark.parametrize(("asked", "words"), [(True, "was cancelled;"), (False, "was cancelled by somebody else;")])
def test_a_cancelled_job_says_by_whom(core: JobCore, asked: bool, words: str) -> None:
    if asked:
        assert core.ask_cancel()
        assert core.cancelling
        assert core.progress.phase is Phase.CANCELLING
    assert core.finish_cancelled({"9": {"text": ["t"]}})
    assert core.status is JobStatus.CANCELLED
    assert core.progress.message == "Cancelled"
    with pytest.raises(JobCancelled) as caught:
        core.outcome()
    assert str(caught.value) == f"Job {ID[:8]} {words} what it gave before is in the error's .result."
    assert caught.value.prompt_id == ID
    assert caught.value.result is not None
    assert caught.value.result.texts == ("t",)


def test_what_is_learned_on_the_way(core: JobCore) -> None:
    core.set_queue_position(3)
    assert (core.progress.queue_position, core.progress.message) == (3, "Waiting, 3 ahead")
    core.warn("one", "two")
    core.warn("three")
    assert core.state.warnings == ("one", "two", "three")
    core.rename("other")
    assert core.prompt_id == "other"
    core.learn({"1": {"class_type": "Other"}})
    assert core.prompt == PROMPT, "only news for a job that was submitted elsewhere"
    core.handle(ExecutionStart())
    core.note_silence()
    assert core.progress.message == "Starting: nothing heard for a while, it may be loading the model"
    core.finish(JobStatus.COMPLETED)
    assert core.outcome().warnings == ("one", "two", "three")


def test_a_job_of_another_client_learns_its_prompt() -> None:
    core = JobCore(ID, no_fetch, seconds={"KSampler": 3.0}.get)
    core.learn({})
    assert core.prompt == {}
    core.learn(PROMPT)
    assert core.prompt == PROMPT
    assert core.state.plan.weights["3"] == 3.0


def test_what_was_drawn_stays_where_the_prompt_is_prepared_again() -> None:
    core = JobCore(ID, no_fetch)
    core.prepare({}, {"seed": 7})
    core.prepare(PROMPT)
    assert core.drawn == {"seed": 7}


def test_errors_of_jobs_travel_between_processes_with_their_result() -> None:
    core = JobCore(ID, no_fetch)
    core.finish_cancelled()
    failed = ExecutionFailed(
        "KSampler failed",
        prompt_id=ID,
        result=None,
        node_id="3",
        node_title="The sampler",
        node_type="KSampler",
        exception_type="ValueError",
        exception_message="no",
        traceback=("line",),
    )
    for error in (core.error, failed):
        again = pickle.loads(pickle.dumps(error))
        assert type(again) is type(error)
        assert str(again) == str(error)
        assert isinstance(again, JobError)
        assert again.__dict__ == error.__dict__
    plain = ExecutionFailed("text", prompt_id=ID)
    assert (plain.result, plain.node_id, plain.node_title, plain.node_type) == (None, None, None, None)
    assert (plain.exception_type, plain.exception_message, plain.traceback) == ("", "", ())
