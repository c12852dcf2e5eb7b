"""``close()`` really ends: no thread, no message, no memory."""

from __future__ import annotations

import gc
import threading
import time
import weakref
from collections.abc import Callable

import pytest

from comfy_widgets import ComfyClient, ComfyError, ComfyPanel, ImageGrid, JobProgress, LivePreview
from comfy_widgets.testing import Gate, ScriptedServer, standard_run, text_to_image

from .conftest import page_of


def wait_until(look: Callable[[], bool]) -> None:
    """Give threads that have nothing to do any more the moment that they need to end."""
    pause, deadline = threading.Event(), time.monotonic() + 30
    while not look():
        assert time.monotonic() < deadline
        pause.wait(0.01)


def pumps() -> int:
    return sum(thread.name == "comfy-widgets-pump" for thread in threading.enumerate())


def test_a_closed_panel_is_freed(make_panel: Callable[..., ComfyPanel]) -> None:
    panel = make_panel()
    page = page_of(panel)
    panel.run()
    page.wait_phase("done")
    panel.close()
    assert [sent.type for sent in page.sent][-1] == "comm_close"
    gone = weakref.ref(panel)
    values = weakref.ref(panel.params)
    del panel, page
    gc.collect()
    assert gone() is None
    assert values() is None


def test_a_closed_panel_says_that_it_runs_nothing(server: ScriptedServer, panel: ComfyPanel) -> None:
    panel.close()
    with pytest.raises(ComfyError, match="This panel is closed"):
        panel.run()
    assert panel.status == "idle"


def test_a_panel_closed_during_a_run_says_nothing_more(
    server: ScriptedServer, make_panel: Callable[..., ComfyPanel]
) -> None:
    gate = Gate()
    server.play(standard_run(gate=gate, gate_after="progress"))
    panel = make_panel()
    page = page_of(panel)
    job = panel.run()
    gate.wait_reached()
    page.wait_phase("running")
    panel.close()
    panel.close()
    sent = len(page.sent)
    gate.open()
    assert job.wait(60).status == "completed"
    assert len(page.sent) == sent
    gone = weakref.ref(panel)
    del panel, page
    gc.collect()
    assert gone() is None


def test_many_panels_leave_nothing_behind(make_panel: Callable[..., ComfyPanel]) -> None:
    alive = []
    for _ in range(10):
        panel = make_panel()
        page = page_of(panel)
        panel.run()
        page.wait_phase("done")
        panel.close()
        alive.append(weakref.ref(panel))
    del panel, page
    gc.collect()
    assert [ref() for ref in alive] == [None] * 10
    wait_until(lambda: pumps() == 0)


def test_parts_are_freed_while_their_job_runs(server: ScriptedServer, client: ComfyClient) -> None:
    gate = Gate()
    server.play(standard_run(gate=gate))
    job = client.submit(text_to_image())
    parts = [JobProgress(job), LivePreview(job), ImageGrid([])]
    alive = [weakref.ref(part) for part in parts]
    for part in parts:
        part.close()
    del part, parts
    gc.collect()
    assert [ref() for ref in alive] == [None] * 3
    gate.open()
    job.wait(60)
