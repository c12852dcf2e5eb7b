"""The graph of a workflow and the times of its nodes, as a person sees and moves them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from comfy_widgets import ComfyClient, ComfyPanel, JobProgress, WorkflowGraph
from comfy_widgets.testing import Gate, ScriptedServer, node_info, standard_run, text_to_image

from .conftest import Show
from .panel import PATIENCE, Panel
from .test_access import FAINT, problems

EVIL = "<img src=x onerror=alert(1)><script>alert(2)</script>"
SHOWN = (
    "(card) => { const a = card.getBoundingClientRect(); const b = card.closest('.window').getBoundingClientRect();\n"
)
SHOWN += "  return a.left >= b.left - 1 && a.right <= b.right + 1 && a.top >= b.top - 1 && a.bottom <= b.bottom + 1; }"

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer() as server:
        server.object_info["Blur"] = node_info("Blur", "Blur", {"image": ["IMAGE"]}, ("IMAGE",))
        yield server


@pytest.fixture
def client(server: ScriptedServer) -> Iterator[ComfyClient]:
    with ComfyClient(server.url) as client:
        yield client


def card(page: Page, title: str) -> Locator:
    return page.get_by_role("application", name="Workflow graph").get_by_role("button", name=title).first


def titled(title: str, node: str = "3") -> dict[str, Any]:
    prompt = text_to_image()
    prompt[node]["_meta"] = {"title": title}
    return prompt


def chain(length: int) -> dict[str, Any]:
    """A workflow that is far wider than any page."""
    prompt = titled("The sampler")
    before = "8"
    for number in range(length):
        prompt[f"1{number}"] = {"class_type": "Blur", "inputs": {"image": [before, 0]}}
        before = f"1{number}"
    prompt["9"]["inputs"]["images"] = [before, 0]
    return prompt


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nodes_light_up_as_they_work(show: Show, server: ScriptedServer, client: ComfyClient, theme: str) -> None:
    gate = Gate()
    server.play(standard_run(gate=gate, gate_after="progress", cached=("4",)))
    # A client that is connected late hears nothing of the steps before.
    assert client.wait_connected(30)
    job = client.submit(titled("The sampler"))
    page = show(WorkflowGraph(job=job), theme=theme)
    gate.wait_reached()
    expect(card(page, "The sampler: 25 %")).to_have_attribute("data-status", "running", timeout=PATIENCE)
    expect(card(page, "CheckpointLoaderSimple: cached")).to_be_visible()
    expect(card(page, "SaveImage: waiting")).to_be_visible()
    assert problems(page) == []
    assert page.evaluate(FAINT) == []
    gate.open()
    expect(card(page, "SaveImage")).to_have_attribute("data-status", "finished", timeout=PATIENCE)
    assert problems(page) == []


def test_a_node_that_failed_is_red_and_says_why(show: Show, server: ScriptedServer, client: ComfyClient) -> None:
    server.play(standard_run(fail_at="3"))
    page = show(WorkflowGraph(job=client.submit(titled("The sampler"))))
    failed = card(page, "The sampler: failed")
    failed.click(timeout=PATIENCE)
    expect(page.get_by_role("region", name="The sampler")).to_contain_text("made to fail")
    expect(failed).to_have_attribute("aria-pressed", "true")
    assert problems(page) == []


def test_it_is_moved_and_zoomed_by_hand_and_by_keys(show: Show) -> None:
    widget = WorkflowGraph(chain(20))
    page = show(widget, width=700)
    last = card(page, "SaveImage")
    expect(last).to_be_attached()
    assert not last.evaluate(SHOWN)
    page.get_by_role("button", name="Fit").click()
    expect(last).to_be_visible()
    page.wait_for_function(SHOWN, arg=last.element_handle())
    window = page.get_by_role("application", name="Workflow graph")
    first = card(page, "The sampler")
    before = first.bounding_box()
    for _ in range(3):
        page.get_by_role("button", name="Zoom in").click()
    larger = first.bounding_box()
    assert before is not None and larger is not None
    assert larger["width"] > 1.8 * before["width"]
    window.focus()
    page.keyboard.press("ArrowRight")
    moved = first.bounding_box()
    assert moved is not None
    assert moved["x"] < larger["x"] - 30
    box = window.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 30, box["y"] + 12)
    page.mouse.down()
    page.mouse.move(box["x"] + 130, box["y"] + 30, steps=4)
    page.mouse.up()
    dragged = first.bounding_box()
    assert dragged is not None
    assert dragged["x"] == pytest.approx(moved["x"] + 100, abs=2)
    # A drag is no click.
    assert widget.selected is None
    page.keyboard.press("0")
    page.wait_for_function(SHOWN, arg=last.element_handle())


def test_the_node_that_works_comes_into_sight(show: Show, server: ScriptedServer, client: ComfyClient) -> None:
    gate = Gate()
    prompt = chain(20)
    prompt["9"]["_meta"] = {"title": "The end"}
    server.play(standard_run(fail_at="9", gate=gate))
    page = show(WorkflowGraph(job=client.submit(prompt)), width=600)
    last = card(page, "The end")
    expect(last).to_be_attached()
    assert not last.evaluate(SHOWN)
    gate.open()
    expect(last).to_have_attribute("data-status", "failed", timeout=PATIENCE)
    page.wait_for_function(SHOWN, arg=last.element_handle())


def test_a_panel_shows_times_and_graph_and_a_node_finds_its_fields(
    show: Show, server: ScriptedServer, client: ComfyClient
) -> None:
    server.play(standard_run(cached=("4",)))
    page = show(ComfyPanel(text_to_image(), client))
    one = Panel(page)
    one.run_button.click()
    one.expect_status("Done")
    one.root.get_by_role("button", name="Nodes").click()
    times = one.root.get_by_role("list", name="Nodes of the run")
    expect(times.get_by_role("listitem").filter(has_text="KSampler")).to_contain_text("ms", timeout=PATIENCE)
    expect(times.get_by_role("listitem").filter(has_text="CheckpointLoader")).to_contain_text("cached")
    one.root.get_by_role("button", name="Graph").click()
    sampler = card(page, "Load Checkpoint")
    sampler.focus(timeout=PATIENCE)
    page.keyboard.press("Enter")
    row = one.root.locator("[data-name='ckpt_name'], [data-found]").first
    expect(row).to_have_attribute("data-found", "")
    expect(row).to_be_in_viewport()
    assert problems(page) == []
    assert page.evaluate(FAINT) == []
    one.root.get_by_role("button", name="Nodes").click()
    expect(times).to_have_count(0)


def test_a_bar_opens_into_the_times_of_its_nodes(show: Show, client: ComfyClient) -> None:
    job = client.submit(titled("The sampler")).wait(60)
    page = show(JobProgress(job), width=500)
    page.get_by_text("Nodes", exact=True).click()
    times = page.get_by_role("list", name="Nodes of the run")
    expect(times.get_by_role("listitem").filter(has_text="The sampler")).to_contain_text("ms", timeout=PATIENCE)
    assert problems(page) == []
    assert page.evaluate(FAINT) == []


def test_html_in_titles_values_and_errors_stays_text(show: Show, server: ScriptedServer, client: ComfyClient) -> None:
    prompt = titled(EVIL)
    prompt["3"]["inputs"]["sampler_name"] = EVIL
    server.play(standard_run(fail_at="3"))
    page = show(WorkflowGraph(job=client.submit(prompt)))
    card(page, EVIL).click(timeout=PATIENCE)
    about = page.get_by_role("region", name=EVIL)
    expect(about.get_by_role("definition").filter(has_text=EVIL)).to_be_visible()
    assert page.locator(".comfy-widgets img, .comfy-widgets script").count() == 0
