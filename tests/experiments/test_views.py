"""What people see of an experiment without a browser: sheets, tables, answers, exports."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest
from PIL import Image, ImageDraw

from comfy_widgets import WorkflowError
from comfy_widgets.errors import ComfyError, ExperimentError
from comfy_widgets.experiments import Experiment
from comfy_widgets.testing import ScriptedServer, Stage, standard_run

Sweep = Callable[..., Experiment]


def coloured(stage: Stage) -> None:
    """A run whose image is as bright as its cfg, and a little redder with each seed."""
    inputs = stage.prompt["3"]["inputs"]
    content = io.BytesIO()
    Image.new("RGB", (64, 64), (int(inputs["cfg"] * 20 + inputs["seed"]), int(inputs["cfg"] * 20), 0)).save(
        content, "PNG"
    )
    name = f"{inputs['seed']}-{inputs['cfg']}.png"
    item = stage.server.files.put(name, content.getvalue(), folder="output")
    standard_run(outputs={"9": {"images": [item]}})(stage)


@pytest.fixture
def run(run_sweep: Sweep, server: ScriptedServer) -> Experiment:
    server.script = coloured
    return run_sweep(seed=range(3), cfg=[2, 5], steps=[1, 2]).wait(30)


def test_a_grid_has_an_image_for_each_pair_of_values(run: Experiment) -> None:
    sheet = run.grid(x="cfg", y="seed", steps=2)
    pixels = {(r, g) for _, (r, g, b) in sheet.getcolors(1 << 20) or [] if b == 0}
    assert {(40, 40), (41, 40), (42, 40), (100, 100), (101, 100), (102, 100)} <= pixels
    across = run.grid(x="seed", y="cfg")
    assert across.width > across.height and sheet.height > sheet.width
    assert run.grid().size == run.grid(x="cfg", y="seed").size


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"x": "cgf"}, "no axis 'cgf'. Did you mean 'cfg'"),
        ({"x": "cfg", "y": "cfg"}, "both the columns and the rows"),
        ({"steps": 9}, "steps has no value 9; it has: 1, 2"),
    ],
)
def test_a_grid_of_what_is_not_there(run: Experiment, options: dict[str, object], told: str) -> None:
    with pytest.raises(WorkflowError, match=told):
        run.grid(**options)  # type: ignore[arg-type]


def test_what_is_not_finished_stays_an_empty_field(run_sweep: Sweep, server: ScriptedServer) -> None:
    server.play(standard_run(fail_at="3"))
    run = run_sweep(seed=range(2), cfg=[1, 2]).wait(30)
    assert run.grid().size[0] > 0
    run[0].files and run[0].files[0].path.unlink()
    assert run.grid().size[0] > 0
    assert run_sweep(seed=range(90, 94), confirm=False).grid(x="seed").size[0] > 0
    assert run_sweep(confirm=False).grid().size[0] > 0


@pytest.mark.parametrize("text", ["half an emoji \ud83d", "a very long prompt " * 50_000, "two\nlines", "猫" * 200, ""])
def test_a_prompt_may_be_any_text(run_sweep: Sweep, tmp_path: Path, text: str) -> None:
    run = run_sweep(positive=[text, "a cat"]).wait(60)
    assert run.grid(x="positive").size[0] > 0
    assert run.grid(y="positive").size[0] < 8192
    assert run.store.prompt(run.cells[0].key) == run.cells[0].prompt
    run.cells[0].rate(4, note=text)
    assert run.cells[0].rating.stars == 4
    images = [path for path in run.export(tmp_path / "out") if path.suffix == ".png"]
    assert len(images) == 2
    assert json.loads((tmp_path / "out" / "prompts.json").read_text("utf-8"))["0"] == run.cells[0].prompt
    assert run.save(tmp_path / "page.html").stat().st_size > 0
    assert [cell.status for cell in run_sweep(positive=[text, "a cat"]).cells] == ["completed", "completed"]


def test_sheets_come_in_pages(run: Experiment) -> None:
    (page,) = run.sheet()
    assert page.width <= 8192
    pages = run.sheet(cell=64, max_side=200)
    assert len(pages) > 1 and all(max(page.size) <= 260 for page in pages)
    with pytest.raises(WorkflowError, match="at least 16 pixels"):
        run.sheet(cell=2)


def test_a_sheet_needs_an_image(run_sweep: Sweep) -> None:
    with pytest.raises(ComfyError, match="No cell has an image yet"):
        run_sweep(seed=[1], confirm=False).sheet()


def test_the_table_has_a_row_for_each_cell(run: Experiment) -> None:
    run[0].rate(4)
    table = run.table()
    assert len(table) == 12 and table.columns[:4] == ["seed", "cfg", "steps", "status"]
    assert (table.rows[0]["stars"], table.rows[0]["status"], table.rows[0]["images"]) == (4, "completed", 1)
    read = list(csv.DictReader(io.StringIO(table.to_csv())))
    assert [row["cfg"] for row in read[:3]] == ["2", "2", "5"]


def test_texts_are_escaped_and_harmless(run_sweep: Sweep) -> None:
    run = run_sweep(positive=["<script>alert(1)</script>", '=HYPERLINK("x")']).wait(30)
    assert "<script>" not in run.table()._repr_html_() and "&lt;script&gt;" in run.table()._repr_html_()
    assert "'=HYPERLINK" in run.table().to_csv()


def test_a_frame_or_a_sentence_how_to_get_one(run: Experiment) -> None:
    try:
        import pandas
    except ImportError:
        with pytest.raises(ImportError, match="pip install pandas"):
            run.frame()
    else:
        frame = run.frame()
        assert isinstance(frame, pandas.DataFrame) and list(frame["cfg"]) == [cell.values.cfg for cell in run]


def test_a_table_is_that_of_itables_where_somebody_uses_it(run: Experiment, monkeypatch: pytest.MonkeyPatch) -> None:
    pandas = pytest.importorskip("pandas")
    itables = pytest.importorskip("itables")
    shown: list[Any] = []
    monkeypatch.setattr(
        pandas.DataFrame, "_repr_html_", lambda frame: shown.append(frame) or itables.to_html_datatable(frame)
    )
    assert "itables" in run.table()._repr_html_()
    assert len(shown) == 1 and len(shown[0]) == 12
    monkeypatch.delitem(sys.modules, "itables")
    assert run.table()._repr_html_().startswith("<table><thead>") and len(shown) == 1


def test_a_plot_has_a_line_for_each_value_and_its_dots(run: Experiment) -> None:
    pytest.importorskip("matplotlib")
    figure = run.plot("cfg", by="seed", score=brightness)
    (axes,) = figure.axes
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("cfg", "brightness")
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["seed 0", "seed 1", "seed 2"]
    line = axes.lines[0]
    assert list(line.get_xdata()) == [2, 5]
    of_seed_0 = [fmean(brightness(cell.image) for cell in run.find(seed=0, cfg=cfg)) for cfg in (2, 5)]
    assert list(line.get_ydata()) == pytest.approx(of_seed_0)
    # Two cells differ in steps alone: they are dots around their mean.
    assert len(axes.lines[1].get_xdata()) == 4
    assert figure._repr_png_().startswith(b"\x89PNG")
    run[0].rate(5)
    assert run.plot().axes[0].get_ylabel() == "stars"


def test_a_plot_of_texts_names_them_and_bad_input_is_told(run_sweep: Sweep, run: Experiment) -> None:
    pytest.importorskip("matplotlib")
    texts = run_sweep(positive=["a cat", "a dog"]).wait(30)
    labels = texts.plot(score=brightness).axes[0].get_xticklabels()
    assert [label.get_text() for label in labels] == ["a cat", "a dog"]
    with pytest.raises(ComfyError, match="no axis 'cgf'; there are seed, cfg, steps"):
        run.plot("cgf")
    with pytest.raises(ComfyError, match="nothing to draw yet"):
        run_sweep(seed=[1, 2, 3], width=[64, 128], confirm=False).plot()


def test_a_plot_of_texts_that_matplotlib_would_not_draw(run_sweep: Sweep) -> None:
    pytest.importorskip("matplotlib")
    texts = run_sweep(positive=["costs $5 or $\\frac", "half \ud83d"], seed=[1, 2]).wait(30)
    for options in ({"x": "positive"}, {"x": "seed", "by": "positive"}):
        assert texts.plot(score=brightness, **options)._repr_png_().startswith(b"\x89PNG")
    for score in (lambda image: None, lambda image: "bright", lambda image: []):
        with pytest.raises(ComfyError, match="must be a number"):
            texts.plot(score=score)


def brightness(image: Image.Image) -> float:
    return float(image.convert("L").resize((1, 1)).getpixel((0, 0)))


def test_it_says_which_axis_matters(run: Experiment) -> None:
    found = run.marginals()
    assert [one.axis for one in found] == ["cfg", "seed", "steps"]
    assert found[0].effect > 10 * found[1].effect > 0 and found[2].effect < 0.001
    assert str(found).startswith("cfg matters most")
    scored = run.marginals(lambda image: image.getpixel((0, 0))[1])
    assert scored[0].axis == "cfg" and scored[0].effect == pytest.approx(1)
    assert scored[0].means == {"2": 40, "5": 100} and "5 is its best value" in str(scored)
    assert "<td>" in found._repr_html_()


def test_what_is_not_finished_has_no_answer(run_sweep: Sweep) -> None:
    assert str(run_sweep(seed=range(3), confirm=False).marginals()) == "There is nothing to compare yet."


def test_an_export_is_for_everybody(run: Experiment, tmp_path: Path) -> None:
    written = run.export(tmp_path / "out")
    names = sorted(path.name for path in written)
    assert names[0] == "00 seed=0 cfg=2 steps=1.png" and len(names) == 14
    assert (tmp_path / "out" / "table.csv").read_text().startswith("seed,cfg,steps,status")
    prompts = json.loads((tmp_path / "out" / "prompts.json").read_text())
    assert prompts["0"]["3"]["inputs"]["cfg"] == 2
    with Image.open(written[0]) as image:
        assert image.getpixel((0, 0)) == (40, 40, 0)
    (tmp_path / "file").write_text("")
    with pytest.raises(ExperimentError, match="cannot be written"):
        run.export(tmp_path / "file")


def test_names_of_exported_files_are_harmless(run_sweep: Sweep, tmp_path: Path) -> None:
    run = run_sweep(positive=["../../etc/passwd", "a:b*c?" + "long " * 60]).wait(30)
    for path in run.export(tmp_path / "out"):
        assert path.parent == tmp_path / "out" and len(path.name) < 160


def test_a_grid_of_many_cells_is_drawn_from_small_images(run_sweep: Sweep, server: ScriptedServer) -> None:
    server.script = coloured
    run = run_sweep(seed=range(210), cfg=[2, 5], confirm=True).wait(120)
    # Without the files there is nothing else to draw it from.
    for cell in run.cells:
        for file in cell.files:
            file.path.unlink(missing_ok=True)
    sheet = run.grid(x="cfg", y="seed")
    assert sheet.height <= 8192, "an image that is higher can be opened by few"
    brightness = [value for _, (_, value, blue) in sheet.getcolors(1 << 24) or [] if blue < 20 and value > 20]
    assert any(abs(value - 40) < 8 for value in brightness) and any(abs(value - 100) < 8 for value in brightness)


def test_what_of_a_long_axis_is_drawn_is_told(
    run_sweep: Sweep, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.script = coloured
    run = run_sweep(seed=range(205), confirm=True)
    told = []
    monkeypatch.setattr(ImageDraw.ImageDraw, "text", lambda self, at, text, **_: told.append(text))
    run.grid(x="seed")
    assert "the first 204 of 205 columns" in told
    run.cancel()
