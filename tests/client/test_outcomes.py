"""Endings that are found out in odd ways: each is the right one, in bounded time, with what there is of the result."""

from __future__ import annotations

import gc
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from comfy_widgets.client import ComfyClient, Pace, runs
from comfy_widgets.client._journal import Journal
from comfy_widgets.client._media import Media, Memory
from comfy_widgets.client._progress import quiet, reduce
from comfy_widgets.client._run_state import Plan, RunState
from comfy_widgets.client._state import state_directory
from comfy_widgets.errors import ExecutionFailed, FileGone, JobLost, WorkflowError
from comfy_widgets.protocol import (
    Executing,
    ExecutionStart,
    ExecutionSuccess,
    File,
    ProgressEvent,
    Queue,
)
from comfy_widgets.testing import (
    FaultProxy,
    Gate,
    NodeError,
    Reply,
    ScriptedServer,
    SeenMessage,
    Stage,
    standard_run,
    text_to_image,
)

Connect = Callable[..., ComfyClient]


def test_a_history_that_can_never_be_read_loses_the_job_with_what_it_gave(
    server: ScriptedServer, client: ComfyClient
) -> None:
    # One value that is no JSON makes ComfyUI's whole reply a 500, for ever.
    server.on("GET", "/history/*", Reply.text("500 Internal Server Error", 500))
    with pytest.raises(JobLost, match=r"history.*500") as caught:
        client.run(text_to_image(), timeout=30)
    assert caught.value.result is not None
    assert len(caught.value.result.images) == 1


@pytest.mark.parametrize("refusal", [Reply(403), Reply.text("<html>no</html>", 500, "text/html")])
def test_a_queue_that_can_never_be_read_does_not_hide_the_history(
    server: ScriptedServer, connect: Connect, refusal: Reply
) -> None:
    server.on("GET", "/queue", refusal)
    server.on("GET", "/ws", Reply(404))
    client = connect(server.url, pace=Pace(poll=0.05, silence=0.2))
    assert client.run(text_to_image(), timeout=30).status == "completed"


def test_the_end_of_a_run_is_found_although_others_are_heard_all_the_time(
    server: ScriptedServer, connect: Connect
) -> None:
    def tells_the_end(message: SeenMessage) -> bool:
        return not isinstance(message.data, bytes) and (
            message.json()["type"] == "execution_success" or message.json()["data"].get("node", "") is None
        )

    with FaultProxy(server.url) as proxy:
        proxy.drop_messages(tells_the_end, times=None)
        client = connect(proxy.url, pace=Pace(poll=0.05, silence=0.3))
        job = client.submit(text_to_image())
        ended = threading.Event()

        def chatter() -> None:
            while not ended.wait(0.02):
                server.broadcast({"type": "crystools.monitor", "data": {}})

        threading.Thread(target=chatter, daemon=True).start()
        try:
            assert job.result(20).status == "completed"
        finally:
            ended.set()


def test_the_text_of_a_node_without_a_prompt_id_belongs_to_the_job_that_runs(
    server: ScriptedServer, client: ComfyClient
) -> None:
    gate = Gate()

    def play(stage: Stage) -> None:
        stage.start()
        stage.begin("3")
        stage.progress_text("3", "half way")
        gate.pass_through(stage.check)
        stage.success()

    server.play(play)
    job = client.submit(text_to_image())
    gate.wait_reached()
    server.wait_for(lambda: job.progress.text == "half way")
    gate.open()
    job.result(20)


def test_the_last_node_is_learned_too() -> None:
    state = RunState(Plan({"1": 1.0}, {"1": "Save"}, {"1": "SaveImage"}))
    for event, now in ((ExecutionStart(), 0.0), (Executing(node="1"), 1.0), (ExecutionSuccess(timestamp=3000), 3.0)):
        state = reduce(state, event, now)
    assert state.durations == {"1": 2.0}


def test_silence_before_the_first_step_is_explained() -> None:
    state = RunState(Plan({"1": 1.0}, {"1": "KSampler"}, {"1": "KSampler"}))
    assert quiet(state) is state, "it does not run yet"
    state = reduce(state, ExecutionStart(), 0.0)
    state = quiet(reduce(state, Executing(node="1", display_node="1"), 1.0))
    assert "loading the model" in state.progress.message
    state = reduce(state, ProgressEvent(node="1", value=1, max=20), 9.0)
    assert state.progress.message == "KSampler, step 1 of 20"
    assert quiet(state) is state


def test_a_silent_run_says_what_the_silence_may_be(server: ScriptedServer, connect: Connect) -> None:
    gate = Gate()
    # A worker that may be dead is told instead, and would be at once in a busy test.
    client = connect(server.url, pace=Pace(poll=0.05, silence=0.5, gone=0.1))
    server.play(standard_run(gate=gate, cached=("4",), gate_after="executing"))
    job = client.submit(text_to_image())
    gate.wait_reached()
    server.wait_for(lambda: "loading the model" in job.progress.message)
    gate.open()
    assert job.result(20).status == "completed"


def test_attaching_gives_prompt_and_titles_too(server: ScriptedServer, client: ComfyClient, connect: Connect) -> None:
    def fail(stage: Stage) -> None:
        stage.start()
        stage.begin("3")
        raise NodeError("3")

    prompt = text_to_image()
    prompt["3"]["_meta"] = {"title": "My sampler"}
    done = client.run(prompt)
    server.play(fail)
    failed = client.submit(prompt, seed=2).wait(20)
    other = connect(server.url)
    assert other.attach(done.prompt_id).result(20).prompt == done.prompt
    with pytest.raises(ExecutionFailed, match="My sampler"):
        other.attach(failed.prompt_id).result(20)


def test_attaching_to_nothing_is_a_lost_job(client: ComfyClient) -> None:
    assert client.attach("00000000-0000-4000-8000-000000000000").wait(20).status == "lost"


def test_a_run_that_is_just_being_sent_is_not_lost(server: ScriptedServer) -> None:
    Journal(state_directory()).submitted("00000000-0000-4000-8000-000000000000", server.url, "me")
    assert [run.status for run in runs()] == ["pending"]


def test_text_of_an_expanded_node_is_there_once(server: ScriptedServer, client: ComfyClient) -> None:
    def play(stage: Stage) -> None:
        stage.start()
        stage.begin("9")
        stage.send("executed", node="9.0.0.1", display_node="9", output={"text": ["once"]})
        stage.outputs["9.0.0.1"] = {"text": ["once"]}
        stage.success()

    server.play(play)
    assert client.run(text_to_image()).texts == ("once",)


def test_saving_leaves_out_what_is_gone_and_writes_the_rest(
    server: ScriptedServer, client: ComfyClient, tmp_path: Path
) -> None:
    video = {"filename": "gone.mp4", "subfolder": "", "type": "output"}
    kept = {"filename": "kept.mp4", "subfolder": "", "type": "output"}
    server.files.put("kept.mp4", b"moving", folder="output")
    server.play(standard_run(outputs={"9": {"videos": [video, kept]}}))
    result = client.run(text_to_image())
    with pytest.warns(UserWarning, match=r"gone\.mp4 could not be saved"):
        assert [path.name for path in result.save(tmp_path)] == ["kept.mp4"]
    server.files.delete("kept.mp4")
    server.play(standard_run(outputs={"9": {"videos": [video]}}))
    with pytest.raises(FileGone):
        client.run(text_to_image(), seed=3).save(tmp_path)


def test_a_result_whose_pictures_are_gone_is_still_shown_in_words(server: ScriptedServer, client: ComfyClient) -> None:
    gone = {"filename": "gone.png", "subfolder": "", "type": "output"}
    server.play(standard_run(outputs={"9": {"images": [gone]}}))
    bundle = client.run(text_to_image())._repr_mimebundle_()
    assert "not in the server's output folder any more" in bundle["text/plain"]


@pytest.mark.parametrize(
    ("name", "subfolder"),
    [
        ("..", ""),
        ("a.png", "../.."),
        ("C:\\Windows\\a.png", ""),
        ("a.png", "C:/x"),
        ("a\0b.png", ""),
        ("CON", ""),
        ("nul.png", ""),
        ("a.png. ", ""),
        ("a<b>:c|d?.png", 'e"f*'),
        ("/etc/a.png", "/etc"),
        ("..\\..\\a.png", "..\\.."),
    ],
)
def test_names_from_the_server_are_made_safe_for_every_platform(
    server: ScriptedServer, client: ComfyClient, tmp_path: Path, name: str, subfolder: str
) -> None:
    server.on("GET", "/view", Reply(200, b"content"))
    server.play(standard_run(outputs={"9": {"files": [{"filename": name, "subfolder": subfolder, "type": "output"}]}}))
    root = tmp_path / "results"
    (path,) = client.run(text_to_image()).save(root, everything=True)
    (downloaded,) = [client.download(File(name, subfolder), root)]
    for found in (path, downloaded):
        assert found.resolve().is_relative_to(root.resolve())
        for part in found.relative_to(root).parts:
            assert not set('<>:"|?*\\\0') & set(part), part
            assert part == part.rstrip(". ")
            assert part.partition(".")[0].upper() not in ("CON", "NUL")
        assert found.read_bytes() == b"content"


def test_arrays_and_any_bytes_can_be_uploaded(client: ComfyClient, tmp_path: Path) -> None:
    numpy = pytest.importorskip("numpy")
    whole = numpy.zeros((4, 6, 3), dtype="uint8")
    whole[..., 0] = 255
    for array in (whole, whole / 255.0, (whole / 255.0).astype("float32")[None]):
        image = client.open(client.upload_image(array, "array.png"))
        assert (image.size, image.mode, image.getpixel((0, 0))) == ((6, 4), "RGB", (255, 0, 0))
    gray = client.open(client.upload_image(whole[..., 0], "gray.png"))
    assert gray.mode == "L"
    assert client.open(client.upload_image(Image.new("CMYK", (2, 2)), "cmyk.png")).size == (2, 2)
    content = b"\x89PNG"
    for some in (content, bytearray(content), memoryview(content)):
        assert client.view(client.upload_image(some, "bytes.bin")) == content
    with pytest.raises(WorkflowError, match="shape"):
        client.upload_image(numpy.zeros((2, 3, 4, 5)), "many.png")
    path = tmp_path / "a.txt"
    path.write_text("x")
    with path.open() as text, pytest.raises(WorkflowError, match="binary"):
        client.upload_image(text)  # type: ignore[arg-type]  # what a person does
    with pytest.raises(WorkflowError, match="cannot be uploaded"):
        client.upload_image(7)  # type: ignore[arg-type]  # what a person does


def test_memory_is_given_back_by_the_collector_at_any_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    # The collector may run while the lock is held, in the same thread.
    memory = Memory(10)

    class Now:
        def submit(self, call: Callable[[File], Any], file: File) -> Any:
            from concurrent.futures import Future

            future: Future[Any] = Future()
            future.set_result(call(file))
            return future

    media = Media(lambda _: bytes(8), Now(), memory)  # type: ignore[arg-type]  # only submit is used
    media.prefetch(File("a.png"))
    media.circle = media  # type: ignore[attr-defined]  # so that only the collector frees it
    del media
    make = tempfile.TemporaryDirectory

    def collecting(**options: Any) -> Any:
        gc.collect()
        return make(**options)

    monkeypatch.setattr(tempfile, "TemporaryDirectory", collecting)
    assert isinstance(memory.keep(bytes(9)), Path)
    assert memory.keep(bytes(10)) == bytes(10), "the collected bytes are free again"


def test_a_value_that_is_no_json_is_named(client: ComfyClient) -> None:
    prompt = text_to_image()
    prompt["3"]["inputs"]["seed"] = object()
    with pytest.raises(WorkflowError, match=r"KSampler.*seed"):
        client.run(prompt)


def test_numbers_of_numpy_are_numbers(server: ScriptedServer, client: ComfyClient) -> None:
    numpy = pytest.importorskip("numpy")
    prompt = text_to_image()
    prompt["3"]["inputs"].update(seed=numpy.int64(7), cfg=numpy.float32(2.5))
    client.run(prompt)
    sent = server.posted[0]["prompt"]["3"]["inputs"]
    assert (sent["seed"], sent["cfg"]) == (7, 2.5)


def test_places_in_a_long_queue_are_found_quickly() -> None:
    queue = Queue.parse({"queue_pending": [[n, f"id{n}", {}, {}, []] for n in range(20_000)], "queue_running": []})
    assert [queue.position(f"id{n}") for n in range(20_000)] == list(range(20_000))
    assert queue.position("other") is None
