"""What is decided anew for each run: random seeds, choices in texts, tokens in file names."""

from __future__ import annotations

import json
import random
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from comfy_widgets.errors import WorkflowError
from comfy_widgets.workflow import Workflow, example, prompt_variants

from .catalog import INFO, definition, text_to_image

AUTHOR = "a {red|green|blue} hill // note"


def ui(positive: str = AUTHOR, prefix: str = "x_%KSampler.seed%") -> Workflow:
    document = example("text_to_image_ui").ui
    assert document is not None
    nodes = {node["id"]: node for node in document["nodes"]}
    nodes[6]["widgets_values"] = [positive]
    nodes[9]["widgets_values"] = [prefix]
    return Workflow.load(document).bind(INFO)


def api(prefix: str = "x_%KSampler.seed%") -> Workflow:
    prompt = text_to_image()
    prompt["9"]["inputs"]["filename_prefix"] = prefix
    return Workflow.load(prompt)


def text(workflow: Workflow) -> Any:
    return workflow.to_prompt()["6"]["inputs"]["text"]


# -- texts ------------------------------------------------------------------------------------------------------------


def test_the_form_shows_what_its_author_wrote_and_each_run_chooses() -> None:
    workflow = ui()
    assert workflow.params()["positive"].value == AUTHOR
    assert {text(workflow) for _ in range(60)} == {f"a {colour} hill " for colour in ("red", "green", "blue")}
    saved = workflow.to_ui()
    assert saved is not None
    assert Workflow.load(saved).bind(INFO).params()["positive"].value == AUTHOR


@pytest.mark.parametrize("make", [ui, api])
def test_a_text_that_is_typed_is_chosen_from_too(make: Any) -> None:
    workflow = make().with_params(positive="{a|b}")
    assert {text(workflow) for _ in range(40)} == {"a", "b"}
    assert workflow.params()["positive"].value == "{a|b}"


@pytest.mark.parametrize("make", [ui, api])
@pytest.mark.parametrize("typed", ['{"scene": "a|b"}', '{"a": {"b": 1}}', "plain"])
def test_what_is_no_choice_stays(make: Any, typed: str) -> None:
    assert text(make().with_params(positive=typed)) == typed


def test_in_api_format_what_the_file_says_is_sent() -> None:
    prompt = text_to_image()
    prompt["6"]["inputs"]["text"] = "{a|b}"
    assert text(Workflow.load(prompt).bind(INFO).with_params(seed=3)) == "{a|b}"


def test_all_variants_of_a_text_as_an_axis() -> None:
    assert prompt_variants("a {red|green} {hill|lake}") == [
        "a red hill",
        "a red lake",
        "a green hill",
        "a green lake",
    ]
    assert prompt_variants("{a|{b|c}}") == ["a", "b", "c"]
    assert prompt_variants("plain") == ["plain"]
    with pytest.raises(WorkflowError, match="more than 100"):
        prompt_variants("{a|b}" * 10, limit=100)


# -- names of files ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [ui, api])
def test_file_names_follow_what_is_set(make: Any) -> None:
    for seed in (1, 2, 3):
        sent = make().with_params(seed=seed).to_prompt()
        assert sent["9"]["inputs"]["filename_prefix"] == f"x_{seed}"
    assert make().params()["filename_prefix"].value == "x_%KSampler.seed%"


@pytest.mark.parametrize("make", [ui, api])
def test_a_file_name_that_is_typed_is_filled_in(make: Any) -> None:
    workflow = make().with_params(filename_prefix="%date:yyyy%_%KSampler.steps%_%width%", steps=12)
    assert workflow.to_prompt()["9"]["inputs"]["filename_prefix"] == f"{datetime.now().year}_12_%width%"


# -- seeds -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [ui, api])
@pytest.mark.parametrize("given", ["random", "Random", None])
def test_a_random_seed_is_drawn_for_each_run(make: Any, given: Any) -> None:
    workflow = make().with_params(seed=given)
    seeds = {workflow.to_prompt()["3"]["inputs"]["seed"] for _ in range(5)}
    assert len(seeds) == 5
    assert all(isinstance(seed, int) and 0 <= seed < 2**53 for seed in seeds)
    assert workflow.params()["seed"].value == "random"
    assert workflow.with_params(seed=5).to_prompt()["3"]["inputs"]["seed"] == 5
    assert [problem for problem in workflow.bind(INFO).check() if problem.input_name == "seed"] == []


@pytest.mark.parametrize("make", [ui, api])
def test_what_was_drawn_is_told_and_stands_everywhere(make: Any) -> None:
    settled = make().with_params(seed="random", positive="{a|b}").settle(random.Random(3))
    sent = settled.to_prompt()
    assert settled.drawn == {
        "positive": sent["6"]["inputs"]["text"],
        "seed": sent["3"]["inputs"]["seed"],
        settled.params()["filename_prefix"].name: f"x_{sent['3']['inputs']['seed']}",
    }
    assert settled.to_prompt() == sent
    drawn_again = make().with_params(seed="random", positive="{a|b}").settle(random.Random(3))
    assert drawn_again.to_prompt() == sent
    saved = settled.to_ui()
    if saved is not None:
        assert Workflow.load(saved).bind(INFO).to_prompt()["3"]["inputs"]["seed"] == sent["3"]["inputs"]["seed"]


def test_what_waits_for_definitions_is_settled_all_the_same() -> None:
    settled = example("text_to_image_ui").with_params(seed="random").settle()
    assert settled.drawn == {}
    bound = settled.bind(INFO)
    assert bound.to_prompt() == settled.bind(INFO).to_prompt()
    assert set(bound.drawn) == {"seed"}


def test_a_saved_file_has_a_number(tmp_path: Path) -> None:
    path = api().with_params(seed="random").save(tmp_path / "flow.json")
    assert isinstance(json.loads(path.read_text())["3"]["inputs"]["seed"], int)


def test_minus_one_is_for_packs_that_mean_it() -> None:
    packs = {"Seed (rgthree)": definition({"seed": ["INT", {"min": -1125899906842624, "max": 2**50}]}, ("INT",))}
    workflow = Workflow.load({"1": {"class_type": "Seed (rgthree)", "inputs": {"seed": 7}}}).bind(packs)
    assert workflow.with_params(seed=-1).to_prompt()["1"]["inputs"]["seed"] == -1
    with pytest.raises(WorkflowError, match=r'below its minimum of 0\. Give "random" for a new one at each run'):
        api().bind(INFO).with_params(seed=-1)
    with pytest.raises(WorkflowError, match="wants a whole number"):
        api().bind(INFO).with_params(steps="random")


# -- kinds that are guessed --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stored", ["%seed%", "{{seed}}", "156680208700286", "$seed", ""])
def test_a_seed_as_text_takes_numbers_with_and_without_definitions(stored: str) -> None:
    prompt = text_to_image()
    prompt["3"]["inputs"] |= {"seed": stored, "steps": "20", "cfg": "%scale%"}
    for workflow in (Workflow.load(prompt), Workflow.load(prompt).bind(INFO)):
        changed = workflow.with_params(seed=7, steps=12, cfg=2.5).to_prompt()["3"]["inputs"]
        assert (changed["seed"], changed["steps"], changed["cfg"]) == (7, 12, 2.5)


def test_any_other_text_takes_numbers_too() -> None:
    workflow = Workflow.load({"1": {"class_type": "Mystery", "inputs": {"amount": "%amount%", "name": "x"}}})
    assert workflow.with_params(amount=3).to_prompt()["1"]["inputs"]["amount"] == 3
