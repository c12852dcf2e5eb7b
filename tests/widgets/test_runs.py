"""Several runs of one panel: a queue, a history, and what can be done with each."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image

from comfy_widgets import ComfyClient, ComfyError, ComfyPanel
from comfy_widgets.testing import Gate, ScriptedServer, standard_run, text_to_image

from .conftest import page_of
from .page import Page


def rows(page: Page) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = page.state["_runs"]["rows"]
    return found


def phases(page: Page) -> list[str]:
    return [row["phase"] for row in rows(page)]


def test_five_runs_in_a_row_are_a_queue_and_each_is_kept(server: ScriptedServer, panel: ComfyPanel, page: Page) -> None:
    gate = Gate()
    server.play(standard_run(gate=gate))
    jobs = []
    for seed in range(5):
        panel.params.seed = seed
        jobs.append(panel.run())
    gate.wait_reached()
    page.wait_for(lambda: phases(page) == ["running", *["waiting"] * 4])
    page.wait_for(lambda: [row["queue"] for row in rows(page)][1:] == [1, 2, 3, 4])
    assert page.run["run"] == 1
    gate.open()
    page.wait_for(lambda: phases(page) == ["done"] * 5)
    assert [run.job for run in panel.runs] == jobs
    assert [run.values["seed"] for run in panel.runs] == [0, 1, 2, 3, 4]
    assert panel.runs[2].result is jobs[2].result()
    page.wait_for(lambda: {message["run"] for message, _ in page.custom("run_thumbnail")} == {1, 2, 3, 4, 5})


def test_one_of_the_queue_can_be_cancelled(server: ScriptedServer, panel: ComfyPanel, page: Page) -> None:
    gate = Gate()
    server.play(standard_run(gate=gate))
    first, second, third = (panel.run() for _ in range(3))
    gate.wait_reached()
    page.say("cancel", run=2)
    page.wait_for(lambda: phases(page)[1:2] == ["cancelled"])
    gate.open()
    page.wait_for(lambda: phases(page) == ["done", "cancelled", "done"])
    assert (first.status, second.status, third.status) == ("completed", "cancelled", "completed")


def test_what_differs_from_now_is_said_of_each_run(panel: ComfyPanel, page: Page) -> None:
    panel.params.cfg = 7
    panel.run().wait(60)
    page.wait_for(lambda: phases(page) == ["done"])
    assert rows(page)[0]["differs"] == []
    page.edit(cfg=3)
    page.wait_for(lambda: rows(page)[0]["differs"] == ["CFG 7 → 3"])
    panel.params.positive = "a very long prompt about a boat on the sea at night"
    page.wait_for(lambda: len(rows(page)[0]["differs"]) == 2)
    assert all(len(words) < 80 for words in rows(page)[0]["differs"])


def test_the_values_of_a_run_can_be_used_again(panel: ComfyPanel, page: Page) -> None:
    panel.params.update({"cfg": 7, "seed": 2**64 - 1, "positive": "a boat"})
    panel.run().wait(60)
    panel.params.update({"cfg": 3, "seed": 1, "positive": "a cat"})
    page.say("use", run=1)
    assert (panel.params.cfg, panel.params.seed, panel.params.positive) == (7, 2**64 - 1, "a boat")
    assert page.state["_values"]["values"]["seed"] == str(2**64 - 1)


def test_the_images_of_an_earlier_run_are_shown_until_the_next(panel: ComfyPanel, page: Page) -> None:
    for seed in range(2):
        panel.params.seed = seed
        panel.run().wait(60)
    page.wait_for(lambda: page.state["_runs"]["shown"] == 2)
    page.say("show", run=1)
    page.wait_for(lambda: page.state["_runs"]["shown"] == 1)
    result = panel.runs[0].result
    assert result is not None
    page.wait_for(lambda: page.images()[-1][0]["run"] == 1)
    assert page.images()[-1][1] == result.bytes(0)
    panel.run().wait(60)
    page.wait_for(lambda: page.state["_runs"]["shown"] == 3)


def test_details_tell_the_story_of_a_run(panel: ComfyPanel, page: Page) -> None:
    panel.params.positive = "a boat <b>"
    job = panel.run().wait(60)
    page.wait_for(lambda: phases(page) == ["done"])
    page.say("details", run=1)
    message, _ = page.custom("details")[0]
    assert {"label": "Positive prompt", "value": "a boat <b>"}.items() <= next(
        item.items() for item in message["items"] if item["label"] == "Positive prompt"
    )
    assert message["prompt_id"] == job.prompt_id
    assert message["images"] == [page.images()[0][0]["caption"]]
    assert message["server"]


def test_selected_images_are_pil_images(panel: ComfyPanel, page: Page) -> None:
    panel.params.batch_size = 3
    result = panel.run().result(60)
    page.wait_phase("done")
    assert panel.selected == []
    page.say("select", run=1, images=[2, 0, 99])
    assert [image.tobytes() for image in panel.selected] == [result.images[i].tobytes() for i in (2, 0)]
    page.say("select", run=1, images=[])
    assert panel.selected == []


def test_a_refused_run_is_told_while_another_goes_on(server: ScriptedServer, panel: ComfyPanel, page: Page) -> None:
    gate = Gate()
    server.play(standard_run(gate=gate))
    panel.run()
    gate.wait_reached()
    panel.client.close()
    with pytest.raises(ComfyError):
        panel.run()
    page.wait_for(lambda: phases(page)[1:] == ["failed"])
    assert "closed" in rows(page)[1]["error"]
    gate.open()


def test_a_server_that_is_gone_is_waited_for_no_longer_at_once(
    server: ScriptedServer, panel: ComfyPanel, page: Page
) -> None:
    gate = Gate()
    server.play(standard_run(gate=gate))
    panel.run()
    gate.wait_reached()
    page.wait_phase("running")
    server.kill()
    page.wait_for(lambda: not page.run["connected"])
    page.say("cancel", run=None)
    state = page.wait_phase("cancelled")
    assert any("No longer waited for" in warning for warning in state["warnings"])
    server.restart()
    gate.open()


def test_a_second_cancel_stops_waiting(server: ScriptedServer, panel: ComfyPanel, page: Page) -> None:
    gate = Gate()
    server.play(standard_run(gate=gate))
    job = panel.run()
    gate.wait_reached()
    page.say("cancel", run=None)
    page.say("cancel", run=None)
    page.wait_phase("cancelled")
    gate.open()
    job.wait(60)


@pytest.mark.parametrize("content", [b"", b"no image at all"])
def test_files_that_cannot_be_shown_are_told(
    server: ScriptedServer, panel: ComfyPanel, page: Page, content: bytes
) -> None:
    files = [server.files.put(f"bad{index}.png", content, folder="output") for index in range(5)]
    server.play(standard_run(outputs={"9": {"images": files}}))
    panel.run().wait(60)
    run = page.wait_phase("done")
    assert len(run["warnings"]) == 1
    assert run["warnings"][0].startswith("bad0.png, bad1.png and 3 more files cannot be shown: ")


def test_files_that_are_gone_are_told(server: ScriptedServer, panel: ComfyPanel, page: Page) -> None:
    there = io.BytesIO()
    Image.new("RGB", (8, 8)).save(there, "PNG")
    files = [
        {"filename": "gone.png", "subfolder": "", "type": "output"},
        server.files.put("there.png", there.getvalue(), folder="output"),
    ]
    server.play(standard_run(outputs={"9": {"images": files}}))
    panel.run().wait(60)
    run = page.wait_phase("done")
    assert run["warnings"] == ["gone.png cannot be shown: the server does not have it any more."]
    (message, content) = page.images()[-1]
    assert (message["index"], message["total"], message["name"]) == (0, 1, "there.png")
    page.say("original", run=1, index=0)
    assert page.custom("original")[0][1] == (content,)
    assert [image.size for image in panel.images] == [(8, 8)]


def test_many_images_come_as_small_ones_in_few_messages(
    server: ScriptedServer, make_panel: Callable[..., ComfyPanel], page: Page, panel: ComfyPanel
) -> None:
    stream = io.BytesIO()
    Image.effect_noise((512, 512), 80).convert("RGB").save(stream, "PNG")
    files = [server.files.put(f"{index:03}.png", stream.getvalue(), folder="output") for index in range(100)]
    server.play(standard_run(outputs={"9": {"images": files}}))
    panel.run().wait(60)
    # What is seen first stands as done, with places for the others, which follow.
    page.wait_phase("done")
    first = len(page.images())
    assert 64 <= first <= 100
    assert page.run["frame"]["count"] == 100
    assert page.run["summary"].startswith("100 images")
    page.wait_for(lambda: len(page.images()) == 100)
    images = page.images()
    page.wait_for(lambda: "512 \N{MULTIPLICATION SIGN} 512" in page.run["summary"])
    after = [run["phase"] for run in page.updates("_run")]
    assert set(after[after.index("done") :]) == {"done"}
    assert sum(len(content) for _, content in images) < 16 << 20
    assert len(page.custom("images")) < 40
    assert not images[-1][0]["whole"]
    page.say("original", run=1, index=99)
    assert page.custom("original")[0][1] == (stream.getvalue(),)


def test_images_that_the_client_put_on_disk_are_shown_again(server: ScriptedServer) -> None:
    with ComfyClient(server.url, memory=1) as client:
        panel = ComfyPanel(text_to_image(), client)
        page = page_of(panel)
        for seed in range(2):
            panel.params.seed = seed
            panel.run().wait(60)
        page.wait_for(lambda: page.state["_runs"]["shown"] == 2)
        page.say("show", run=1)
        page.wait_for(lambda: page.images()[-1][0]["run"] == 1)
        result = panel.runs[0].result
        assert result is not None
        assert page.images()[-1][1] == result.bytes(0)


def test_a_run_that_waits_can_be_the_next_and_others_are_told_apart(
    server: ScriptedServer, panel: ComfyPanel, page: Page
) -> None:
    gate = Gate()
    server.play(standard_run(gate=gate))
    with ComfyClient(server.url) as somebody:
        first = panel.run()
        gate.wait_reached()
        other = somebody.submit(text_to_image(seed=77))
        server.wait_for(lambda: len(server.state.pending) == 1)
        jobs = [panel.run() for _ in range(2)]
        page.wait_for(lambda: [(row["queue"], row["others"]) for row in rows(page)][1:] == [(2, 1), (3, 1)])
        page.say("next", run=3)
        page.wait_for(lambda: [(row["queue"], row["others"]) for row in rows(page)][1:] == [(3, 1), (1, 0)])
        gate.open()
        for job in (first, *jobs, other):
            assert job.wait(60).status == "completed"
    started = [job.started_at or 0.0 for job in jobs]
    assert started[1] <= started[0]
