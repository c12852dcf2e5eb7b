"""The widgets that show what a sampler does, as the browser is told."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from traitlets import TraitError

from comfy_widgets import (
    ComfyClient,
    ComfyError,
    DiffusionSteps,
    DrawingCanvas,
    NoiseExplorer,
    ReplaySlider,
    ScheduleEditor,
    Workflow,
    WorkflowError,
    record,
)
from comfy_widgets.errors import CassetteError
from comfy_widgets.testing import Gate, ScriptedServer, standard_run, text_to_image

from ..widgets.conftest import page_of

PATIENCE = 60


def pictures(widget: Any) -> dict[str, bytes]:
    """All pictures that the browser has."""
    return {
        name: content
        for message, buffers in page_of(widget).custom("pictures")
        for name, content in zip(message["names"], buffers, strict=True)
    }


# NoiseExplorer


def test_the_noise_follows_both_sides(image: Image.Image) -> None:
    explorer = NoiseExplorer(image, sigma=0.5, cells=32)
    page = page_of(explorer)
    assert Image.open(io.BytesIO(pictures(explorer)["image"])).size == (32, 16)
    page.say("changed", name="sigma", value=2.5)
    assert explorer.sigma == 2.5
    explorer.sigma = 0.0
    assert page.state["_state"]["sigma"] == 0.0 and explorer.noise_share == 0.0
    page.say("changed", name="sigma", value=99)
    assert explorer.sigma == page.state["_state"]["highest"] and explorer.noise_share > 0.99


@pytest.mark.parametrize("value", ["x", None, float("nan"), [1]])
def test_a_noise_level_that_is_none_changes_nothing(image: Image.Image, value: Any) -> None:
    explorer = NoiseExplorer(image, sigma=0.5)
    page_of(explorer).say("changed", name="sigma", value=value)
    page_of(explorer).say("changed", name="unknown", value=1)
    assert explorer.sigma == 0.5
    with pytest.raises(TraitError):
        explorer.sigma = -1.0


# ScheduleEditor


@pytest.mark.parametrize("steps", [2, 4, 20, 100])
@pytest.mark.parametrize("name", ["normal", "karras", "exponential"])
def test_named_schedules_are_those_of_the_engine(name: str, steps: int) -> None:
    from comfy_widgets.engine._model.schedules import sigmas

    expected = sigmas(name, steps, 1.0)
    assert ScheduleEditor(name, steps=steps).levels == pytest.approx(expected, abs=1e-4)


def test_a_run_with_the_levels_of_the_editor_is_the_run_of_its_schedule(
    client: ComfyClient, workflow: Workflow
) -> None:
    editor = ScheduleEditor("karras", steps=6)
    plain = client.run(workflow, steps=6, scheduler="karras", progress=False)
    own = client.run(editor.apply(workflow), progress=False)
    assert client.step_record(own.prompt_id).runs[0].levels == pytest.approx(editor.levels, abs=1e-6)
    differences = [abs(a - b) for a, b in zip(plain.images[0].tobytes(), own.images[0].tobytes(), strict=True)]
    assert max(differences) <= 2


def test_levels_are_dragged_and_the_curve_keeps_its_shape_with_other_steps() -> None:
    editor = ScheduleEditor([10, 5, 1, 0.1])
    page = page_of(editor)
    page.say("changed", name="levels", value=[12, 5, 2, 0.1, 0])
    assert editor.levels == (12.0, 5.0, 2.0, 0.1, 0.0) and editor.text == "12.0, 5.0, 2.0, 0.1, 0.0"
    page.say("changed", name="steps", value=7)
    assert len(editor.levels) == 8 and (editor.levels[0], editor.levels[-2]) == (12.0, 0.1)
    assert page.state["_state"]["levels"] == list(editor.levels)
    assert [len(known["levels"]) for known in page.state["_state"]["known"]] == [8, 8, 8]


@pytest.mark.parametrize(
    "levels",
    [[], [1.0], [1.0, 2.0, 0.0], [1.0, 1.0, 0.0], [100.0, 1.0, 0.0], [float("inf"), 1.0, 0.0], [2.0, float("nan"), 0]],
)
def test_levels_that_do_not_fall_are_refused(levels: list[float]) -> None:
    with pytest.raises(ValueError, match=r"must"):
        ScheduleEditor(levels)
    editor = ScheduleEditor("normal", steps=3)
    before = editor.levels
    for value in ([1.0, 2.0, 0.0], [1.0], "x", None, [1.0, "y", 0]):
        page_of(editor).say("changed", name="levels", value=value)
    assert editor.levels == before
    page_of(editor).say("changed", name="levels", value=[100, 1.0, 0.0])
    assert editor.levels == (14.6146, 1.0, 0.0)


def test_what_is_no_schedule_and_a_workflow_without_sampler_are_told() -> None:
    with pytest.raises(ValueError, match="There is no schedule 'linear'; there are normal, karras, exponential"):
        ScheduleEditor("linear")
    with pytest.raises(ValueError, match="must be 2 to 100"):
        ScheduleEditor(steps=1)
    with pytest.raises(WorkflowError, match="has no KSampler"):
        ScheduleEditor().apply({"1": {"class_type": "EmptyImage", "inputs": {}}})


# DiffusionSteps


def test_the_steps_of_a_run_reach_the_browser(client: ComfyClient, workflow: Workflow) -> None:
    job = client.submit(workflow, steps=5).wait(PATIENCE)
    steps = DiffusionSteps(job)
    page = page_of(steps)
    state = page.state["_state"]
    assert [row["evaluations"] for row in state["steps"]] == [1, 2, 3, 4, 5]
    levels = [row["sigma"] for row in state["steps"]]
    assert levels == sorted(levels, reverse=True) and [row["next"] for row in state["steps"]] == [*levels[1:], 0.0]
    named = {scene["picture"] for row in state["steps"] for scene in row["scenes"]}
    assert {f"x{n}" for n in range(5)} | {f"estimate{n}" for n in range(5)} | named == set(pictures(steps))
    assert all(0 <= scene["share"] <= 1 for row in state["steps"] for scene in row["scenes"])
    page.say("changed", name="step", value=3)
    assert steps.step == 3
    steps.step = 5
    assert page.state["_state"]["step"] == 5
    with pytest.raises(TraitError, match="There is no step 6: the run has 5"):
        steps.step = 6


def test_the_steps_are_saved(client: ComfyClient, workflow: Workflow, tmp_path: Path) -> None:
    job = client.submit(workflow, steps=4).wait(PATIENCE)
    steps = DiffusionSteps(client.step_record(job))
    for name in ("steps.webp", "steps.gif", "steps.png"):
        with Image.open(steps.save(tmp_path / name)) as animation:
            assert getattr(animation, "n_frames", 1) == 4
    with pytest.raises(ValueError, match=r"should end in \.webp, \.gif or \.png"):
        steps.save(tmp_path / "steps.txt")
    assert steps.sheet(cols=2).height > 400
    page = page_of(steps)
    page.say("changed", name="export", value=None)
    assert page.wait_for(lambda: pictures(steps).get("export")).startswith(b"RIFF")


def test_steps_come_when_the_run_has_ended(client: ComfyClient, workflow: Workflow) -> None:
    job = client.submit(workflow, steps=400)
    steps = DiffusionSteps(job)
    page = page_of(steps)
    page.wait_for(lambda: page.state["_state"]["steps"])
    assert steps.record is not None and page.state["_state"]["words"] == ""


def test_what_is_no_image_or_job_is_told(client: ComfyClient, workflow: Workflow) -> None:
    unfit: Any = "boat.png"
    with pytest.raises(TypeError, match=r"'str' and must be a PIL image"):
        NoiseExplorer(unfit)
    result: Any = client.run(workflow)
    with pytest.raises(TypeError, match=r"'Result' and must be a job, which client\.submit"):
        DiffusionSteps(result)


def test_where_there_are_no_steps_it_says_why() -> None:
    gate = Gate()
    with ScriptedServer() as server, ComfyClient(server.url, journal=False) as client:
        server.play(standard_run(gate=gate))
        job = client.submit(text_to_image())
        steps = DiffusionSteps(job)
        page = page_of(steps)
        assert "when the run has ended" in page.state["_state"]["words"]
        gate.open()
        page.wait_for(lambda: "embedded engine" in page.state["_state"]["words"])
        with pytest.raises(ComfyError, match="embedded engine"):
            steps.sheet()


# ReplaySlider


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("replay") / "sweep.cassette"
    with (
        ScriptedServer() as server,
        ComfyClient(server.url, journal=False) as client,
        record(path, client, title="A sweep"),
    ):
        for seed in (1, 2, 3):
            for steps in (2, 4):
                if (seed, steps) != (3, 4):
                    client.run(text_to_image(seed=seed, steps=steps))
    return path


def test_all_images_are_in_the_browser_before_anybody_slides(recorded: Path) -> None:
    slider = ReplaySlider(recorded, labels={"seed": "Seed"})
    page = page_of(slider)
    state = page.state["_state"]
    assert state["axes"] == [
        {"label": "Seed", "values": ["1", "2", "3"]},
        {"label": "steps", "values": ["2", "4"]},
    ]
    assert sorted(pictures(slider)) == ["0,0", "0,1", "1,0", "1,1", "2,0"]
    assert state["missing"] == ["2,1"] and state["title"] == "A sweep"


def test_the_value_follows_both_sides(recorded: Path) -> None:
    slider = ReplaySlider(recorded)
    page = page_of(slider)
    assert slider.value == {"seed": 1, "steps": 2}
    page.say("changed", name="at", value=[1, 1])
    assert slider.value == {"seed": 2, "steps": 4}
    slider.value = {"seed": 3}
    assert page.state["_state"]["at"] == [2, 1] and slider.image is None
    slider.value = {"steps": 2}
    assert slider.image is not None and slider.image.size == (32, 32)
    page.say("changed", name="at", value=[9, -4])
    assert slider.value == {"seed": 3, "steps": 2}
    page.say("changed", name="at", value=[1])
    page.say("changed", name="at", value="x")
    assert slider.value == {"seed": 3, "steps": 2}


def test_values_that_were_not_recorded_are_told(recorded: Path, tmp_path: Path) -> None:
    slider = ReplaySlider(recorded)
    with pytest.raises(ValueError, match="seed 9 was not recorded; there are 1, 2, 3"):
        slider.value = {"seed": 9}
    with pytest.raises(ValueError, match="'cfg' was not varied; there are seed, steps"):
        slider.value = {"cfg": 9}
    with (
        ScriptedServer() as server,
        ComfyClient(server.url, journal=False) as client,
        record(tmp_path / "one.cassette", client),
    ):
        client.run(text_to_image())
    with pytest.raises(CassetteError, match="has nothing to slide"):
        ReplaySlider(tmp_path / "one.cassette")


# DrawingCanvas


def png(image: Image.Image) -> bytes:
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return stream.getvalue()


def test_what_is_drawn_in_the_browser_is_an_image_in_python() -> None:
    canvas = DrawingCanvas(width=64, height=32, background="orange")
    page = page_of(canvas)
    assert canvas.image.getpixel((0, 0)) == (255, 165, 0)
    seen: list[Any] = []
    canvas.observe(lambda change: seen.append(change["new"]), "image")
    drawn = Image.new("RGB", (64, 32), "navy")
    page.say("changed", (png(drawn),), name="drawn", value=1)
    assert canvas.image.getpixel((0, 0)) == (0, 0, 128) and seen == [canvas.image]
    # A browser that is loaded anew goes on from there, and this one is not sent what it has drawn.
    assert len(page.custom("pictures")) == 1
    page.say("hello")
    assert Image.open(io.BytesIO(pictures(canvas)["image"])).convert("RGB").getpixel((0, 0)) == (0, 0, 128)


def test_a_new_sheet_takes_no_strokes_of_the_old_one(image: Image.Image) -> None:
    canvas = DrawingCanvas(image)
    page = page_of(canvas)
    old = png(Image.new("RGB", image.size, "red"))
    canvas.image = image.rotate(180)
    assert page.state["_state"]["version"] == 2
    before = canvas.image.tobytes()
    page.say("changed", (old,), name="drawn", value=1)
    page.say("changed", (png(Image.new("RGB", (8, 8))),), name="drawn", value=2)
    page.say("changed", (b"no image",), name="drawn", value=2)
    page.say("changed", name="drawn", value=2)
    page.say("changed", (old,), name="erased", value=2)
    assert canvas.image.tobytes() == before


def test_a_sheet_has_bounds() -> None:
    assert max(DrawingCanvas(Image.new("RGB", (4000, 100))).image.size) == 1024
    with pytest.raises(ValueError, match="must be 16 to 1024 on each side"):
        DrawingCanvas(width=8)
    with pytest.raises(ValueError, match="unknown color"):
        DrawingCanvas(background="no colour")
    with pytest.raises(TraitError, match="must be a PIL image"):
        DrawingCanvas().image = 3


def test_noise_over_nothing_is_told(image: Image.Image) -> None:
    with pytest.raises(ValueError, match="has nothing to show"):
        NoiseExplorer(Image.new("RGB", (0, 0)))
    for cells in (0, -1, 513):
        with pytest.raises(ValueError, match="must be 1 to 512"):
            NoiseExplorer(image, cells=cells)
