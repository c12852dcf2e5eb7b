"""Ids of one's own, a claim before the POST, and finding a job by its id."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from comfy_widgets import Job
from comfy_widgets.client import ComfyClient
from comfy_widgets.errors import ComfyError, JobCancelled, JobLost
from comfy_widgets.testing import Gate, ScriptedServer, image, standard_run, text_to_image

Connect = Callable[..., ComfyClient]


def test_an_id_of_ones_own_is_noted_before_anything_is_sent(server: ScriptedServer, client: ComfyClient) -> None:
    prompt_id = str(uuid.uuid4())
    claimed: list[tuple[str, object, int]] = []

    def claim(job: Job) -> None:
        claimed.append((job.prompt_id, dict(job.prompt), server.count("POST", "/prompt")))

    job = client.submit(text_to_image(), seed=5, prompt_id=prompt_id, on_post=claim)
    result = job.result(20)
    assert job.prompt_id == result.prompt_id == server.posted[0]["prompt_id"] == prompt_id
    assert claimed == [(prompt_id, dict(result.prompt), 0)]


def test_a_claim_is_made_of_the_final_prompt_with_its_uploads(
    server: ScriptedServer, client: ComfyClient, tmp_path: Path
) -> None:
    path = tmp_path / "mine.png"
    path.write_bytes(image(1))
    workflow = {
        "1": {"class_type": "LoadImage", "inputs": {"image": "a.png"}},
        "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "x"}},
    }
    claimed: list[object] = []
    job = client.submit(workflow, image=path, on_post=lambda job: claimed.append(dict(job.prompt)))
    job.result(20)
    assert claimed == [server.posted[0]["prompt"]]


def test_a_claim_that_cannot_be_made_keeps_the_job_back(server: ScriptedServer, client: ComfyClient) -> None:
    def claim(job: Job) -> None:
        raise OSError("the store is locked")

    job = client.submit(text_to_image(), on_post=claim)
    with pytest.raises(ComfyError, match=r"nothing was sent.*the store is locked"):
        job.result(20)
    assert job.status == "failed"
    assert client.run(text_to_image(), timeout=20).status == "completed"
    assert len(server.posted) == 1


def test_a_claim_may_turn_the_job_down(server: ScriptedServer, client: ComfyClient) -> None:
    job = client.submit(text_to_image(), on_post=lambda job: job.cancel())
    with pytest.raises(JobCancelled):
        job.result(20)
    assert server.posted == []


@pytest.mark.parametrize(
    "typed", ["", "mine", "None", "0B9BCB85-6F9C-4B52-9B75-6F4B2E1A0C55", "0b9bcb856f9c4b529b756f4b2e1a0c55"]
)
def test_an_id_that_servers_refuse_is_refused_here(client: ComfyClient, server: ScriptedServer, typed: str) -> None:
    with pytest.raises(ValueError, match="lower-case UUID"):
        client.submit(text_to_image(), prompt_id=typed)
    assert server.posted == []


def test_one_id_is_never_outstanding_twice(server: ScriptedServer, client: ComfyClient) -> None:
    # The second POST with the same id and number ends the worker thread of a real server.
    gate = Gate()
    server.play(standard_run(gate=gate, gate_after="progress"))
    job = client.submit(text_to_image())
    gate.wait_reached()
    with pytest.raises(ValueError, match="attach"):
        client.submit(text_to_image(), prompt_id=job.prompt_id)
    assert client.attach(job.prompt_id) is job
    gate.open()
    assert job.wait(20).status == "completed"


def test_a_job_is_adopted_by_its_id_wherever_it_is(server: ScriptedServer, connect: Connect) -> None:
    gate = Gate()
    server.play(standard_run(gate=gate, gate_after="progress"))
    mine, other = connect(server.url), connect(server.url)
    running = mine.submit(text_to_image(), prompt_id=str(uuid.uuid4()))
    gate.wait_reached()
    waiting = mine.submit(text_to_image(), seed=2)
    server.wait_for(lambda: len(server.posted) == 2)
    adopted = [other.attach(job.prompt_id) for job in (running, waiting)]
    gate.open()
    for job, twin in zip([running, waiting], adopted, strict=True):
        assert twin.result(20).outputs == job.result(20).outputs
        assert other.attach(job.prompt_id).result(20).prompt == job.prompt
    with pytest.raises(JobLost):
        other.attach(str(uuid.uuid4())).result(20)


def test_previews_are_asked_for(server: ScriptedServer, client: ComfyClient) -> None:
    client.run(text_to_image(), previews="auto", extra_data={"mine": 1})
    assert server.posted[0]["extra_data"]["preview_method"] == "auto"
    assert server.posted[0]["extra_data"]["mine"] == 1
    client.run(text_to_image(), seed=2)
    assert "preview_method" not in server.posted[1].get("extra_data", {})
    with pytest.raises(ValueError, match="latent2rgb"):
        client.submit(text_to_image(), previews="always")


@pytest.mark.parametrize(("version", "told"), [("0.3.64", True), ("0.8.0", False), ("v0.33.0", False)])
def test_an_old_server_that_does_not_heed_it_is_told_of_once(
    server: ScriptedServer, client: ComfyClient, version: str, told: bool
) -> None:
    server.version = version
    gate = Gate()
    server.script = standard_run(gate=gate, gate_after="execution_start")
    job = client.submit(text_to_image(), previews="auto")
    server.wait_for(lambda: server.count("GET", "/system_stats"))
    if told:
        server.wait_for(lambda: "--preview-method auto" in "".join(job.warnings))
    gate.open()
    assert any("previews" in warning for warning in job.result(20).warnings) is told
    assert client.run(text_to_image(), previews="auto", seed=2).warnings == ()
