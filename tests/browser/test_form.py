"""What a person does in a form, whatever workflow it is of: finding, pasting, leaving."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Iterator

import pytest
from PIL import Image
from playwright.sync_api import expect

from comfy_widgets import ComfyClient, ComfyPanel, Graph
from comfy_widgets.testing import Gate, ScriptedServer, Stage, standard_run, text_to_image

from .conftest import Show
from .notebook import Notebook
from .panel import PATIENCE, Panel
from .test_access import FAINT, problems
from .test_layout import CUT

PASTE = """(field, text) => {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const clipboardData = new DataTransfer();
  clipboardData.items.add(new File([bytes], "pasted.png", { type: "image/png" }));
  field.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, composed: true, cancelable: true }));
}"""

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer() as server:
        yield server


@pytest.fixture
def client(server: ScriptedServer) -> Iterator[ComfyClient]:
    with ComfyClient(server.url) as client:
        yield client


@pytest.mark.parametrize(("width", "theme"), [(1100, "light"), (400, "dark")])
def test_a_workflow_of_nodes_that_nobody_knows_is_folded_by_node_and_searched(
    show: Show, client: ComfyClient, width: int, theme: str
) -> None:
    prompt = {
        str(number): {"class_type": f"Odd{number}", "inputs": {f"knob_{number}_{knob}": knob for knob in range(5)}}
        for number in range(12)
    }
    page = show(ComfyPanel(prompt, client), width=width, theme=theme)
    one = Panel(page)
    search = one.root.get_by_placeholder("Search 60 settings")
    expect(search).to_be_visible(timeout=PATIENCE)
    expect(one.root.get_by_text("Odd7", exact=True)).to_be_visible()
    expect(one.field("Knob 7 3")).to_be_hidden()
    search.fill("knob 7 3")
    expect(one.field("Knob 7 3")).to_be_visible()
    expect(one.root.get_by_text("Odd8", exact=True)).to_be_hidden()
    search.fill("")
    one.root.get_by_text("Odd2", exact=True).click()
    expect(one.field("Knob 2 4")).to_be_visible()
    # What the server lacks is told, all of it.
    for number in range(12):
        expect(one.alert).to_contain_text(re.compile(rf"Odd{number}\b"))
    assert one.root.evaluate(CUT) == []
    assert problems(page) == []
    assert page.evaluate(FAINT) == []


def test_an_image_pasted_into_any_field_becomes_the_input(
    show: Show, server: ScriptedServer, client: ComfyClient
) -> None:
    first = client.upload_image(Image.new("RGB", (8, 8)), "first.png", overwrite=True)
    graph = Graph(client.object_info())
    loaded = graph.LoadImage(image=first.filename)
    graph.SaveImage(images=loaded[0], filename_prefix="same")
    page = show(ComfyPanel(graph.workflow(), client))
    one = Panel(page)
    one.expect_status("Ready")
    page.locator(".refusal").wait_for(state="attached", timeout=PATIENCE)
    stream = io.BytesIO()
    Image.new("RGB", (8, 8), "teal").save(stream, "PNG")
    one.run_button.evaluate(PASTE, base64.b64encode(stream.getvalue()).decode())
    chosen = page.get_by_role("combobox", name="Image").locator("option:checked")
    expect(chosen).to_have_text("pasted.png", timeout=PATIENCE)
    one.run_button.click()
    one.expect_status("Done")
    assert "pasted.png" in str(server.posted[-1]["prompt"])


def test_a_model_that_loads_is_named_and_counted(show: Show, server: ScriptedServer, client: ComfyClient) -> None:
    gate = Gate()

    def load(stage: Stage) -> None:
        stage.start(())
        stage.begin("4")
        gate.pass_through(stage.check)
        stage.finish("4")
        stage.success()
        stage.end()

    server.play(load)
    page = show(ComfyPanel(text_to_image(), client), width=400)
    one = Panel(page)
    one.run_button.click()
    expect(one.status).to_contain_text("loading model.safetensors, 2 s", timeout=PATIENCE)
    expect(one.status).to_contain_text("loading model.safetensors, 3 s", timeout=PATIENCE)
    # Nobody knows how far it is.
    expect(one.bar).not_to_have_attribute("aria-valuenow", "0")
    gate.open()
    one.expect_status("Done")


def test_escape_leaves_the_panel_for_the_notebook_and_its_keys_work(notebook: Notebook) -> None:
    notebook.open(["from comfy_widgets import ComfyClient, ComfyPanel, example\nComfyPanel(example(), ComfyClient())"])
    notebook.run(0)
    one = Panel(notebook.page)
    prompt = one.field("Positive prompt")
    prompt.fill("a boat")
    # A letter is text, and no command of the notebook.
    prompt.press("b")
    expect(prompt).to_have_value("a boatb")
    expect(notebook.page.locator(".jp-Notebook .jp-Cell")).to_have_count(1)
    prompt.press("Escape")
    expect(prompt).not_to_be_focused()
    notebook.page.keyboard.press("b")
    expect(notebook.page.locator(".jp-Notebook .jp-Cell")).to_have_count(2)


def test_what_stands_in_focus_stays_there_through_a_run(
    show: Show, server: ScriptedServer, client: ComfyClient
) -> None:
    page = show(ComfyPanel(text_to_image(), client))
    one = Panel(page)
    one.expect_status("Ready")
    for control in (one.run_button, one.field("Positive prompt"), one.field("Steps"), one.field("Sampler")):
        gate = Gate()
        server.play(standard_run(gate=gate))
        control.focus()
        page.keyboard.press("Control+Enter")
        gate.wait_reached()
        expect(one.cancel_button).to_have_attribute("aria-disabled", "false")
        expect(control).to_be_focused()
        gate.open()
        one.expect_status("Done")
        expect(control).to_be_focused()
