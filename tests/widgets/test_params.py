"""``panel.params``: traits that take what their parameters take."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
import requests

from comfy_widgets import ComfyPanel, WorkflowError
from comfy_widgets.testing import Reply, ScriptedServer, node_info, text_to_image
from comfy_widgets.workflow import UnknownParam

from .conftest import page_of
from .page import Page

BIGGEST = 2**64 - 1


def test_a_value_set_in_python_is_in_the_page_and_in_the_workflow(panel: ComfyPanel, page: Page) -> None:
    panel.params.steps = 7
    assert page.state["_values"]["values"]["steps"] == "7"
    assert panel.workflow.to_prompt()["3"]["inputs"]["steps"] == 7


def test_a_value_is_observable(panel: ComfyPanel) -> None:
    seen = []
    panel.params.observe(lambda change: seen.append((change["old"], change["new"])), "seed")
    panel.params.seed = 7
    panel.params.seed = 7
    assert seen == [(0, 7)]


@pytest.mark.parametrize("seed", [BIGGEST, 2**53 + 1, 0])
def test_a_seed_is_exact_both_ways(panel: ComfyPanel, page: Page, seed: int) -> None:
    panel.params.seed = seed
    assert page.state["_values"]["values"]["seed"] == str(seed)
    panel.params.seed = 1
    page.edit(seed=str(seed))
    assert panel.params.seed == seed
    assert panel.workflow.to_prompt()["3"]["inputs"]["seed"] == seed


def test_bounds_travel_exactly(page: Page) -> None:
    seed = next(field for field in page.state["_form"]["fields"] if field["name"] == "seed")
    assert (seed["kind"], seed["min"], seed["max"]) == ("seed", "0", str(BIGGEST))


def test_an_unknown_name_asks_what_was_meant(panel: ComfyPanel) -> None:
    with pytest.raises(AttributeError, match="Did you mean 'steps'"):
        panel.params.step = 3
    with pytest.raises(UnknownParam, match="Did you mean 'seed'"):
        panel.params["sed"]
    with pytest.raises(WorkflowError, match="no parameter 'qqq'"):
        panel.params.qqq  # noqa: B018
    assert not hasattr(panel.params, "step")


def test_a_value_that_does_not_fit_changes_nothing(panel: ComfyPanel, page: Page) -> None:
    sent = len(page.sent)
    with pytest.raises(WorkflowError, match="KSampler: steps is 0, below its minimum of 1"):
        panel.params.steps = 0
    with pytest.raises(WorkflowError, match="karras"):
        panel.params.scheduler = "karas"
    assert (panel.params.steps, panel.params.scheduler) == (4, "normal")
    assert len(page.sent) == sent


def test_several_values_are_set_together_or_not_at_all(panel: ComfyPanel) -> None:
    panel.params.update({"steps": 9, "cfg": 2})
    assert (panel.params.steps, panel.params.cfg) == (9, 2)
    with pytest.raises(WorkflowError):
        panel.params.update({"steps": 3, "cfg": -5})
    assert panel.params.steps == 9


def test_names_that_are_no_identifiers_and_other_names_are_reached_with_brackets(panel: ComfyPanel, page: Page) -> None:
    name = next(name for name in panel.params if "filename_prefix" in name)
    panel.params[name] = "sea"
    panel.params["KSampler.steps"] = 5
    assert (panel.params[name], panel.params.steps) == ("sea", 5)
    assert page.state["_values"]["values"][name] == "sea"


def test_a_parameter_named_like_a_method_of_all_traits_still_works(make_panel: Callable[..., ComfyPanel]) -> None:
    prompt = text_to_image()
    prompt["90"] = {"class_type": "PrimitiveString", "inputs": {"observe": "one"}, "_meta": {"title": "Note"}}
    panel = make_panel(prompt, params={"observe": "Note.observe"})
    panel.params.observe_ = "two"
    assert panel.params["observe"] == "two"
    assert page_of(panel).state["_values"]["values"]["observe"] == "two"


def test_the_choice_of_params_comes_first_and_the_rest_under_more(make_panel: Callable[..., ComfyPanel]) -> None:
    fields = page_of(make_panel(params=["steps", "positive"])).state["_form"]["fields"]
    assert [field["name"] for field in fields if field["primary"]] == ["steps", "positive"]
    assert {"seed", "cfg"} <= {field["name"] for field in fields if not field["primary"]}
    with pytest.raises(WorkflowError, match="Did you mean"):
        make_panel(params=["sed"])


def test_a_model_that_the_server_lacks_does_not_keep_the_panel_from_opening(
    make_panel: Callable[..., ComfyPanel],
) -> None:
    prompt = text_to_image()
    prompt["4"]["inputs"]["ckpt_name"] = "gone.safetensors"
    panel = make_panel(prompt)
    assert panel.params.ckpt_name == "gone.safetensors"
    field = next(f for f in page_of(panel).state["_form"]["fields"] if f["name"] == "ckpt_name")
    assert panel.params.ckpt_name not in field["choices"]


def test_new_models_on_the_server_are_choices_after_a_refresh(server: ScriptedServer, panel: ComfyPanel) -> None:
    def choices() -> object:
        page = page_of(panel)
        return next(field for field in page.state["_form"]["fields"] if field["name"] == "ckpt_name")["choices"]

    before = choices()
    definitions = json.loads(requests.get(f"{server.url}/object_info", timeout=20).text)
    definitions["CheckpointLoaderSimple"]["input"]["required"]["ckpt_name"] = [["new.safetensors"]]
    server.on("GET", "/object_info", Reply.json(definitions))
    panel.refresh()
    assert choices() == ["new.safetensors"] != before


FORMAT = {
    "options": [
        {
            "key": "mp4",
            "inputs": {"required": {"quality": ["COMBO", {"options": ["low", "high"]}], "name": ["STRING"]}},
        },
        {"key": "webm", "inputs": {"required": {"name": ["STRING"], "crf": ["INT", {"default": 30}]}}},
        {"key": "avif", "inputs": {"required": {"quality": [["low", "best"]]}}},
    ]
}


@pytest.fixture
def film(server: ScriptedServer, make_panel: Callable[..., ComfyPanel]) -> ComfyPanel:
    """A panel of a workflow in which a choice decides which further fields there are."""
    server.object_info["Film"] = node_info(
        "Film", "Film", {"images": ["IMAGE"], "format": ["COMFY_DYNAMICCOMBO_V3", FORMAT]}, output_node=True
    )
    prompt = text_to_image()
    inputs = {"images": ["8", 0], "format": "mp4", "format.quality": "high", "format.name": "mine"}
    prompt["20"] = {"class_type": "Film", "inputs": inputs}
    return make_panel(prompt)


def behind_the_format(panel: ComfyPanel) -> dict[str, object]:
    shown = page_of(panel).state
    names = [field["name"] for field in shown["_form"]["fields"] if "Film.format" in field["name"]]
    assert {name: panel.params[name] for name in names}.keys() <= shown["_values"]["values"].keys()
    return {name: panel.params[name] for name in names}


def test_another_choice_of_a_dynamic_combo_shows_its_own_fields(film: ComfyPanel) -> None:
    film.params["Film.format.name"] = "yours"
    film.params["Film.format"] = "webm"
    assert behind_the_format(film) == {"Film.format": "webm", "Film.format.name": "yours", "Film.format.crf": 30}
    sent = film.workflow.to_prompt()["20"]["inputs"]
    assert sent == {"images": ["8", 0], "format": "webm", "format.name": "yours", "format.crf": 30}
    film.params["Film.format"] = "avif"
    assert behind_the_format(film) == {"Film.format": "avif", "Film.format.quality": "low"}
    assert page_of(film).state["_values"]["errors"] == {}


def test_a_choice_and_what_stands_behind_it_are_set_together_or_not_at_all(film: ComfyPanel) -> None:
    film.params.update({"Film.format.crf": 12, "Film.format": "webm"})
    assert film.workflow.to_prompt()["20"]["inputs"]["format.crf"] == 12
    with pytest.raises(WorkflowError, match="quality"):
        film.params.update({"Film.format.quality": "worst", "Film.format": "avif"})
    assert film.params["Film.format"] == "webm"


def test_a_choice_made_in_the_page_brings_its_fields_there(film: ComfyPanel) -> None:
    page = page_of(film)
    page.edit(**{"Film.format": "webm"}, page="p")
    assert behind_the_format(film) == {"Film.format": "webm", "Film.format.name": "mine", "Film.format.crf": 30}
    assert page.state["_values"]["acks"] == {"p": 1}
