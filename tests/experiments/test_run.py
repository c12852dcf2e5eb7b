"""A sweep that runs: started, paused, resumed, extended, cancelled, and waited for."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from comfy_widgets import ComfyClient, Workflow, WorkflowError
from comfy_widgets.errors import ExperimentError
from comfy_widgets.experiments import Experiment, resume
from comfy_widgets.testing import Gate, Reply, ScriptedServer, standard_run

Sweep = Callable[..., Experiment]


def seeds(server: ScriptedServer) -> list[int]:
    return [body["prompt"]["3"]["inputs"]["seed"] for body in server.posted]


def test_the_price_is_told_before_anything_runs(
    run_sweep: Sweep, server: ScriptedServer, capsys: pytest.CaptureFixture[str]
) -> None:
    run = run_sweep(seed=range(4), cfg=[2, 5, 8], confirm=False)
    told = capsys.readouterr().out
    assert told.startswith("12 cells, ") and "saved by the server's cache" in told
    assert run.status == "ready" and len(run) == 12 and server.posted == []
    run.start().wait(30)
    # A server that was timed once has a price.
    assert "about" in str(run_sweep(seed=range(9), cfg=[3], confirm=False).price)
    again = run_sweep(seed=range(4), cfg=[2, 5, 8]).wait(1)
    assert str(again.price) == "12 cells, 12 of them done before" and len(server.posted) == 12


def test_above_200_cells_it_asks(run_sweep: Sweep, server: ScriptedServer, capsys: pytest.CaptureFixture[str]) -> None:
    run = run_sweep(seed=range(201))
    assert run.status == "ready" and ".start()" in capsys.readouterr().out
    with pytest.raises(ExperimentError, match=r"201 cells.*\.start\(\)"):
        run.wait(1)
    with pytest.raises(ExperimentError, match="has not been started"):
        asyncio.run(waited(run))
    assert server.posted == []
    assert run_sweep(seed=range(200), confirm=None).status == "running"
    assert run_sweep(seed=range(201), confirm=True).status == "running"


async def waited(run: Experiment) -> Experiment:
    return await run


def test_never_more_than_two_prompts_are_on_the_server(run_sweep: Sweep, server: ScriptedServer) -> None:
    most = 0

    def look(request: object) -> None:
        nonlocal most
        most = max(most, server.state.remaining)

    server.on("POST", "/prompt", look)
    run_sweep(seed=range(30)).wait(60)
    assert most <= 1  # before each POST: the one that runs


def test_pause_lets_what_runs_end_and_resume_goes_on(run_sweep: Sweep, server: ScriptedServer) -> None:
    gate = Gate()
    server.play(standard_run(gate=gate, gate_after="executing"))
    run = run_sweep(seed=range(6))
    gate.wait_reached()
    run.pause()
    gate.open()
    server.wait_for(lambda: run.counts.get("completed") == 2)
    assert run.status == "paused" and run.counts == {"completed": 2, "pending": 4}
    with pytest.raises(TimeoutError, match="2 completed, 4 pending"):
        run.wait(0.05)
    run.resume().wait(30)
    assert run.status == "completed" and sorted(seeds(server)) == list(range(6))


def test_pause_now_stops_what_runs_and_it_runs_again(run_sweep: Sweep, server: ScriptedServer) -> None:
    gate = Gate()
    server.play(standard_run(gate=gate, gate_after="executing"))
    run = run_sweep(seed=range(4))
    gate.wait_reached()
    run.pause(now=True)
    server.wait_for(lambda: run.counts == {"pending": 4})
    run.resume().wait(30)
    assert run.counts == {"completed": 4}


def test_cancel_keeps_what_is_finished_and_stops_the_rest(run_sweep: Sweep, server: ScriptedServer) -> None:
    gate = Gate()
    run = run_sweep(seed=range(6), confirm=False)
    server.play(standard_run())
    server.play(standard_run(gate=gate, gate_after="executing"))
    run.start()
    gate.wait_reached()
    server.wait_for(lambda: run.counts.get("completed") == 1)
    run.cancel()
    run.wait(30)
    assert run.status == "cancelled" and run.counts == {"completed": 1, "cancelled": 5}
    assert server.state.remaining == 0


def test_values_are_added_while_it_runs_and_after_it_ended(run_sweep: Sweep, server: ScriptedServer) -> None:
    run = run_sweep(seed=range(2), cfg=[2, 5])
    run.add(cfg=8).wait(30)
    assert len(run) == 6 and len(server.posted) == 6
    run.add(cfg=[8, 11], seed=7).wait(30)
    assert len(run) == 12 and len(server.posted) == 12
    assert {(cell.values.seed, cell.values.cfg) for cell in run} == {
        (seed, cfg) for seed in (0, 1, 7) for cfg in (2, 5, 8, 11)
    }
    with pytest.raises(WorkflowError, match="no axis 'cgf'"):
        run.add(cgf=[1])
    with pytest.raises(WorkflowError, match="above its maximum"):
        run.add(cfg=500)
    assert resume(run.folder, client=run._client, confirm=False).price.stored == 12


def test_a_cell_runs_again(run_sweep: Sweep, server: ScriptedServer) -> None:
    run = run_sweep(seed=range(3)).wait(30)
    run.run_again(run.find(seed=1)).wait(30)
    assert seeds(server).count(1) == 2 and len(server.posted) == 4
    assert run.counts == {"completed": 3}


def test_a_cell_that_fails_says_why_and_the_others_go_on(run_sweep: Sweep, server: ScriptedServer) -> None:
    server.play(standard_run(fail_at="3"))
    run = run_sweep(seed=range(4)).wait(30)
    (failed,) = [cell for cell in run if cell.status == "failed"]
    assert "KSampler" in failed.error and run.counts == {"completed": 3, "failed": 1}
    # It is tried again by whoever asks again, and only then.
    again = run_sweep(seed=range(4)).wait(30)
    assert again.counts == {"completed": 4} and len(server.posted) == 5


def test_a_refusal_is_that_cells_own(run_sweep: Sweep, server: ScriptedServer) -> None:
    refusal = {"error": {"type": "x", "message": "No room", "details": "", "extra_info": {}}, "node_errors": {}}
    server.on("POST", "/prompt", Reply.json(refusal, 400), times=1)
    run = run_sweep(seed=range(3)).wait(30)
    assert run.counts == {"completed": 2, "failed": 1}
    assert "No room" in next(cell.error for cell in run if cell.status == "failed")


def test_somebody_elses_interrupt_ends_that_cell_only(
    run_sweep: Sweep, server: ScriptedServer, client: ComfyClient
) -> None:
    gate = Gate()
    server.play(standard_run(gate=gate, gate_after="executing"))
    run = run_sweep(seed=range(3))
    gate.wait_reached()
    client.interrupt()
    run.wait(30)
    assert run.counts == {"completed": 2, "cancelled": 1}


def test_a_server_that_goes_away_pauses_it(workflow: Workflow, tmp_path: Path) -> None:
    from comfy_widgets.client import Pace
    from comfy_widgets.experiments import sweep

    gate = Gate()
    with ScriptedServer() as server:
        server.play(standard_run(gate=gate, gate_after="executing"))
        pace = Pace(poll=0.05, silence=0.2, lost_after=0.5, gone=0.1)
        with ComfyClient(server.url, pace=pace, reconnect_interval=0.1) as client:
            run = sweep(workflow, seed=range(4), client=client, folder=tmp_path / "store")
            gate.wait_reached()
            server.kill()
            with pytest.raises(ExperimentError, match="Paused"):
                run.wait(60)
            assert run.counts == {"pending": 4}
            server.start()
            run.resume().wait(60)
            assert run.counts == {"completed": 4}
            run.close()


def test_an_interrupt_while_waiting_pauses_it(run_sweep: Sweep, server: ScriptedServer) -> None:
    gate = Gate()
    server.play(standard_run(gate=gate, gate_after="executing"))
    run = run_sweep(seed=range(3))
    gate.wait_reached()
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    timer = threading.Timer(0.1, signal.raise_signal, [signal.SIGINT])
    timer.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            run.wait(30)
    finally:
        timer.join()
        signal.signal(signal.SIGINT, before)
    assert run.status == "paused"
    run.resume().wait(30)
    assert run.counts == {"completed": 3}


def test_it_is_awaited_and_a_cancelled_task_pauses_it(run_sweep: Sweep, server: ScriptedServer) -> None:
    assert asyncio.run(waited(run_sweep(seed=range(3)))).status == "completed"
    gate = Gate()
    server.play(standard_run(gate=gate, gate_after="executing"))
    run = run_sweep(seed=range(10, 13))
    gate.wait_reached()

    async def given_up() -> None:
        task = asyncio.ensure_future(waited(run))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(given_up())
    assert run.status == "paused"


def test_changes_are_told(run_sweep: Sweep, server: ScriptedServer) -> None:
    run = run_sweep(seed=range(2), confirm=False)
    seen: list[str] = []
    stop = run.on_change(lambda cell: seen.append(run.status if cell is None else cell.status))
    run.start().wait(30)
    server.wait_for(lambda: seen.count("completed") == 3)
    stop()
    assert [seen.count(status) for status in ("running", "in_progress")] == [1, 2]
    before = list(seen)
    run.add(seed=5).wait(30)
    assert seen == before


def test_a_listener_that_fails_costs_no_result(
    run_sweep: Sweep, server: ScriptedServer, caplog: pytest.LogCaptureFixture
) -> None:
    run = run_sweep(seed=range(3), confirm=False)

    def fail(cell: object) -> None:
        raise ValueError("no")

    run.on_change(fail)
    run.start().wait(30)
    assert run.counts == {"completed": 3} and len(server.posted) == 3
    assert "a listener of the experiment failed" in caplog.text


def test_two_sweeps_in_one_folder_do_not_run_a_cell_twice(run_sweep: Sweep, server: ScriptedServer) -> None:
    gate = Gate()
    server.play(standard_run(gate=gate, gate_after="executing"))
    first = run_sweep(seed=range(8))
    gate.wait_reached()
    second = run_sweep(seed=range(8))
    gate.open()
    first.wait(30)
    second.wait(30)
    assert first.counts == second.counts == {"completed": 8}
    assert sorted(seeds(server)) == list(range(8))


class Proposer:
    """Asks for what it was given, and remembers what it was told."""

    def __init__(self, answers: list[object]) -> None:
        self.answers = answers
        self.told: list[tuple[object, float | None]] = []

    def ask(self) -> object:
        return self.answers.pop(0)

    def tell(self, asked: object, score: float | None) -> None:
        self.told.append((asked, score))


def brightness(image: object) -> float:
    return float(image.convert("L").resize((1, 1)).getpixel((0, 0)))  # type: ignore[attr-defined]


def test_cells_are_asked_for(run_sweep: Sweep, server: ScriptedServer) -> None:
    proposer = Proposer([{"seed": 3, "cfg": 5}, {"seed": 1, "cfg": 2}, {"seed": 3, "cfg": 5}])
    run = run_sweep(seed=range(4), cfg=[2, 5], ask=proposer, sample=3, score=brightness).wait(30)
    assert [dict(cell.values) for cell in run] == [
        {"seed": 3, "cfg": 5},
        {"seed": 1, "cfg": 2},
        {"seed": 3, "cfg": 5},
    ]
    assert len(server.posted) == 2, "the same cell is not run twice"
    server.wait_for(lambda: len(proposer.told) == 3)
    scores = {3: brightness(run[0].image), 1: brightness(run[1].image)}
    assert all(score == scores[asked["seed"]] for asked, score in proposer.told)  # type: ignore[index]


class Trial:
    def suggest_categorical(self, name: str, choices: list[object]) -> object:
        return choices[-1]


def test_a_study_as_optunas_is_asked(run_sweep: Sweep) -> None:
    study = Proposer([Trial(), Trial()])
    run = run_sweep(seed=range(4), cfg=[2, 5], ask=study, sample=2, score=brightness).wait(30)
    assert [dict(cell.values) for cell in run] == [{"seed": 3, "cfg": 5}] * 2


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"ask": Proposer([])}, "needs the number of cells"),
        ({"ask": object(), "sample": 3, "score": brightness}, "ask\\(\\) and tell\\(\\)"),
    ],
)
def test_asking_needs_more(run_sweep: Sweep, options: dict[str, object], told: str) -> None:
    with pytest.raises(WorkflowError, match=told):
        run_sweep(seed=range(3), **options)


def test_what_is_asked_for_in_vain_pauses_it(run_sweep: Sweep) -> None:
    run = run_sweep(seed=range(3), ask=Proposer([{"seed": 17}]), sample=3, score=brightness)
    with pytest.raises(ExperimentError, match="seed=17, which is none"):
        run.wait(30)
