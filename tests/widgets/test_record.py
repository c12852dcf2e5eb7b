"""The pictures as an ordinary output, in a real kernel: what nbconvert and a colleague see."""

from __future__ import annotations

import base64
import io
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from PIL import Image

from comfy_widgets.engine import Engine
from comfy_widgets.testing import ScriptedServer, standard_run

PANEL = """
from comfy_widgets import ComfyClient, ComfyPanel, example
panel = ComfyPanel(example().with_params(steps=2, width=64, height=64, batch_size=2), ComfyClient({url!r}), title="Two")
"""


def execute(*cells: str) -> list[list[Any]]:
    """Run a notebook as nbconvert does; the outputs of each cell."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    return [cell.outputs for cell in notebook.cells]


def jpegs(outputs: list[Any]) -> list[str]:
    return [out["data"]["image/jpeg"] for out in outputs if "image/jpeg" in out.get("data", {})]


@pytest.mark.timeout(300)
def test_the_record_stands_beside_the_widget_once_a_blocking_run_has_ended(engine: Engine) -> None:
    _, shown, _ = execute(PANEL.format(url=engine.url), "panel", "panel.run().wait()")
    widget, record = shown
    assert "application/vnd.jupyter.widget-view+json" in widget["data"]
    assert widget["data"]["text/plain"] == "<ComfyPanel 'Two'>"
    assert record["output_type"] == "display_data"
    assert record["data"]["text/plain"].startswith("Two: 2 images")
    with Image.open(io.BytesIO(base64.b64decode(record["data"]["image/jpeg"]))) as sheet:
        assert sheet.width > sheet.height


@pytest.mark.timeout(300)
def test_a_run_awaited_in_the_cell_that_shows_the_panel(engine: Engine) -> None:
    _, shown = execute(
        PANEL.format(url=engine.url), "display(panel)\nresult = await panel.run()\nprint(len(result.images))"
    )
    assert len(jpegs(shown)) == 1


@pytest.mark.timeout(300)
def test_the_newest_run_replaces_the_older_and_a_cancelled_one_replaces_nothing(engine: Engine) -> None:
    _, shown, *_ = execute(
        PANEL.format(url=engine.url),
        "display(panel)\npanel.run().wait()",
        "panel.params.batch_size = 1\npanel.run().wait()",
        "panel.params.steps = 9999\njob = panel.run()\njob.cancel()\njob.wait()",
    )
    (record,) = [out for out in shown if "image/jpeg" in out.get("data", {})]
    assert record["data"]["text/plain"].startswith("Two: 1 image")


@pytest.mark.timeout(300)
def test_before_the_first_run_the_record_is_empty(engine: Engine) -> None:
    _, shown = execute(PANEL.format(url=engine.url), "panel")
    assert shown[1]["data"]["text/plain"] == ""
    assert "hidden" in shown[1]["data"]["text/html"]


@pytest.mark.timeout(300)
def test_a_run_without_pictures_leaves_its_words() -> None:
    with ScriptedServer(script=standard_run(outputs={"9": {"text": ["a <b>cat</b>"]}})) as server:
        _, shown, _ = execute(
            "from comfy_widgets import ComfyClient, ComfyPanel\nfrom comfy_widgets.testing import text_to_image\n"
            f"panel = ComfyPanel(text_to_image(), ComfyClient({server.url!r}))",
            "panel",
            "panel.run().wait()",
        )
    record = shown[1]["data"]
    assert record["text/plain"].endswith("a <b>cat</b>")
    assert "<pre>a &lt;b&gt;cat&lt;/b&gt;</pre>" in record["text/html"]
    assert "hidden" not in record["text/html"]
