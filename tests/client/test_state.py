"""What outlives the process: the journal, and the seconds that node classes take."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

import comfy_widgets
from comfy_widgets.client import ComfyClient
from comfy_widgets.client._journal import Journal
from comfy_widgets.client._timings import Timings
from comfy_widgets.testing import Gate, ScriptedServer, standard_run, text_to_image

Connect = Callable[..., ComfyClient]


def test_every_submitted_prompt_is_found_again_with_its_pictures(server: ScriptedServer, connect: Connect) -> None:
    client = connect(server.url)
    ids = [client.run(text_to_image(), seed=seed).prompt_id for seed in range(3)]
    found = comfy_widgets.runs()
    assert [run.prompt_id for run in found] == ids[::-1]
    assert {run.status for run in found} == {"completed"}
    # A restarted kernel has nothing but the journal.
    job = found[0].attach(connect(server.url))
    assert len(job.result(20).images) == 1


def test_a_run_whose_end_was_not_seen_is_looked_up(server: ScriptedServer, connect: Connect, state: Path) -> None:
    gate = Gate()
    server.play(standard_run(gate=gate, gate_after="progress"))
    client = connect(server.url)
    job = client.submit(text_to_image())
    gate.wait_reached()
    assert [run.status for run in comfy_widgets.runs()] == ["in_progress"]
    gate.open()
    job.result(20)
    # As if the kernel had died before: nobody noted the end.
    journal = state / "journal.jsonl"
    journal.write_text("".join(line for line in journal.read_text().splitlines(True) if '"url"' in line))
    assert [run.status for run in comfy_widgets.runs()] == ["completed"]
    server.forget(job.prompt_id)
    assert [run.status for run in comfy_widgets.runs()] == ["completed"]


def test_a_server_that_is_gone_does_not_hold_up_the_list(server: ScriptedServer, state: Path) -> None:
    Journal(state).submitted("an-id", server.url, "me")
    server.kill()
    assert [run.status for run in comfy_widgets.runs()] == ["pending"]


def test_the_journal_holds_no_secrets_and_can_be_switched_off(
    server: ScriptedServer, connect: Connect, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = server.url.replace("http://", "http://ann:s3cret@")
    connect(url, headers={"X-API-Key": "k3y"}, api_key="sk-123").run(text_to_image())
    text = (state / "journal.jsonl").read_text()
    assert server.url in text
    assert not any(secret in text for secret in ("s3cret", "k3y", "sk-123", "KSampler"))
    monkeypatch.setenv("COMFY_WIDGETS_STATE", "off")
    connect(server.url).run(text_to_image(), seed=9)
    connect(server.url, journal=False).run(text_to_image(), seed=10)
    assert (state / "journal.jsonl").read_text() == text


def test_a_damaged_journal_costs_only_its_damaged_lines(state: Path) -> None:
    journal = Journal(state)
    journal.submitted("one", "http://127.0.0.1:1", "me")
    with (state / "journal.jsonl").open("a") as stream:
        stream.write('{"prompt_id": "ha\nnot json\n[1, 2]\n{"prompt_id": 7}\n')
    journal.submitted("two", "http://127.0.0.1:1", "me")
    with pytest.warns(UserWarning, match=r"3 lines of .*set aside in journal\.damaged\.jsonl"):
        assert {run.prompt_id for run in journal.entries()} == {"one", "two"}


def test_a_long_journal_is_shortened_to_the_newest(state: Path) -> None:
    state.mkdir()
    lines = [json.dumps({"prompt_id": str(n), "url": "u", "submitted_at": n}) for n in range(5000)]
    (state / "journal.jsonl").write_text("\n".join(lines) + "\n")
    Journal(state).submitted("newest", "u", "me")
    found = Journal(state).entries()
    assert len(found) < 2500
    assert {"newest", "4999"} <= {run.prompt_id for run in found}


def test_seconds_are_learned_per_server_and_kept(state: Path) -> None:
    here, there = Timings(state, "http://here"), Timings(state, "http://there")
    here.learn({"3": "KSampler"}, {"3": 10.0})
    here.learn({"3": "KSampler"}, {"3": 20.0})
    here.save()
    there.learn({"3": "KSampler"}, {"3": 1.0})
    there.save()
    assert Timings(state, "http://here").get("KSampler") == 15.0
    assert Timings(state, "http://there").get("KSampler") == 1.0
    assert Timings(state, "http://elsewhere").get("KSampler") is None


def test_a_disk_that_cannot_be_written_costs_no_picture(
    server: ScriptedServer, connect: Connect, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a file").write_text("")
    monkeypatch.setenv("COMFY_WIDGETS_STATE", str(tmp_path / "a file" / "below"))
    assert len(connect(server.url).run(text_to_image()).images) == 1
