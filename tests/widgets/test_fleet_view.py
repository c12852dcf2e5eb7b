"""What the browser is told of a fleet, and what it may ask for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from comfy_widgets import Fleet, FleetView
from comfy_widgets.testing import Gate, ScriptedServer, standard_run, text_to_image


@pytest.fixture
def servers() -> Iterator[list[ScriptedServer]]:
    with ScriptedServer() as one, ScriptedServer() as other:
        yield [one, other]


def say(view: FleetView, act: str, server: str) -> None:
    view._handle_custom_msg({"kind": "fleet", "act": act, "server": server}, [])


def test_rows_and_timeline(servers: list[ScriptedServer]) -> None:
    gate = Gate()
    with Fleet(servers[:1]) as fleet:
        view = FleetView(fleet)
        assert [row["status"] for row in view._fleet["rows"]] == ["ready"] and view._fleet["stints"] == []
        servers[0].play(standard_run(gate=gate, gate_after="executing"))
        job = fleet.submit(text_to_image(), share="Ana")
        until = servers[0].wait_for
        until(lambda: [stint[3:] for stint in view._fleet["stints"]] == [("running", "Ana")], 60)
        gate.open()
        job.result(60)
        until(lambda: [stint[3:] for stint in view._fleet["stints"]] == [("completed", "Ana")], 60)
        (row,) = view._fleet["rows"]
        assert (row["completed"], row["failed"], row["model"]) == (1, 0, "model.safetensors")
        assert row["rate"] > 0 and row["seconds"] > 0
        number, began, ended, *_ = view._fleet["stints"][0]
        assert number == 0 and view._fleet["span"] >= began >= ended >= 0
        view.close()


def test_what_a_person_does(servers: list[ScriptedServer]) -> None:
    one, other = servers
    until = one.wait_for
    with Fleet([one]) as fleet:
        view = FleetView(fleet)
        say(view, "drain", one.url)
        until(lambda: view._fleet["rows"][0]["status"] == "drained", 60)
        say(view, "resume", one.url)
        until(lambda: view._fleet["rows"][0]["status"] == "ready", 60)
        say(view, "add", other.url)
        until(lambda: len(view._fleet["rows"]) == 2, 60)
        say(view, "add", "nonsense")
        until(lambda: "no scheme" in view._fleet["error"], 60)
        say(view, "remove", one.url)
        until(lambda: [row["server"] for row in view._fleet["rows"]] == [other.url], 60)
        assert view._fleet["error"] == ""
        view.close()


def test_what_is_no_fleet_is_told() -> None:
    for value in (None, "http://gpu1:8188", []):
        with pytest.raises(TypeError, match="shows a Fleet"):
            FleetView(value)  # type: ignore[arg-type]
