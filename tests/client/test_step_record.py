"""The record of a sampler's steps: every step, whatever previews were sent, in a bounded memory."""

from __future__ import annotations

import io
import random
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from comfy_widgets import Engine, Workflow, example
from comfy_widgets.client import ComfyClient
from comfy_widgets.client._step_record import unpack
from comfy_widgets.engine._model.sampling import Step
from comfy_widgets.engine._run import steps as store_of_steps
from comfy_widgets.engine._run.steps import Recording, StepStore
from comfy_widgets.errors import ComfyError, NotAComfyServer
from comfy_widgets.testing import ScriptedServer

Connect = Callable[..., ComfyClient]


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with Engine() as running:
        yield running


@pytest.fixture
def client(engine: Engine, connect: Connect) -> ComfyClient:
    return connect(engine.url)


def small(**values: Any) -> Workflow:
    return example().with_params(width=128, height=128, **values)


class TestThroughTheClient:
    def test_every_step_is_there_and_adds_up(self, client: ComfyClient) -> None:
        job = client.submit(small(steps=12, cfg=3, seed=5), previews="none").wait(60)
        record = client.step_record(job)
        (run,) = record.runs
        assert (run.sampler, run.cfg, run.complete, len(run.levels)) == ("euler", 3.0, True, 13)
        assert [step.step for step in record.steps] == list(range(1, 13))
        assert [step.evaluations for step in record.steps] == list(range(1, 13))
        assert [step.sigma for step in record.steps] == pytest.approx(run.levels[:-1])
        for step, following in zip(record.steps, record.steps[1:], strict=False):
            assert step.negative is not None
            guided = step.negative + 3 * (step.positive - step.negative)
            assert np.allclose(step.estimate, guided, atol=0.01)
            euler = step.estimate + (step.x - step.estimate) * following.sigma / step.sigma
            assert np.allclose(following.x, euler, atol=0.02)
        assert run.result is not None
        assert np.allclose(run.result, record.steps[-1].estimate, atol=0.01)

    def test_the_scenes_it_thinks_of_grow_certain(self, client: ComfyClient) -> None:
        job = client.submit(small(steps=12, cfg=1, seed=6, positive="a red balloon at night")).wait(60)
        steps = client.step_record(job).steps
        first, last = steps[0].scenes, steps[-1].scenes
        assert [scene.share for scene in first] == sorted((scene.share for scene in first), reverse=True)
        assert first[0].share < 0.2 < 0.9 < last[0].share <= 1
        assert "night" in last[0].description
        assert "red balloon" in last[0].description
        assert steps[0].negative is None
        with pytest.raises(ValueError, match="cfg of 1"):
            steps[0].image("negative")

    def test_images_go_from_noise_to_the_result(self, client: ComfyClient) -> None:
        job = client.submit(small(steps=10, seed=7)).wait(60)
        record = client.step_record(job)
        final = record.runs[0].image
        assert final is not None
        distances = [
            float(np.abs(np.asarray(step.image("x"), float) - np.asarray(final, float)).mean()) for step in record.steps
        ]
        assert distances[0] > distances[5] > distances[-1]
        assert record.steps[0].scenes[0].image.size == final.size == (16, 16)

    def test_a_cached_result_has_its_steps_too(self, client: ComfyClient) -> None:
        first = client.step_record(client.submit(small(steps=3, seed=8)).wait(60))
        again = client.step_record(client.submit(small(steps=3, seed=8)).wait(60))
        assert first.prompt_id != again.prompt_id
        assert len(first) == len(again) == 3
        assert np.array_equal(first.steps[2].x, again.steps[2].x)

    def test_two_samplers_are_two_runs(self, client: ComfyClient) -> None:
        prompt = small(steps=4, seed=9).to_prompt()
        (sampler,) = (name for name, node in prompt.items() if node["class_type"] == "KSampler")
        (decode,) = (name for name, node in prompt.items() if node["class_type"] == "VAEDecode")
        second = {**prompt[sampler]["inputs"], "latent_image": [sampler, 0], "denoise": 0.5, "sampler_name": "heun"}
        prompt["100"] = {"class_type": "KSampler", "inputs": second}
        prompt[decode]["inputs"]["samples"] = ["100", 0]
        record = client.step_record(client.submit(prompt).wait(60))
        assert [(run.node, run.sampler) for run in record.runs] == [(sampler, "euler"), ("100", "heun")]
        assert len(record) == 8
        assert [step.evaluations for step in record.runs[1].steps] == [1, 3, 5, 7]

    def test_what_has_no_steps_is_told(self, client: ComfyClient, server: ScriptedServer, connect: Connect) -> None:
        with pytest.raises(ComfyError, match="keeps no steps of the job"):
            client.step_record("00000000-0000-4000-8000-000000000000")
        with pytest.raises(ComfyError, match="only the embedded engine"):
            connect(server.url).step_record("00000000-0000-4000-8000-000000000000")

    def test_what_is_no_record_is_told(self) -> None:
        from comfy_widgets.client._step_record import unpack

        with pytest.raises(NotAComfyServer, match="cannot be read"):
            unpack(b"PK no zip")


def step(done: int, side: int = 64) -> Step:
    values = np.full((3, side, side), done, np.float32)
    return Step(done, 1.0, values, values, values, values, done, {done: 1.0}, lambda number: (str(number), values))


class TestMemory:
    def test_a_very_long_run_is_thinned_and_keeps_its_ends(self) -> None:
        recording = Recording("1", "KSampler", {})
        for done in range(1, 1001):
            recording.add(step(done))
        recording.end(np.zeros((3, 64, 64)))
        assert recording.size <= store_of_steps.MAX_BYTES_OF_A_RUN
        kept = [each.done for each in recording.steps]
        assert kept[0] == 1
        assert kept[-1] == 1000
        assert len(kept) > 80
        assert set(recording.scenes) >= set(kept[:-1])

    def test_the_oldest_runs_are_dropped(self) -> None:
        store = StepStore()
        for number in range(40):
            recording = Recording("1", "KSampler", {})
            store.begin(f"prompt {number}", f"key {number}", recording)
            for done in range(1, 41):
                store.add(recording, step(done))
            store.end(recording, np.zeros((3, 64, 64)))
        kept = [number for number in range(40) if store.of(f"prompt {number}")]
        assert kept == list(range(kept[0], 40))
        assert 0 < kept[0] < 35
        assert sum(each.size for number in kept for each in store.of(f"prompt {number}")) <= store_of_steps.MAX_BYTES


def test_whatever_is_changed_in_a_record_is_told_or_read() -> None:
    chance, whole = random.Random(5), io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as file:
        array = io.BytesIO()
        np.save(array, np.linspace(0, 1, 4096, dtype=np.float32))
        file.writestr("0/x.npy", array.getvalue())
        file.writestr("steps.json", '{"prompt_id": "a", "scale": 1, "runs": []}')
    told = 0
    for _ in range(500):
        content = bytearray(whole.getvalue())
        for _ in range(chance.randint(1, 3)):
            content[chance.randrange(len(content))] = chance.randrange(256)
        try:
            unpack(bytes(content))
        except NotAComfyServer:
            told += 1
    assert told > 250
