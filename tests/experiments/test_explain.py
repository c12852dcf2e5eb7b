"""Why two images differ: in words, and by as few prompts as halving needs."""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from comfy_widgets import ComfyClient, Workflow, WorkflowError, explain
from comfy_widgets.experiments import Experiment
from comfy_widgets.testing import ScriptedServer, Stage, standard_run

Sweep = Callable[..., Experiment]


def bright_by_cfg(stage: Stage) -> None:
    """A run whose image depends on cfg alone."""
    inputs = stage.prompt["3"]["inputs"]
    content = io.BytesIO()
    Image.new("RGB", (16, 16), (int(inputs["cfg"] * 25), 0, 0)).save(content, "PNG")
    item = stage.server.files.put(f"{stage.prompt_id}.png", content.getvalue(), folder="output")
    standard_run(outputs={"9": {"images": [item]}})(stage)


def test_two_workflows_differ_in_words(workflow: Workflow) -> None:
    found = explain(workflow, workflow.with_params(cfg=2, positive="a dog"))
    assert len(found.changes) == 2 and found.difference is None and found.causes is None
    assert "cfg 7.0 → 2" in str(found) and "<p>" in found._repr_html_()
    assert str(explain(workflow, workflow)) == "The two have the same workflow."


def test_two_cells_and_two_files(run_sweep: Sweep, server: ScriptedServer, tmp_path: Path) -> None:
    server.script = bright_by_cfg
    run = run_sweep(cfg=[2, 8], seed=[1]).wait(30)
    found = explain(run[0], run[1])
    assert found.changes == ["KSampler.cfg 2 → 8"] and found.difference == pytest.approx(0.196, abs=0.01)
    assert str(found).startswith("The images differ by 20%")


def test_the_cause_is_found_by_halves(client: ComfyClient, server: ScriptedServer, workflow: Workflow) -> None:
    server.script = bright_by_cfg
    values: dict[str, Any] = {"seed": 9, "steps": 2, "cfg": 1, "denoise": 0.5, "sampler_name": "heun"}
    values |= {"scheduler": "karras", "positive": "a dog", "negative": "rain"}
    one, other = client.run(workflow), client.run(workflow, **values)
    before = len(server.posted)
    found = explain(one, other, client=client)
    assert found.causes == ["KSampler.cfg 7.0 → 1"] and len(found.changes) == 8
    assert found.runs == len(server.posted) - before <= math.log2(8) + 1
    assert "What makes it: KSampler.cfg 7.0 → 1 (8 changes, 4 runs)" in str(found)


def test_what_makes_no_difference_is_told(client: ComfyClient, server: ScriptedServer, workflow: Workflow) -> None:
    server.script = bright_by_cfg
    found = explain(workflow, workflow.with_params(seed=5, steps=3), client=client)
    assert found.causes == [] and "None of the changes makes a difference" in str(found)


def test_changes_that_count_only_together(client: ComfyClient, server: ScriptedServer, workflow: Workflow) -> None:
    def together(stage: Stage) -> None:
        inputs = stage.prompt["3"]["inputs"]
        inputs["cfg"] = 10 if inputs["seed"] == 5 and inputs["steps"] == 3 else 0
        bright_by_cfg(stage)

    server.script = together
    found = explain(workflow, workflow.with_params(seed=5, steps=3), client=client)
    assert found.causes == ["KSampler.seed 0 → 5", "KSampler.steps 4 → 3"]


def test_other_nodes_are_told_but_not_searched(client: ComfyClient, workflow: Workflow) -> None:
    other = workflow.remove("SaveImage").add("PreviewImage", images=("VAEDecode", 0))
    found = explain(workflow, other, client=client)
    assert found.causes is None and any("removed" in change for change in found.changes)


def test_what_holds_no_workflow_is_told(tmp_path: Path, workflow: Workflow) -> None:
    Image.new("RGB", (4, 4)).save(tmp_path / "plain.png")
    with pytest.raises(WorkflowError):
        explain(workflow, tmp_path / "plain.png")
