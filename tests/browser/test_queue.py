"""A queue that is put in order, and a server that dies, as a person at a panel meets them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from comfy_widgets import ComfyClient, ComfyPanel
from comfy_widgets.testing import Gate, ScriptedServer, standard_run, text_to_image

from .conftest import Show
from .panel import PATIENCE, Panel
from .test_access import FAINT, problems

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer() as server:
        yield server


@pytest.fixture
def client(server: ScriptedServer) -> Iterator[ComfyClient]:
    with ComfyClient(server.url, reconnect_interval=0.1) as client:
        yield client


def test_a_run_that_waits_is_moved_to_the_front(show: Show, server: ScriptedServer, client: ComfyClient) -> None:
    gate = Gate()
    server.play(standard_run(gate=gate))
    with ComfyClient(server.url) as somebody:
        page = show(ComfyPanel(text_to_image(), client))
        one = Panel(page)
        one.run_button.click()
        gate.wait_reached()
        other = somebody.submit(text_to_image(seed=77))
        server.wait_for(lambda: len(server.state.pending) == 1)
        for cfg in ("3", "5"):
            one.field("CFG").fill(cfg)
            one.run_button.click()
        queue = one.root.get_by_role("list").get_by_role("listitem")
        expect(queue).to_have_count(3, timeout=PATIENCE)
        expect(queue.nth(1)).to_contain_text("Run 2", timeout=PATIENCE)
        expect(queue.nth(1)).to_contain_text("waiting, 2 ahead (1 of others)", timeout=PATIENCE)
        expect(queue.nth(2)).to_contain_text("waiting, 3 ahead (1 of others)", timeout=PATIENCE)
        assert problems(page) == []
        assert page.evaluate(FAINT) == []
        one.root.get_by_role("button", name="Run 3 next").click()
        expect(queue.nth(1)).to_contain_text("Run 3", timeout=PATIENCE)
        expect(one.root.get_by_role("button", name="Cancel run 3")).to_be_focused()
        gate.open()
        one.expect_status("Done")
        assert other.wait(60).status == "completed"


def test_of_a_server_that_died_nobody_waits_longer_than_he_likes(
    show: Show, server: ScriptedServer, client: ComfyClient
) -> None:
    gate = Gate()
    server.play(standard_run(gate=gate, gate_after="progress"))
    page = show(ComfyPanel(text_to_image(), client))
    one = Panel(page)
    dot = one.root.locator(".server")
    one.run_button.click()
    gate.wait_reached()
    expect(dot).to_have_attribute("data-ok", "true")
    server.kill()
    expect(dot).to_contain_text("Reconnecting", timeout=PATIENCE)
    expect(dot).to_have_attribute("data-ok", "false")
    one.root.get_by_role("button", name="Cancel", exact=True).or_(
        one.root.get_by_role("button", name="Stop waiting")
    ).click()
    one.expect_status("Cancelled")
    expect(one.root.get_by_text("No longer waited for")).to_be_visible()
    expect(one.run_button).to_have_attribute("aria-disabled", "false")
    gate.open()
    server.restart()
    one.run_button.click()
    one.expect_status("Done")
    expect(dot).to_have_attribute("data-ok", "true")
