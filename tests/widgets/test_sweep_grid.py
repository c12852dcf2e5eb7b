"""The live grid of a sweep, as far as Python goes: what the browser is told, and what it may ask for."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from comfy_widgets import ComfyClient, SweepGrid, images
from comfy_widgets.experiments import Experiment, sweep
from comfy_widgets.testing import Gate, ScriptedServer, standard_run, text_to_image
from comfy_widgets.widgets import _schema as schema
from comfy_widgets.widgets._pump import pump

from .conftest import page_of
from .page import Page


@pytest.fixture
def make(client: ComfyClient, tmp_path: Path) -> Iterator[Callable[..., tuple[Experiment, SweepGrid, Page]]]:
    runs: list[Experiment] = []

    def make(**options: Any) -> tuple[Experiment, SweepGrid, Page]:
        runs.append(sweep(text_to_image(), client=client, folder=tmp_path / "store", **options))
        grid = SweepGrid(runs[-1])
        return runs[-1], grid, page_of(grid)

    yield make
    for run in runs:
        run.close()


def told(page: Page) -> dict[int, list[Any]]:
    """The newest row of each cell that the browser has."""
    rows: dict[int, list[Any]] = {}
    for message, _ in page.custom("cells"):
        rows.update(zip(message["numbers"], message["rows"], strict=True))
    return rows


def thumbnails(page: Page) -> dict[int, bytes]:
    images: dict[int, bytes] = {}
    for message, buffers in page.custom("thumbnails"):
        images.update(zip(message["numbers"], buffers, strict=True))
    return images


def test_it_fills_while_the_sweep_runs(make: Any, server: ScriptedServer) -> None:
    gate = Gate()
    server.play(standard_run(gate=gate, gate_after="progress"))
    _, _, page = make(seed=range(2), cfg=[2, 5])
    page.wait_for(lambda: [row[1] for row in told(page).values()].count("in_progress") == 2)
    assert page.state["_sweep"]["status"] == "running" and page.state["_sweep"]["axes"][1]["labels"] == ["2", "5"]
    page.wait_for(lambda: page.custom("cell-preview"))
    gate.open()
    page.wait_for(lambda: page.state["_sweep"]["status"] == "completed" and len(thumbnails(page)) == 4)
    assert [row[:2] for _, row in sorted(told(page).items())] == [
        *([[0, 0], "completed"], [[0, 1], "completed"], [[1, 0], "completed"], [[1, 1], "completed"])
    ]
    with Image.open(io.BytesIO(thumbnails(page)[0])) as image:
        assert image.format == "WEBP" and max(image.size) <= 128
    assert {
        sent.thread for sent in page.sent if "content" in sent.data and sent.data["content"]["kind"] == "cells"
    } == {"comfy-widgets-pump"}


def test_what_it_says_fits_the_schema(make: Any, server: ScriptedServer) -> None:
    run, _, page = make(seed=range(2))
    run.wait(30)
    page.say("cell-original", number=0)
    page.wait_for(lambda: len(thumbnails(page)) == 2)
    messages = {get_args(get_type_hints(m)["kind"])[0]: m for m in get_args(schema.ToBrowser)}
    for sent in page.sent:
        content = sent.data.get("content")
        if content:
            assert set(content) == set(get_type_hints(messages[content["kind"]]))
    assert set(page.state["_sweep"]) == set(get_type_hints(schema.SweepState))


def test_a_page_that_was_loaded_anew_gets_everything(make: Any) -> None:
    run, _, page = make(seed=range(3))
    run.wait(30)
    page.wait_for(lambda: len(thumbnails(page)) == 3)
    before = len(page.custom("thumbnails"))
    page.say("hello")
    page.wait_for(lambda: len(page.custom("thumbnails")) > before)
    assert page.custom("thumbnails")[-1][0]["numbers"] == [0, 1, 2]


def test_stars_and_rejections_are_kept(make: Any) -> None:
    run, _, page = make(seed=range(3))
    run.wait(30)
    page.say("rate", numbers=[0, 2], stars=4, rejected=False)
    page.say("rate", numbers=[1, 99, -1], stars=0, rejected=True)
    assert [(cell.rating.stars, cell.rating.rejected) for cell in run] == [(4, False), (0, True), (4, False)]
    page.wait_for(lambda: [row[3:5] for _, row in sorted(told(page).items())] == [[4, 0], [0, 1], [4, 0]])


def test_what_is_selected_is_there_as_images(make: Any) -> None:
    run, grid, page = make(seed=range(3))
    run.wait(30)
    seen: list[Any] = []
    grid.observe(lambda change: seen.append(change["new"]), "selected")
    page.say("select-cells", numbers=[2, 0])
    assert grid.selected == (run[2], run[0]) and seen == [grid.selected]
    assert [image.size for image in grid.images] == [(32, 32)] * 2


def test_an_image_is_given_byte_for_byte(make: Any) -> None:
    run, _, page = make(seed=range(2))
    run.wait(30)
    page.say("cell-original", number=1)
    page.say("cell-original", number=7)
    ((message, buffers),) = page.custom("cell-original")
    assert (message["number"], message["mime"]) == (1, "image/png")
    assert buffers == (run[1].files[0].path.read_bytes(),)


def test_it_is_started_paused_and_cancelled_from_the_page(make: Any, server: ScriptedServer) -> None:
    run, _, page = make(seed=range(4), confirm=False)
    page.wait_for(lambda: page.state["_sweep"]["status"] == "ready" and "4 cells" in page.state["_sweep"]["price"])
    gate = Gate()
    server.play(standard_run(gate=gate, gate_after="executing"))
    page.say("act", act="start")
    gate.wait_reached()
    page.say("act", act="pause")
    page.wait_for(lambda: page.state["_sweep"]["status"] == "paused")
    page.say("act", act="cancel")
    page.wait_for(lambda: page.state["_sweep"]["status"] == "cancelled")
    gate.open()
    run.wait(30)


def test_why_it_paused_is_told(make: Any, server: ScriptedServer) -> None:
    run, _, page = make(seed=range(3), confirm=False)
    (run.folder / "files").rename(run.folder / "gone")
    run.start()
    page.wait_for(lambda: "a file cannot be written" in page.state["_sweep"]["error"])
    (run.folder / "gone").rename(run.folder / "files")
    run.resume().wait(30)
    page.wait_for(lambda: page.state["_sweep"]["error"] == "")


def test_the_notebook_keeps_the_grid_as_an_image(make: Any) -> None:
    run, grid, page = make(seed=range(2), cfg=[2, 5])
    run.wait(30)
    page.wait_for(lambda: page.state["_sweep"] == run.snapshot())
    shown: list[Any] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("IPython.display.display", lambda *data, **options: shown.append((data, options)))
        grid._ipython_display_()
        grid.write_record()
    # The widget, the place of the record, and what comes there.
    assert "application/vnd.jupyter.widget-view+json" in shown[0][0][0]
    assert shown[1][1]["display_id"] == shown[-1][1]["display_id"] and shown[-1][1]["update"]
    assert "image/jpeg" in shown[-1][0][0] and shown[-1][0][0]["text/plain"] == repr(run)


def test_a_closed_grid_says_nothing_more_and_the_sweep_goes_on(make: Any, server: ScriptedServer) -> None:
    gate = Gate()
    server.play(standard_run(gate=gate, gate_after="executing"))
    run, grid, page = make(seed=range(3))
    gate.wait_reached()
    grid.close()
    count = len(page.sent)
    gate.open()
    run.wait(30)
    assert len(page.sent) == count and not pump.running


def test_thousands_of_cells_leave_in_few_messages(make: Any) -> None:
    run, _, page = make(seed=range(3000), confirm=False)
    page.wait_for(lambda: len(told(page)) == 3000)
    assert len(page.custom("cells")) <= 10 and run.status == "ready"


def test_a_function_scores_each_image_once_and_its_failure_costs_only_that(
    make: Any, server: ScriptedServer, caplog: pytest.LogCaptureFixture
) -> None:
    run, _, _ = make(seed=range(4))
    run.wait(60)
    seen: list[tuple[int, int]] = []

    def score(image: Image.Image) -> float:
        seen.append(image.size)
        if len(seen) == 2:
            raise ValueError("no face found")
        return float("nan") if len(seen) == 3 else len(seen)

    grid = SweepGrid(run, score=score)
    page = page_of(grid)
    page.wait_for(lambda: page.custom("cell-scores"))
    message, _ = page.custom("cell-scores")[-1]
    assert dict(zip(message["numbers"], message["scores"], strict=True)) == {0: 1, 1: None, 2: None, 3: 4}
    assert {cell.number: value for cell, value in grid.scores.items()} == {0: 1, 3: 4}
    assert "the score of cell 1 failed" in caplog.text and "no face found" in caplog.text
    page.say("hello")
    page.wait_for(lambda: len(page.custom("cell-scores")) > 1)
    assert len(seen) == 4
    grid.close()


# A folder of images


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Files as ComfyUI writes them, each a second younger than the one before."""
    folder = tmp_path / "output"
    folder.mkdir()
    for number, (cfg, sampler) in enumerate([(2, "euler"), (5, "euler"), (5, "heun")]):
        prompt = text_to_image(text="a red cat", seed=number)
        prompt["3"]["inputs"] |= {"cfg": cfg, "sampler_name": sampler}
        info = PngInfo()
        info.add_text("prompt", json.dumps(prompt))
        path = folder / f"cat_{number}.png"
        Image.new("RGB", (200, 100), (number * 100, 0, 0)).save(path, pnginfo=info)
        os.utime(path, (1_700_000_000 + number,) * 2)
    (folder / "film.mp4").write_bytes(b"no film")
    os.utime(folder / "film.mp4", (1_600_000_000,) * 2)
    return folder


def test_a_folder_of_images_is_shown_by_what_made_them(folder: Path) -> None:
    grid = SweepGrid(images(folder))
    page = page_of(grid)
    page.wait_for(lambda: len(thumbnails(page)) == 3)
    state = page.state["_sweep"]
    assert (state["title"], state["status"], state["total"]) == ("output", "found", 4)
    axes = {axis["name"]: axis["labels"] for axis in state["axes"]}
    assert axes["file"] == ["film.mp4", "cat_0.png", "cat_1.png", "cat_2.png"]
    assert axes["cfg"] == ["2", "5", "unknown"] and axes["sampler"] == ["euler", "heun", "unknown"]
    assert "lora" not in axes, "no file has one"
    names = list(axes)
    newest = dict(zip(names, told(page)[3][0], strict=True))
    assert {name: axes[name][newest[name]] for name in ("cfg", "sampler", "seed")} == {
        "cfg": "5",
        "sampler": "heun",
        "seed": "2",
    }
    with Image.open(io.BytesIO(thumbnails(page)[3])) as small:
        assert small.size == (128, 64) and small.convert("RGB").getpixel((5, 5)) == pytest.approx((200, 0, 0), abs=8)
    grid.close()


def test_a_folder_is_rated_selected_and_found_again(folder: Path) -> None:
    grid = SweepGrid(images(folder).where("sampler = 'euler'"))
    page = page_of(grid)
    page.wait_for(lambda: len(thumbnails(page)) == 2)
    page.say("rate", numbers=[1], stars=4, rejected=False)
    page.say("rate", numbers=[0], stars=0, rejected=True)
    page.wait_for(lambda: [row[3:5] for _, row in sorted(told(page).items())] == [[0, 1], [4, 0]])
    page.say("select-cells", numbers=[1])
    page.wait_for(lambda: grid.selected)
    assert grid.selected[0].path == folder / "cat_1.png" and grid.images[0].size == (200, 100)
    assert grid.selected[0].workflow.prompt["3"]["inputs"]["cfg"] == 5
    grid.close()
    assert [one.name for one in images(folder).where("stars >= 4")] == ["cat_1.png"]
    assert [one.name for one in images(folder).where("rejected")] == ["cat_0.png"]
    # Another image in its place has no stars.
    Image.new("RGB", (8, 8)).save(folder / "cat_1.png")
    assert len(images(folder).where("stars >= 4")) == 0


def test_small_images_of_a_folder_are_made_once(folder: Path) -> None:
    for _ in range(2):
        grid = SweepGrid(images(folder))
        page = page_of(grid)
        page.wait_for(lambda page=page: len(thumbnails(page)) == 3)
        grid.close()
        # What was kept is shown without the files' being read.
        for path in folder.glob("*.png"):
            path.chmod(0)
            stamp = path.stat().st_mtime_ns
            path.write_bytes(b"x" * path.stat().st_size) if os.geteuid() == 0 else None
            os.utime(path, ns=(stamp, stamp))


def test_the_original_of_a_file_and_its_score(folder: Path) -> None:
    grid = SweepGrid(images(folder), score=lambda image: image.convert("RGB").getpixel((0, 0))[0])
    page = page_of(grid)
    page.say("cell-original", number=3)
    page.wait_for(lambda: page.custom("cell-original"))
    assert page.custom("cell-original")[0][1][0] == (folder / "cat_2.png").read_bytes()
    page.wait_for(lambda: len(grid.scores) == 3)
    assert sorted(grid.scores.values()) == [0, 100, 200]
    (folder / "cat_2.png").unlink()
    page.say("cell-original", number=3)
    page.say("cell-original", number=2)
    page.wait_for(lambda: len(page.custom("cell-original")) == 2)
    grid.close()


def test_an_empty_folder_is_a_grid_too(tmp_path: Path) -> None:
    grid = SweepGrid(images(tmp_path))
    assert page_of(grid).state["_sweep"]["total"] == 0
    grid.write_record()
    grid.close()
    with pytest.raises(TypeError, match=r"what sweep\(\) or images\(\) returns, not a str"):
        SweepGrid("output")  # type: ignore[arg-type]


def test_a_page_that_opens_gets_the_first_images_first(make: Any) -> None:
    run, grid, _ = make(seed=range(150))
    run.wait(60)
    page = page_of(grid)
    page.wait_for(lambda: len(thumbnails(page)) == 150)
    page.sent.clear()
    page.say("hello")
    page.wait_for(lambda: len(thumbnails(page)) == 150)
    assert page.custom("thumbnails")[0][0]["numbers"][:3] == [0, 1, 2]
