"""``comfy-widgets fleet status``, as it is typed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from comfy_widgets.cli import main
from comfy_widgets.testing import Gate, Reply, ScriptedServer, standard_run, text_to_image

from .conftest import until

Start = Callable[..., list[ScriptedServer]]


def test_how_servers_stand(start: Start, capsys: pytest.CaptureFixture[str]) -> None:
    gate = Gate()
    (busy,), (old,) = start(1), start(1, version="0.3.50")
    busy.script = standard_run(gate=gate, gate_after="executing")
    for number in range(3):
        busy.accept(f"prompt {number}", number, text_to_image(), {}, ["9"])
    gate.wait_reached()
    until(lambda: len(busy.state.pending) == 2)
    assert main(["fleet", "status", busy.url, old.url]) == 0
    head, first, second, told = capsys.readouterr().out.splitlines()
    assert head.split() == ["server", "status", "running", "waiting", "ComfyUI", "free", "memory", "what", "runs"]
    assert first.split()[:5] == [busy.url, "working", "1", "2", "0.3.64"] and first.endswith("model.safetensors")
    assert second.split()[:5] == [old.url, "ready", "0", "0", "0.3.50"]
    assert "different versions" in told
    gate.open()


def test_one_that_does_not_answer(start: Start, capsys: pytest.CaptureFixture[str]) -> None:
    (server,) = start(1)
    assert main(["fleet", "status", server.url, "http://127.0.0.1:9"]) == 1
    shown = capsys.readouterr().out
    assert "no answer" in shown and "connection refused" in shown and "ready" in shown


def test_what_is_typed_wrong(start: Start, capsys: pytest.CaptureFixture[str]) -> None:
    (server,) = start(1)
    assert main(["fleet", "status"]) == 2
    assert main(["fleet", "start", server.url]) == 2
    assert main(["fleet", "status", server.url, server.url + "/"]) == 1
    server.on("GET", "/system_stats", Reply.text("<h1>It works!</h1>"))
    assert main(["fleet", "status", server.url]) == 1
    assert "already" in capsys.readouterr().err
