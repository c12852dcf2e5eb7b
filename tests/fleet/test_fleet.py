"""A fleet over real sockets: answers like a client, sends where it can run, and says what is wrong in words."""

from __future__ import annotations

import gc
import uuid
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from comfy_widgets import ComfyClient, ComfyPanel, Fleet, Job, sweep
from comfy_widgets.client import show_runs_with
from comfy_widgets.errors import (
    ComfyError,
    ExecutionFailed,
    NotAComfyServer,
    PromptRefused,
    ServerUnreachable,
    WorkflowError,
)
from comfy_widgets.experiments import Experiment
from comfy_widgets.testing import Gate, NodeError, Reply, ScriptedServer, image, node_info, standard_run, text_to_image

from .conftest import until

Start = Callable[..., list[ScriptedServer]]
Make = Callable[..., Fleet]


def posted(servers: list[ScriptedServer]) -> list[int]:
    return [len(server.posted) for server in servers]


@pytest.fixture
def run_sweep(tmp_path: Path) -> Any:
    made: list[Experiment] = []

    def run(fleet: Fleet, of: Any = None, /, **options: Any) -> Experiment:
        given = {"folder": tmp_path / "store", "confirm": True, **options}
        made.append(sweep(of or text_to_image(steps=1), client=fleet, **given))
        return made[-1]

    yield run
    for experiment in made:
        experiment.close()


# -- it answers like a client ------------------------------------------------------------------------------------------


def test_a_panel_takes_it_as_it_is(start: Start, make_fleet: Make) -> None:
    servers = start(2)
    fleet = make_fleet(*servers)
    panel = ComfyPanel(text_to_image(), client=fleet)
    job = panel.run()
    assert isinstance(job, Job) and panel.client is fleet
    result = job.result(60)
    assert len(result.images) == 1 and job.server in [server.url for server in servers]
    assert result.prompt == job.prompt and result.prompt_id == job.prompt_id
    until(lambda: len(panel.images) == 1)
    panel.close()


def test_a_sweep_takes_it_as_it_is_and_all_servers_work(start: Start, make_fleet: Make, run_sweep: Any) -> None:
    servers = start(3, script=standard_run(pause=0.01))
    run = run_sweep(make_fleet(*servers), seed=range(30)).wait(60)
    assert run.counts == {"completed": 30} and sum(posted(servers)) == 30 and min(posted(servers)) >= 5
    assert {cell.image.size for cell in run} == {(32, 32)}
    kept = run.store.results(cell.key for cell in run)
    assert {result.server for result in kept.values()} == {server.url for server in servers}


def test_several_values_are_run_at_once_and_read_in_their_order(start: Start, make_fleet: Make) -> None:
    gate = Gate()
    servers = start(2, script=standard_run(gate=gate, gate_after="executing"))
    fleet = make_fleet(*servers)
    batch = fleet.map(text_to_image(), [{"seed": seed} for seed in range(4)], steps=1, share="Ana")
    # Two are on each server while none has ended.
    until(lambda: posted(servers) == [2, 2])
    gate.open()
    prompts = [result.prompt["3"]["inputs"] for result in batch]
    assert [(inputs["seed"], inputs["steps"]) for inputs in prompts] == [(seed, 1) for seed in range(4)]
    with pytest.raises(WorkflowError, match=r"values\[1\].*sed"):
        fleet.map(text_to_image(), [{"seed": 1}, {"sed": 2}])
    with pytest.raises(TypeError, match="must be a number of seconds"):
        fleet.map(text_to_image(), [{"seed": 1}], timeout="a")  # type: ignore[arg-type]
    assert posted(servers) == [2, 2]


def test_progress_and_previews_come_from_whoever_runs_it(start: Start, make_fleet: Make) -> None:
    gate = Gate()
    (server,) = start(1, script=standard_run(steps=4, gate=gate, gate_after="executing"))
    job = make_fleet(server).submit(text_to_image())
    seen: list[Any] = []
    job.on("preview", seen.append)
    gate.wait_reached()
    until(lambda: job.status == "in_progress")
    gate.open()
    assert job.result(60).images
    until(lambda: seen)
    assert job.progress.fraction == 1.0 and job.progress.phase == "ended"


def test_who_watches_a_run_is_shown_it_with_previews(start: Start, make_fleet: Make) -> None:
    (server,) = start(1)
    fleet, shown = make_fleet(server), []
    show_runs_with(lambda jobs: shown.append(len(jobs)))
    try:
        fleet.run(text_to_image(), 60)
        fleet.run(text_to_image(), 60, seed=2, progress=False)
    finally:
        show_runs_with(None)
    assert shown == [1]
    asked = [body.get("extra_data", {}).get("preview_method") for body in server.posted]
    assert asked == ["auto", None]


def test_urls_clients_and_whatever_has_a_url(start: Start) -> None:
    one, other, third = start(3)
    with ComfyClient(other.url) as client:
        with Fleet([one.url + "/", client, third]) as fleet:
            assert len(fleet) == 3 and fleet.url == f"{one.url}, {other.url}, {third.url}"
            assert fleet.description == "Fleet of 3 servers · ComfyUI 0.3.64" and not fleet.embedded
            assert [row.status for row in fleet.servers] == ["ready"] * 3
        # It was given, and is not the fleet's to close.
        assert client.run(text_to_image()).images


def test_an_id_of_ones_own_and_what_is_done_before_it_is_sent(start: Start, make_fleet: Make) -> None:
    (server,) = start(1)
    fleet, mine, seen = make_fleet(server), str(uuid.uuid4()), []

    def note(job: Job) -> None:
        seen.append((job.prompt_id, job.server, len(server.posted)))

    result = fleet.run(text_to_image(), prompt_id=mine, on_post=note, seed=7)
    assert result.prompt_id == mine and seen == [(mine, server.url, 0)]
    assert server.posted[0]["prompt"]["3"]["inputs"]["seed"] == 7
    for wrong in ("mine", mine.upper()):
        with pytest.raises(ValueError, match="must be a lower-case UUID"):
            fleet.submit(text_to_image(), prompt_id=wrong)
    assert len(server.posted) == 1
    assert fleet.history(mine) is not None and fleet.history(str(uuid.uuid4())) is None


def test_a_job_is_found_again_on_whichever_server(start: Start, make_fleet: Make) -> None:
    gate = Gate()
    one, other = start(2)
    other.play(standard_run(gate=gate, gate_after="executing"))
    with ComfyClient(other.url) as stranger:
        prompt_id = stranger.submit(text_to_image()).prompt_id
        gate.wait_reached()
        fleet = make_fleet(one, other)
        job = fleet.attach(prompt_id)
        assert job.server == other.url
        assert [item.prompt_id for item in fleet.queue().queue_running] == [prompt_id]
        gate.open()
        assert job.result(60).images
    assert fleet.attach(str(uuid.uuid4())).wait(60).status == "lost"


def test_cancelled_while_it_waits_and_while_it_runs(start: Start, make_fleet: Make) -> None:
    gate = Gate()
    (server,) = start(1, script=standard_run(gate=gate, gate_after="executing"))
    fleet = make_fleet(server)
    jobs = [fleet.submit(text_to_image(seed=seed)) for seed in range(5)]
    gate.wait_reached()
    assert jobs[4].cancel() and jobs[4].wait(60).cancelled()
    fleet.cancel(jobs[0].prompt_id)
    assert jobs[0].wait(60).cancelled()
    gate.open()
    assert [job.result(60).status for job in jobs[1:4]] == ["completed"] * 3
    assert len(server.posted) == 4


def test_an_image_is_brought_to_all_servers_and_one_that_joins_later_is_spared(start: Start, make_fleet: Make) -> None:
    one, other, late = start(3)
    # A name that is taken on one of them.
    with ComfyClient(one.url) as stranger:
        stranger.upload_image(image("another"), "mine.png")
    fleet = make_fleet(one, other)
    file = fleet.upload_image(image("mine"), "mine.png")
    assert fleet.view(file) == image("mine")
    fleet.add(late.url)
    prompt = {
        "1": {"class_type": "LoadImage", "inputs": {"image": file.filename}},
        "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "x"}},
    }
    for job in [fleet.submit(prompt) for _ in range(6)]:
        job.result(60)
    assert late.posted == [] and sum(posted([one, other])) == 6


def test_a_fleet_that_nobody_holds_is_closed(start: Start) -> None:
    (server,) = start(1)
    fleet = Fleet([server])
    fleet.run(text_to_image())
    gone = weakref.ref(fleet)
    del fleet
    # The listener that told of the end may still be at it.
    until(lambda: gc.collect() is not None and gone() is None)
    server.wait_for(lambda: not any(socket.closed is None for socket in server.traffic.websockets))


def test_closed(start: Start) -> None:
    gate = Gate()
    (server,) = start(1, script=standard_run(gate=gate, gate_after="executing"))
    fleet = Fleet([server])
    jobs = [fleet.submit(text_to_image(seed=seed)) for seed in range(4)]
    gate.wait_reached()
    fleet.close()
    gate.open()
    assert [job.wait(60).status.ended for job in jobs] == [True] * 4
    assert "closed" in str(jobs[3].exception())
    with pytest.raises(ComfyError, match="fleet is closed"):
        fleet.submit(text_to_image())


# -- what cannot be a fleet --------------------------------------------------------------------------------------------


def test_bad_input(start: Start) -> None:
    (server,) = start(1)
    port = server.url.rpartition(":")[2]
    for other in (server.url, f"http://LOCALHOST:{port}/", f"http://127.0.0.1:{port}/api"):
        with pytest.raises(ComfyError, match=r"in the fleet already.*Name each server once"):
            Fleet([server.url, other])
    with pytest.raises(ComfyError, match="at least one server"):
        Fleet([])
    with pytest.raises(ComfyError, match="not of int"):
        Fleet([8188])
    with pytest.raises(ComfyError, match="has no scheme"):
        Fleet([f"127.0.0.1:{port}"])
    with pytest.raises(ServerUnreachable, match=r"No server of the fleet answers.\n- "):
        Fleet(["http://127.0.0.1:9"])
    with pytest.raises(ValueError, match="window is 0"):
        Fleet([server], window=0)
    server.on("GET", "/system_stats", Reply.text("<h1>It works!</h1>"))
    with pytest.raises(NotAComfyServer):
        Fleet([server])


def test_other_versions_and_servers_that_do_not_answer_are_told(start: Start) -> None:
    (one,), (other,) = start(1), start(1, version="0.3.50")
    with pytest.warns(UserWarning, match=r"different versions.*0\.3\.64 at .*0\.3\.50 at"):
        Fleet([one, other]).close()
    with pytest.warns(UserWarning, match="joins the fleet as soon as it answers"):
        fleet = Fleet([one, "http://127.0.0.1:9"])
    assert [row.status for row in fleet.servers] == ["ready", "no answer"] and fleet.run(text_to_image()).images
    fleet.close()


# -- what each server can run ------------------------------------------------------------------------------------------


def mixed(start: Start) -> list[ScriptedServer]:
    """Three servers: one with a checkpoint, one with a sampler, one with a node class of its own."""
    servers = start(3)
    info = servers[0].object_info["CheckpointLoaderSimple"]["input"]["required"]
    info["ckpt_name"] = [["model.safetensors", "big.safetensors"], {}]
    servers[1].object_info["KSampler"]["input"]["required"]["sampler_name"] = [["euler", "heun", "uni_pc"], {}]
    servers[2].object_info["Blur"] = node_info("Blur", "Blur", {"image": ["IMAGE", {}]}, ("IMAGE",))
    return servers


def test_each_cell_runs_only_where_it_can(start: Start, make_fleet: Make, run_sweep: Any) -> None:
    servers = mixed(start)
    fleet = make_fleet(*servers)
    choices = fleet.object_info("CheckpointLoaderSimple")["CheckpointLoaderSimple"]["input"]["required"]["ckpt_name"][0]
    assert set(choices) == {"model.safetensors", "other.safetensors", "big.safetensors"}
    assert "Blur" in fleet.object_info()
    run = run_sweep(fleet, ckpt_name=["model.safetensors", "big.safetensors"], seed=range(6)).wait(60)
    assert run.counts == {"completed": 12}
    for server in servers:
        asked = {body["prompt"]["4"]["inputs"]["ckpt_name"] for body in server.posted}
        assert asked <= {"model.safetensors"} or server is servers[0]
    assert min(posted(servers)) >= 1


def test_what_nobody_can_run_is_refused_before_anything_is_sent(start: Start, make_fleet: Make, run_sweep: Any) -> None:
    servers = mixed(start)
    fleet = make_fleet(*servers)
    with pytest.raises(WorkflowError) as caught:
        run_sweep(fleet, ckpt_name=["model.safetensors", "big.safetensors"], sampler_name=["euler", "uni_pc"])
    for words in ("big.safetensors", "uni_pc", *(server.url for server in servers), "The cell with"):
        assert words in str(caught.value)
    with pytest.raises(WorkflowError, match="No server of the fleet"):
        fleet.submit(text_to_image(), ckpt_name="big.safetensors", sampler_name="uni_pc")
    unknown = {**text_to_image(), "9": {"class_type": "Nowhere", "inputs": {"images": ["8", 0]}}}
    with pytest.raises(WorkflowError, match="Nowhere"):
        fleet.submit(unknown)
    fleet.check(text_to_image())
    assert posted(servers) == [0, 0, 0]


def out_of_memory(stage: Any) -> None:
    stage.start()
    stage.begin("3")
    raise NodeError("3", "Allocation on device 0 would exceed allowed memory", "torch.OutOfMemoryError")


def test_out_of_memory_bars_checkpoint_and_size_from_that_server_only(
    start: Start, make_fleet: Make, run_sweep: Any
) -> None:
    small, large = start(2)

    def script(stage: Any) -> None:
        width = stage.prompt["5"]["inputs"]["width"]
        (out_of_memory if width > 256 else standard_run())(stage)

    small.script = script
    fleet = make_fleet(small, large)
    run = run_sweep(fleet, width=[512, 64], seed=range(8)).wait(60)
    assert run.counts == {"completed": 16}
    wide = [body for body in small.posted if body["prompt"]["5"]["inputs"]["width"] == 512]
    assert 0 < len(wide) <= 2, "as many as were on their way"
    (row, other) = fleet.servers
    assert "model.safetensors from" in row.barred[0] and other.barred == ()
    assert fleet.run(text_to_image(), width=64).images
    # Where no server is left, it says so.
    large.script = script
    job = fleet.submit(text_to_image(seed=99), width=512)
    assert "memory" in str(job.exception(60)) and job.status == "failed"


# -- whose fault it is -------------------------------------------------------------------------------------------------


def test_a_users_error_is_never_tried_elsewhere(start: Start, make_fleet: Make, run_sweep: Any) -> None:
    servers = start(3, script=standard_run(fail_at="3"))
    fleet = make_fleet(*servers)
    with pytest.raises(ExecutionFailed, match="KSampler"):
        fleet.run(text_to_image())
    assert sum(posted(servers)) == 1
    refusal = {"error": {"type": "x", "message": "No room", "details": "", "extra_info": {}}, "node_errors": {}}
    for server in servers:
        server.on("POST", "/prompt", Reply.json(refusal, 400))
    with pytest.raises(PromptRefused, match="No room"):
        fleet.run(text_to_image())
    assert sum(server.count("POST", "/prompt") for server in servers) == 2


def test_after_three_tries_it_has_failed_with_the_reasons(start: Start, make_fleet: Make, run_sweep: Any) -> None:
    servers = start(4)
    for server in servers:
        server.on("POST", "/prompt", Reply(503))
    fleet = make_fleet(*servers)
    run = run_sweep(fleet, seed=[1]).wait(60)
    (cell,) = run
    assert cell.status == "failed" and "Given up after 3 tries" in cell.error and cell.error.count("503") >= 3
    assert sum(server.count("POST", "/prompt") for server in servers) == 3


def test_it_tells_who_did_what(start: Start, make_fleet: Make) -> None:
    servers = start(2)
    fleet, changes = make_fleet(*servers), []
    stop = fleet.on_change(lambda: changes.append(1))
    until(lambda: len(fleet) == 2)
    jobs = [fleet.submit(text_to_image(seed=seed), share="Ana") for seed in range(4)]
    assert {job.result(60).status for job in jobs} == {"completed"}
    until(lambda: len(fleet.timeline) == 4)
    assert {(stint.label, stint.outcome) for stint in fleet.timeline} == {("Ana", "completed")}
    assert {stint.server for stint in fleet.timeline} == {server.url for server in servers}
    assert all(stint.began <= stint.ended for stint in fleet.timeline)
    rows = fleet.servers
    assert sum(row.completed for row in rows) == 4 and all(row.seconds is not None for row in rows)
    assert {row.model for row in rows} == {"model.safetensors"} and changes
    stop()
    assert repr(fleet) == "<Fleet of 2: 2 ready>"


def test_what_a_sweep_asks_of_it(start: Start, make_fleet: Make) -> None:
    (server,) = start(1)
    fleet = make_fleet(server)
    assert fleet.takes_turns and fleet.places_for(print).waiting == 0
    fleet.check_prompt(text_to_image())
    with pytest.raises(WorkflowError, match="node class 'Nowhere'"):
        fleet.check_prompt({"1": {"class_type": "Nowhere", "inputs": {}}})


def test_servers_come_and_go(start: Start, make_fleet: Make, run_sweep: Any) -> None:
    gate = Gate()
    one, other, third = start(3)
    one.script = standard_run(gate=gate, gate_after="executing")
    fleet = make_fleet(one)
    run = run_sweep(fleet, seed=range(20))
    gate.wait_reached()
    fleet.add(other)
    until(lambda: run.counts.get("completed", 0) >= 10)
    fleet.drain(other)
    assert [row.status for row in fleet.servers] == ["working", "drained"]
    with pytest.raises(ComfyError, match="is not in the fleet"):
        fleet.drain("http://127.0.0.1:9")
    with pytest.raises(ComfyError, match="in the fleet already"):
        fleet.add(other)
    fleet.drain(other, False)
    fleet.add(third.url)
    until(lambda: run.counts.get("completed", 0) == 18)
    fleet.remove(one)
    until(lambda: run.counts.get("completed", 0) == 19)
    gate.open()
    assert run.wait(60).counts == {"completed": 20}
    fleet.remove(other)
    with pytest.raises(ComfyError, match="last server"):
        fleet.remove(third)
    seeds = [body["prompt"]["3"]["inputs"]["seed"] for server in (one, other, third) for body in server.posted]
    # What waited on the server that was removed went to another one, unrun.
    assert sorted(set(seeds)) == list(range(20)) and len(one.state.history) == 1


def test_options_that_are_no_numbers_and_what_is_no_prompt_are_told(start: Start, make_fleet: Make) -> None:
    (server,) = start(1)
    for option in ("window", "lost_after", "tries"):
        for value in ("2", None):
            with pytest.raises(TypeError, match=f"{option} is"):
                Fleet([server.url], **{option: value})
    fleet = make_fleet(server)
    wrong: list[Any] = [None, 5, {"1": 5}, {"1": {"class_type": "KSampler"}}, {"1": {"class_type": "A", "inputs": 5}}]
    for prompt in wrong:
        with pytest.raises(WorkflowError, match="no prompt in API format"):
            fleet.check_prompt(prompt)


def test_a_closed_fleet_takes_no_server_in(start: Start) -> None:
    one, other = start(2)
    fleet = Fleet([one.url])
    fleet.close()
    with pytest.raises(ComfyError, match="fleet is closed"):
        fleet.add(other.url)
    assert len(fleet) == 1


def test_a_server_that_is_not_there_is_named_without_its_password(start: Start, make_fleet: Make) -> None:
    fleet = make_fleet(*start(1))
    for given in ("http://ana:s3cret@gpu9:8188", "http://gpu9:8188/?token=s3cret"):
        for act in (fleet.remove, fleet.drain):
            with pytest.raises(ComfyError, match="http://gpu9:8188 is not in the fleet") as caught:
                act(given)
            assert "s3cret" not in str(caught.value)
    assert len(fleet) == 1
