"""Servers and kernels that are killed, vanish and come back: every cell has one result, and hardly one runs twice."""

from __future__ import annotations

import random
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from comfy_widgets import ComfyClient, Fleet, sweep
from comfy_widgets.errors import ExperimentError
from comfy_widgets.experiments import resume
from comfy_widgets.testing import FaultProxy, Gate, Reply, Request, ScriptedServer, standard_run, text_to_image

from ..experiments.test_store import nearly_full_disk
from .conftest import until

Start = Callable[..., list[ScriptedServer]]
Make = Callable[..., Fleet]
CELLS = 60
# Long enough that no server counts as lost because the machine is busy.
LOST_AFTER = 5


def sent(servers: list[ScriptedServer]) -> Counter[int]:
    """How often each seed was sent; a kernel may be killed in the middle of sending one."""
    seeds: Counter[int] = Counter()
    for server in servers:
        for request in server.traffic.select("POST", "/prompt"):
            with suppress(ValueError):
                seeds[request.json()["prompt"]["3"]["inputs"]["seed"]] += 1
    return seeds


def twice(servers: list[ScriptedServer]) -> set[int]:
    return {seed for seed, count in sent(servers).items() if count > 1}


def test_a_server_is_killed_at_a_random_point(start: Start, make_fleet: Make, tmp_path: Path) -> None:
    servers = start(3, script=standard_run(pause=0.01))
    dead = servers[1]
    fleet = make_fleet(*servers, lost_after=LOST_AFTER)
    run = sweep(text_to_image(steps=1), seed=range(CELLS), client=fleet, folder=tmp_path / "store")
    at = random.randrange(2, CELLS - 6)
    until(lambda: sent(servers).total() >= at)
    with fleet._carrier.lock:
        dead.kill()
    assert run.wait(120).counts == {"completed": CELLS}
    assert all(cell.image is not None for cell in run)
    # Of the dead server's own, and no more than it had at a time.
    at_it = set(sent([dead]))
    assert twice(servers) <= at_it and len(twice(servers)) <= 2 and set(sent(servers).values()) <= {1, 2}
    assert [row.status for row in fleet.servers if row.server == dead.url] in (["no answer"], ["ready"])
    run.close()


def test_a_kernel_is_killed_at_random_points(start: Start, make_fleet: Make, tmp_path: Path) -> None:
    servers = start(3)
    folder = tmp_path / "store"
    command = [sys.executable, str(Path(__file__).with_name("killed.py")), str(folder), str(CELLS)]
    for at in sorted(random.sample(range(2, CELLS), 2)):
        kernel = subprocess.Popen([*command, *(server.url for server in servers)], stdout=subprocess.DEVNULL)
        try:
            until(lambda at=at, kernel=kernel: sent(servers).total() >= at or kernel.poll() is not None)
        finally:
            kernel.kill()
            kernel.wait()
    run = resume(folder, client=make_fleet(*servers)).wait(120)
    assert run.counts == {"completed": CELLS} and all(cell.image is not None for cell in run)
    # All servers lived: nothing ran twice.
    assert sent(servers) == Counter(range(CELLS))
    run.close()


def test_a_server_that_is_restarted_has_forgotten_what_it_had(start: Start, make_fleet: Make) -> None:
    gate = Gate()
    one, other = start(2)
    one.script = standard_run(gate=gate, gate_after="executing")
    fleet = make_fleet(one, other)
    fleet.drain(other)
    job = fleet.submit(text_to_image())
    gate.wait_reached()
    fleet.drain(other, False)
    one.restart()
    assert job.result(60).images and job.server == other.url
    assert any("another server gets it" in warning for warning in job.warnings)
    until(lambda: [row.status for row in fleet.servers] == ["ready", "ready"])


@pytest.fixture
def vanishing(start: Start, make_fleet: Make) -> Any:
    """Two servers, the first one behind a proxy that can be cut; its run waits at a gate."""
    gate = Gate()
    one, other = start(2)
    with FaultProxy(one.url) as proxy:
        fleet = make_fleet(proxy.url, other, lost_after=LOST_AFTER)
        fleet.drain(other)
        one.play(standard_run(gate=gate, gate_after="executing"))
        job = fleet.submit(text_to_image())
        gate.wait_reached()
        fleet.drain(other, False)
        yield one, other, proxy, fleet, job, gate
        gate.open()


def test_a_server_that_vanishes_and_finishes_is_adopted_when_nobody_else_has_begun(vanishing: Any) -> None:
    one, other, proxy, fleet, job, gate = vanishing
    fleet.drain(other)
    proxy.refuse()
    until(lambda: fleet.servers[0].status == "no answer")
    until(lambda: job.status == "pending")
    gate.open()
    one.wait_for(lambda: job.prompt_id in one.state.history)
    proxy.accept()
    assert job.result(60).images and job.server == proxy.url
    assert other.posted == [] and len(one.posted) == 1
    until(lambda: fleet.servers[0].status == "ready")


def test_a_server_that_vanishes_and_still_runs_is_taken_back(vanishing: Any) -> None:
    one, other, proxy, fleet, job, gate = vanishing
    fleet.drain(other)
    proxy.refuse()
    until(lambda: fleet.servers[0].status == "no answer")
    proxy.accept()
    until(lambda: fleet.servers[0].status == "working")
    gate.open()
    assert job.result(60).images and other.posted == [] and len(one.posted) == 1


def test_what_another_one_finished_meanwhile_is_discarded_there(vanishing: Any) -> None:
    one, other, proxy, fleet, job, _ = vanishing
    proxy.refuse()
    assert job.result(60).images and job.server == other.url
    images = job.result(0).images
    proxy.accept()
    # The first server's run is stopped: nobody waits for it any more.
    one.wait_for(lambda: one.state.history.get(job.prompt_id))
    assert one.state.history[job.prompt_id]["status"]["status_str"] == "error"
    until(lambda: fleet.servers[0].status == "ready")
    assert job.result(0).images == images and len(other.posted) == len(one.posted) == 1


def test_a_prompt_that_ends_while_servers_are_asked_for_it_is_found(start: Start, make_fleet: Make) -> None:
    gate = Gate()
    _, other = servers = start(2)
    other.play(standard_run(gate=gate, gate_after="executing"))
    with ComfyClient(other.url) as client:
        prompt_id = client.submit(text_to_image()).prompt_id
        gate.wait_reached()

    def too_early(_: Request) -> Reply:
        gate.open()
        other.wait_for(lambda: prompt_id in other.state.history)
        return Reply.json({})

    other.on("GET", "/history/*", too_early, times=1)
    job = make_fleet(*servers).attach(prompt_id)
    gate.open()
    assert job.result(60).images and job.server == other.url


def test_all_servers_vanish_and_work_waits_until_one_is_back(start: Start, make_fleet: Make, tmp_path: Path) -> None:
    servers = start(2, script=standard_run(pause=0.01))
    fleet = make_fleet(*servers, lost_after=LOST_AFTER)
    run = sweep(text_to_image(steps=1), seed=range(20), client=fleet, folder=tmp_path / "store")
    until(lambda: run.counts.get("completed", 0) >= 4)
    for server in servers:
        server.kill()
    until(lambda: [row.status for row in fleet.servers] == ["no answer", "no answer"])
    assert run.status == "running"
    servers[1].start()
    assert run.wait(120).counts == {"completed": 20}, [cell.error for cell in run if cell.error]
    run.close()


def test_a_server_that_was_not_there_at_first_joins(start: Start, make_fleet: Make) -> None:
    one, late = start(2)
    late.kill()
    with pytest.warns(UserWarning, match="joins the fleet as soon as it answers"):
        fleet = make_fleet(one, late)
    late.start()
    until(lambda: fleet.servers[1].status == "ready")
    jobs = [fleet.submit(text_to_image(seed=seed)) for seed in range(8)]
    assert {job.wait(60).server for job in jobs} == {one.url, late.url}


def test_pause_and_cancel(start: Start, make_fleet: Make, tmp_path: Path) -> None:
    gate = Gate()
    servers = start(2, script=standard_run(gate=gate, gate_after="executing"))
    fleet = make_fleet(*servers)
    run = sweep(text_to_image(steps=1), seed=range(12), client=fleet, folder=tmp_path / "store")
    gate.wait_reached()
    run.pause(now=True)
    until(lambda: run.counts == {"pending": 12})
    gate.open()
    run.resume()
    until(lambda: run.counts.get("completed", 0) >= 2)
    run.cancel().wait(60)
    assert run.status == "cancelled" and set(run.counts) <= {"completed", "cancelled"}
    assert all(row.status == "ready" for row in fleet.servers)
    run.close()


def test_what_cannot_be_fetched_any_more_is_made_elsewhere(start: Start, make_fleet: Make) -> None:
    one, other = start(2)
    one.on("GET", "/view", Reply(503))
    job = make_fleet(one, other).submit(text_to_image())
    assert len(job.result(60).images) == 1 and job.server == other.url
    assert len(one.posted) == len(other.posted) == 1


def test_a_full_disk_pauses_and_what_is_on_the_servers_is_adopted(
    start: Start, make_fleet: Make, tmp_path: Path
) -> None:
    servers = start(2)
    with nearly_full_disk(200_000):
        run = sweep(text_to_image(steps=1), seed=range(40), client=make_fleet(*servers), folder=tmp_path / "store")
        with pytest.raises(ExperimentError, match="Make room, then resume"):
            run.wait(60)
    assert 0 < run.counts["completed"] < 40
    assert run.resume().wait(60).counts == {"completed": 40}
    assert sent(servers) == Counter(range(40))
    run.close()
