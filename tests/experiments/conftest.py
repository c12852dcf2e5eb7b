"""A scripted server and a client of it; experiments are kept in the test's own folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from comfy_widgets import ComfyClient, Workflow
from comfy_widgets.client import Pace
from comfy_widgets.experiments import Experiment, sweep
from comfy_widgets.testing import ScriptedServer, text_to_image

PACE = Pace(poll=0.05, silence=0.5, gone=0.1)


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer() as started:
        yield started


@pytest.fixture
def client(server: ScriptedServer) -> Iterator[ComfyClient]:
    with ComfyClient(server.url, pace=PACE) as made:
        yield made


@pytest.fixture
def workflow() -> Workflow:
    return Workflow.load(text_to_image(text="a red cat"))


@pytest.fixture
def run_sweep(client: ComfyClient, workflow: Workflow, tmp_path: Path) -> Iterator[Callable[..., Experiment]]:
    """Sweeps the workflow on the scripted server, into one folder."""
    made: list[Experiment] = []

    def run(of: Any = None, /, **options: Any) -> Experiment:
        given = {"client": client, "folder": tmp_path / "store", **options}
        made.append(sweep(of if of is not None else workflow, **given))
        return made[-1]

    yield run
    for experiment in made:
        experiment.close()
