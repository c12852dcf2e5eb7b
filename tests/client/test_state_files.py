"""State files: shared by many processes, and never fatal, whatever is in them."""

from __future__ import annotations

import json
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import comfy_widgets
from comfy_widgets.client import ComfyClient
from comfy_widgets.client._journal import Journal
from comfy_widgets.client._timings import Timings
from comfy_widgets.testing import ScriptedServer, text_to_image

Connect = Callable[..., ComfyClient]

ENTRY = {"url": "http://127.0.0.1:1", "client_id": "me", "submitted_at": 5.0}
DAMAGE = [
    b'{"x": "\xff"}',
    b"[" * 200_000,
    b'{"prompt_id": ' * 50_000,
    b"\xff\xfe" + "text".encode("utf-16-le"),
    b"\0" * 1000,
    b"",
    b"null",
    b"7",
    b'"text"',
    b'{"prompt_id": "\\ud83d", "url": "http://127.0.0.1:1"}',
    b'{"prompt_id": "a", "url": ["list"]}',
    b'{"prompt_id": "a", "url": "", "submitted_at": NaN}',
    b'{"prompt_id": "a", "url": "http://[::1", "submitted_at": 1' + b"0" * 400 + b"}",
    b'{"prompt_id": "a", "url": "http://127.0.0.1:1/\\u0000", "status": ["list"]}',
    b'{"prompt_id": ["list"], "url": {}}',
    b'{"prompt_id": "' + b"x" * 100_000 + b'", "url": "http://127.0.0.1:1"}',
    b"9" * 5000,
]


@pytest.fixture(autouse=True)
def quiet() -> None:
    warnings.simplefilter("ignore", UserWarning)


@pytest.mark.parametrize("damage", DAMAGE, ids=lambda damage: repr(damage[:24]))
class TestDamage:
    def test_a_damaged_journal_stops_nothing(
        self, damage: bytes, server: ScriptedServer, connect: Connect, state: Path
    ) -> None:
        state.mkdir()
        good = json.dumps({"prompt_id": "old", **ENTRY}).encode()
        (state / "journal.jsonl").write_bytes(good + b"\n" + damage + b"\n")
        result = connect(server.url).run(text_to_image())
        assert {"old", result.prompt_id} <= {run.prompt_id for run in comfy_widgets.runs()}

    def test_damaged_timings_stop_nothing(
        self, damage: bytes, server: ScriptedServer, connect: Connect, state: Path
    ) -> None:
        state.mkdir()
        (state / "timings.json").write_bytes(damage)
        client = connect(server.url)
        assert client.run(text_to_image()).images
        client.close()
        assert json.loads((state / "timings.json").read_bytes())[server.url]


def test_what_is_damaged_is_set_aside_and_told_once(state: Path) -> None:
    state.mkdir()
    (state / "timings.json").write_bytes(b"[" * 200_000)
    with pytest.warns(UserWarning, match=r"timings\.json cannot be read\. It was set aside as timings\.damaged\.json"):
        assert Timings(state, "u").get("KSampler") is None
    assert (state / "timings.damaged.json").read_bytes() == b"[" * 200_000
    (state / "journal.jsonl").write_bytes(b'{"x": "\xff"}\n')
    with pytest.warns(UserWarning, match=r"1 lines of .*journal\.jsonl cannot be read"):
        Journal(state).entries()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert Journal(state).entries() == []
        assert Timings(state, "u").get("KSampler") is None


def test_warnings_that_are_errors_stop_nothing(state: Path) -> None:
    state.mkdir()
    (state / "journal.jsonl").write_bytes(b"[\n" + json.dumps({"prompt_id": "a", **ENTRY}).encode() + b"\n")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(Journal(state).entries()) == 1


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=300))
def test_any_bytes_are_read(content: bytes, state: Path) -> None:
    state.mkdir(exist_ok=True)
    for name in ("journal.jsonl", "timings.json"):
        (state / name).write_bytes(content)
    Journal(state).entries()
    Journal(state).submitted("a", "u", "me")
    assert "a" in {entry.prompt_id for entry in Journal(state).entries()}
    timings = Timings(state, "u")
    timings.learn({"1": "A"}, {"1": 1.0})
    timings.save()
    assert Timings(state, "u").get("A") == 1.0


def test_a_line_that_was_cut_off_costs_only_itself(state: Path) -> None:
    Journal(state).submitted("one", "u", "me")
    with (state / "journal.jsonl").open("ab") as stream:
        stream.write(b'{"prompt_id": "tw')
    with warnings.catch_warnings():
        # It may still be being written.
        warnings.simplefilter("error")
        assert [entry.prompt_id for entry in Journal(state).entries()] == ["one"]
    Journal(state).submitted("three", "u", "me")
    assert {entry.prompt_id for entry in Journal(state).entries()} == {"one", "three"}


WRITER = """
import sys
from pathlib import Path
from comfy_widgets.client._journal import Journal
from comfy_widgets.client._status import JobStatus
from comfy_widgets.client._timings import Timings
state, name, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
journal = Journal(state)
for number in range(count):
    journal.submitted(f"{name}-{number}", "u", "me")
    journal.ended(f"{name}-{number}", JobStatus.COMPLETED)
    timings = Timings(state, name)
    timings.learn({"1": "A"}, {"1": 1.0})
    if number % 20 == 0:
        timings.save()
"""


def test_processes_beside_each_other_lose_nothing(state: Path) -> None:
    state.mkdir()
    # Long enough that each process shortens it when it begins.
    old = [json.dumps({"prompt_id": f"old-{n}", "url": "u", "submitted_at": n}) for n in range(4500)]
    (state / "journal.jsonl").write_text("\n".join(old) + "\n")
    mine = Journal(state)
    mine.submitted("mine-before", "u", "me")
    processes = [subprocess.Popen([sys.executable, "-c", WRITER, str(state), name, "120"]) for name in "abc"]
    assert [process.wait(60) for process in processes] == [0, 0, 0]
    mine.submitted("mine-after", "u", "me")
    found = {entry.prompt_id: entry.status for entry in Journal(state).entries()}
    assert {"mine-before", "mine-after"} <= found.keys()
    for name in "abc":
        assert all(found[f"{name}-{number}"] == "completed" for number in range(120))
        assert Timings(state, name).get("A") == 1.0
    assert len(found) <= 1000 + 3 * 120 + 2


def test_servers_that_are_gone_for_long_are_forgotten(state: Path) -> None:
    for port in range(150):
        timings = Timings(state, f"http://127.0.0.1:{port}")
        timings.learn({"1": "A"}, {"1": 1.0})
        timings.save()
    kept = json.loads((state / "timings.json").read_bytes())
    assert len(kept) == 100
    assert "http://127.0.0.1:149" in kept
