"""A job that is moved to the front of the queue stays the same job."""

from __future__ import annotations

from comfy_widgets import ComfyClient
from comfy_widgets.testing import Gate, ScriptedServer, standard_run, text_to_image


def waiting(server: ScriptedServer) -> list[str]:
    return [item.prompt_id for item in sorted(server.state.pending, key=lambda item: item.number)]


def test_it_runs_before_all_that_wait(server: ScriptedServer, client: ComfyClient) -> None:
    gate = Gate()
    server.play(standard_run(gate=gate))
    jobs = [client.submit(text_to_image(), seed=seed, extra_data={"note": seed}) for seed in range(4)]
    gate.wait_reached()
    server.wait_for(lambda: len(waiting(server)) == 3)
    assert jobs[3].move_to_front()
    ids = [job.prompt_id for job in jobs]
    server.wait_for(lambda: waiting(server) == [ids[3], ids[1], ids[2]])
    moved = client.queue().find(ids[3])
    assert moved is not None
    assert moved.extra_data["note"] == 3
    assert moved.extra_data["client_id"] == client.client_id
    gate.open()
    assert [job.wait(60).status.value for job in jobs] == ["completed"] * 4
    started = [job.started_at or 0.0 for job in jobs]
    assert started[0] <= started[3] <= started[1] <= started[2]
    assert [event.prompt["3"]["inputs"]["seed"] for event in jobs] == [0, 1, 2, 3]


def test_what_runs_or_has_ended_is_not_moved(server: ScriptedServer, client: ComfyClient) -> None:
    gate = Gate()
    server.play(standard_run(gate=gate, gate_after="progress"))
    job = client.submit(text_to_image())
    gate.wait_reached()
    server.wait_for(lambda: job.status == "in_progress")
    assert not job.move_to_front()
    gate.open()
    assert not job.wait(60).move_to_front()
    assert job.status == "completed"


def test_it_is_not_taken_for_gone_however_long_the_move_takes(server: ScriptedServer, client: ComfyClient) -> None:
    gate = Gate()
    server.play(standard_run(gate=gate))
    jobs = [client.submit(text_to_image(), seed=seed) for seed in range(3)]
    gate.wait_reached()
    server.wait_for(lambda: len(waiting(server)) == 2)
    ledger = client._parts.tracker.ledger
    with ledger.moving(jobs[2]._core):
        client.delete_from_queue(jobs[2].prompt_id)
        asked = server.count("GET", "/queue")
        # Often enough that it would be gone by now.
        server.wait_for(lambda: server.count("GET", "/queue") > asked + 4)
        assert not jobs[2].done()
    assert jobs[2].wait(60).status == "lost"
    gate.open()
