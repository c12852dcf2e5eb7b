"""The history of a panel: runs that a folder keeps are there again in another kernel, as if they were of this one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from comfy_widgets import ComfyPanel
from comfy_widgets.errors import ExperimentError
from comfy_widgets.testing import Gate, ScriptedServer, standard_run, text_to_image

from .conftest import page_of
from .page import Page

Make = Callable[..., ComfyPanel]


def seen(page: Page, text: str = "", *, start: int = 0, count: int = 60, starred: bool = False) -> dict[str, Any]:
    """Ask for a page of the history, and return it with its small images."""
    before = len(page.custom("history"))
    page.say("history", text=text, starred=starred, start=start, count=count)
    message, buffers = page.custom("history")[before]
    return {**message, "covers": buffers}


def kept(page: Page) -> Any:
    return page.state["_history"]["total"]


@pytest.fixture
def ran(make_panel: Make, tmp_path: Path) -> Make:
    """Makes a panel in another kernel, after one has run with three values of CFG."""

    def make(**options: Any) -> ComfyPanel:
        first = make_panel(history=tmp_path / "runs")
        for number, cfg in enumerate((3, 5, 8), 1):
            first.params.update({"cfg": cfg, "seed": 2**64 - cfg, "positive": f"a boat, {cfg}"})
            first.run().wait(60)
            page_of(first).wait_for(lambda number=number: kept(page_of(first)) == number)
        first.close()
        return make_panel(history=tmp_path / "runs", **options)

    return make


def test_runs_of_an_earlier_kernel_are_listed_with_what_differs_from_now(ran: Make) -> None:
    panel = ran()
    page = page_of(panel)
    page.wait_for(lambda: kept(page) == 3)
    panel.params.update({"cfg": 5, "positive": "a boat, 5", "seed": 1})
    found = seen(page)
    assert (found["total"], found["error"], found["start"]) == (3, "", 0)
    assert [row["run"] for row in found["rows"]] == [-3, -2, -1]
    assert found["rows"][0]["prompt"] == "a boat, 8"
    assert found["rows"][0]["differs"] == ["CFG 8 → 5", f"Seed {2**64 - 8}"]
    assert found["rows"][1]["differs"] == [f"Seed {2**64 - 5}"]
    assert [(row["phase"], row["count"], row["title"], row["cover"]) for row in found["rows"]] == [
        ("done", 1, "", True)
    ] * 3
    assert [content[:4] for content in found["covers"]] == [b"RIFF"] * 3
    assert [row["run"] for row in seen(page, start=1, count=1)["rows"]] == [-2]
    assert [row["run"] for row in seen(page, '"cfg 8"')["rows"]] == [-3]
    assert seen(page, "submarine")["total"] == 0
    assert panel.runs == () and len(panel.history or ()) == 3


def test_a_run_of_an_earlier_kernel_is_shown_and_used_again(ran: Make) -> None:
    panel = ran()
    page = page_of(panel)
    page.say("show", run=-1)
    page.wait_for(lambda: [(image["run"], image["total"]) for image, _ in page.images()] == [(-1, 1)])
    page.wait_for(lambda: page.state["_runs"]["shown"] == -1 and page.run["chosen"])
    assert page.run["frame"] == {"width": 32, "height": 32, "count": 1}
    past = page.state["_runs"]["past"]
    assert (past["run"], past["phase"], past["count"]) == (-1, "done", 1) and "CFG 3 → 7" in past["differs"]
    page.say("details", run=-1)
    ((details, _),) = page.custom("details")
    assert {"label": "CFG", "value": "3", "group": "KSampler"} in details["items"]
    assert details["prompt_id"] and details["images"] and details["server"]
    page.say("use", run=-1)
    assert (panel.params.cfg, panel.params.seed, panel.params.positive) == (3, 2**64 - 3, "a boat, 3")
    page.say("original", run=-1, index=0)
    page.wait_for(lambda: page.custom("original"))
    page.say("story", run=-1, index=0)
    ((story, _),) = page.wait_for(lambda: page.custom("story"))
    assert story["usable"] and {"label": "CFG", "value": "3", "group": "KSampler"} in story["items"]
    page.say("show", run=-2)
    page.wait_for(lambda: page.images()[-1][0]["run"] == -2)
    page.say("differences", a=[-1, 0], b=[-2, 0])
    ((told, _),) = page.wait_for(lambda: page.custom("differences"))
    assert any("3" in line and "5" in line for line in told["lines"]), told


def test_a_new_run_is_shown_in_place_of_the_one_of_the_history(ran: Make) -> None:
    panel = ran()
    page = page_of(panel)
    page.say("show", run=-2)
    page.wait_for(lambda: page.state["_runs"]["shown"] == -2)
    panel.run().wait(60)
    page.wait_for(lambda: page.state["_runs"]["shown"] == 1 and not page.run["chosen"])
    assert page.state["_runs"]["past"] is None
    page.say("show", run=-2)
    page.wait_for(lambda: page.state["_runs"]["shown"] == -2 and page.run["chosen"])
    page.say("show", run=None)
    page.wait_for(lambda: page.state["_runs"]["shown"] == 1)
    page.wait_for(lambda: kept(page) == 4)


def test_a_run_of_the_history_is_closed_again(ran: Make) -> None:
    page = page_of(ran())
    page.say("show", run=-2)
    page.wait_for(lambda: page.images())
    page.say("show", run=None)
    page.wait_for(lambda: page.custom("images")[-1][0] == {"kind": "images", "run": 0, "total": 0, "items": []})
    page.wait_for(lambda: not page.run["chosen"] and page.state["_runs"]["past"] is None)
    page.say("show", run=-2)
    page.wait_for(lambda: page.custom("images")[-1][0]["run"] == -2)


def test_its_images_are_selected_and_starred_and_the_stars_stay(ran: Make, make_panel: Make) -> None:
    panel = ran()
    page = page_of(panel)
    page.say("show", run=-1)
    page.wait_for(lambda: page.images())
    page.say("select", run=-1, images=[0])
    page.say("star", run=-1, images=[0])
    assert [image.size for image in panel.selected] == [image.size for image in panel.starred] == [(32, 32)]
    assert [row["run"] for row in seen(page, starred=True)["rows"]] == [-1]
    assert panel.history is not None
    other = make_panel(history=panel.history.folder)
    assert [row["starred"] for row in seen(page_of(other))["rows"]] == [False, False, True]
    # The star of a run of this kernel, too.
    job = other.run().wait(60)
    page_of(other).wait_for(lambda: kept(page_of(other)) == 4)
    page_of(other).say("star", run=1, images=[0])
    assert (
        other.history is not None and other.history[0].starred == (0,) and other.history[0].prompt_id == job.prompt_id
    )


def test_a_run_is_forgotten_with_its_files(ran: Make) -> None:
    panel = ran()
    page = page_of(panel)
    page.say("show", run=-2)
    page.wait_for(lambda: page.state["_runs"]["shown"] == -2)
    page.say("forget", run=-2)
    page.wait_for(lambda: kept(page) == 2 and page.state["_runs"]["shown"] == 0)
    assert [row["run"] for row in seen(page)["rows"]] == [-3, -1]
    page.say("show", run=-2)
    page.say("details", run=-2)
    assert page.custom("details") == []


def test_two_panels_share_a_folder(make_panel: Make, tmp_path: Path) -> None:
    first, second = (make_panel(history=tmp_path / "runs", title=title) for title in ("Boats", "Cats"))
    first.run().wait(60)
    second.run().wait(60)
    page = page_of(first)
    page.wait_for(lambda: seen(page)["total"] == 2)
    assert {row["title"] for row in seen(page)["rows"]} == {"", "Cats"}
    page.wait_for(lambda: kept(page) == 2)


def test_a_failed_run_is_kept_with_its_reason(server: ScriptedServer, make_panel: Make, tmp_path: Path) -> None:
    panel = make_panel(history=tmp_path / "runs")
    page = page_of(panel)
    server.play(standard_run(fail_at="3"))
    panel.run().wait(60)
    page.wait_for(lambda: kept(page) == 1)
    (row,) = seen(page, "fail")["rows"]
    assert (row["phase"], row["count"], row["cover"]) == ("failed", 0, False) and "made to fail" in row["error"]


def test_a_cancelled_run_without_images_is_not_kept(server: ScriptedServer, make_panel: Make, tmp_path: Path) -> None:
    panel = make_panel(history=tmp_path / "runs")
    gate = Gate()
    server.play(standard_run(gate=gate))
    panel.run()
    waiting = panel.run()
    gate.wait_reached()
    waiting.cancel()
    page = page_of(panel)
    page.wait_for(lambda: [row["phase"] for row in page.state["_runs"]["rows"]][1:] == ["cancelled"])
    gate.open()
    page.wait_for(lambda: [row["phase"] for row in page.state["_runs"]["rows"]] == ["done", "cancelled"])
    page.wait_for(lambda: kept(page) == 1)
    assert [row["phase"] for row in seen(page)["rows"]] == ["done"]


def test_a_folder_that_fails_later_fails_no_run(make_panel: Make, tmp_path: Path) -> None:
    panel = make_panel(history=tmp_path / "runs")
    page = page_of(panel)
    (tmp_path / "runs" / "files").rmdir()
    result = panel.run().result(60)
    page.wait_for(lambda: page.state["_values"]["warnings"])
    assert "Keeping this run in the history failed" in page.state["_values"]["warnings"][0]
    page.wait_phase("done")
    assert len(result.images) == 1 and kept(page) == 0


def test_files_that_are_gone_are_told_of(ran: Make, tmp_path: Path) -> None:
    panel = ran()
    page = page_of(panel)
    for file in (tmp_path / "runs" / "files").iterdir():
        file.unlink()
    page.say("show", run=-1)
    page.wait_for(lambda: any("cannot be shown" in text for text in page.run["warnings"]))


def test_what_is_no_folder_is_refused_at_once(make_panel: Make, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("a file")
    with pytest.raises(ExperimentError, match="cannot be written"):
        make_panel(history=tmp_path / "file")
    for wrong in (True, "", 7):
        with pytest.raises(ValueError, match=f'history is {wrong!r}, but must be a folder, such as history="runs"'):
            make_panel(history=wrong)


def test_nothing_is_kept_unasked(make_panel: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    panel = make_panel()
    panel.run().wait(60)
    page = page_of(panel)
    page.wait_phase("done")
    page.say("history", text="", starred=False, start=0, count=60)
    page.say("show", run=-1)
    page.say("forget", run=-1)
    assert panel.history is None and page.custom("history") == [] and page.state["_history"] == {}
    assert list(tmp_path.iterdir()) == []


def test_a_run_of_another_workflow_gives_the_values_that_the_form_has(make_panel: Make, tmp_path: Path) -> None:
    first = make_panel(history=tmp_path / "runs", title="Boats")
    first.params.cfg = 3
    first.run().wait(60)
    page_of(first).wait_for(lambda: kept(page_of(first)) == 1)
    other = make_panel(text_to_image(), history=tmp_path / "runs", params=["steps"])
    page_of(other).say("use", run=-1)
    assert other.params.cfg == 3
