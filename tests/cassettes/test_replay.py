"""What was recorded is played back; what was not is told in words, with the nearest that was."""

from __future__ import annotations

import io
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import requests
from PIL import Image

from comfy_widgets import ComfyClient, ComfyError, ComfyPanel
from comfy_widgets.cassettes import Cassette, CassettePlayer, same_run
from comfy_widgets.cli import main
from comfy_widgets.errors import CassetteError, ExecutionFailed, PromptRefused
from comfy_widgets.teaching import record
from comfy_widgets.testing import NodeError, ScriptedServer, Stage, standard_run, text_to_image

from .conftest import prompt


@pytest.fixture
def replayed(cassette_path: Path) -> Any:
    with ComfyClient(f"cassette:{cassette_path}?speed=instant") as client:
        assert client.wait_connected(30)
        yield client


def test_a_run_comes_back_with_its_image_progress_and_previews(replayed: ComfyClient, cassette_path: Path) -> None:
    job = replayed.submit(prompt(2, 5.0))
    seen: list[str] = []
    subscription = job.on("event", lambda event: seen.append(event.type))
    result = job.result(60)
    assert result.images[0].size == (32, 32)
    cassette = Cassette(cassette_path)
    run = cassette.find(prompt(2, 5.0))
    assert run is not None and result.bytes() == cassette.images(run)[0]
    assert {"progress", "preview", "executing", "executed"} <= {
        {"text": "progress_text"}.get(entry[1], entry[1]) for entry in run.timeline
    }
    subscription.cancel()
    assert job.progress.fraction == 1


def test_runs_differ_as_they_did(replayed: ComfyClient) -> None:
    contents = {replayed.run(prompt(seed, cfg)).bytes() for seed in (1, 2) for cfg in (2.0, 5.0, 8.0)}
    assert len(contents) == 6


def test_whole_numbers_match_however_they_are_written_and_titles_do_not_count(replayed: ComfyClient) -> None:
    other = prompt(2, 5)
    other["3"]["_meta"] = {"title": "My sampler"}
    assert same_run(other, prompt(2, 5.0))
    assert len(replayed.run(other).images) == 1


def test_a_miss_names_the_nearest_value_and_all_that_there_are(replayed: ComfyClient) -> None:
    with pytest.raises(PromptRefused, match=r"cfg 6\.1 was not recorded; nearest is 5 \(recorded: 2, 5, 8\)") as caught:
        replayed.run(prompt(2, 6.1))
    assert caught.value.extra_info == {"nearest": {"3.cfg": 5}}
    with pytest.raises(PromptRefused, match="seed 9 was not recorded; nearest is 2"):
        replayed.run(prompt(9, 2.0))


def test_a_combination_that_was_not_recorded_is_told(tmp_path: Path) -> None:
    with (
        ScriptedServer() as server,
        ComfyClient(server.url, journal=False) as client,
        record(tmp_path / "two.cassette", client),
    ):
        client.run(prompt(1, 2.0))
        client.run(prompt(2, 5.0))
    with (
        ComfyClient(f"cassette:{tmp_path / 'two.cassette'}") as replayed,
        pytest.raises(PromptRefused, match="cfg 5 was recorded with other values only; here it is 2"),
    ):
        replayed.run(prompt(1, 5.0))


def test_fewer_other_values_are_nearer_than_closer_ones(tmp_path: Path) -> None:
    with (
        ScriptedServer() as server,
        ComfyClient(server.url, journal=False) as client,
        record(tmp_path / "three.cassette", client),
    ):
        for seed, cfg in ((1, 2.0), (2, 7.9), (10, 8.0)):
            client.run(prompt(seed, cfg))
    nearest = Cassette(tmp_path / "three.cassette").nearest(prompt(1, 8.0))
    assert nearest is not None and [(one.place[1], one.nearest) for one in nearest] == [("cfg", 2)]


def test_another_workflow_is_told_from_another_value(replayed: ComfyClient) -> None:
    with pytest.raises(
        PromptRefused, match=r"no run of this workflow: it holds 6 runs of workflows with CLIPTextEncode"
    ):
        replayed.run({"1": {"class_type": "PreviewAny", "inputs": {"source": "hello"}}})


def test_a_panel_names_the_recording_and_marks_the_field_of_a_miss(replayed: ComfyClient) -> None:
    panel = ComfyPanel(prompt(1, 2.0), replayed)
    try:
        assert panel.form._form["server"]["text"] == "Recorded: Seeds and cfg (6 runs)"
        panel.params.cfg = 3.0
        job = panel.run()
        error = job.exception(60)
        assert isinstance(error, PromptRefused)
        assert "nearest is 2" in str(error)
    finally:
        panel.close()


def test_only_the_used_node_classes_are_kept(replayed: ComfyClient) -> None:
    assert sorted(replayed.object_info()) == [
        "CLIPTextEncode", "CheckpointLoaderSimple", "EmptyLatentImage", "KSampler", "SaveImage", "VAEDecode",
    ]  # fmt: skip
    models = replayed.object_info()["CheckpointLoaderSimple"]["input"]["required"]["ckpt_name"][0]
    assert models == ["model.safetensors"]


def test_the_server_of_a_cassette_answers_what_clients_ask(replayed: ComfyClient) -> None:
    replayed.run(prompt(1, 2.0))
    assert replayed.models() == [] and replayed.embeddings() == []
    assert replayed.queue().queue_pending == ()
    assert replayed.system_stats().system.comfyui_version == "0.3.64"


def test_cancelling_ends_a_slow_replay(tmp_path: Path) -> None:
    def slow(stage: Stage) -> None:
        standard_run(steps=3, pause=0.2)(stage)

    with ScriptedServer(script=slow) as server, ComfyClient(server.url, journal=False) as client:
        assert client.wait_connected(30)
        with record(tmp_path / "slow.cassette", client):
            client.run(prompt(1, 2.0))
    # A hundredth of the speed: a minute and more.
    with ComfyClient(f"cassette:{tmp_path / 'slow.cassette'}?speed=0.01") as replayed:
        assert replayed.wait_connected(30)
        job = replayed.submit(prompt(1, 2.0))
        job.cancel()
        assert job.wait(60).cancelled()


def test_a_failed_run_fails_again_in_the_same_words(tmp_path: Path) -> None:
    with ScriptedServer(script=standard_run(fail_at="3")) as server, ComfyClient(server.url, journal=False) as client:
        assert client.wait_connected(30)
        with record(tmp_path / "failed.cassette", client), pytest.raises(ExecutionFailed):
            client.run(prompt(1, 2.0))
    with (
        ComfyClient(f"cassette:{tmp_path / 'failed.cassette'}?speed=instant") as replayed,
        pytest.raises(ExecutionFailed, match="made to fail") as caught,
    ):
        replayed.run(prompt(1, 2.0))
    assert caught.value.node_id == "3"


def test_the_file_is_written_also_when_the_block_raises(tmp_path: Path) -> None:
    with ScriptedServer() as server, ComfyClient(server.url, journal=False) as client:
        with pytest.raises(ZeroDivisionError), record(tmp_path / "half.cassette", client):
            client.run(prompt(1, 2.0))
            raise ZeroDivisionError
        # What is submitted afterwards is not recorded any more.
        client.run(prompt(2, 2.0))
    assert len(Cassette(tmp_path / "half.cassette").runs) == 1


def test_runs_that_go_on_when_the_block_ends_are_waited_for(tmp_path: Path) -> None:
    with (
        ScriptedServer() as server,
        ComfyClient(server.url, journal=False) as client,
        record(tmp_path / "late.cassette", client),
    ):
        client.submit(prompt(1, 2.0))
        client.submit(prompt(2, 2.0))
    assert len(Cassette(tmp_path / "late.cassette").runs) == 2


def test_a_long_run_keeps_twelve_previews(tmp_path: Path) -> None:
    with ScriptedServer(script=standard_run(steps=150)) as server, ComfyClient(server.url, journal=False) as client:
        assert client.wait_connected(30)
        with record(tmp_path / "long.cassette", client):
            client.run(prompt(1, 2.0))
    (run,) = Cassette(tmp_path / "long.cassette").runs
    assert 2 <= sum(entry[1] == "preview" for entry in run.timeline) <= 12


def test_what_does_not_fit_is_left_out_and_told(tmp_path: Path) -> None:
    def big(stage: Stage) -> None:
        image = Image.frombytes("RGB", (256, 256), random.Random(stage.prompt_id).randbytes(3 * 256 * 256))
        stream = io.BytesIO()
        image.save(stream, "PNG")
        item = stage.server.files.add("big", stream.getvalue())
        standard_run(steps=1, previews=False, outputs={"9": {"images": [item]}})(stage)

    with (
        ScriptedServer(script=big) as server,
        ComfyClient(server.url, journal=False) as client,
        pytest.warns(UserWarning, match=r"of 6 runs do not fit into the 0\.3 MB of a cassette and were left out"),
        record(tmp_path / "big.cassette", client, max_bytes=300_000, quality=80),
    ):
        for seed in range(6):
            client.run(prompt(seed, 2.0))
    path = tmp_path / "big.cassette"
    assert path.stat().st_size <= 300_000
    assert 1 <= len(Cassette(path).runs) < 6


def test_the_same_file_is_played_by_one_server(cassette_path: Path) -> None:
    with ComfyClient(f"cassette:{cassette_path}") as one, ComfyClient(f"cassette:{cassette_path}") as other:
        assert one.url == other.url
    # A result outlives its client, as those of other servers do.
    with ComfyClient(f"cassette:{cassette_path}?speed=instant") as client:
        result = client.run(prompt(1, 8.0))
    assert result.images[0].size == (32, 32)


@pytest.mark.parametrize("speed", ["0", "-1", "fast", "nan", "inf"])
def test_a_speed_that_is_none_is_told(cassette_path: Path, speed: str) -> None:
    with pytest.raises(CassetteError, match="must be 1 as it was recorded"):
        ComfyClient(f"cassette:{cassette_path}?speed={speed}")


def test_an_environment_may_name_a_cassette(
    cassette_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COMFYUI_URL", f"cassette:{cassette_path}?speed=instant")
    with ComfyClient() as client:
        assert len(client.run(prompt(1, 2.0)).images) == 1
    assert "lesson.cassette" in capsys.readouterr().out


def test_anything_posted_is_answered(cassette_path: Path) -> None:
    with CassettePlayer(cassette_path, speed="instant") as player:
        for body in (b"", b"[]", b"{}", b'{"prompt": 3}', b'{"prompt": {"1": 2}}', b'{"prompt": {"1": {"inputs": 5}}}'):
            assert requests.post(f"{player.url}/prompt", data=body, timeout=30).status_code == 400
        assert requests.get(f"{player.url}/models/loras", timeout=30).json() == []


def test_a_node_error_of_a_title_with_a_path_is_played(tmp_path: Path) -> None:
    def script(stage: Stage) -> None:
        stage.start()
        raise NodeError("3", "no file /home/anna/models/x.safetensors", "FileNotFoundError")

    with (
        ScriptedServer(script=script) as server,
        ComfyClient(server.url, journal=False) as client,
        record(tmp_path / "path.cassette", client),
        pytest.raises(ComfyError),
    ):
        client.run(text_to_image())
    with (
        ComfyClient(f"cassette:{tmp_path / 'path.cassette'}?speed=instant") as replayed,
        pytest.raises(ExecutionFailed, match=r"no file x\.safetensors"),
    ):
        replayed.run(text_to_image())


def test_the_command_line_says_what_is_in_a_cassette(cassette_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", str(cassette_path), "--list"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "Seeds and cfg: 6 runs",
        "  seed (node 3): 1, 2",
        "  cfg (node 3): 2, 5, 8",
    ]
    assert main(["replay", str(cassette_path), "--speed", "warp"]) == 1
    assert "The speed is 'warp'" in capsys.readouterr().err
    assert main(["replay", str(cassette_path), "--port", "80000"]) == 2
    assert main(["replay", str(cassette_path.parent)]) == 1


def test_the_command_line_serves_a_cassette(cassette_path: Path) -> None:
    command = [sys.executable, "-m", "comfy_widgets.cli", "replay", str(cassette_path), "--port", "0"]
    process = subprocess.Popen([*command, "--speed", "instant"], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        url = next(line.split()[2].rstrip(";") for line in process.stdout if line.startswith("Playing at"))
        with ComfyClient(url, journal=False) as client:
            assert len(client.run(prompt(1, 8.0)).images) == 1
    finally:
        process.kill()
        process.wait(30)


def test_a_taken_port_ends_with_its_sentence(cassette_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with CassettePlayer(cassette_path) as player:
        port = player.url.rpartition(":")[2]
        assert main(["replay", str(cassette_path), "--port", port]) == 1
    assert f"Port {port} cannot be used" in capsys.readouterr().err


def test_a_client_tells_of_its_jobs_and_its_secrets() -> None:
    with ScriptedServer() as server, ComfyClient(server.url, auth=("anna", "pass/word"), journal=False) as client:
        seen: list[Any] = []
        subscription = client.on_submit(seen.append)
        job = client.submit(text_to_image())
        subscription.cancel()
        client.run(text_to_image(seed=1))
        assert seen == [job]
        assert {"anna", "pass/word", "pass%2Fword"} <= set(client.secrets())


def test_recording_without_a_client_makes_one_for_the_block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with ScriptedServer() as server:
        monkeypatch.setenv("COMFYUI_URL", server.url)
        with record(tmp_path / "own.cassette") as client:
            client.run(prompt(1, 2.0))
    assert len(Cassette(tmp_path / "own.cassette").runs) == 1
