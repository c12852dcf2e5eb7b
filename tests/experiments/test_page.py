"""The saved page: whole, small, harmless, and enough to go on from."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from comfy_widgets import ComfyClient, Workflow
from comfy_widgets.errors import ExperimentError
from comfy_widgets.experiments import Experiment, replace, resume
from comfy_widgets.testing import ScriptedServer, Stage, standard_run

Sweep = Callable[..., Experiment]


def data_of(path: Path) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="sweep">(.*?)</script>', path.read_text(), re.DOTALL)
    assert found is not None
    return dict(json.loads(found[1]))


def test_a_page_holds_every_cell_and_needs_nothing_else(run_sweep: Sweep, tmp_path: Path) -> None:
    run = run_sweep(seed=range(3), cfg=[2, 5]).wait(30)
    run[1].rate(4)
    path = run.save(tmp_path / "pages" / "page.html")
    text, data = path.read_text(), data_of(path)
    assert len(data["rows"]) == len(data["thumbnails"]) == 6 and all(data["thumbnails"])
    assert data["rows"][1][:4] == [[0, 1], "completed", data["rows"][1][2], 4]
    assert data["state"]["axes"][1] == {"name": "cfg", "labels": ["2", "5"]}
    assert not re.search(r'(src|href)="', text) and "http-equiv" in text
    assert not list(path.parent.glob("*.part"))


def test_nothing_in_a_page_is_taken_for_markup(run_sweep: Sweep, workflow: Workflow, tmp_path: Path) -> None:
    evil = "</script><script>alert(1)</script><!--"
    run = run_sweep(
        workflow.with_params(negative=evil), positive={evil: f"a cat {evil}"}, name=f"{evil} <b>study</b>"
    ).wait(30)
    text = run.save(tmp_path / "page.html").read_text()
    assert "<script>alert(1)" not in text and "<b>study" not in text
    assert text.count("</script>") == 2
    data = text.partition('id="sweep">')[2].partition("</script>")[0]
    assert not set("<>") & set(data), "an HTML parser sees no mark in the data"


def noisy(stage: Stage) -> None:
    """A run whose image is as hard to make small as any."""
    content = io.BytesIO()
    Image.effect_noise((256, 256), 90).convert("RGB").save(content, "PNG")
    item = stage.server.files.put(f"{stage.prompt_id}.png", content.getvalue(), folder="output")
    standard_run(outputs={"9": {"images": [item]}})(stage)


def test_a_page_stays_within_its_size_whatever_the_images_are(
    run_sweep: Sweep, server: ScriptedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.script = noisy
    run = run_sweep(seed=range(30)).wait(60)
    whole = run.save(tmp_path / "whole.html")
    assert len(data_of(whole)["images"]) == 30
    # As for thousands of cells with five megabytes.
    monkeypatch.setattr("comfy_widgets.experiments._page.MAX_BYTES", 250_000)
    small = run.save(tmp_path / "small.html")
    assert small.stat().st_size < 260_000 < whole.stat().st_size
    assert data_of(small)["images"] == {} and all(data_of(small)["thumbnails"])


def test_a_page_is_resumed(run_sweep: Sweep, client: ComfyClient, server: ScriptedServer, tmp_path: Path) -> None:
    base = Workflow.load(
        {
            "1": {"class_type": "LoadImage", "inputs": {"image": "example.png"}},
            "2": {"class_type": "PreviewImage", "inputs": {"images": ["1", 0]}},
        }
    )
    images = [Image.new("RGB", (8, 8), colour) for colour in ("red", "green")]
    run = run_sweep(base, image=images, name="colours").wait(30)
    path = run.save(tmp_path / "page.html")
    run.close()
    for file in (tmp_path / "store").rglob("*"):
        if file.is_file():
            file.unlink()
    again = resume(path, client=client).wait(30)
    assert [cell.key for cell in again] == [cell.key for cell in run] and again.name == "colours"
    assert again.counts == {"completed": 2} and len(server.posted) == 4
    again.close()
    once_more = resume(path, client=client).wait(30)
    assert once_more.price.stored == 2
    once_more.close()


@pytest.mark.parametrize("text", ["", "<html></html>", '<script type="application/json" id="sweep">{}</script>'])
def test_what_is_no_page_is_told(client: ComfyClient, tmp_path: Path, text: str) -> None:
    (tmp_path / "page.html").write_text(text)
    with pytest.raises(ExperimentError, match="no saved page of a sweep"):
        resume(tmp_path / "page.html", client=client)


def test_a_page_whose_cells_do_not_fit_is_told(run_sweep: Sweep, client: ComfyClient, tmp_path: Path) -> None:
    path = run_sweep(animal=replace("cat", ["cat"], of="positive")).wait(30).save(tmp_path / "page.html")
    path.write_text(path.read_text().replace('"cells":[[0]]', '"cells":[[7]]'))
    with pytest.raises(ExperimentError, match="do not fit its axes"):
        resume(path, client=client)


def test_a_page_that_cannot_be_written_is_told(run_sweep: Sweep, tmp_path: Path) -> None:
    run = run_sweep(seed=[1]).wait(30)
    (tmp_path / "file").write_text("")
    with pytest.raises(ExperimentError, match="cannot be written"):
        run.save(tmp_path / "file" / "page.html")
