"""A sweep in the notebook, used as a person does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from comfy_widgets import ComfyClient, SweepGrid, example
from comfy_widgets import sweep as run_sweep
from comfy_widgets.engine import Engine

from .conftest import SHOTS, Show
from .notebook import Notebook

PATIENCE = 60_000
SWEEP = """
from comfy_widgets import ComfyClient, example, sweep
small = example().with_params(steps=3, width=256, height=256)
run = sweep(small, seed=range(4), cfg=[2, 5, 8], client=ComfyClient(), name="cfg study")
run
"""
LARGE = """
from comfy_widgets import ComfyClient, example, sweep
large = sweep(example(), seed=range(1000), cfg=[2, 3, 4, 5, 6], client=ComfyClient(), folder="large")
large
"""

pytestmark = pytest.mark.timeout(300)


def grid(notebook: Notebook) -> Locator:
    return notebook.page.locator(".sweep").first


def test_a_grid_fills_is_rated_and_answers(notebook: Notebook) -> None:
    notebook.open([SWEEP, "print([cell.rating.stars for cell in run.find(cfg=5)], len(run._view.images))"])
    notebook.run(0)
    sweep = grid(notebook)
    cells = sweep.locator(".cell")
    expect(cells).to_have_count(12, timeout=PATIENCE)
    before = [cell.bounding_box() for cell in cells.all()]
    expect(sweep.locator(".cell.completed img")).to_have_count(12, timeout=PATIENCE)
    expect(sweep.locator(".status")).to_contain_text("Done")
    assert [cell.bounding_box() for cell in cells.all()] == before, "something moved"
    expect(sweep.locator(".across .head")).to_have_text([re.compile("cfg 2"), re.compile("cfg 5"), re.compile("cfg 8")])

    cells.nth(4).hover()
    expect(sweep.locator(".lens.whole img")).to_be_visible()
    expect(sweep.locator(".lens p")).to_contain_text("seed 1 · cfg 5")
    notebook.shot("sweep", sweep)
    cells.nth(4).click()
    notebook.page.keyboard.press("4")
    expect(cells.nth(4).locator(".stars")).to_have_text("★★★★")
    notebook.page.keyboard.press("ArrowDown")
    notebook.page.keyboard.press(" ")
    expect(sweep.locator(".cell.selected")).to_have_count(2)
    notebook.page.keyboard.press("c")
    expect(sweep.locator(".compare img")).to_have_count(2)
    expect(sweep.locator(".differ")).to_have_text("seed 1 → 2")
    notebook.shot("sweep-compare", sweep)
    notebook.page.keyboard.press("Escape")
    expect(sweep.locator(".compare")).to_have_count(0)
    notebook.run(1)
    expect(notebook.output(1)).to_have_text("[0, 4, 0, 0] 2")

    sweep.get_by_label("Columns").select_option("seed")
    expect(sweep.locator(".across .head")).to_have_count(4)
    sweep.get_by_label("Order").select_option("rating")
    expect(cells.first.locator(".stars")).to_have_text("★★★★")
    sweep.get_by_label("Show").select_option("best")
    expect(cells).to_have_count(1)


def test_it_is_sorted_by_a_score_and_a_row_is_pinned(show: Show, engine: Engine, tmp_path: Path) -> None:
    small = example().with_params(steps=1, width=64, height=64)
    with ComfyClient(engine.url) as client:
        run = run_sweep(small, seed=range(6), cfg=[2, 5], client=client, folder=tmp_path / "store").wait(120)
        numbers = iter(range(100))
        grid = SweepGrid(run, score=lambda image: next(numbers))
        page = show(grid, width=520)
        sweep = page.locator(".sweep")
        cells = sweep.locator(".cell")
        expect(sweep.locator(".cell.completed img")).to_have_count(12, timeout=PATIENCE)
        heads = sweep.locator(".down .head")
        heads.nth(4).get_by_role("button").click()
        expect(heads.first).to_have_text(re.compile("seed 4"))
        view = sweep.locator(".view")
        view.evaluate("view => { view.scrollTop = 10000; }")
        expect(sweep.locator(".down .head", has_text="seed 5")).to_be_in_viewport(timeout=PATIENCE)
        expect(heads.first).to_have_text(re.compile("seed 4"))
        top, pinned = view.bounding_box(), heads.first.bounding_box()
        assert top is not None and pinned is not None and pinned["y"] - top["y"] < 40, "the pinned row went away"
        sweep.locator(".across .head").nth(1).get_by_role("button").click()
        expect(sweep.locator(".across .head").first).to_have_text(re.compile("cfg 5"))
        SHOTS.mkdir(exist_ok=True)
        sweep.screenshot(path=SHOTS / "sweep-pinned.png")
        heads.first.get_by_role("button").click()
        expect(sweep.locator(".down .head.pinned")).to_have_count(0)

        expect(sweep.get_by_label("Order").locator("option[value=score]")).to_be_attached(timeout=PATIENCE)
        sweep.get_by_label("Order").select_option("score")
        expect(cells.first).to_have_attribute("data-number", str(len(run) - 1), timeout=PATIENCE)
        sweep.get_by_label("Show").select_option("top")
        expect(cells).to_have_count(3)
        run.close()


def test_five_thousand_cells_are_drawn_as_they_are_scrolled_to(notebook: Notebook) -> None:
    notebook.open([LARGE])
    notebook.run(0)
    sweep = grid(notebook)
    expect(sweep.get_by_role("button", name="Run 5000 cells")).to_be_visible(timeout=PATIENCE)
    expect(sweep.locator(".cell").first).to_be_attached()
    assert sweep.locator(".cell").count() < 200
    most = sweep.locator(".view").evaluate(
        """view => new Promise(done => {
            let most = 0, steps = 0;
            const next = () => {
                view.scrollTop += 700;
                steps += 1;
                most = Math.max(most, view.querySelectorAll(".cell").length);
                if (steps < 60) requestAnimationFrame(next);
                else setTimeout(() => done(most), 100);
            };
            next();
        })"""
    )
    expect(sweep.locator(".down .head").last).to_contain_text(re.compile(r"seed 3\d\d"))
    # Never more than what can be seen and a little around it; what that costs is measured in bench/.
    assert 0 < most < 200


FOLDER = """
from comfy_widgets import ComfyClient, example, images
small = example().with_params(width=64, height=64)
client = ComfyClient()
for seed in range(3):
    for cfg in (2, 5):
        client.run(small, seed=seed, cfg=cfg, steps=1, positive="a red cat, <b>bold</b>").save("output")
found = images("output")
found
"""
RATED = "print([one.values['cfg'] for one in found.where('stars = 5')], found._view.images[0].size)"


def test_a_folder_of_images_is_a_grid(notebook: Notebook) -> None:
    notebook.open([FOLDER, RATED])
    notebook.run(0)
    grid_of = grid(notebook)
    cells = grid_of.locator(".cell")
    expect(grid_of.locator(".cell img")).to_have_count(6, timeout=PATIENCE)
    expect(grid_of.locator(".figures")).to_have_text("6 files")
    # The newest is first, and says what it is.
    expect(cells.first.locator(".caption")).to_have_text("cfg 5 · seed 2")
    expect(grid_of.locator(".head")).to_have_count(0)
    cells.first.hover()
    expect(grid_of.locator(".lens.whole p")).to_contain_text("a red cat, <b>bold</b>")
    notebook.shot("folder", grid_of)
    cells.first.click()
    notebook.page.keyboard.press("5")
    expect(cells.first.locator(".stars")).to_have_text("★★★★★")
    notebook.run(1)
    expect(notebook.output(1)).to_have_text("[5.0] (64, 64)")

    grid_of.get_by_label("Order").select_option("axes")
    grid_of.get_by_label("Columns").select_option("cfg")
    grid_of.get_by_role("combobox", name="Rows").select_option("seed")
    expect(grid_of.locator(".across .head")).to_have_text([re.compile("cfg 2"), re.compile("cfg 5")])
    expect(grid_of.locator(".down .head")).to_have_count(3)
    expect(grid_of.locator(".cell img")).to_have_count(6)
    notebook.shot("folder-axes", grid_of)
