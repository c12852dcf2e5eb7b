"""What a job tells of each of its nodes."""

from __future__ import annotations

from comfy_widgets import ComfyClient
from comfy_widgets.client import Job, NodeStatus
from comfy_widgets.testing import Gate, NodeError, Reply, ScriptedServer, Stage, standard_run, text_to_image


def statuses(job: Job) -> dict[str, str]:
    return {node: state.status.value for node, state in job.nodes.items()}


def test_nodes_are_cached_running_and_finished(server: ScriptedServer, client: ComfyClient) -> None:
    gate = Gate()
    server.play(standard_run(gate=gate, gate_after="progress", cached=("4", "6")))
    job = client.submit(text_to_image())
    assert set(statuses(job).values()) == {"pending"}
    gate.wait_reached()
    server.wait_for(lambda: job.nodes["3"].fraction > 0)
    found = statuses(job)
    assert (found["4"], found["6"], found["3"], found["9"]) == ("cached", "cached", "running", "pending")
    sampler = job.nodes["3"]
    assert (sampler.title, sampler.class_type, sampler.fraction) == ("KSampler", "KSampler", 0.25)
    assert sampler.started is not None
    gate.open()
    job.wait(60)
    assert set(statuses(job).values()) == {"cached", "finished"}
    ran = [state for state in job.nodes.values() if state.status is NodeStatus.FINISHED]
    assert all(state.seconds is not None and state.started is not None and state.fraction == 1.0 for state in ran)
    assert job.nodes["4"].seconds is None
    starts = {state.id: state.started for state in ran}
    assert max(starts, key=lambda node: starts[node] or 0.0) == "9"


def test_the_node_that_failed_is_known(server: ScriptedServer, client: ComfyClient) -> None:
    def fail(stage: Stage) -> None:
        stage.start()
        stage.begin("4")
        stage.finish("4")
        stage.begin("3")
        raise NodeError("3")

    server.play(fail)
    job = client.submit(text_to_image()).wait(60)
    found = statuses(job)
    assert (found["4"], found["3"], found["9"]) == ("finished", "failed", "pending")


def test_the_last_node_that_was_heard_of_is_finished_where_the_server_says_so(
    server: ScriptedServer, client: ComfyClient
) -> None:
    def fail(stage: Stage) -> None:
        stage.start()
        stage.begin("4")
        stage.finish("4")
        # That the next one begins is lost on the way.
        raise NodeError("3")

    server.play(fail)
    found = statuses(client.submit(text_to_image()).wait(60))
    assert (found["4"], found["3"], found["9"]) == ("finished", "failed", "pending")


def test_the_node_that_was_cancelled_is_known(server: ScriptedServer, client: ComfyClient) -> None:
    gate = Gate()
    server.play(standard_run(gate=gate, gate_after="progress"))
    job = client.submit(text_to_image())
    gate.wait_reached()
    job.cancel()
    job.wait(60)
    assert statuses(job)["3"] == "cancelled"


def test_of_a_job_found_again_the_end_is_known(server: ScriptedServer, client: ComfyClient) -> None:
    done = client.submit(text_to_image()).wait(60)
    with ComfyClient(server.url) as other:
        job = other.attach(done.prompt_id).wait(60)
        assert set(statuses(job).values()) == {"finished"}
        assert all(state.seconds is None for state in job.nodes.values())


def test_of_a_failed_job_found_again_the_node_that_failed_is_known(server: ScriptedServer, client: ComfyClient) -> None:
    server.play(standard_run(fail_at="3", cached=("6",)))
    failed = client.submit(text_to_image()).wait(60)
    with ComfyClient(server.url) as other:
        job = other.attach(failed.prompt_id).wait(60)
        assert statuses(job) == statuses(failed)
        assert (statuses(job)["3"], statuses(job)["6"], statuses(job)["9"]) == ("failed", "cached", "pending")


def test_what_was_missed_of_a_run_stands_as_it_ended(server: ScriptedServer, client: ComfyClient) -> None:
    gate = Gate()
    server.play(standard_run(gate=gate, gate_after="progress"))
    job = client.submit(text_to_image())
    gate.wait_reached()
    server.on("GET", "/ws", Reply(503))
    server.drop_websockets()
    gate.open()
    job.wait(60)
    assert set(statuses(job).values()) == {"finished"}
