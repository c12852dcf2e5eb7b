"""A panel's runs as one page of HTML, and the text beside a record: everything of a stranger stands there as text."""

from __future__ import annotations

import threading
from html.parser import HTMLParser
from pathlib import Path

import pytest

from comfy_widgets import ComfyPanel
from comfy_widgets.testing import ScriptedServer, standard_run

from .page import Page

EVIL = '"><script>alert(1)</script><img src=x onerror=alert(2)>'


class Tags(HTMLParser):
    """All tags with their attributes, and the text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_holds_all_runs_with_images_and_values(panel: ComfyPanel, page: Page, tmp_path: Path) -> None:
    for seed in (1, 2):
        panel.params.update({"seed": seed, "positive": f"a boat, number {seed}", "batch_size": 2})
        panel.run().wait(60)
    page.wait_for(lambda: page.run["run"] == 2 and page.run["phase"] == "done")
    text = panel.save_html(tmp_path / "runs.html").read_text(encoding="utf-8")
    tags = Tags(text)
    images = [attributes for tag, attributes in tags.tags if tag == "img"]
    assert len(images) == 4
    assert all(str(image["src"]).startswith("data:image/png;base64,") for image in images)
    assert "a boat, number 2" in str(images[0]["alt"])
    assert tags.text.index("Run 2") < tags.text.index("Run 1")
    assert "http" not in text.replace("http-equiv", "")


def test_half_an_emoji_in_a_prompt_spoils_no_page(panel: ComfyPanel, tmp_path: Path) -> None:
    path = tmp_path / "runs.html"
    path.write_text("an older page")
    panel.params.positive = "half \ud83d of it"
    panel.run().result(60)
    assert "half \\ud83d of it" in Tags(panel.save_html(path).read_text(encoding="utf-8")).text


def test_a_page_right_after_a_run_has_its_images(panel: ComfyPanel, tmp_path: Path) -> None:
    panel.params.batch_size = 4
    for seed in (1, 2, 3):
        panel.params.seed = seed
        panel.run().result(60)
        tags = Tags(panel.save_html(tmp_path / "runs.html").read_text(encoding="utf-8"))
        assert [tag for tag, _ in tags.tags].count("img") == 4 * seed


def test_an_observer_that_writes_a_page_does_not_wait_for_itself(panel: ComfyPanel, tmp_path: Path) -> None:
    panel.params.batch_size = 8
    has_written = threading.Event()

    def write(_: object) -> None:
        panel.save_html(tmp_path / "observed.html")
        if panel.status == "completed":
            has_written.set()

    panel.observe(write, ["status", "progress", "result", "images"])
    panel.run().result(60)
    assert has_written.wait(20)
    assert "<img" in panel.save_html(tmp_path / "runs.html").read_text(encoding="utf-8")


def test_everything_is_escaped(server: ScriptedServer, panel: ComfyPanel, page: Page, tmp_path: Path) -> None:
    panel.params.positive = EVIL
    server.play(standard_run(outputs={"9": {"text": [EVIL]}}))
    panel.run().wait(60)
    page.wait_phase("done")
    tags = Tags(panel.save_html(tmp_path / "evil.html").read_text(encoding="utf-8"))
    assert {"script", "img"}.isdisjoint(tag for tag, _ in tags.tags)
    assert not [name for _, attributes in tags.tags for name in attributes if name.startswith("on")]
    assert tags.text.count(EVIL) >= 2


def test_a_page_before_the_first_run(panel: ComfyPanel, tmp_path: Path) -> None:
    assert "No run" in panel.save_html(tmp_path / "none.html").read_text(encoding="utf-8")


def test_keep_must_be_one_of_three(panel: ComfyPanel) -> None:
    with pytest.raises(ValueError, match='"thumbs", "full" or "none"'):
        ComfyPanel(panel.workflow, panel.client, keep="all")  # type: ignore[arg-type]
