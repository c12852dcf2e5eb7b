"""A sweep whose kernel is killed at any moment goes on where it was: every cell has a result, and none ran twice."""

from __future__ import annotations

import random
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

import pytest
from PIL import Image

from comfy_widgets import ComfyClient, Workflow
from comfy_widgets.errors import ExperimentError
from comfy_widgets.experiments import Experiment, replace, resume, together
from comfy_widgets.testing import Gate, ScriptedServer, Stage, standard_run

from .test_store import axis_kinds

Sweep = Callable[..., Experiment]
CELLS = 40


def runs_of(server: ScriptedServer) -> Counter[int]:
    """How often each seed was sent; a kernel may be killed in the middle of sending one."""
    seeds: Counter[int] = Counter()
    for request in server.traffic.select("POST", "/prompt"):
        with suppress(ValueError):
            seeds[request.json()["prompt"]["3"]["inputs"]["seed"]] += 1
    return seeds


def kill_at(server: ScriptedServer, folder: Path, posts: int, cells: int = CELLS) -> None:
    """Run the sweep in a kernel of its own, and kill that when the server has been sent so many prompts."""
    command = [sys.executable, str(Path(__file__).with_name("killed.py")), server.url, str(folder), str(cells)]
    kernel = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        server.wait_for(lambda: runs_of(server).total() >= posts or kernel.poll() is not None, 60)
    finally:
        kernel.kill()
        kernel.wait()


def test_killed_at_random_points_every_cell_runs_once(
    server: ScriptedServer, client: ComfyClient, tmp_path: Path
) -> None:
    for posts in sorted(random.sample(range(2, CELLS), 3)):
        kill_at(server, tmp_path / "store", posts)
    run = resume(tmp_path / "store", client=client).wait(60)
    assert run.counts == {"completed": CELLS} and all(cell.image is not None for cell in run)
    assert runs_of(server) == Counter(range(CELLS))
    run.close()


def test_what_ran_while_nobody_listened_is_adopted(server: ScriptedServer, client: ComfyClient, tmp_path: Path) -> None:
    gate = Gate()
    server.play(standard_run(gate=gate, gate_after="executing"))
    kill_at(server, tmp_path / "store", 2, cells=4)
    gate.open()
    server.wait_for(lambda: not server.state.remaining)
    run = resume(tmp_path / "store", client=client).wait(30)
    assert run.counts == {"completed": 4} and runs_of(server) == Counter(range(4))
    run.close()


def test_what_still_runs_is_waited_for(server: ScriptedServer, client: ComfyClient, tmp_path: Path) -> None:
    gate = Gate()
    server.play(standard_run(gate=gate, gate_after="executing"))
    kill_at(server, tmp_path / "store", 2, cells=4)
    run = resume(tmp_path / "store", client=client)
    assert run.counts == {"in_progress": 2, "pending": 2}
    gate.open()
    run.wait(30)
    assert run.counts == {"completed": 4} and runs_of(server) == Counter(range(4))
    run.close()


def test_what_a_restarted_server_forgot_runs_again(server: ScriptedServer, client: ComfyClient, tmp_path: Path) -> None:
    gate = Gate()
    server.play(standard_run(gate=gate, gate_after="executing"))
    kill_at(server, tmp_path / "store", 2, cells=4)
    server.restart()
    run = resume(tmp_path / "store", client=client).wait(60)
    assert run.counts == {"completed": 4} and all(cell.image is not None for cell in run)
    run.close()


def test_another_servers_cells_are_fetched_from_there(
    server: ScriptedServer, client: ComfyClient, tmp_path: Path
) -> None:
    with ScriptedServer() as other:
        kill_at(other, tmp_path / "store", 2, cells=4)
        other.wait_for(lambda: not other.state.remaining)
        run = resume(tmp_path / "store", client=client).wait(60)
        assert run.counts == {"completed": 4}
        assert runs_of(server) + runs_of(other) == Counter(range(4))
        run.close()


def test_another_server_that_is_gone_is_no_hindrance(
    server: ScriptedServer, client: ComfyClient, tmp_path: Path
) -> None:
    gate = Gate()
    with ScriptedServer() as other:
        other.play(standard_run(gate=gate, gate_after="executing"))
        kill_at(other, tmp_path / "store", 2, cells=3)
    run = resume(tmp_path / "store", client=client).wait(60)
    assert run.counts == {"completed": 3} and runs_of(server) == Counter(range(3))
    run.close()


@pytest.mark.parametrize("kind", ["number", "choice", "text", "together", "lora", "model"])
def test_every_kind_of_axis_is_resumed(
    run_sweep: Sweep, server: ScriptedServer, client: ComfyClient, kind: str
) -> None:
    run = run_sweep(**axis_kinds(server)[kind], name="study", confirm=False)
    run.close()
    again = resume(run.folder, client=client)
    again.wait(30)
    assert (again.name, again.labels) == ("study", run.labels)
    assert [cell.key for cell in again] == [cell.key for cell in run]
    assert again.counts == {"completed": 2} and len(server.posted) == 2
    again.close()


def test_images_and_workflows_are_resumed(run_sweep: Sweep, server: ScriptedServer, client: ComfyClient) -> None:
    base = Workflow.load(
        {
            "1": {"class_type": "LoadImage", "inputs": {"image": "example.png"}},
            "2": {"class_type": "LoadImage", "inputs": {"image": "example.png"}},
            "3": {"class_type": "PreviewImage", "inputs": {"images": ["1", 0]}},
            "4": {"class_type": "PreviewImage", "inputs": {"images": ["2", 0]}},
        }
    )
    red, blue, green = (Image.new("RGB", (8, 8), colour) for colour in ("red", "blue", "green"))
    of_blue, of_green = (base.with_params({"2.image": image}) for image in (blue, green))
    run = run_sweep({"blue": of_blue, "green": of_green}, **{"1.image": [red, green]}).wait(30)
    run.close()
    again = resume(run.folder, client=client).wait(30)
    assert [cell.key for cell in again] == [cell.key for cell in run] and len(set(again)) == 4
    assert again.price.stored == 4 and again.labels == run.labels
    again.close()


def test_a_resumed_sweep_takes_more_values(run_sweep: Sweep, server: ScriptedServer, client: ComfyClient) -> None:
    run = run_sweep(
        animal=replace("cat", ["cat", "dog"], of="positive"), size=together(width=[64, 128], height=[64, 64])
    ).wait(30)
    run.close()
    again = resume(run.folder, client=client)
    again.add(animal="bird").wait(30)
    texts = {body["prompt"]["6"]["inputs"]["text"] for body in server.posted}
    assert texts == {"a red cat", "a red dog", "a red bird"} and len(server.posted) == 6
    again.close()


def test_a_store_that_names_files_outside_of_itself_is_refused(
    run_sweep: Sweep, client: ComfyClient, tmp_path: Path
) -> None:
    run = run_sweep(seed=[1]).wait(30)
    run.close()
    with closing(sqlite3.connect(run.folder / "experiment.db")) as database:
        (text,) = database.execute("SELECT definition FROM run").fetchone()
        changed = text.replace('"images": {}', '"images": {"positive": {"file": "../../secret.png"}}')
        assert changed != text
        database.execute("UPDATE run SET definition = ?", (changed,))
        database.commit()
    with pytest.raises(ExperimentError, match="outside of itself"):
        resume(run.folder, client=client)


def vanish(stage: Stage) -> None:
    """End without a word, and without an entry in the history."""
    stage.end(keep_history=False)


def test_a_cell_that_is_lost_each_time_pauses_the_sweep(server: ScriptedServer, run_sweep: Sweep) -> None:
    server.script = vanish
    with pytest.raises(ExperimentError, match="lost a cell 3 times"):
        run_sweep(seed=[7]).wait(60)
    assert runs_of(server) == Counter({7: 3})
    server.script = standard_run()
    run = run_sweep(seed=[7]).wait(60)
    assert run.counts == {"completed": 1} and runs_of(server) == Counter({7: 4})


def test_what_an_earlier_kernel_lost_counts_for_nothing(
    server: ScriptedServer, client: ComfyClient, tmp_path: Path
) -> None:
    gate = Gate()
    server.play(standard_run(gate=gate, gate_after="executing"))
    kill_at(server, tmp_path / "store", 1, cells=1)
    server.restart()
    server.script = vanish
    run = resume(tmp_path / "store", client=client)
    with pytest.raises(ExperimentError, match="lost a cell 3 times"):
        run.wait(60)
    # One of the kernel that was killed, and three tries of this one.
    assert runs_of(server) == Counter({0: 4})
    run.close()
