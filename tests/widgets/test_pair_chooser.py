"""Two images to choose from, as far as Python goes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from comfy_widgets import ComfyClient, prefer
from comfy_widgets.experiments import Experiment, sweep
from comfy_widgets.testing import Gate, ScriptedServer, standard_run, text_to_image
from comfy_widgets.widgets import PairChooser

from .conftest import page_of


@pytest.fixture
def run(client: ComfyClient, tmp_path: Path) -> Iterator[Experiment]:
    made = sweep(text_to_image(), seed=range(4), client=client, folder=tmp_path / "store").wait(60)
    yield made
    made.close()


def test_two_images_come_and_an_answer_brings_the_next(run: Experiment) -> None:
    likes = prefer(run)
    chooser = PairChooser(likes)
    page = page_of(chooser)
    page.wait_for(lambda: page.custom("pair"))
    message, buffers = page.custom("pair")[-1]
    assert message["turn"] == 0 and len(message["words"]) == len(buffers) == 2
    assert all(content.startswith(b"\x89PNG") for content in buffers)
    left = message["words"][0]

    page.say("chosen", turn=0, choice="left")
    page.wait_for(lambda: page.custom("pair")[-1][0]["turn"] == 1)
    assert f"seed {likes.best.values.seed}" == left if likes.best is not None else False
    # The key was pressed twice: that was not meant for the two that came.
    page.say("chosen", turn=0, choice="right")
    assert len(likes) == 1
    page.say("chosen", turn=1, choice="undo")
    page.wait_for(lambda: page.custom("pair")[-1][0]["turn"] == 0)
    assert len(likes) == 0
    chooser.close()


def test_what_somebody_looks_at_stays_until_they_answer(
    client: ComfyClient, server: ScriptedServer, tmp_path: Path
) -> None:
    gate = Gate()
    server.play(standard_run())
    server.play(standard_run())
    server.play(standard_run(gate=gate, gate_after="progress"))
    made = sweep(text_to_image(), seed=range(3), client=client, folder=tmp_path / "store")
    chooser = PairChooser(prefer(made))
    page = page_of(chooser)
    page.wait_for(lambda: len(page.custom("pair")[-1][1]) == 2 if page.custom("pair") else False)
    shown: Any = page.custom("pair")[-1][0]["words"]
    gate.open()
    made.wait(60)
    page.say("hello")
    page.wait_for(lambda: len(page.custom("pair")) > 1 and page.custom("welcome"))
    assert page.custom("pair")[-1][0]["words"] == shown
    chooser.close()
    made.close()
