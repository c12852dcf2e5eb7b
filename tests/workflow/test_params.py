"""Parameters: which ones, under which names, in which order; and what they let through."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfy_widgets.errors import WorkflowError
from comfy_widgets.workflow import Param, UnknownParam, Workflow

from .catalog import CHECKPOINTS, INFO, MAX_SEED, hires, recorded_info, recorded_rows, text_to_image
from .ui_graphs import INFO as GRAPHS
from .ui_graphs import Drawing, definition

FORM = ["positive", "negative", "seed", "width", "height", "batch_size"]
FORM += ["steps", "cfg", "sampler_name", "scheduler", "denoise", "ckpt_name"]


def names(prompt: dict[str, Any], info: dict[str, Any] | None = INFO) -> list[str]:
    return [param.name for param in Workflow.load(prompt).params(info).primary]


def place(prompt: dict[str, Any], name: str, info: dict[str, Any] | None = INFO) -> tuple[str, str]:
    return Workflow.load(prompt).params(info)[name].place


@pytest.mark.parametrize("info", [INFO, None], ids=["definitions", "none"])
def test_the_form_of_the_default_graph(info: dict[str, Any] | None) -> None:
    params = Workflow.load(text_to_image()).params(info)
    assert [param.name for param in params.primary] == FORM
    assert params["positive"].value == "a lighthouse"
    assert params["positive"].kind == "text"
    assert params["positive"].label == "Positive prompt"
    assert params["negative"].node_id == "7"
    assert params["seed"].kind == "seed"
    assert (params["seed"].min, params["seed"].max) == (0, MAX_SEED)
    assert params["cfg"].kind == "float"
    assert list(params)[-1].endswith(".filename_prefix")
    assert not params[list(params)[-1]].primary


def test_definitions_bring_bounds_choices_and_help() -> None:
    params = Workflow.load(text_to_image()).params(INFO)
    assert params["steps"].max == 10000
    assert params["sampler_name"].kind == "choice"
    assert params["sampler_name"].choices == ("euler", "heun", "dpmpp_2m")
    assert params["seed"].tooltip == "Where the noise starts."
    assert params["cfg"].default == 8.0
    assert params["positive"].group == "CLIP Text Encode (Prompt)"
    assert params["negative"].group == "CLIP Text Encode (Prompt) 2"


def test_the_prompt_is_found_by_its_links_not_by_its_place() -> None:
    prompt = text_to_image()
    prompt["3"]["inputs"].update(positive=["7", 0], negative=["6", 0])
    assert place(prompt, "positive") == ("7", "text")


def test_prompts_behind_other_nodes() -> None:
    prompt = text_to_image()
    prompt["10"] = {
        "class_type": "ControlNetApplyAdvanced",
        "inputs": {"positive": ["6", 0], "negative": ["11", 0], "image": ["13", 0], "strength": 0.8},
    }
    prompt["11"] = {
        "class_type": "ConditioningCombine",
        "inputs": {"conditioning_1": ["7", 0], "conditioning_2": ["12", 0]},
    }
    prompt["12"] = {"class_type": "CLIPTextEncode", "inputs": {"text": ["14", 0], "clip": ["4", 1]}}
    prompt["13"] = {"class_type": "LoadImage", "inputs": {"image": "example.png"}}
    prompt["14"] = {"class_type": "PrimitiveStringMultiline", "inputs": {"value": "rain"}}
    prompt["3"]["inputs"].update(positive=["10", 0], negative=["10", 1])
    for info in (INFO, None):
        params = Workflow.load(prompt).params(info)
        assert params["positive"].place == ("6", "text")
        assert params["negative"].place == ("7", "text")
        assert params["PrimitiveStringMultiline.value"].label.startswith("Negative prompt (")
        assert params["image"].kind == "image"
        assert list(params)[:4] == ["positive", "negative", "PrimitiveStringMultiline.value", "image"]


def test_an_emptied_prompt_is_no_negative_one() -> None:
    prompt = text_to_image()
    del prompt["7"]
    prompt["10"] = {"class_type": "ConditioningZeroOut", "inputs": {"conditioning": ["6", 0]}}
    prompt["3"]["inputs"]["negative"] = ["10", 0]
    assert place(prompt, "positive") == ("6", "text")
    assert "negative" not in Workflow.load(prompt).params(INFO)


def test_numbers_that_come_from_a_node_of_their_own() -> None:
    prompt = text_to_image()
    prompt["10"] = {"class_type": "PrimitiveInt", "inputs": {"value": 640}, "_meta": {"title": "How wide"}}
    prompt["5"]["inputs"]["width"] = ["10", 0]
    assert place(prompt, "width") == ("10", "value")
    assert Workflow.load(prompt).with_params(width=800).to_prompt()["10"]["inputs"]["value"] == 800


def test_the_first_sampler_has_the_short_names_and_the_second_its_title() -> None:
    params = Workflow.load(hires(text_to_image())).params(INFO)
    assert params["steps"].node_id == "3"
    assert params["KSampler 2.denoise"].value == 0.4
    assert not params["KSampler 2.denoise"].primary
    assert params["KSampler 2.denoise"].group == "KSampler 2"
    assert "KSampler 2.seed" in [param.name for param in params.more["KSampler 2"]]


def with_loras(count: int) -> dict[str, Any]:
    prompt = text_to_image()
    before = "4"
    for node_id in map(str, range(20, 20 + count)):
        prompt[node_id] = {
            "class_type": "LoraLoader",
            "inputs": {
                "model": [before, 0],
                "clip": [before, 1],
                "lora_name": "ink.safetensors",
                "strength_model": 0.5,
                "strength_clip": 1.0,
            },
        }
        before = node_id
    prompt["3"]["inputs"]["model"] = [before, 0]
    return prompt


def test_every_lora_is_shown() -> None:
    shown = names(with_loras(2))
    assert shown[-6:-3] == ["lora_name", "strength_model", "strength_clip"]
    assert shown[-3:] == [f"Load LoRA 2.{name}" for name in ("lora_name", "strength_model", "strength_clip")]


def test_of_very_many_loras_the_first_stands_for_all() -> None:
    prompt = with_loras(5)
    assert names(prompt)[-3:] == ["lora_name", "strength_model", "strength_clip"]
    last = Workflow.load(prompt).params(INFO)["Load LoRA 5.lora_name"]
    assert (last.primary, last.label, last.group) == (False, "LoRA", "Load LoRA 5")


def renumbered(prompt: dict[str, Any], new: dict[str, str], order: list[str]) -> dict[str, Any]:
    """The same graph with other ids and another order, as a program may save it again."""
    moved = {}
    for node_id in order:
        node = copy.deepcopy(prompt[node_id])
        node["inputs"] = {
            name: [new[value[0]], value[1]] if isinstance(value, list) else value
            for name, value in reversed(node["inputs"].items())
        }
        moved[new[node_id]] = node
    return moved


@given(shift=st.integers(0, 1000), order=st.permutations(list(hires(text_to_image()))))
def test_names_survive_saving_again(shift: int, order: list[str]) -> None:
    prompt = hires(text_to_image())
    new = {node_id: str(int(node_id) + shift) for node_id in prompt}
    before = Workflow.load(prompt).params(INFO)
    after = Workflow.load(renumbered(prompt, new, order)).params(INFO)
    assert {name: param.value for name, param in after.items()} == {name: param.value for name, param in before.items()}
    assert [param.name for param in after.primary] == [param.name for param in before.primary]


def test_a_title_of_the_authors_own_is_used() -> None:
    prompt = text_to_image()
    prompt["9"]["_meta"] = {"title": "Keep it"}
    params = Workflow.load(prompt).params(INFO)
    assert params["Keep it.filename_prefix"].value == "out"


def test_a_name_that_a_title_takes_already() -> None:
    prompt = hires(text_to_image())
    prompt["8"]["_meta"] = {"title": "KSampler 2"}
    params = Workflow.load(prompt).params(INFO)
    assert params["KSampler 3.seed"].node_id == "2"


def test_other_ways_to_name_one() -> None:
    params = Workflow.load(text_to_image()).params(INFO)
    for name in ("KSampler.steps", "3.steps", "steps"):
        assert params[name].name == "steps"
    assert params["filename_prefix"].name == "Save Image.filename_prefix"
    assert params["SaveImage.filename_prefix"].name == "Save Image.filename_prefix"
    assert "filename_prefix" not in params
    assert params.get("nothing") is None


def test_a_name_that_is_wrong_or_means_several() -> None:
    workflow = Workflow.load(text_to_image())
    with pytest.raises(UnknownParam, match=r"no parameter 'sed'\. Did you mean 'seed'"):
        workflow.with_params(sed=3)
    # What other programs call the same is known.
    with pytest.raises(UnknownParam, match=r"no parameter 'prompt'\. Did you mean 'positive'"):
        workflow.with_params(prompt="a cat")
    with pytest.raises(UnknownParam, match=r"no parameter 'num_inference_steps'\. Did you mean 'steps'"):
        workflow.with_params(num_inference_steps=3)
    with pytest.raises(UnknownParam, match="'text' could be any of 'positive', 'negative'"):
        workflow.with_params(text="x")
    with pytest.raises(KeyError):
        workflow.params()["zzz"]


# -- one value ---------------------------------------------------------------------------------------------------------


def param(name: str, info: dict[str, Any] | None = INFO) -> Param:
    return Workflow.load(text_to_image()).params(info)[name]


@pytest.mark.parametrize(
    ("name", "given", "taken"),
    [
        ("seed", MAX_SEED, MAX_SEED),
        ("seed", str(MAX_SEED), MAX_SEED),
        ("steps", 30.0, 30),
        ("cfg", 7, 7),
        ("cfg", "7.5", 7.5),
        ("positive", "two\nlines", "two\nlines"),
        ("sampler_name", "heun", "heun"),
    ],
)
def test_values_that_fit(name: str, given: Any, taken: Any) -> None:
    checked = param(name).check(given)
    assert checked == taken
    assert type(checked) is type(taken)


@pytest.mark.parametrize(
    ("name", "given", "says"),
    [
        ("seed", MAX_SEED + 1, f"KSampler: seed is {MAX_SEED + 1}, above its maximum of {MAX_SEED}"),
        ("seed", -1, "below its minimum of 0"),
        ("seed", "1e3", "wants a whole number, not '1e3'"),
        ("steps", 0, "KSampler: steps is 0, below its minimum of 1"),
        ("steps", 2.5, "wants a whole number, not 2.5"),
        ("steps", True, "wants a whole number, not True"),
        ("steps", None, "wants a whole number, not None"),
        ("cfg", float("nan"), "wants a number, not nan"),
        ("cfg", float("inf"), "wants a number, not inf"),
        ("cfg", "high", "wants a number, not 'high'"),
        ("cfg", 100.5, "above its maximum of 100.0"),
        ("positive", 3, "wants text, not 3"),
        ("sampler_name", "eular", "not in the list. Did you mean 'euler'"),
        ("ckpt_name", "v1-5", "Did you mean 'v1-5-pruned-emaonly.safetensors'"),
        ("sampler_name", ["euler"], "not in the list"),
    ],
)
def test_values_that_do_not_fit(name: str, given: Any, says: str) -> None:
    with pytest.raises(WorkflowError, match=says) as caught:
        Workflow.load(text_to_image()).bind(INFO).with_params({name: given})
    assert caught.value.node_id == param(name).node_id
    assert caught.value.input_name == param(name).input_name
    assert caught.value.node_title


def test_a_guessed_kind_is_no_rule() -> None:
    prompt = {"1": {"class_type": "Mystery", "inputs": {"weight": 8, "flag": True, "settings": {"a": 1}}}}
    workflow = Workflow.load(prompt)
    assert workflow.with_params(weight=7.5)["1"].inputs["weight"] == 7.5
    assert workflow.params()["flag"].kind == "bool"
    assert workflow.with_params(settings=[1, 2]).to_prompt()["1"]["inputs"]["settings"] == {"__value__": [1, 2]}
    with pytest.raises(WorkflowError, match="wants True or False"):
        workflow.with_params(flag="yes")


@given(st.integers(0, MAX_SEED))
def test_every_seed_survives(seed: int) -> None:
    workflow = Workflow.load(text_to_image()).with_params(seed=str(seed))
    assert workflow.to_prompt()["3"]["inputs"]["seed"] == seed
    assert Workflow.load(workflow.to_prompt()).params()["seed"].value == seed


def test_a_file_that_may_be_uploaded_need_not_be_in_the_list() -> None:
    files = {"file": ["COMBO", {"options": ["theirs.mp4"], "video_upload": True}]}
    info = {**INFO, "LoadVideo": definition(files, ("VIDEO",))}
    workflow = Workflow.load({"1": {"class_type": "LoadVideo", "inputs": {"file": "theirs.mp4"}}}).bind(info)
    assert workflow.params()["file"].kind == "file"
    assert workflow.with_params(file="ours.mp4").params()["file"].value == "ours.mp4"
    with pytest.raises(WorkflowError, match="name of a file"):
        workflow.with_params(file=7)


def test_choices_of_the_wrong_type_are_kept_apart() -> None:
    info = {"A": {"input": {"required": {"n": [[1, 2, True]]}}, "output": []}}
    n = Workflow.load({"1": {"class_type": "A", "inputs": {"n": 2}}}).params(info)["n"]
    assert n.check("2") == 2
    assert n.check(True) is True
    assert n.check(1) == 1
    assert not isinstance(n.check(1), bool)


def test_real_workflows_have_the_form_a_person_wants() -> None:
    info = recorded_info()
    samplers = with_prompt = 0
    for row in recorded_rows("template", "older"):
        classes = {node["class_type"] for node in row["output"].values()}
        params = Workflow.load(row["output"]).params(info)
        assert len({param.name for param in params.values()}) == len(params)
        for found in params.values():
            assert params[found.name] is found
            assert found.kind in ("int", "float", "text", "string", "choice", "bool", "seed", "image", "file", "json")
        if classes & {"KSampler", "KSamplerAdvanced", "SamplerCustom", "SamplerCustomAdvanced"}:
            samplers += 1
            with_prompt += "positive" in params
            assert "CLIPTextEncode" not in classes or "positive" in params, row["name"]
    assert with_prompt >= 0.8 * samplers > 0


def test_a_model_the_server_has_is_among_the_choices() -> None:
    assert param("ckpt_name").choices == tuple(CHECKPOINTS)


def test_seeds_alone_take_random() -> None:
    params = Workflow.load(text_to_image()).params(INFO)
    assert {name for name, param in params.items() if param.takes_random} == {"seed"}


def test_the_editors_file_says_what_becomes_of_a_seed_after_a_run() -> None:
    info = {
        "Named": definition({"seed": ["INT"], "mode": [["a"], {"control_after_generate": True}], "count": ["INT"]}),
        "Other": definition({"frame": ["INT", {"control_after_generate": True}], "seed": ["INT"]}),
    }
    drawing = Drawing()
    drawing.node("Named", [1, "increment", "a", "randomize", "", 4])
    drawing.node("Other", [2, "decrement", 3, True])
    drawing.node("Other", [6, "nonsense"])
    drawing.node("Other", {"frame": 5, "control_after_generate": "randomize"})
    params = Workflow.load(drawing.root(), object_info=info).params()
    found = {param.place: param.control_after_generate for param in params.values()}
    assert found["4", "frame"] == "randomize"
    assert {place: mode for place, mode in found.items() if place[0] != "4"} == {
        ("1", "seed"): "increment",
        ("1", "mode"): None,
        ("1", "count"): None,
        ("2", "frame"): "decrement",
        ("2", "seed"): "randomize",
        ("3", "frame"): None,
        ("3", "seed"): None,
    }


def test_a_prompt_in_api_format_says_nothing_of_what_becomes_of_a_seed() -> None:
    assert Workflow.load(text_to_image()).params(INFO)["seed"].control_after_generate is None


def test_a_primitive_says_what_becomes_of_the_seed_that_it_feeds() -> None:
    drawing = Drawing()
    primitive = drawing.node("PrimitiveNode", [7, "increment"], outputs=("INT",))
    drawing.node("Sampler", [5, "randomize", 30, "euler"], widget_inputs={"seed": (primitive, 0, "INT")})
    seed = Workflow.load(drawing.root(), object_info=GRAPHS).params()["seed"]
    assert (seed.value, seed.control_after_generate) == (7, "increment")


@pytest.mark.parametrize(("shown", "mode"), [("decrement", "decrement"), (None, "randomize")])
def test_a_subgraph_says_what_becomes_of_the_seed_inside(shown: str | None, mode: str) -> None:
    inner = Drawing(first_id=30)
    inner.node("Sampler", [5, "randomize", 30, "euler"])
    drawing = Drawing()
    proxies = {"proxyWidgets": [["30", "seed"], ["30", "control_after_generate"]]}
    drawing.node("make", [8, shown], properties=proxies)
    seed = Workflow.load(drawing.root(inner.subgraph("make", {}, {})), object_info=GRAPHS).params()["seed"]
    assert (seed.place, seed.value, seed.control_after_generate) == (("1:30", "seed"), 8, mode)
