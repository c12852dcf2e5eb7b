"""What goes between Python and the page: each trait has one writer, and typing is never overwritten."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

import pytest

from comfy_widgets import ComfyPanel
from comfy_widgets.testing import Gate, ScriptedServer, standard_run, text_to_image

from .conftest import page_of
from .page import Page


def test_an_edit_is_taken_and_acknowledged(panel: ComfyPanel, page: Page) -> None:
    page.edit(n=4, page="left", steps="12", positive="a boat")
    assert (panel.params.steps, panel.params.positive) == (12, "a boat")
    values = page.state["_values"]
    assert values["acks"] == {"left": 4}
    assert values["values"]["steps"] == "12"


def test_an_edit_that_does_not_fit_is_answered_at_its_field(panel: ComfyPanel, page: Page) -> None:
    page.edit(n=1, steps="0", cfg=3.5)
    assert (panel.params.steps, panel.params.cfg) == (4, 3.5)
    assert "minimum of 1" in page.state["_values"]["errors"]["steps"]
    page.edit(n=2, steps="5")
    assert page.state["_values"]["errors"] == {}


def test_an_edit_is_answered_once_with_all_of_it(page: Page) -> None:
    before = len(page.updates("_values"))
    page.edit(n=1, steps="5", cfg=2.5, positive="a boat")
    (answer,) = page.updates("_values")[before:]
    assert (answer["values"]["steps"], answer["values"]["cfg"], answer["acks"]) == ("5", 2.5, {"here": 1})


def test_an_observer_that_fails_does_not_keep_the_page_waiting(
    panel: ComfyPanel, page: Page, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(change: object) -> None:
        raise RuntimeError("my own mistake")

    panel.params.observe(fail, "steps")
    page.edit(n=7, steps="5")
    assert page.state["_values"]["acks"] == {"here": 7}
    assert page.state["_values"]["values"]["steps"] == "5"
    assert "my own mistake" in caplog.text


def test_run_takes_the_values_with_it(server: ScriptedServer, panel: ComfyPanel, page: Page) -> None:
    page.press_run(seed="18446744073709551615", steps="2")
    page.wait_phase("done")
    assert server.posted[-1]["prompt"]["3"]["inputs"]["seed"] == 2**64 - 1
    assert panel.params.steps == 2


def test_run_with_a_value_that_does_not_fit_sends_nothing(
    server: ScriptedServer, panel: ComfyPanel, page: Page
) -> None:
    page.press_run(steps="none")
    assert server.posted == []
    assert panel.job is None
    assert "whole number" in page.state["_values"]["errors"]["steps"]


def test_each_trait_has_one_writer(server: ScriptedServer, panel: ComfyPanel, page: Page) -> None:
    page.press_run(steps="3")
    page.wait_phase("done")
    panel.params.seed = 3
    writers: dict[str, set[str]] = {}
    for sent in page.sent:
        for trait in sent.data.get("state", {}) if sent.data.get("method") == "update" else ():
            writers.setdefault(trait, set()).add(sent.thread)
    assert writers["_run"] == {"comfy-widgets-pump"}
    assert writers["_values"] == {threading.current_thread().name}
    assert set(writers) <= {"_run", "_runs", "_values", "_form", "_film"}
    assert writers["_runs"] == {"comfy-widgets-pump"}


def test_the_last_word_is_the_last_one_said(panel: ComfyPanel, page: Page) -> None:
    """Values set in one thread while runs end in others: what the page has in the end is how it is."""
    for number in range(1, 41):
        panel.params.seed = number
        panel.run()
        panel.params.steps = 1 + number % 3
    panel.params.seed = 2**64 - 1
    job = panel.job
    assert job is not None
    job.wait(60)
    page.wait_for(lambda: page.run["phase"] == "done" and page.run["run"] == 40)
    assert page.state["_values"]["values"]["seed"] == str(2**64 - 1)
    assert page.state["_values"]["values"]["steps"] == str(panel.params.steps)
    assert page.images()[-1][1] == job.result().bytes(0)


def test_a_run_whose_images_take_long_does_not_replace_a_later_one(
    server: ScriptedServer, panel: ComfyPanel, page: Page
) -> None:
    gate = Gate()
    server.play(standard_run(images=150, previews=False, gate=gate))
    first = panel.run()
    gate.wait_reached()
    server.play(standard_run(images=1, previews=False))
    second = panel.run()
    gate.open()
    for job in (second, first):
        job.wait(60)
    runs = list(panel.runs)
    page.wait_for(lambda: all(run.finished for run in runs))
    page.wait_for(lambda: page.run["run"] == 2 and page.run["phase"] == "done")
    assert len(panel.images) == 1


def test_nothing_that_is_sent_is_too_large_or_no_json(panel: ComfyPanel, page: Page) -> None:
    page.press_run(steps="3")
    page.wait_phase("done")
    for sent in page.sent:
        json.dumps(sent.data, allow_nan=False)
    whole_numbers = json.dumps(page.state["_values"]["values"])
    assert all(abs(value) < 2**53 for value in json.loads(whole_numbers).values() if isinstance(value, int))


def test_previews_pass_through_as_bytes_and_the_last_state_is_the_final_one(
    server: ScriptedServer, panel: ComfyPanel, page: Page
) -> None:
    gate = Gate()
    server.play(standard_run(gate=gate, gate_after="executed"))
    job = panel.run()
    gate.wait_reached()
    message, (frame,) = page.wait_for(lambda: page.custom("preview"))[-1]
    assert message["mime"] == "image/jpeg"
    assert frame.startswith(b"\xff\xd8\xff")
    page.wait_for(lambda: page.custom("preview")[-1][0]["seq"] == 4)
    gate.open()
    page.wait_phase("done")
    assert job.done()
    assert page.run["fraction"] == 1.0
    assert "1 image" in page.run["summary"]


def test_pictures_are_the_bytes_of_the_server(server: ScriptedServer, panel: ComfyPanel, page: Page) -> None:
    panel.params.batch_size = 3
    job = panel.run()
    page.wait_phase("done")
    sent = page.images()
    assert [(m["index"], m["total"], m["whole"]) for m, _ in sent] == [(0, 3, True), (1, 3, True), (2, 3, True)]
    result = job.result()
    assert [content for _, content in sent] == [result.bytes(index) for index in range(3)]
    # They are on their way before the page hears that it is done: nothing flickers in between.
    kinds = [
        s.data.get("content", {}).get("kind") or s.data["state"]["_run"]["phase"]
        for s in page.sent
        if s.data.get("content") or "_run" in s.data.get("state", {})
    ]
    assert kinds.index("done") > max(i for i, kind in enumerate(kinds) if kind == "images")


def test_a_page_that_is_loaded_later_gets_what_it_missed(server: ScriptedServer, panel: ComfyPanel, page: Page) -> None:
    gate = Gate()
    server.play(standard_run(gate=gate, gate_after="executed"))
    panel.run()
    gate.wait_reached()
    page.wait_for(lambda: page.custom("preview"))
    before = len(page.custom("preview"))
    page.say("hello")
    assert page.custom("welcome")
    page.wait_for(lambda: len(page.custom("preview")) > before)
    gate.open()
    page.wait_phase("done")
    assert len(page.images()) == 1
    page.say("hello")
    page.wait_for(lambda: len(page.images()) == 2)


def test_pictures_of_the_last_good_run_outlive_a_cancelled_one(
    server: ScriptedServer, panel: ComfyPanel, page: Page
) -> None:
    panel.run()
    page.wait_phase("done")
    gate = Gate()
    server.play(standard_run(gate=gate))
    panel.params.seed = 5
    panel.run()
    gate.wait_reached()
    assert panel.cancel()
    page.wait_phase("cancelled")
    assert not panel.cancel()
    before = len(page.images())
    page.say("hello")
    page.wait_for(lambda: len(page.images()) > before)
    assert page.images()[-1][0]["run"] == 1


def test_cancel_in_the_page_cancels(server: ScriptedServer, panel: ComfyPanel, page: Page) -> None:
    gate = Gate()
    server.play(standard_run(gate=gate))
    job = panel.run()
    gate.wait_reached()
    page.say("cancel", run=None)
    page.wait_phase("cancelled")
    assert job.cancelled()
    assert page.run["error"] is None


def test_junk_from_a_page_is_survived(panel: ComfyPanel, page: Page, caplog: pytest.LogCaptureFixture) -> None:
    page.say("nonsense")
    page.say("edit", page="x")
    page.say("original", run=9, index=99)
    page.edit(steps="6")
    assert panel.params.steps == 6
    assert "nonsense" in caplog.text


def test_the_place_for_pictures_is_known_before_the_run(make_panel: Callable[..., ComfyPanel]) -> None:
    panel = make_panel(text_to_image(batch_size=4))
    page = page_of(panel)
    assert page.state["_values"]["frame"] == {"width": 64, "height": 64, "count": 4}
    page.edit(width="128")
    assert page.state["_values"]["frame"]["width"] == 128


def test_the_place_for_pictures_counts_the_nodes_that_keep_them(make_panel: Callable[..., ComfyPanel]) -> None:
    def frame(prompt: dict[str, Any]) -> Any:
        return page_of(make_panel(prompt)).state["_values"]["frame"]

    prompt = text_to_image(batch_size=4)
    preview = {"class_type": "PreviewImage", "inputs": {"images": ["8", 0]}}
    assert frame({**prompt, "10": preview})["count"] == 4, "previews do not count beside what is saved"
    assert frame({**prompt, "10": prompt["9"]})["count"] == 8
    assert frame({**prompt, "9": preview, "10": preview})["count"] == 8
    del prompt["5"]["inputs"]["batch_size"]
    assert frame({**prompt, "10": prompt["9"]}) == {"width": 1, "height": 1, "count": 2}
