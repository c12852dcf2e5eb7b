"""Texts that are written anew for each run."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from comfy_widgets.workflow._convert import RunTexts, convert

from .ui_graphs import INFO, Drawing

NOW = datetime(2031, 2, 3, 4, 5, 6)


def a_workflow() -> dict[str, Any]:
    drawing = Drawing()
    drawing.node("Text", ["a {red|green|blue} hill // note"])
    drawing.node("Sampler", [7, "fixed", 20, "euler"], {"model": "MODEL"}, title="Mine")
    drawing.node("Image", [64, 65], mode=2, title="Muted")
    drawing.node("Save", ["%date:yyyy%/x_%Sampler.seed%_%Mine.steps%_%Muted.height%_%nope.x%"])
    return drawing.root()


def test_a_prompt_has_its_texts_as_their_author_wrote_them_until_it_runs() -> None:
    done = convert(a_workflow(), INFO, expand_texts=False)
    assert done.prompt["1"]["inputs"]["text"] == "a {red|green|blue} hill // note"
    assert done.prompt["4"]["inputs"]["filename_prefix"].startswith("%date:yyyy%/x_%Sampler.seed%")
    assert done.report == ()


def test_each_run_chooses_anew_and_sees_what_was_edited() -> None:
    done = convert(a_workflow(), INFO, expand_texts=False)
    texts, names = set(), []
    for seed in range(40):
        done.prompt["2"]["inputs"]["seed"] = seed
        sent = done.texts.expand(done.prompt, edited=[("2", "seed")], now=NOW)
        texts.add(sent["1"]["inputs"]["text"])
        names.append(sent["4"]["inputs"]["filename_prefix"])
    assert texts == {f"a {colour} hill " for colour in ("red", "green", "blue")}
    assert names[:2] == ["2031/x_0_20_65_%nope.x%", "2031/x_1_20_65_%nope.x%"]
    assert done.prompt["1"]["inputs"]["text"] == "a {red|green|blue} hill // note"


def test_a_seed_makes_the_choices_repeatable() -> None:
    done = convert(a_workflow(), INFO, expand_texts=False)
    assert done.texts.expand(done.prompt, seed=3, now=NOW) == done.texts.expand(done.prompt, seed=3, now=NOW)
    assert convert(a_workflow(), INFO, dynamic_prompts_seed=3, now=NOW).prompt == done.texts.expand(
        done.prompt, seed=3, now=NOW
    )


def promoted(text: str, how: str) -> Any:
    """What is sent for a text inside a subgraph: set by the host, shown by it, or neither."""
    inner = Drawing(10)
    inner.node("Text", [text], widget_inputs={"text": (-10, 0, "STRING")} if how == "input" else {})
    scope = inner.subgraph("sub", {"text": "STRING"} if how == "input" else {}, {})
    outer = Drawing()
    proxies = {"proxyWidgets": [["10", "text"]]} if how in ("proxy", "proxy without a value") else {}
    outer.node("sub", [text] if how in ("input", "proxy") else [], properties=proxies)
    done = convert(outer.root(scope), INFO)
    return done.prompt["1:10"]["inputs"]["text"]


@pytest.mark.parametrize("text", ['{"a": {"b": 1}}', "see https://example.org", "{red|red} cat", r"\{keep\}"])
@pytest.mark.parametrize("how", ["input", "proxy", "proxy without a value"])
def test_what_a_subgraph_shows_is_sent_as_it_is(text: str, how: str) -> None:
    assert promoted(text, how) == text


def test_what_a_subgraph_does_not_show_is_rewritten() -> None:
    assert promoted("{red|red} cat // x", "not at all") == "red cat "


def test_a_primitives_text_is_rewritten_like_the_widgets_own() -> None:
    drawing = Drawing()
    primitive = drawing.node("PrimitiveNode", ["{red|red} cat"], outputs=("STRING",))
    drawing.node("Text", ["old"], widget_inputs={"text": (primitive, 0, "STRING")})
    assert convert(drawing.root(), INFO).prompt["2"]["inputs"]["text"] == "red cat"


@pytest.mark.parametrize(("value", "sent"), [(12345, "12345"), (1.0, "1"), (1.5, "1.5"), (True, "true")])
def test_a_number_in_a_dynamic_text_is_sent_as_text(value: Any, sent: str) -> None:
    drawing = Drawing()
    drawing.node("Text", [value])
    assert convert(drawing.root(), INFO).prompt["1"]["inputs"]["text"] == sent


def api(text: str, prefix: str = "x") -> dict[str, Any]:
    return {
        "1": {"class_type": "CLIPTextEncode", "inputs": {"text": text}, "_meta": {"title": "Prompt"}},
        "2": {"class_type": "SaveImage", "inputs": {"filename_prefix": prefix}},
        "3": {"class_type": "KSampler", "inputs": {"seed": 7}, "_meta": {"title": "Sampler A"}},
    }


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("a {red|red} hill", "a red hill"),
        ("{red|red} at https://example.org", "red at https://example.org"),
        ("plain // text", "plain // text"),
        ('{"a": "b|c"}', '{"a": "b|c"}'),
        ("{a} and | b", "a and | b"),
    ],
)
def test_in_api_format_typed_choices_are_made(text: str, sent: str) -> None:
    assert RunTexts().expand(api(text), edited=[("1", "text")])["1"]["inputs"]["text"] == sent


def test_in_api_format_what_the_file_says_is_sent() -> None:
    # It was expanded when it was exported; what looks like a choice is meant as it stands.
    assert RunTexts().expand(api("{a|b}"), edited=[("3", "seed")])["1"]["inputs"]["text"] == "{a|b}"


@pytest.mark.parametrize("name", ["KSampler", "Sampler A"])
def test_in_api_format_tokens_name_classes_and_titles(name: str) -> None:
    prompt = api("x", f"out/%{name}.seed%_%Prompt.text%")
    assert RunTexts().expand(prompt)["2"]["inputs"]["filename_prefix"] == "out/7_x"


def test_a_host_that_only_shows_a_widget_leaves_the_value_that_an_inner_host_gave_it() -> None:
    innermost = Drawing(20)
    innermost.node("Text", ["from inside"])
    inner = Drawing(10)
    inner.node("deep", ["{from|from} the inner host"], properties={"proxyWidgets": [["20", "text"]]})
    outer = Drawing()
    outer.node("sub", [], properties={"proxyWidgets": [["10", "text"]]})
    workflow = outer.root(inner.subgraph("sub", {}, {}), innermost.subgraph("deep", {}, {}))
    assert convert(workflow, INFO).prompt["1:10:20"]["inputs"]["text"] == "{from|from} the inner host"
    workflow["nodes"][0]["widgets_values"] = ["from outside"]
    assert convert(workflow, INFO).prompt["1:10:20"]["inputs"]["text"] == "from outside"
