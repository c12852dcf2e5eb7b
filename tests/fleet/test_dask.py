"""Servers that only the workers of a Dask cluster reach: three engines, three workers, and one of each that dies."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from comfy_widgets import ComfyClient, ComfyPanel, DaskFleet, Engine, Job, Workflow, example, sweep
from comfy_widgets.errors import ComfyError, PromptRefused, WorkflowError
from comfy_widgets.experiments import resume
from comfy_widgets.testing import Gate, ScriptedServer, node_info, standard_run, text_to_image

from .conftest import until

distributed = pytest.importorskip("distributed", reason="the extra 'dask' is not installed")
pytestmark = pytest.mark.timeout(300)


def small(**values: Any) -> Workflow:
    return example().with_params(width=64, height=64, **{"steps": 2, **values})


@pytest.fixture(scope="module")
def engines() -> Iterator[list[Engine]]:
    with ExitStack() as stack:
        yield [stack.enter_context(Engine()) for _ in range(3)]


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    options = {"threads_per_worker": 3, "resources": {"COMFY": 2}, "dashboard_address": ":0"}
    with distributed.LocalCluster(n_workers=3, **options) as made, distributed.Client(made) as client:
        client.wait_for_workers(3, timeout=200)
        yield client


@pytest.fixture
def fleet(cluster: Any, engines: list[Engine]) -> Iterator[DaskFleet]:
    # One that was killed is started again, some time.
    cluster.wait_for_workers(2, timeout=200)
    with DaskFleet(cluster, servers={n: engine.url for n, engine in enumerate(engines)}, lost_after=15) as made:
        yield made


def executed(engines: list[Engine]) -> list[str]:
    """Ids of all that ran."""
    found = []
    for engine in engines:
        if engine.running:
            with ComfyClient(engine.url, journal=False) as client:
                found += [entry.prompt_id for entry in client.history_page(1000)]
    return found


def addresses(cluster: Any) -> set[str]:
    """Of the workers that Dask's scheduler knows."""
    return set(cluster.scheduler_info(n_workers=-1)["workers"])


def test_it_answers_like_a_client(fleet: DaskFleet, engines: list[Engine]) -> None:
    assert sorted(fleet.servers) == sorted(engine.url for engine in engines) and fleet.slots == 6
    job = fleet.submit(small(seed=1))
    seen: list[Any] = []
    job.on("event", seen.append)
    result = job.result(120)
    assert len(result.images) == 1 and job.server in fleet.servers
    until(lambda: {"executing", "progress"} & {event.type for event in seen})
    assert fleet.attach(result.prompt_id).result(120).images
    assert fleet.attach("0b9bcb85-6f9c-4b52-9b75-6f4b2e1a0c55").wait(120).status == "lost"
    assert [len(each.images) for each in fleet.map(small(), [{"seed": 1}, {"seed": 2}])] == [1, 1]
    assert fleet.queue().queue_running == () and "KSampler" in fleet.object_info(refresh=True)
    file = fleet.upload_image(result.images[0], "boat.png")
    assert fleet.view(file)[:4] == b"\x89PNG"
    assert fleet.upload_mask(result.images[0].convert("RGBA"), file, "mask.png").type == "input"
    panel = ComfyPanel(small(seed=2), client=fleet)
    assert panel.run().result(120).images
    panel.close()


def test_errors_of_the_workflow_and_cancelling(fleet: DaskFleet, engines: list[Engine]) -> None:
    before = len(executed(engines))
    with pytest.raises(WorkflowError, match="Nowhere"):
        fleet.submit({"1": {"class_type": "Nowhere", "inputs": {}}})
    with pytest.raises(PromptRefused):
        fleet.run({"1": {"class_type": "EmptyLatentImage", "inputs": {"width": 64, "height": 64, "batch_size": 1}}})
    job = fleet.submit(small(steps=2000))
    until(lambda: job.status == "in_progress")
    assert job.cancel() and job.wait(120).cancelled()
    assert len(executed(engines)) == before + 1


def test_a_worker_is_killed(fleet: DaskFleet, cluster: Any, engines: list[Engine], tmp_path: Path) -> None:
    before = executed(engines)
    run = sweep(small(steps=20), seed=range(100, 136), client=fleet, folder=tmp_path / "store", confirm=True)
    until(lambda: run.counts.get("completed", 0) >= 6)
    pid = next(iter(cluster.run(os.getpid).values()))
    os.kill(pid, signal.SIGKILL)
    assert run.wait(200).counts == {"completed": 36}, [cell.error for cell in run if cell.error]
    assert all(cell.image is not None for cell in run)
    ran = [one for one in executed(engines) if one not in before]
    # Its server lived: what ran there was adopted, and nothing ran twice.
    assert len(ran) == len(set(ran)) == 36
    run.close()


def test_a_worker_whose_server_alone_can_run_a_prompt_is_killed(cluster: Any) -> None:
    cluster.wait_for_workers(3, timeout=200)
    gate = Gate()
    with ExitStack() as stack:
        servers = [stack.enter_context(ScriptedServer()) for _ in range(3)]
        servers[1].object_info["Rare"] = node_info("Rare", "Rare", {"images": ["IMAGE"]}, output_node=True)
        servers[1].play(standard_run(gate=gate, gate_after="execution_start"))
        fleet = stack.enter_context(
            DaskFleet(cluster, servers={n: server.url for n, server in enumerate(servers)}, lost_after=15)
        )
        prompt = text_to_image()
        prompt["20"] = {"class_type": "Rare", "inputs": {"images": ["8", 0]}}
        jobs = [fleet.submit(prompt) for _ in range(4)]
        gate.wait_reached()
        names = {worker["name"]: address for address, worker in cluster.scheduler_info(n_workers=-1)["workers"].items()}
        # Whoever takes its place has another address, and Dask would wait for the old one for ever.
        os.kill(cluster.run(os.getpid, workers=[names[1]])[names[1]], signal.SIGKILL)
        gate.open()
        assert [job.wait(200).status for job in jobs] == ["completed"] * 4, [job.exception() for job in jobs]
        assert [server.count("POST", "/prompt") for server in servers] == [0, 4, 0]


async def stay_dead() -> None:
    """In place of what starts a worker again."""


def test_a_worker_that_comes_late_gets_what_only_its_server_can_run() -> None:
    options = {"threads_per_worker": 2, "resources": {"COMFY": 2}, "dashboard_address": ":0"}
    gate = Gate()
    with ExitStack() as stack:
        plain, rare = (stack.enter_context(ScriptedServer()) for _ in range(2))
        rare.object_info["Rare"] = node_info("Rare", "Rare", {"images": ["IMAGE"]}, output_node=True)
        rare.play(standard_run(gate=gate, gate_after="execution_start"))
        made = stack.enter_context(distributed.LocalCluster(n_workers=2, **options))
        client = stack.enter_context(distributed.Client(made))
        client.wait_for_workers(2, timeout=200)
        servers = {0: plain.url, 1: rare.url, 2: rare.url}
        fleet = stack.enter_context(DaskFleet(client, servers=servers, lost_after=15))
        prompt = text_to_image()
        prompt["20"] = {"class_type": "Rare", "inputs": {"images": ["8", 0]}}
        jobs = [fleet.submit(prompt) for _ in range(4)]
        gate.wait_reached()
        # It dies and does not come again, and is forgotten before there is another.
        made.workers[1].instantiate = stay_dead
        names = {worker["name"]: address for address, worker in client.scheduler_info(n_workers=-1)["workers"].items()}
        os.kill(client.run(os.getpid, workers=[names[1]])[names[1]], signal.SIGKILL)
        until(lambda: fleet.servers == [plain.url])
        with pytest.raises(WorkflowError, match="node class 'Rare'"):
            fleet.submit(prompt)
        gate.open()
        made.scale(3)
        assert [job.wait(200).status for job in jobs] == ["completed"] * 4, [job.exception() for job in jobs]
        assert [server.count("POST", "/prompt") for server in (plain, rare)] == [0, 4]


def test_a_worker_that_does_not_answer_holds_up_nothing(fleet: DaskFleet, cluster: Any) -> None:
    cluster.wait_for_workers(3, timeout=200)
    before = addresses(cluster)
    stopped, killed, _ = cluster.run(os.getpid).values()
    os.kill(stopped, signal.SIGSTOP)
    try:
        os.kill(killed, signal.SIGKILL)
        until(lambda: addresses(cluster) != before)
        # In a thread, as nothing but that worker's answer would end it.
        submitted: list[Job] = []
        threading.Thread(target=lambda: submitted.append(fleet.submit(small(seed=3))), daemon=True).start()
        until(lambda: submitted)
    finally:
        os.kill(stopped, signal.SIGCONT)
    assert submitted[0].result(120).images


def test_a_sweep_is_resumed_by_another_notebook(fleet: DaskFleet, engines: list[Engine], tmp_path: Path) -> None:
    before = executed(engines)
    run = sweep(small(), seed=range(200, 212), client=fleet, folder=tmp_path / "store", confirm=True)
    until(lambda: run.counts.get("completed", 0) >= 3)
    run.pause()
    until(lambda: "in_progress" not in run.counts)
    run.store.close()
    again = resume(tmp_path / "store", client=fleet).wait(120)
    assert again.counts == {"completed": 12}
    assert len([one for one in executed(engines) if one not in before]) == 12
    again.close()


def test_a_server_is_killed(fleet: DaskFleet, engines: list[Engine], tmp_path: Path) -> None:
    run = sweep(small(steps=10), seed=range(300, 324), client=fleet, folder=tmp_path / "store", confirm=True)
    until(lambda: run.counts.get("completed", 0) >= 4)
    engines[2].close()
    assert run.wait(200).counts == {"completed": 24}, [cell.error for cell in run if cell.error]
    run.close()


def test_without_the_resource_it_says_so(cluster: Any) -> None:
    options = {"n_workers": 1, "processes": False, "dashboard_address": ":0"}
    with (
        distributed.LocalCluster(**options) as plain,
        distributed.Client(plain) as client,
        pytest.raises(ComfyError, match=r"None of the 1 workers.*COMFY=2"),
    ):
        DaskFleet(client)
