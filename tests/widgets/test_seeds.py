"""Seeds from run to run: fixed, increment, decrement or randomize, in the page and in Python."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from comfy_widgets import ComfyError, ComfyPanel, WorkflowError, WorkflowForm, example
from comfy_widgets.testing import ScriptedServer, node_info, text_to_image
from comfy_widgets.workflow import UnknownParam

from .conftest import page_of
from .page import Page

BIGGEST = 2**64 - 1


def shown(panel: ComfyPanel | WorkflowForm) -> tuple[dict[str, str], dict[str, str]]:
    """The seeds and the modes that the page has."""
    values = page_of(panel).state["_values"]
    return {name: values["values"][name] for name in values["modes"]}, values["modes"]


def seeds_of(panel: ComfyPanel, name: str = "seed") -> list[int]:
    """The seeds of all runs, as they were told."""
    return [run.values[name] for run in panel.runs]


def sent(panel: ComfyPanel, node_id: str = "3", name: str = "seed") -> int:
    """The seed that a run of the panel sends."""
    seed: int = panel.run().wait(60).prompt[node_id]["inputs"][name]
    return seed


# What a mode does


@pytest.mark.parametrize(("mode", "seeds"), [("fixed", [5, 5, 5]), ("increment", [5, 6, 7]), ("decrement", [5, 4, 3])])
def test_a_seed_goes_on_with_each_run(panel: ComfyPanel, mode: Any, seeds: list[int]) -> None:
    panel.params.seed = 5
    panel.seed_modes["seed"] = mode
    assert [sent(panel) for _ in range(3)] == seeds == seeds_of(panel)
    # The form has the seed of the last run.
    assert panel.params.seed == seeds[-1]
    assert shown(panel) == ({"seed": str(seeds[-1])}, {"seed": mode})


def test_threads_that_run_at_once_count_on_one_after_the_other(server: ScriptedServer, panel: ComfyPanel) -> None:
    panel.params.seed = 0
    panel.seed_modes["seed"] = "increment"
    with ThreadPoolExecutor(8) as pool:
        jobs = [pool.submit(panel.run) for _ in range(40)]
    assert sorted(job.result().prompt["3"]["inputs"]["seed"] for job in jobs) == list(range(40))
    assert seeds_of(panel) == list(range(40))


def test_randomize_draws_a_seed_for_each_further_run(panel: ComfyPanel) -> None:
    panel.params.seed = 5
    panel.seed_modes["seed"] = "randomize"
    seeds = [sent(panel) for _ in range(3)]
    assert (seeds[0], len(set(seeds))) == (5, 3)
    assert panel.params.seed == seeds[-1]
    assert seeds_of(panel) == seeds


@pytest.mark.parametrize("mode", ["increment", "decrement", "randomize"])
def test_a_seed_that_was_set_runs_as_it_is(panel: ComfyPanel, page: Page, mode: Any) -> None:
    panel.params.seed = 50
    panel.seed_modes["seed"] = mode
    first = sent(panel)
    panel.params.seed = first  # the same once more, and meant
    assert sent(panel) == first
    page.edit(n=1, seed="77")
    assert sent(panel) == 77
    page.say("use", run=1)
    assert sent(panel) == first == 50
    assert sent(panel) != first
    assert panel.seed_modes == {"seed": mode}


def test_an_observer_that_runs_gets_the_seed_it_hears_of(panel: ComfyPanel) -> None:
    panel.seed_modes["seed"] = "increment"
    panel.run()
    panel.params.observe(lambda change: panel.run(), "seed")
    panel.params.seed = 40
    assert seeds_of(panel) == [0, 40]


@pytest.mark.parametrize(
    ("mode", "start", "seeds"),
    [
        ("increment", BIGGEST - 1, [BIGGEST - 1, BIGGEST, BIGGEST]),
        ("increment", 2**53, [2**53, 2**53 + 1, 2**53 + 2]),
        ("decrement", 1, [1, 0, 0]),
    ],
)
def test_a_seed_is_exact_and_stays_at_its_bounds(panel: ComfyPanel, mode: Any, start: int, seeds: list[int]) -> None:
    panel.params.seed = start
    panel.seed_modes["seed"] = mode
    assert [sent(panel) for _ in range(3)] == seeds
    assert shown(panel)[0] == {"seed": str(seeds[-1])}


@pytest.mark.parametrize("seed", ["12", 12.0])
def test_a_seed_that_a_file_has_in_another_form_is_counted_on(make_panel: Callable[..., ComfyPanel], seed: Any) -> None:
    prompt = text_to_image()
    prompt["3"]["inputs"]["seed"] = seed
    panel = make_panel(prompt)
    panel.seed_modes["seed"] = "increment"
    assert [sent(panel), sent(panel)] == [seed, 13]


def test_a_run_that_did_not_come_about_uses_up_no_seed(server: ScriptedServer, panel: ComfyPanel) -> None:
    panel.seed_modes["seed"] = "increment"
    panel.run()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(panel.client, "submit", refuse)
        for _ in range(3):
            with pytest.raises(ComfyError, match="not now"):
                panel.run()
    assert sent(panel) == 1


def test_a_run_that_the_server_refuses_uses_up_no_seed(make_engine_panel: Callable[..., ComfyPanel]) -> None:
    prompt = example().with_params(width=64, height=64, steps=1, seed=5).to_prompt()
    offered = prompt["4"]["inputs"]["ckpt_name"]
    prompt["4"]["inputs"]["ckpt_name"] = "ink.safetensors"
    panel = make_engine_panel(prompt)
    panel.seed_modes["seed"] = "increment"
    for _ in range(2):
        panel.run().wait(60)
        page_of(panel).wait_phase("failed")
        page_of(panel).wait_for(lambda: panel.runs[-1].finished)
    panel.params.ckpt_name = offered
    assert [sent(panel), sent(panel)] == [5, 6]


def refuse(*_: object, **__: object) -> None:
    raise ComfyError("not now")


# Several runs at a press


@pytest.mark.parametrize(("mode", "seeds"), [("increment", [5, 6, 7]), ("decrement", [5, 4, 3])])
def test_several_runs_count_on(panel: ComfyPanel, page: Page, mode: str, seeds: list[int]) -> None:
    page.press_run(count=3, seed="5", modes={"seed": mode})
    assert seeds_of(panel) == seeds
    assert panel.params.seed == seeds[-1]
    page.press_run(n=2)
    assert seeds_of(panel)[-1] == seeds[-1] + (seeds[1] - seeds[0])


def test_several_runs_with_a_fixed_seed_get_seeds_of_their_own(panel: ComfyPanel, page: Page) -> None:
    page.press_run(count=4, seed="5")
    assert (seeds_of(panel)[0], len(set(seeds_of(panel)))) == (5, 4)
    assert panel.params.seed == 5


def test_several_runs_with_a_fixed_seed_keep_it_where_their_texts_vary(panel: ComfyPanel, page: Page) -> None:
    page.press_run(count=6, seed="5", positive="a {red|green|blue|white|black|golden} hill")
    assert seeds_of(panel) == [5] * 6
    assert len({run.job.prompt["6"]["inputs"]["text"] for run in panel.runs if run.job is not None}) > 1


def test_a_locked_seed_stays_in_several_runs(panel: ComfyPanel, page: Page) -> None:
    panel.params.seed = 5
    panel.seed_modes["seed"] = "increment"
    panel.lock("seed")
    page.press_run(count=2)
    assert seeds_of(panel) == [5, 5]
    # Python still has its way.
    panel.seed_modes["seed"] = "increment"
    assert sent(panel) == 6


# In the page


def test_the_mode_that_a_page_chooses_is_pythons_too(panel: ComfyPanel, page: Page) -> None:
    page.edit(n=1, modes={"seed": "decrement"})
    assert panel.seed_modes["seed"] == "decrement"
    page.edit(n=2, steps="3")
    assert shown(panel)[1] == panel.seed_modes == {"seed": "decrement"}
    # Another view of the same form starts with it.
    assert shown(panel.form)[1] == {"seed": "decrement"}
    panel.seed_modes["seed"] = "fixed"
    assert shown(panel)[1] == shown(panel.form)[1] == {"seed": "fixed"}


def test_junk_for_a_mode_changes_nothing(panel: ComfyPanel, page: Page) -> None:
    page.edit(modes={"seed": "<b>", "steps": "increment", "nothing": "randomize"})
    assert panel.seed_modes == {"seed": "fixed"}


# In Python


def test_the_modes_are_a_mapping_by_all_names_of_a_seed(panel: ComfyPanel) -> None:
    panel.seed_modes["KSampler.seed"] = "increment"
    assert (dict(panel.seed_modes), len(panel.seed_modes)) == ({"seed": "increment"}, 1)
    assert panel.seed_modes["3.seed"] == "increment"
    assert "seed" in panel.seed_modes and "steps" not in panel.seed_modes
    assert repr(panel.seed_modes) == "{'seed': 'increment'}"


def test_what_is_no_mode_or_no_seed_is_told(panel: ComfyPanel) -> None:
    with pytest.raises(WorkflowError, match=r"The mode of seed is 'random', which is none of fixed, .*'randomize'"):
        panel.seed_modes["seed"] = "random"  # type: ignore[assignment]
    with pytest.raises(WorkflowError, match="KSampler: steps is no seed"):
        panel.seed_modes["steps"] = "increment"
    with pytest.raises(UnknownParam, match="Did you mean 'seed'"):
        panel.seed_modes["sed"] = "increment"
    with pytest.raises(WorkflowError):
        panel.seed_modes.update({"seed": "increment", "cfg": "fixed"})
    assert panel.seed_modes == {"seed": "fixed"}


def test_a_form_alone_moves_its_seeds_when_asked(client: Any) -> None:
    form = WorkflowForm(text_to_image(seed=5), client)
    assert form.next_seeds() == {}
    form.seed_modes["seed"] = "increment"
    assert form.next_seeds() == {"seed": 6}
    assert form.workflow.to_prompt()["3"]["inputs"]["seed"] == 6
    assert shown(form)[0] == {"seed": "6"}


# The value "random"


def test_a_random_seed_is_a_number_that_is_randomized_in_the_page(panel: ComfyPanel, page: Page) -> None:
    panel.params.seed = "random"
    assert shown(panel)[0]["seed"].isdecimal()
    assert shown(panel)[1] == panel.seed_modes == {"seed": "randomize"}
    assert panel.params.seed == "random"
    seeds = []
    for _ in range(2):
        seeds.append(sent(panel))
        assert shown(panel)[0] == {"seed": str(seeds[-1])}
    page.press_run(n=1)
    assert seeds_of(panel)[:2] == seeds
    assert len(set(seeds_of(panel))) == 3
    assert shown(panel)[0] == {"seed": str(seeds_of(panel)[2])}


@pytest.mark.parametrize("where", ["page", "python"])
def test_another_mode_for_a_random_seed_starts_from_the_number_shown(panel: ComfyPanel, page: Page, where: str) -> None:
    panel.params.seed = "random"
    seed = int(shown(panel)[0]["seed"])
    if where == "page":
        page.edit(modes={"seed": "fixed"})
    else:
        panel.seed_modes["seed"] = "fixed"
    assert panel.params.seed == seed
    assert shown(panel) == ({"seed": str(seed)}, {"seed": "fixed"})


def test_a_number_typed_over_a_random_seed_runs_first(panel: ComfyPanel, page: Page) -> None:
    panel.params.seed = "random"
    page.edit(seed="77")
    assert shown(panel) == ({"seed": "77"}, {"seed": "randomize"})
    assert sent(panel) == 77
    assert sent(panel) != 77


def test_a_number_set_over_a_random_seed_is_fixed(panel: ComfyPanel) -> None:
    panel.params.seed = "random"
    panel.params.seed = 7
    assert [sent(panel), sent(panel)] == [7, 7]


def test_a_file_that_says_random_gets_a_seed_at_each_run(make_panel: Callable[..., ComfyPanel]) -> None:
    prompt = text_to_image()
    prompt["3"]["inputs"]["seed"] = "random"
    panel = make_panel(prompt)
    assert shown(panel)[1] == {"seed": "randomize"}
    first = sent(panel)
    assert isinstance(first, int)
    assert seeds_of(panel) == [first]


def test_a_random_seed_of_an_editors_file_is_told(make_panel: Callable[..., ComfyPanel]) -> None:
    panel = make_panel(example("text_to_image_ui"))
    panel.params.seed = "random"
    job = panel.run()
    assert seeds_of(panel) == [int(shown(panel)[0]["seed"])]
    assert job.wait(60).prompt["3"]["inputs"]["seed"] == seeds_of(panel)[0]


# Where the modes come from


@pytest.mark.parametrize(("saved", "second"), [("increment", 43), ("decrement", 41), ("fixed", 42)])
def test_an_editors_file_says_the_mode(make_panel: Callable[..., ComfyPanel], saved: str, second: int) -> None:
    ui = example("text_to_image_ui").ui
    assert ui is not None
    sampler = next(node for node in ui["nodes"] if node["type"] == "KSampler")
    assert sampler["widgets_values"][:2] == [42, "randomize"]
    sampler["widgets_values"][1] = saved
    panel = make_panel(ui)
    assert shown(panel) == ({"seed": "42"}, {"seed": saved})
    assert [sent(panel), sent(panel)] == [42, second]


def test_every_whole_number_that_comfyui_controls_has_a_mode(
    server: ScriptedServer, make_panel: Callable[..., ComfyPanel]
) -> None:
    server.object_info["Frames"] = node_info(
        "Frames",
        "Frames",
        {
            "images": ["IMAGE"],
            "noise_seed": ["INT", {"min": 0, "max": 9}],
            "frame": ["INT", {"min": 10, "max": 20, "step": 5, "control_after_generate": True}],
            "count": ["INT", {"min": 1, "max": 9}],
            "share": ["FLOAT", {"control_after_generate": True}],
        },
        output_node=True,
    )
    prompt = text_to_image()
    inputs = {"images": ["8", 0], "noise_seed": 9, "frame": 12, "count": 2, "share": 0.5}
    prompt["20"] = {"class_type": "Frames", "inputs": inputs}
    panel = make_panel(prompt)
    names = {panel.workflow.params()[f"20.{name}"].name for name in ("noise_seed", "frame")}
    assert set(panel.seed_modes) == {"seed", *names}
    panel.seed_modes["20.frame"] = "increment"
    panel.seed_modes["20.noise_seed"] = "increment"
    runs = [panel.run().prompt["20"]["inputs"] for _ in range(3)]
    assert [(run["frame"], run["noise_seed"]) for run in runs] == [(12, 9), (17, 9), (20, 9)]
    panel.seed_modes["20.frame"] = "randomize"
    assert all(10 <= sent(panel, "20", "frame") <= 20 for _ in range(20))
