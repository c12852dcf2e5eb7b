"""The parts of a panel, each alone."""

from __future__ import annotations

import io

import pytest
from PIL import Image
from traitlets import TraitError

from comfy_widgets import (
    ComfyClient,
    ComfyPanel,
    ImageCompare,
    ImageGrid,
    JobProgress,
    LivePreview,
    WorkflowForm,
    WorkflowGraph,
)
from comfy_widgets.testing import Gate, ScriptedServer, standard_run, text_to_image
from comfy_widgets.widgets._pump import Pump

from .conftest import page_of


def test_progress_follows_a_job_and_sends_no_pictures(server: ScriptedServer, client: ComfyClient) -> None:
    gate = Gate()
    server.play(standard_run(gate=gate, gate_after="progress"))
    job = client.submit(text_to_image())
    widget = JobProgress(job)
    page = page_of(widget)
    gate.wait_reached()
    run = page.wait_for(lambda: page.run if page.run["steps"] else None)
    assert (run["phase"], run["node"], run["step"], run["steps"]) == ("running", "KSampler", 1, 4)
    gate.open()
    assert page.wait_phase("done")["fraction"] == 1.0
    assert page.custom("picture") == page.custom("preview") == []
    assert widget.job is job


def test_progress_says_how_many_are_ahead(server: ScriptedServer, client: ComfyClient) -> None:
    gate = Gate()
    server.play(standard_run(gate=gate))
    first = client.submit(text_to_image())
    gate.wait_reached()
    page = page_of(JobProgress(client.submit(text_to_image(seed=1))))
    page.wait_for(lambda: page.run["phase"] == "waiting" and page.run["queue"] == 1)
    gate.open()
    first.wait(60)
    page.wait_phase("done")


def test_several_jobs_have_one_bar(server: ScriptedServer, client: ComfyClient) -> None:
    gate = Gate()
    server.play(standard_run())
    server.play(standard_run(gate=gate, gate_after="progress"))
    jobs = [client.submit(text_to_image(seed=seed)) for seed in range(4)]
    widget = JobProgress(jobs)
    page = page_of(widget)
    gate.wait_reached()
    page.wait_for(lambda: page.run["node"] == "1 of 4 done · KSampler" and 0.25 < page.run["fraction"] < 0.5)
    assert page.run["phase"] == "running"
    gate.open()
    run = page.wait_phase("done")
    assert (run["fraction"], run["error"]) == (1.0, None)
    assert run["summary"].startswith("4 runs · 4 images · ")
    assert widget.job == tuple(jobs)
    widget.job = jobs[0]
    page.wait_for(lambda: page.run["summary"].startswith("1 image · "))
    with pytest.raises(TraitError, match="must be a Job"):
        widget.job = 7


def test_preview_shows_the_frames_of_a_job(server: ScriptedServer, client: ComfyClient) -> None:
    gate = Gate()
    server.play(standard_run(gate=gate, gate_after="executed"))
    job = client.submit(text_to_image())
    page = page_of(LivePreview(job))
    gate.wait_reached()
    page.wait_for(lambda: page.custom("preview") and page.custom("preview")[-1][0]["seq"] == 4)
    assert job.preview is not None
    assert page.custom("preview")[-1][1] == (job.preview.image,)
    gate.open()
    page.wait_phase("done")
    assert page.images() == []


def test_a_preview_waits_for_no_step(
    server: ScriptedServer, client: ComfyClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = Pump(rate=1 / 600)  # what must wait for its turn does not come within this test
    monkeypatch.setattr("comfy_widgets.widgets._feed.pump", slow)
    gate = Gate()
    # Held after the first steps: a job that has ended has no preview any more.
    server.play(standard_run(gate=gate, gate_after=22))
    widget = LivePreview(client.submit(text_to_image()))
    page = page_of(widget)
    gate.wait_reached()
    page.wait_for(lambda: page.custom("preview"))
    gate.open()
    widget.close()
    slow.stop()


def test_a_part_made_after_the_end_shows_the_end(client: ComfyClient) -> None:
    job = client.submit(text_to_image()).wait(60)
    assert page_of(JobProgress(job)).wait_phase("done")["summary"].startswith("1 image · ")


def test_grid_of_a_result_has_its_bytes(client: ComfyClient) -> None:
    result = client.run(text_to_image(batch_size=2))
    page = page_of(ImageGrid(result))
    assert [content for _, content in page.images()] == [result.bytes(0), result.bytes(1)]
    page.say("hello")
    assert len(page.images()) == 4


def test_grid_of_pil_images_with_labels() -> None:
    images = [Image.new("RGB", (32, 16), color) for color in ("red", "blue")]
    page = page_of(ImageGrid(images, labels=["one", "two"]))
    assert page.run["frame"] == {"width": 32, "height": 16, "count": 2}
    assert [message["caption"] for message, _ in page.images()] == ["one", "two"]
    with Image.open(io.BytesIO(page.images()[1][1])) as second:
        assert second.convert("RGB").getpixel((0, 0)) == (0, 0, 255)
    with pytest.raises(ValueError, match="2 images, but 1 labels"):
        ImageGrid(images, labels=["one"])
    assert page_of(ImageGrid([])).images() == []


def test_form_alone_gives_a_workflow(client: ComfyClient) -> None:
    form = WorkflowForm(text_to_image(), client, title="Words")
    page = page_of(form)
    assert page.state["_form"]["title"] == "Words"
    page.edit(positive="a cat", seed="9")
    prompt = form.workflow.to_prompt()
    assert (prompt["6"]["inputs"]["text"], prompt["3"]["inputs"]["seed"]) == ("a cat", 9)


def test_each_says_what_it_is_in_few_words(server: ScriptedServer, client: ComfyClient) -> None:
    # GitHub shows it where the widget stood.
    job = client.submit(text_to_image())
    result = job.result(60)
    image = Image.new("RGB", (8, 8))
    panel = ComfyPanel(text_to_image(), client, title="Boats")
    panel.run().wait(60)
    assert [
        *map(repr, (panel, panel.form, panel.stage, ImageGrid(result), ImageGrid())),
        *map(
            repr, (ImageCompare(image, image, ["a", "<b>"]), JobProgress(job), JobProgress([job, job]), LivePreview())
        ),
        *map(repr, (WorkflowGraph(text_to_image()), WorkflowGraph())),
    ] == [
        *("<ComfyPanel 'Boats'>", "<WorkflowForm 'Boats'>", "<RunStage 'Boats'>"),
        *("<ImageGrid of 1 image>", "<ImageGrid of 0 images>", "<ImageCompare of 'a' and '<b>'>"),
        *(f"<JobProgress of job {job.prompt_id[:8]}>", "<JobProgress of 2 jobs>", "<LivePreview of no job>"),
        *("<WorkflowGraph of 7 nodes>", "<WorkflowGraph of no workflow>"),
    ]
    (run,) = panel.runs
    assert repr(run) in ("<PanelRun 1: completed, 1 image>", "<PanelRun 1: completed, 0 images>")
