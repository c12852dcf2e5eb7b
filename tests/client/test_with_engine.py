"""The client against the embedded engine: real sockets, real pictures, real faults."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from comfy_widgets import Engine, Workflow, example
from comfy_widgets.client import ComfyClient
from comfy_widgets.errors import ExecutionFailed, JobCancelled, JobLost, PromptRefused, WorkflowError
from comfy_widgets.protocol import ProgressEvent
from comfy_widgets.testing import FaultProxy

Connect = Callable[..., ComfyClient]


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with Engine(custom_nodes=[Path(__file__).parent / "nodes.py"]) as running:
        yield running


@pytest.fixture
def client(engine: Engine, connect: Connect) -> ComfyClient:
    return connect(engine.url)


def count(steps: int, pause: float = 0.01) -> dict[str, Any]:
    return {"1": {"class_type": "Counts", "inputs": {"steps": steps, "pause": pause}, "_meta": {"title": "My counter"}}}


def quick(**values: Any) -> Workflow:
    return example().with_params(width=128, height=128, steps=4, **values)


def test_a_picture_comes_out_and_carries_its_workflow(client: ComfyClient) -> None:
    result = client.run(quick(), seed=18446744073709551615, timeout=60)
    (image,) = result.images
    assert image.size == (128, 128)
    again = Workflow.load(result.bytes())
    assert again.params()["seed"].value == 18446744073709551615
    assert client.run(again, timeout=60).files == result.files, "the same prompt is served from the cache"


def test_the_same_seed_gives_the_same_picture_and_another_seed_another(client: ComfyClient) -> None:
    # At very few steps and full guidance, every noise falls to the same nearest scene.
    workflow = quick().with_params(steps=12)
    one, two = (client.run(workflow, seed=5, filename_prefix=name, timeout=60).images[0] for name in ("a", "b"))
    other = client.run(workflow, seed=6, timeout=60).images[0]
    assert one.tobytes() == two.tobytes()
    assert one.tobytes() != other.tobytes()


@pytest.mark.parametrize("name", ["text_to_image", "text_to_image_ui"])
def test_what_was_drawn_is_told_and_stands_in_the_image(client: ComfyClient, name: str) -> None:
    workflow = example(name).with_params(width=64, height=64, steps=1)
    jobs = [client.submit(workflow, seed="random", positive="{a|b}", filename_prefix="%KSampler.seed%") for _ in "12"]
    results = [job.result(60) for job in jobs]
    seeds = {job.drawn["seed"] for job in jobs}
    assert len(seeds) == 2
    for job, result in zip(jobs, results, strict=True):
        sent = result.prompt["3"]["inputs"]
        assert result.drawn == job.drawn
        assert (sent["seed"], result.prompt["6"]["inputs"]["text"]) == (job.drawn["seed"], job.drawn["positive"])
        assert result.files[0].filename.startswith(str(sent["seed"]))
        again = Workflow.load(result.images[0]).bind(client.object_info())
        assert again.params()["seed"].value == sent["seed"]


def test_an_edited_editors_workflow_is_written_into_the_images(client: ComfyClient) -> None:
    workflow = example("text_to_image_ui").bind(client.object_info()).with_params(width=64, height=64, steps=1)
    edited = workflow.add("SaveImage", "Second", images=("VAE Decode", 0), filename_prefix="second")
    result = client.run(edited, timeout=60)
    assert [file.filename.split("_")[0] for file in result.files if file.node_id == edited["Second"].id] == ["second"]
    again = Workflow.load(result.images[0])
    assert again.form == "ui"
    assert again.bind(client.object_info())["Second"].inputs["filename_prefix"] == "second"


def test_a_batch_gives_a_grid(client: ComfyClient) -> None:
    result = client.run(quick(batch_size=4), seed=1, timeout=60)
    assert len(result.images) == 4
    assert result.grid(cols=2).width > 256


def test_previews_and_steps_are_seen(client: ComfyClient) -> None:
    # The first job holds the queue until somebody listens to the second.
    before, job = client.submit(count(9_000)), client.submit(quick(), previews="auto", seed=77, steps=8)
    events = job.events()
    before.cancel()
    steps = [(event.value, event.max) for event in events if isinstance(event, ProgressEvent)]
    job.result(60)
    assert job.preview is not None
    assert job.preview.mime == "image/jpeg"
    assert [step for step in steps if step[1] == 8][-1] == (8, 8)


def test_a_cached_run_completes_with_its_files(client: ComfyClient) -> None:
    first, second = client.run(quick(), seed=9, timeout=60), client.run(quick(), seed=9, timeout=60)
    assert second.status == "completed"
    assert second.files == first.files


def test_a_failing_node_is_named(client: ComfyClient) -> None:
    prompt = {"1": {"class_type": "Fails", "inputs": {"message": "no luck"}, "_meta": {"title": "The bad one"}}}
    with pytest.raises(ExecutionFailed, match=r"The bad one .*ValueError: no luck") as caught:
        client.run(prompt, timeout=60)
    error = caught.value
    assert (error.node_id, error.node_title, error.node_type) == ("1", "The bad one", "Fails")
    assert any("raise ValueError" in line for line in error.traceback)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"steps": 0}, "steps"),
        ({"seed": 2**64}, "seed"),
        ({"sampler_name": "eulr"}, "euler"),
        ({"ckpt_name": "gone.safetensors"}, "ckpt_name"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_in_words(client: ComfyClient, values: dict[str, Any], words: str) -> None:
    with pytest.raises(WorkflowError, match=words):
        client.run(quick(), timeout=60, **values)
    client.object_info()
    with pytest.raises(WorkflowError, match=words):
        client.submit(quick(), **values)


def test_a_missing_input_and_a_missing_class_are_refused_in_words(client: ComfyClient) -> None:
    prompt = quick().to_prompt()
    del prompt["3"]["inputs"]["model"]
    with pytest.raises(PromptRefused, match=r"KSampler.*'model' is missing"):
        client.run(prompt, timeout=60)
    prompt = quick().to_prompt()
    prompt["3"]["class_type"] = "KSamplerFromThePack"
    with pytest.raises(PromptRefused, match="KSamplerFromThePack"):
        client.run(prompt, timeout=60)


def test_the_editors_format_is_converted_and_goes_into_the_picture(client: ComfyClient) -> None:
    workflow = example("text_to_image_ui").bind(client.object_info()).with_params(width=128, height=128, steps=4)
    result = client.run(workflow, seed=3, timeout=60)
    assert Workflow.load(result.bytes()).ui is not None


def test_a_workflow_comes_from_the_servers_history_and_from_what_was_saved_there(client: ComfyClient) -> None:
    result = client.run(quick(), seed=2**64 - 1, timeout=60)
    assert client.workflow(result.prompt_id).params()["seed"].value == 2**64 - 1
    ui = example("text_to_image_ui").ui
    assert ui is not None
    client.save_workflow("mine", ui, overwrite=True)
    assert "mine.json" in client.userdata()
    assert client.workflow("mine").ui == ui
    with pytest.raises(WorkflowError, match=r"no saved workflow 'thine'.*mine\.json"):
        client.workflow("thine")
    with pytest.raises(WorkflowError, match="no finished prompt"):
        client.workflow("00000000-0000-4000-8000-000000000000")


def test_cancel_while_running_and_while_pending(client: ComfyClient) -> None:
    running, waiting = client.submit(count(10_000)), client.submit(count(10_001))
    for event in running.events():
        if event.type == "progress":
            break
    assert waiting.cancel()
    assert waiting.wait(60).status == "cancelled"
    assert running.cancel()
    with pytest.raises(JobCancelled):
        running.result(60)
    assert client.run(count(3), timeout=60).texts == ("counted to 3",)


def test_the_place_in_the_queue_is_told(client: ComfyClient) -> None:
    jobs = [client.submit(count(10_000 + number)) for number in range(3)]
    try:
        seen = {p.queue_position: p.message for p in _progress_until(jobs[2], lambda p: p.queue_position)}
        # More follows where the machine is slow: that nothing has moved for some time.
        assert seen[2].startswith("Waiting, 2 ahead")
    finally:
        for job in reversed(jobs):
            job.cancel()
    assert {job.wait(60).status for job in jobs} == {"cancelled"}


def _progress_until(job: Any, wanted: Callable[[Any], object]) -> list[Any]:
    import threading

    seen: list[Any] = [job.progress]
    there = threading.Event()

    def hear(progress: Any) -> None:
        seen.append(progress)
        if wanted(progress):
            there.set()

    subscription = job.on("progress", hear)
    assert wanted(job.progress) or there.wait(60)
    subscription.cancel()
    return [*seen, job.progress]


@pytest.mark.parametrize(("manner", "steps"), [("close", 60), ("reset", 61), ("silent", 62)])
def test_a_socket_cut_in_the_middle_costs_nothing(engine: Engine, connect: Connect, manner: Any, steps: int) -> None:
    with FaultProxy(engine.url) as proxy:
        client = connect(proxy.url, ping_interval=0.3)
        cut = proxy.cut_websocket(after_messages=12, manner=manner)
        result = client.run(count(steps, 0.02), timeout=60)
        cut.wait()
        assert result.texts == (f"counted to {steps}",)
        assert proxy.count("POST", "/prompt") == 1
        assert proxy.most_open_websockets(client.client_id) == 1


def test_an_engine_that_is_killed_is_a_clear_error_in_bounded_time(connect: Connect) -> None:
    with Engine(custom_nodes=[Path(__file__).parent / "nodes.py"]) as engine:
        client = connect(engine.url)
        job = client.submit(count(10_000))
        for event in job.events():
            if event.type == "progress":
                break
        engine.kill()
        with pytest.raises(JobLost, match="did not answer"):
            job.result(60)


def test_without_an_address_the_embedded_engine_is_taken_and_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from comfy_widgets.client import _discover as discover

    monkeypatch.delenv("COMFYUI_URL", raising=False)
    monkeypatch.setattr(discover, "LOCAL", "http://127.0.0.1:9")
    with ComfyClient() as client, ComfyClient() as second:
        assert client.embedded
        assert client.url == second.url
        assert "embedded engine, small procedural model" in client.description
        assert capsys.readouterr().out.count("embedded engine, small procedural model") == 2
        assert client.run(quick(), seed=1, timeout=60).images


def test_an_address_in_the_environment_goes_first(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COMFYUI_URL", engine.url)
    with ComfyClient() as client:
        assert client.url == engine.url
        assert "COMFYUI_URL" in capsys.readouterr().out


@pytest.mark.parametrize(
    "name", ["image_to_image", "inpainting", "lora", "text_to_image", "text_to_image_ui", "two_passes"]
)
def test_every_example_runs(client: ComfyClient, name: str) -> None:
    workflow = example(name, client.object_info())
    values: dict[str, Any] = {key: 1 for key in workflow.params() if key.endswith("steps")}
    if "image" in workflow.params():
        with pytest.raises(PromptRefused, match="image is empty; choose something"):
            client.run(workflow)
        values["image"] = Image.new("RGBA", (64, 64), (200, 80, 0, 0))
    elif "width" in workflow.params():
        values |= {"width": 64, "height": 64}
    assert client.run(workflow, **values).images[0].size[0] >= 64


@pytest.mark.parametrize("call", ["history", "attach", "job_info", "cancel", "step_record", "models", "object_info"])
def test_an_id_that_no_route_can_hold_is_refused_before_anything_is_sent(client: ComfyClient, call: str) -> None:
    for bad, told in [("\ud83d", "half a character"), ("..", "names nothing"), ("", "names nothing")]:
        with pytest.raises(ValueError, match=told):
            getattr(client, call)(bad)
    with pytest.raises(TypeError, match="must be a text"):
        getattr(client, call)(5)


def test_half_an_emoji_in_the_name_of_an_upload(client: ComfyClient) -> None:
    with pytest.raises(WorkflowError, match="holds half a character; give another: filename="):
        client.upload_image(b"x", filename="\ud83d.png")
