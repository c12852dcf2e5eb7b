"""The public traits of a panel and of its parts: observed, linked, read-only where Python alone may set them."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable
from typing import Any

import ipywidgets
import pytest
from PIL import Image
from traitlets import TraitError

from comfy_widgets import ComfyClient, ComfyPanel, ImageGrid, JobProgress, LivePreview
from comfy_widgets.errors import ExecutionFailed
from comfy_widgets.testing import Gate, ScriptedServer, standard_run, text_to_image

from .conftest import page_of
from .page import Page


class Seen:
    """An observer that keeps what it was told."""

    def __init__(self) -> None:
        self.values: list[Any] = []
        self._changed = threading.Condition()

    def __call__(self, change: Any) -> None:
        with self._changed:
            self.values.append(change.new)
            self._changed.notify_all()

    def wait(self, look: Callable[[list[Any]], bool]) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: look(self.values), 60), self.values


@pytest.mark.parametrize("name", ["status", "progress", "job", "result", "images", "error", "value"])
def test_traits_are_documented_and_read_only(panel: ComfyPanel, name: str) -> None:
    assert panel.has_trait(name)
    assert panel.traits()[name].help
    assert f"\n{name} : " in inspect.cleandoc(ComfyPanel.__doc__ or "")
    with pytest.raises(TraitError, match="read-only"):
        setattr(panel, name, None)


def test_before_the_first_run(panel: ComfyPanel) -> None:
    assert (panel.status, panel.job, panel.result, panel.images, panel.error) == ("idle", None, None, [], None)
    assert panel.progress.fraction == 0
    assert panel.value["steps"] == 4


def test_observers_hear_of_a_run(panel: ComfyPanel) -> None:
    seen = {name: Seen() for name in ("status", "progress", "job", "result", "images")}
    for name, observer in seen.items():
        panel.observe(observer, name)
    job = panel.run()
    assert seen["job"].values == [job]
    seen["images"].wait(lambda values: len(values) == 1)
    (images,) = seen["images"].values
    assert [image.size for image in images] == [image.size for image in job.result().images]
    seen["status"].wait(lambda values: values[-1] == "completed")
    seen["progress"].wait(lambda values: values[-1].fraction == 1)
    assert seen["result"].values == [job.result()]


def test_what_a_run_left_is_there_as_soon_as_it_has_ended(panel: ComfyPanel) -> None:
    result = panel.run().wait(60).result()
    assert panel.status == "completed"
    assert panel.result is result
    assert len(panel.images) == 1
    assert panel.images[0].size == result.images[0].size


def test_error_is_told(server: ScriptedServer, panel: ComfyPanel) -> None:
    server.play(standard_run(fail_at="3"))
    seen = Seen()
    panel.observe(seen, "error")
    panel.run().wait(60)
    seen.wait(lambda values: isinstance(values[-1], ExecutionFailed) if values else False)
    assert panel.status == "failed"


def test_value_follows_python_and_the_browser(panel: ComfyPanel, page: Page) -> None:
    seen = Seen()
    panel.observe(seen, "value")
    panel.params.steps = 7
    page.edit(cfg=2.5)
    assert [(value["steps"], value["cfg"]) for value in seen.values] == [(7, seen.values[0]["cfg"]), (7, 2.5)]
    assert panel.form.value == panel.value


def test_dlink_shows_the_images_in_a_second_place(panel: ComfyPanel) -> None:
    grid = ImageGrid()
    ipywidgets.dlink((panel, "images"), (grid, "images"))
    result = panel.run().result(60)
    page = page_of(grid)
    page.wait_for(lambda: page.images())
    assert [content for _, content in page.images()] == [result.bytes(0)]


def test_dlink_of_the_job_moves_a_bar_and_a_preview(server: ScriptedServer, panel: ComfyPanel) -> None:
    bar, preview = JobProgress(), LivePreview()
    for part in (bar, preview):
        ipywidgets.dlink((panel, "job"), (part, "job"))
    gate = Gate()
    server.play(standard_run(gate=gate, gate_after="progress"))
    job = panel.run()
    assert (bar.job, preview.job) == (job, job)
    gate.wait_reached()
    page_of(preview).wait_for(lambda: page_of(preview).custom("preview"))
    page_of(bar).wait_for(lambda: page_of(bar).run["steps"])
    gate.open()
    page_of(bar).wait_phase("done")


def test_a_bar_takes_one_job_after_the_other(client: ComfyClient) -> None:
    bar = JobProgress()
    page = page_of(bar)
    assert page.run["phase"] == "idle"
    for seed in range(2):
        bar.job = client.submit(text_to_image(seed=seed))
        page.wait_phase("done")
        bar.job = None
        page.wait_phase("idle")
    with pytest.raises(TraitError):
        bar.job = "no job"


def test_images_of_a_grid_may_be_set(client: ComfyClient) -> None:
    grid = ImageGrid([Image.new("RGB", (8, 8))], labels=["one"])
    page = page_of(grid)
    result = client.run(text_to_image(batch_size=2))
    grid.images = result
    assert grid.labels == ()
    assert [content for _, content in page.images()[-2:]] == [result.bytes(0), result.bytes(1)]
    assert grid.images == result.images
    grid.labels = ["left", "right"]
    assert [item["caption"] for item, _ in page.images()[-2:]] == ["left", "right"]
    grid.images = []
    assert page.custom("images")[-1][0]["total"] == 0
    with pytest.raises(TraitError, match="no PIL image"):
        grid.images = ["a.png"]


def test_the_parts_do_what_the_panel_does(server: ScriptedServer, panel: ComfyPanel) -> None:
    form, controls, stage = map(page_of, (panel.form, panel.controls, panel.stage))
    form.edit(steps="3")
    controls.say("run", edit=None, count=1)
    stage.wait_for(lambda: stage.images())
    for page in (page_of(panel), controls, stage):
        assert page.wait_phase("done")["run"] == 1
    assert server.posted[-1]["prompt"]["3"]["inputs"]["steps"] == 3
    assert page_of(panel).state["_values"]["values"]["steps"] == "3"
    assert panel.form is panel.form


def test_an_observer_that_fails_is_told_in_the_panel(
    panel: ComfyPanel, page: Page, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(change: object) -> None:
        raise RuntimeError("my own mistake")

    panel.observe(fail, "images")
    panel.params.observe(fail, "steps")
    page.edit(steps="5")
    assert page.state["_values"]["warnings"] == ["An observer of 'steps' failed. RuntimeError: my own mistake"]
    panel.run().wait(60)
    page.wait_for(lambda: any("'images'" in warning for warning in page.state["_values"]["warnings"]))
    page.wait_phase("done")
    assert "my own mistake" in caplog.text
    # Run in the browser is an edit, too, and takes nothing away that was not read yet.
    page.edit(n=2)
    assert page.state["_values"]["warnings"] == ["An observer of 'steps' failed. RuntimeError: my own mistake"]
    page.edit(n=3, cfg=2)
    assert page.state["_values"]["warnings"] == []


def test_an_observer_that_fails_each_time_is_told_once(panel: ComfyPanel, page: Page) -> None:
    def fail(change: object) -> None:
        raise RuntimeError("my own mistake")

    panel.observe(fail, "status")
    panel.run().wait(60)
    page.wait_phase("done")
    page.wait_for(lambda: page.state["_values"]["warnings"])
    assert page.state["_values"]["warnings"] == ["An observer of 'status' failed. RuntimeError: my own mistake"]


def test_closing_the_panel_closes_its_parts(panel: ComfyPanel) -> None:
    parts = [panel.form, panel.controls, panel.stage]
    panel.run().wait(60)
    panel.close()
    assert [part.comm for part in parts] == [None] * 3
