"""Texts that are rewritten before they are sent, and values that change afterwards."""

from __future__ import annotations

import random
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfy_widgets.workflow._convert import convert, expand_dynamic_prompt, next_value, to_api_prompt
from comfy_widgets.workflow._specs import parse_input

from .ui_graphs import INFO, Drawing, definition

NOW = datetime(2031, 2, 3, 4, 5, 6)


def text_workflow(text: str, copies: int = 1) -> dict[str, Any]:
    drawing = Drawing()
    for _ in range(copies):
        drawing.node("Text", [text])
    return drawing.root()


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        ("plain", "plain"),
        ("a cat // note\nend", "a cat \nend"),
        ("/* x\ny */ a /* z */b", " a b"),
        (r"end \{lit\|x\}", "end {lit|x}"),
        (r"{only} \{lit\}", "only {lit}"),
        ("{a|a} {{b}}", "a b"),
        ("{never closed", "never closed"),
        ("a {{b|b} c", "a b c"),
        ("{|}x", "x"),
        ("a } b", "a } b"),
    ],
)
def test_comments_go_and_escapes_are_resolved(text: str, expanded: str) -> None:
    assert expand_dynamic_prompt(text, random.Random(1)) == expanded


def test_every_option_is_picked_and_nesting_is_allowed() -> None:
    text = r"a {red|{big|small} blue|\{x\|y\}} cat"
    picked = {expand_dynamic_prompt(text, random.Random(seed)) for seed in range(60)}
    assert picked == {"a red cat", "a big blue cat", "a small blue cat", "a {x|y} cat"}


@given(st.text(alphabet="ab{}|\\/*\n", max_size=40), st.integers(0, 3))
def test_no_text_breaks_the_expansion(text: str, seed: int) -> None:
    assert isinstance(expand_dynamic_prompt(text, random.Random(seed)), str)


def test_deeply_nested_choices_come_to_an_end() -> None:
    assert "x" in expand_dynamic_prompt("{" * 20000 + "x" + "}" * 20000, random.Random(0))


def test_the_pick_follows_from_the_seed_and_the_place() -> None:
    workflow = text_workflow("{" + "|".join(map(str, range(1000))) + "}", copies=2)

    def picks(seed: int) -> list[str]:
        prompt = convert(workflow, INFO, dynamic_prompts_seed=seed).prompt
        return [node["inputs"]["text"] for node in prompt.values()]

    assert picks(1) == picks(1)
    assert picks(1) != picks(2)
    assert picks(1)[0] != picks(1)[1]
    assert to_api_prompt(workflow, INFO) == to_api_prompt(workflow, INFO)


def test_choices_can_be_left_alone_and_are_told_either_way() -> None:
    workflow = text_workflow("a {red|blue} cat // note")
    done = convert(workflow, INFO, dynamic_prompts_seed=None)
    assert done.prompt["1"]["inputs"]["text"] == "a {red|blue} cat // note"
    for conversion in (done, convert(workflow, INFO)):
        assert [(note.kind, note.input_name) for note in conversion.report] == [("random-choice", "text")]


def test_only_inputs_that_ask_for_it_are_rewritten() -> None:
    drawing = Drawing()
    drawing.node("N", ["{a|b} // c"])
    assert to_api_prompt(drawing.root(), {"N": definition({"t": ["STRING"]})})["1"]["inputs"]["t"] == "{a|b} // c"


@pytest.mark.parametrize(
    ("prefix", "filled"),
    [
        ("%Image.width%_%date:yyyy-MM-dd%", "64_2031-02-03"),
        ("%date:yy M d hh mm ss%", "31 2 3 04 05 06"),
        ("%Mine.height%", "65"),
        ("%Given.width%", "64"),
        ("%Model.name%", "sub_a.safetensors"),
        ("%Sampler.model%", "%Sampler.model%"),
        ("%nope.x%_%width%_%year%", "%nope.x%_%width%_%year%"),
        ("100%", "100%"),
    ],
)
def test_file_names_are_filled_in(prefix: str, filled: str) -> None:
    drawing = Drawing()
    drawing.node("Image", [64, 65], outputs=("IMAGE",), properties={"Node name for S&R": "Given"})
    drawing.node("Image", [64, 65], title="Mine")
    drawing.node("Model", ["sub/a.safetensors"], outputs=("MODEL",))
    drawing.node("Sampler", [], {"model": (3, 0, "MODEL")})
    drawing.node("Save", [prefix])
    prompt = convert(drawing.root(), INFO, now=NOW).prompt
    assert prompt["5"]["inputs"]["filename_prefix"] == filled


def test_only_nodes_that_save_have_file_names() -> None:
    drawing = Drawing()
    drawing.node("N", ["%date:yyyy%"])
    info = {"N": definition({"filename_prefix": ["STRING"]}, ("STRING",))}
    assert convert(drawing.root(), info, now=NOW).prompt["1"]["inputs"]["filename_prefix"] == "%date:yyyy%"


def control(spec: list[Any], mode: str | bool, value: Any, seed: int = 0, **more: Any) -> Any:
    return next_value(parse_input("x", spec, "required"), mode, value, random.Random(seed), **more)


STEPPED = ["INT", {"min": 2, "max": 20, "step": 4}]


@pytest.mark.parametrize(
    ("spec", "mode", "value", "expected"),
    [
        (STEPPED, "increment", 6, 10),
        (STEPPED, "increment", 19, 20),
        (STEPPED, "decrement", 6, 2),
        (STEPPED, "decrement", 3, 2),
        (STEPPED, "fixed", 6, 6),
        (STEPPED, False, 6, 6),
        (STEPPED, "something new", 6, 6),
        (["FLOAT", {"min": 0, "max": 1, "step": 0.25}], "increment", 0.5, 0.75),
        (["INT", {}], "increment", 2048, 2048),
        (["INT", {"min": -(2**63), "max": 2**64 - 1}], "increment", 2**60, 2**50),
        ([["a", "b", "c"]], "increment", "b", "c"),
        ([["a", "b", "c"]], "increment", "c", "c"),
        ([["a", "b", "c"]], "increment-wrap", "c", "a"),
        ([["a", "b", "c"]], "decrement", "a", "a"),
        ([["a", "b", "c"]], "decrement", "c", "b"),
        ([["a", "b", "c"]], "fixed", "c", "c"),
        ([[]], "randomize", "gone", "gone"),
        (["STRING", {}], "randomize", "text", "text"),
        (["BOOLEAN", {}], "increment", True, True),
    ],
)
def test_the_value_after_the_run(spec: list[Any], mode: str | bool, value: Any, expected: Any) -> None:
    assert control(spec, mode, value) == expected


@pytest.mark.parametrize("mode", ["randomize", True])
def test_random_values_stay_on_the_steps_within_the_bounds(mode: str | bool) -> None:
    assert {control(STEPPED, mode, 2, seed) for seed in range(200)} == {2, 6, 10, 14, 18}
    seeds = [control(["INT", {"min": 0, "max": 2**64 - 1}], mode, 0, seed) for seed in range(200)]
    assert max(seeds) < 2**50 and len(set(seeds)) == 200 and all(isinstance(seed, int) for seed in seeds)
    assert {control([["a", "b"]], mode, "a", seed) for seed in range(50)} == {"a", "b"}
    assert control(["INT", {"min": 5, "max": 5}], mode, 9) == 5


@pytest.mark.parametrize(
    ("text", "expected"),
    [("RED", "red fox"), ("/^b/", "blue"), ("none of them", "green"), ("", "blue"), ("/(/", "blue")],
)
def test_a_filter_narrows_the_options(text: str, expected: str) -> None:
    assert control([["green", "blue", "red fox"]], "increment", "green", filter_text=text) == expected
