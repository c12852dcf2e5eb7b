"""What goes wrong is told in words: in Python, and in the panel at the field it concerns."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from comfy_widgets import ComfyClient, ComfyPanel, WorkflowError, WorkflowForm, WorkflowGraph, example, sweep
from comfy_widgets.errors import ComfyError, ExecutionFailed, PromptRefused, ServerUnreachable
from comfy_widgets.testing import Gate, ScriptedServer, standard_run, text_to_image
from comfy_widgets.widgets import _assets as assets

from .conftest import page_of
from .page import Page

NOBODY = "http://127.0.0.1:9"


@pytest.mark.parametrize("make", [ComfyPanel, WorkflowForm, WorkflowGraph, sweep])
def test_an_address_in_place_of_a_client_is_told(make: Callable[..., Any]) -> None:
    with pytest.raises(ComfyError, match=r"given as an address.*client=ComfyClient\(url\)") as refused:
        make(example(), client="http://127.0.0.1:9?token=secret")
    assert "secret" not in str(refused.value)
    with pytest.raises(ComfyError, match="'int' is no client"):
        make(example(), client=8188)


def test_a_node_that_fails_is_named(server: ScriptedServer, panel: ComfyPanel, page: Page) -> None:
    server.play(standard_run(fail_at="3"))
    job = panel.run().wait(60)
    error = page.wait_phase("failed")["error"]
    assert error["title"] == "KSampler failed"
    assert error["message"] == "RuntimeError: made to fail"
    assert "RuntimeError" in error["details"]
    assert isinstance(panel.error, ExecutionFailed)
    assert panel.error is job.exception()
    assert panel.images == []


def test_a_server_that_falls_silent_is_told_while_the_client_tries_again(
    server: ScriptedServer, panel: ComfyPanel, page: Page
) -> None:
    gate = Gate()
    server.play(standard_run(gate=gate, gate_after="progress"))
    panel.run()
    gate.wait_reached()
    # Its step may have been told before the websocket was open; a server tells which node runs to whom connects later.
    page.wait_for(lambda: page.run["node"])
    assert page.run["warnings"] == []
    killed = time.monotonic()
    server.kill()
    page.wait_for(lambda: page.run["warnings"] == ["No live connection to the server. Trying again."])
    assert time.monotonic() - killed >= 2.0, "nobody needs to hear of a connection that is back at once"
    server.restart()
    lost = page.wait_phase("failed")
    assert lost["error"]["title"] == "The run was lost"
    assert lost["warnings"] == []


def test_what_the_server_refuses_is_shown_at_its_field(make_engine_panel: Callable[..., ComfyPanel]) -> None:
    panel = make_engine_panel(text_to_image())
    page = page_of(panel)
    panel.run().wait(60)
    error = page.wait_phase("failed")["error"]
    assert error["title"] == "The server refused the workflow"
    assert error["message"].startswith("CheckpointLoaderSimple (node 4): ckpt_name is")
    # The words at the field do not say again which node it is.
    assert error["fields"]["ckpt_name"].startswith('Checkpoint is "model.safetensors"')
    assert isinstance(panel.error, PromptRefused)


def test_no_server_is_one_sentence_and_the_form_is_there_all_the_same() -> None:
    with ComfyClient(NOBODY) as client:
        panel = ComfyPanel(text_to_image(), client)
        page = page_of(panel)
        error = page.wait_for(lambda: page.run["error"])
        assert page.run["phase"] == "idle"
        assert "127.0.0.1:9" in error["message"]
        assert page.state["_form"]["server"] == {"text": f"Not connected · {NOBODY}", "embedded": False, "ok": False}
        assert panel.params.steps == 4
        panel.params.steps = 6
        job = panel.run().wait(60)
        assert isinstance(panel.error, ServerUnreachable)
        assert job.status == "failed"


def test_an_editors_workflow_without_a_server_waits_for_it(server: ScriptedServer) -> None:
    ui = Path(__file__).parents[2] / "comfy_widgets" / "workflow" / "_examples" / "text_to_image_ui.json"
    server.kill()
    with ComfyClient(server.url) as client:
        panel = ComfyPanel(ui, client)
        page = page_of(panel)
        page.wait_for(lambda: page.run["error"])
        assert page.state["_form"]["fields"] == []
        assert panel.run().wait(60).status == "failed"
        page.wait_phase("failed")
        server.restart()
        panel.run().result(60)
        page.wait_phase("done")
        page.wait_for(lambda: "steps" in {field["name"] for field in page.state["_form"]["fields"]})
        panel.params.steps = 3
        assert page.state["_values"]["values"]["steps"] == "3"


def test_nodes_that_the_server_lacks_are_told_before_a_run(make_panel: Callable[..., ComfyPanel]) -> None:
    prompt = text_to_image()
    prompt["3"]["class_type"] = "FancySampler"
    prompt["8"]["class_type"] = "FancyDecode"
    page = page_of(make_panel(prompt))
    error = page.wait_for(lambda: page.run["error"])
    assert page.run["phase"] == "idle"
    assert error["title"] == "The workflow cannot run"
    assert "FancySampler" in error["message"]
    assert "FancyDecode" in error["message"]


def test_models_that_the_server_lacks_are_told_before_a_run_until_another_is_chosen(
    make_engine_panel: Callable[..., ComfyPanel],
) -> None:
    workflow = example("text_to_image_ui")
    ui = workflow.ui
    assert ui is not None
    loader = next(node for node in ui["nodes"] if node["type"] == "CheckpointLoaderSimple")
    offered, loader["widgets_values"] = loader["widgets_values"][0], ["ink.safetensors"]
    url = "https://example.org/ink.safetensors"
    loader["properties"]["models"] = [{"name": "ink.safetensors", "url": url, "directory": "checkpoints"}]
    panel = make_engine_panel(ui)
    page = page_of(panel)
    error = page.wait_for(lambda: page.run["error"])
    assert error["message"] == "The server does not have the model ink.safetensors."
    assert error["details"] == f"comfy model download --url {url} --relative-path models/checkpoints"
    assert panel.runs == ()
    # A value that nobody touched blocks nothing: the server says why nothing ran.
    page.press_run()
    assert page.wait_phase("failed")["error"]["title"] == "The server refused the workflow"
    fresh = make_engine_panel(ui)
    page = page_of(fresh)
    page.wait_for(lambda: page.run["error"])
    page.edit(ckpt_name=offered)
    page.wait_for(lambda: page.run["error"] is None)
    assert fresh.error is None
    page.edit(n=2, ckpt_name="ink.safetensors")
    page.wait_for(lambda: page.run["error"])
    # The first run is that of its number, whatever was told before it.
    page.edit(n=3, ckpt_name=offered)
    page.wait_for(lambda: page.run["error"] is None)
    fresh.run().wait(60)
    assert page.wait_phase("done")["run"] == 1
    assert [run.number for run in fresh.runs] == [1]


@pytest.mark.parametrize("count", [1, 4, 5, 12])
def test_of_very_many_missing_nodes_the_first_are_explained_and_all_are_named(
    make_panel: Callable[..., ComfyPanel], count: int
) -> None:
    prompt = text_to_image()
    for number in range(count):
        prompt[f"{100 + number}"] = {"class_type": f"Odd{number}", "inputs": {"image": ["8", 0]}}
    page = page_of(make_panel(prompt))
    error = page.wait_for(lambda: page.run["error"])
    lines = error["message"].split("\n")
    assert len(lines) == (count if count <= 4 else 4)
    assert all(f"Odd{number}" in error["message"] and f"Odd{number}" in error["details"] for number in range(count))
    assert count <= 4 or lines[-1].startswith(f"And {count - 3} more: Odd3, ")


def test_run_with_a_value_that_does_not_fit_says_why_nothing_ran(panel: ComfyPanel, page: Page) -> None:
    page.press_run(steps="many")
    error = page.wait_phase("failed")["error"]
    assert error["title"] == "The workflow cannot run"
    assert error["message"] == "KSampler: steps wants a whole number, not 'many'."
    assert panel.job is None


@pytest.mark.filterwarnings("error::pytest.PytestUnraisableExceptionWarning")
def test_a_wrong_argument_is_one_error(make_panel: Callable[..., ComfyPanel]) -> None:
    with pytest.raises(TypeError, match="titel"):
        make_panel(titel="A boat")
    gc.collect()


def test_junk_is_no_workflow(client: ComfyClient) -> None:
    with pytest.raises(WorkflowError):
        ComfyPanel({"what": "ever"}, client)


def test_what_the_server_left_out_is_a_warning(make_engine_panel: Callable[..., ComfyPanel]) -> None:
    prompt = example().with_params(width=64, height=64, steps=1).to_prompt()
    prompt["80"] = {"class_type": "SaveImage", "inputs": {"filename_prefix": "x"}, "_meta": {"title": "Spare"}}
    panel = make_engine_panel(prompt)
    panel.run().wait(60)
    run = page_of(panel).wait_phase("done")
    assert any("Spare" in warning for warning in run["warnings"])


def test_a_front_end_that_was_not_built_says_how(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, client: ComfyClient
) -> None:
    monkeypatch.setattr(assets, "STATIC", tmp_path)
    assets.front_end.cache_clear()
    try:
        with pytest.raises(Exception, match="npm run build"):
            ComfyPanel(text_to_image(), client)
    finally:
        assets.front_end.cache_clear()
