"""Thirty people and a sweep on one server: everybody gets a turn. Waits are counted in prompts, not in seconds."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import comm
import pytest

from comfy_widgets import ComfyClient, ComfyPanel, Fleet, sweep
from comfy_widgets.testing import Gate, ScriptedServer, standard_run, text_to_image

from ..widgets.page import Page
from .conftest import PACE, until

Start = Callable[..., list[ScriptedServer]]
Make = Callable[..., Fleet]
QUICK = standard_run(previews=False, outputs={"9": {"text": ["done"]}})


def order(server: ScriptedServer) -> list[str]:
    """Ids of the prompts that ran, in the order in which they did."""
    return list(server.state.history)


def test_thirty_panels_wait_alike(start: Start, make_fleet: Make) -> None:
    (server,) = start(1, script=QUICK)
    fleet = make_fleet(server)
    panels = [ComfyPanel(text_to_image(steps=1, seed=number), client=fleet) for number in range(30)]
    gate = Gate()
    server.play(standard_run(gate=gate, gate_after="executing"))
    first = fleet.submit(text_to_image())
    gate.wait_reached()
    # The first ones are impatient: they press ten times, the others twice.
    jobs = [[panel.run() for _ in range(10 if number < 5 else 2)] for number, panel in enumerate(panels)]
    gate.open()
    for job in [first, *(job for pressed in jobs for job in pressed)]:
        job.result(60)
    ran = order(server)
    # Nobody has a third run before all have had two, however often anybody presses.
    second = [ran.index(pressed[1].prompt_id) for pressed in jobs]
    third = [ran.index(pressed[2].prompt_id) for pressed in jobs if len(pressed) > 2]
    assert max(second) < min(third) and max(second) - min(second) == 29
    for panel in panels:
        panel.close()


def test_in_the_long_run_waits_are_the_same(start: Start, make_fleet: Make) -> None:
    (server,) = start(1, script=QUICK)
    fleet = make_fleet(server)
    waits: dict[str, list[int]] = {f"person {number}": [] for number in range(30)}
    done = threading.Semaphore(0)

    def again(name: str) -> None:
        before = len(server.state.history)
        job = fleet.submit(text_to_image(steps=1), share=name)

        def ended(_: object) -> None:
            waits[name].append(order(server).index(job.prompt_id) - before)
            again(name) if len(waits[name]) < 5 else done.release()

        job.add_done_callback(ended)

    for name in waits:
        again(name)
    for _ in waits:
        assert done.acquire(timeout=120)
    # Who came first waited less, once; from then on all wait for one turn of everybody.
    later = [sum(counts[1:]) for counts in waits.values()]
    assert max(later) / min(later) < 1.5


def test_a_sweep_delays_nobody_by_more_than_what_runs(start: Start, make_fleet: Make, tmp_path: Path) -> None:
    gate = Gate()
    (server,) = start(1)
    server.play(standard_run(gate=gate, gate_after="executing"))
    fleet = make_fleet(server)
    run = sweep(text_to_image(steps=1), seed=range(500), client=fleet, folder=tmp_path / "store", confirm=True)
    gate.wait_reached()
    until(lambda: len(server.posted) == 2)
    until(lambda: fleet.servers[0].running == 1)
    panel = ComfyPanel(text_to_image(), client=fleet)
    job = panel.run()
    until(lambda: len(server.posted) == 3)
    gate.open()
    job.result(60)
    assert order(server)[1] == job.prompt_id
    run.cancel().wait(60)
    run.close()
    panel.close()


def test_prompts_of_other_programs_are_counted(start: Start, make_fleet: Make) -> None:
    gate = Gate()
    busy, idle = start(2)
    busy.script = standard_run(gate=gate, gate_after="executing")
    for number in range(3):
        busy.accept(f"stranger {number}", number, text_to_image(), {}, ["9"])
    fleet = make_fleet(busy, idle)
    until(lambda: fleet.servers[0].strangers == 3)
    jobs = [fleet.submit(text_to_image(seed=seed)) for seed in range(6)]
    until(lambda: sum(job.done() for job in jobs) >= 5)
    assert len(idle.posted) >= 5 and len(busy.posted) <= 1
    gate.open()
    assert all(job.result(60) for job in jobs)
    until(lambda: fleet.servers[0].strangers == 0)


def test_a_class_does_not_see_the_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comm, "create_comm", Page)
    name = "the server of the class"
    with ScriptedServer() as server, ComfyClient(server.url, name=name, pace=PACE, reconnect_interval=0.1) as client:
        fleet = Fleet([client])
        panel = ComfyPanel(text_to_image(), client=fleet)
        page = panel.comm
        assert isinstance(page, Page)
        panel.run().result(60)
        page.press_run()
        until(lambda: len(server.posted) == 2)
        page.wait_phase("done")
        server.kill()
        page.press_run(n=2)
        # It is told that the server is gone, by its name.
        page.wait_for(lambda: name in str(page.state["_run"]["warnings"]))
        host = server.url.partition("//")[2]
        assert not [sent for sent in page.sent if host in repr(sent.data)]
        assert host not in repr(panel.runs)
        panel.close()
        fleet.close()
