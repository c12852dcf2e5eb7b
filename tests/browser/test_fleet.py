"""The servers of a fleet in a page: they change while they work, and are drained, added and removed with the mouse."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from comfy_widgets import Fleet, FleetView, sweep
from comfy_widgets.testing import Gate, ScriptedServer, standard_run, text_to_image

Show = Callable[..., Page]
PATIENCE = 60_000
SHOTS = Path(__file__).parent / "shots"

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def servers() -> Iterator[list[ScriptedServer]]:
    with ExitStack() as stack:
        yield [stack.enter_context(ScriptedServer()) for _ in range(4)]


@pytest.fixture
def fleet(servers: list[ScriptedServer]) -> Iterator[Fleet]:
    with Fleet(servers[:3]) as made:
        yield made


def test_servers_are_alive_while_they_work(
    show: Show, fleet: Fleet, servers: list[ScriptedServer], tmp_path: Path
) -> None:
    gate = Gate()
    view = FleetView(fleet)
    page = show(view)
    rows = page.locator(".fleet li")
    expect(rows).to_have_count(3)
    expect(rows.first.locator(".status")).to_have_text("ready")

    for server in servers[:3]:
        server.script = standard_run(gate=gate, gate_after="executing")
    run = sweep(text_to_image(steps=1), seed=range(24), client=fleet, folder=tmp_path / "store")
    expect(rows.first.locator(".status")).to_have_text("working", timeout=PATIENCE)
    expect(rows.first.locator(".queue")).to_have_text("1 running, 1 waiting", timeout=PATIENCE)
    expect(page.locator(".summary")).to_have_text("3 working, 18 waiting for a place", timeout=PATIENCE)
    expect(rows.first.locator('.lane [data-outcome="running"]')).to_have_count(1)

    rows.nth(1).get_by_role("button", name="Drain").click()
    expect(rows.nth(1).locator(".status")).to_have_text("drained", timeout=PATIENCE)
    page.get_by_label("Address of a server").fill(servers[3].url)
    page.get_by_role("button", name="Add server").click()
    expect(rows).to_have_count(4, timeout=PATIENCE)
    gate.open()
    run.wait(60)
    expect(page.locator(".summary")).to_have_text("idle", timeout=PATIENCE)
    expect(rows.nth(3).locator(".work")).to_contain_text("done", timeout=PATIENCE)
    expect(rows.first.locator('.lane [data-outcome="completed"]').first).to_be_attached(timeout=PATIENCE)
    expect(rows.first.locator(".model")).to_have_text("model")

    rows.nth(1).get_by_role("button", name="Resume").click()
    expect(rows.nth(1).locator(".status")).to_have_text("ready", timeout=PATIENCE)
    rows.nth(3).get_by_role("button", name="Remove").click()
    expect(rows).to_have_count(3, timeout=PATIENCE)
    page.get_by_label("Address of a server").fill(servers[0].url)
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("in the fleet already", timeout=PATIENCE)
    run.close()
    view.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1000, 640, 360])
def test_it_fits_any_width(
    show: Show, fleet: Fleet, servers: list[ScriptedServer], tmp_path: Path, theme: str, width: int
) -> None:
    servers[1].script = standard_run(fail_at="3")
    sweep(text_to_image(steps=2), seed=range(20), client=fleet, folder=tmp_path / "store").wait(60).close()
    fleet.drain(servers[1])
    servers[2].kill()
    fleet.drain(servers[0])
    job = fleet.submit(text_to_image(seed=77))
    servers[0].wait_for(lambda: fleet.servers[2].status == "no answer", 60)
    view = FleetView(fleet)
    page = show(view, width=width, theme=theme)
    expect(page.locator(".fleet li")).to_have_count(3)
    expect(page.locator(".fleet .trouble")).to_contain_text("connection refused")
    wide = page.locator(".fleet").evaluate("fleet => fleet.scrollWidth - fleet.clientWidth")
    assert wide <= 0, "something is cut off"
    SHOTS.mkdir(exist_ok=True)
    page.locator("main").screenshot(path=SHOTS / f"fleet-{theme}-{width}.png")
    job.cancel()
    view.close()
