"""App mode in the panel: what an author chose to show of a run is what the browser shows."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from comfy_widgets import ComfyPanel, example
from comfy_widgets.testing import ScriptedServer, standard_run, text_to_image
from comfy_widgets.widgets._images import chosen

from .conftest import page_of


def two_results(outputs: list[Any]) -> dict[str, Any]:
    """An editor's workflow that saves its image twice, with what an author chose to show."""
    ui = example("text_to_image_ui").ui
    assert ui is not None
    save = next(node for node in ui["nodes"] if node["id"] == 9)
    link = next(link for link in ui["links"] if link[0] == save["inputs"][0]["link"])
    second = copy.deepcopy(save)
    second.update(id=90, type="PreviewImage", inputs=[{**save["inputs"][0], "link": 900}], widgets_values=[])
    ui["nodes"].append(second)
    ui["links"].append([900, *link[1:3], 90, *link[4:]])
    next(node for node in ui["nodes"] if node["id"] == link[1])["outputs"][link[2]]["links"].append(900)
    ui["extra"] = {"linearData": {"inputs": [[3, "steps"], [5, "width"]], "outputs": outputs}, "linearMode": True}
    return ui


@pytest.mark.parametrize(
    ("outputs", "shown"), [([90], {"90"}), ([9, 90], {"9", "90"}), ([], {"9", "90"}), ([777], {"9", "90"})]
)
def test_the_chosen_outputs_alone_are_shown(
    make_engine_panel: Callable[..., ComfyPanel], outputs: list[Any], shown: set[str]
) -> None:
    panel = make_engine_panel(two_results(outputs))
    panel.params.update({"width": 64, "height": 64, "steps": 1})
    result = panel.run().result(60)
    page = page_of(panel)
    run = page.wait_phase("done")
    assert set(result.outputs) == {"9", "90"}
    assert panel.result is result
    # Saved images stand before previews, so of both only the saved one is shown.
    wanted = [file for file in result.files if file.node_id in shown]
    wanted = [file for file in wanted if file.type == "output"] or wanted
    assert [image.name for image in panel.runs[0].images] == [file.filename for file in wanted]
    assert run["frame"] == {"width": 64, "height": 64, "count": 1}
    assert run["summary"].startswith("1 image ")
    whole = panel.runs[0].original(0)
    assert whole is not None
    assert whole.content == result.bytes(wanted[0])


def test_texts_of_nodes_that_are_not_chosen_stay_in_the_result(
    server: ScriptedServer, make_panel: Callable[..., ComfyPanel]
) -> None:
    server.play(standard_run(outputs={"9": {"text": ["the answer"]}, "90": {"text": ["a remark"]}}))
    prompt = text_to_image()
    prompt["90"] = {"class_type": "SaveImage", "inputs": {"filename_prefix": "y", "images": ["8", 0]}}
    panel = make_panel(prompt)
    panel._state.outputs = ("9",)
    panel.run().wait(60)
    assert page_of(panel).wait_phase("done")["texts"] == ["the answer"]
    assert panel.result is not None
    assert set(panel.result.texts) == {"the answer", "a remark"}


def test_what_a_node_becomes_while_it_runs_is_its_own(server: ScriptedServer, panel: ComfyPanel) -> None:
    server.play(standard_run(outputs={"9": {"text": ["it"]}}))
    result = panel.run().result(60)
    object.__setattr__(result, "outputs", {"9.0.0.4": {"text": ["inner"]}, "90": {"text": ["other"]}})
    assert chosen(result, ("9",)).texts == ("inner",)
    assert chosen(result, ("5",)) is result
