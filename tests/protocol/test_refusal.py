"""What a server says against a prompt, as sentences for people: node, input, value, and what to do."""

from __future__ import annotations

from typing import Any

import pytest

from comfy_widgets.protocol import NodeProblem, Refusal, node_problems, title_of

PROMPT: dict[str, Any] = {
    "3": {"class_type": "KSampler", "inputs": {}, "_meta": {"title": "The sampler"}},
    "4": {"class_type": "CheckpointLoaderSimple", "inputs": {}},
    "9": {"class_type": "SaveImage", "inputs": {}, "_meta": {"title": "SaveImage"}},
}
INT = ["INT", {"min": 1, "max": 10000}]


def error(type_: str, input_name: str | None = None, **more: Any) -> dict[str, Any]:
    """One error of a node, as ComfyUI tells it."""
    details = more.pop("details", "")
    info = {**({"input_name": input_name} if input_name else {}), **more}
    return {"type": type_, "message": "Some message", "details": details, "extra_info": info}


def only(told: dict[str, Any], node_id: str = "3") -> NodeProblem:
    errors = {node_id: {"class_type": PROMPT[node_id]["class_type"], "errors": [told]}}
    (problem,) = node_problems(errors, PROMPT)
    return problem


def overall(text: str, type_: str) -> NodeProblem:
    """A problem of no node."""
    return NodeProblem(text, type=type_, reason=text)


SENTENCES = [
    (error("required_input_missing", "seed"), "the input 'seed' is missing. Give it a value or connect it."),
    (error("required_input_missing", details="model"), "the input 'model' is missing. Give it a value or connect it."),
    (
        error("value_smaller_than_min", "steps", received_value=0, input_config=INT),
        "steps is 0, but must be at least 1.",
    ),
    (
        error("value_bigger_than_max", "steps", received_value=10**6, input_config=INT),
        "steps is 1000000, but must be at most 10000.",
    ),
    (error("value_smaller_than_min", "steps", received_value=0), "steps is 0, but must be at least ?."),
    (
        error("value_smaller_than_min", "steps", received_value=0, input_config=[]),
        "steps is 0, but must be at least ?.",
    ),
    (
        error("value_bigger_than_max", "steps", received_value=1, input_config=["INT"]),
        "steps is 1, but must be at most ?.",
    ),
    (
        error("value_not_in_list", "sampler_name", received_value="slow", input_config=[["euler", "ddim"], {}]),
        'sampler_name is "slow", which is not one of "euler", "ddim".',
    ),
    (
        error("value_not_in_list", "s", received_value=1, input_config=["COMBO", {"options": ["a", 2]}]),
        's is 1, which is not one of "a", 2.',
    ),
    (
        error("value_not_in_list", "ckpt_name", received_value="a.ckpt", input_config=[[]]),
        'ckpt_name is "a.ckpt", which is not one of the server\'s choices (it has none: a model file may be missing).',
    ),
    (
        error("value_not_in_list", "s", received_value=None, details="s: 'x' not in (list of length 37)"),
        "s is null, which is not one of the server's 37 choices.",
    ),
    (error("value_not_in_list", "s", received_value=None), "s is null, which is not one of the server's choices."),
    (
        error("invalid_input_type", "steps", received_value="many", input_config=INT),
        'steps is "many", which cannot be read as a whole number.',
    ),
    (
        error("invalid_input_type", "cfg", received_value="much", input_config=["FLOAT"]),
        'cfg is "much", which cannot be read as a number.',
    ),
    (
        error("invalid_input_type", "on", received_value="perhaps", input_config=["BOOLEAN", {}]),
        'on is "perhaps", which cannot be read as true or false.',
    ),
    (
        error("invalid_input_type", "x", received_value=[], input_config=["MASK"]),
        "x is [], which cannot be read as MASK.",
    ),
    (error("invalid_input_type", "x", received_value=1), "x is 1, which cannot be read as the right type."),
    (
        error("return_type_mismatch", "images", received_type="LATENT", input_config=["IMAGE"]),
        "images is connected to an output of type LATENT, but needs IMAGE.",
    ),
    (
        error("bad_linked_input", "values"),
        "values holds a list that is no connection; a list as a value must be wrapped as {'__value__': [...]}.",
    ),
    (error("dependency_cycle", details="3 -> 8 -> 3"), "the nodes form a cycle: 3 -> 8 -> 3."),
    (
        error("exception_during_validation", details="KeyError"),
        "the server failed while checking it (KeyError); a connection may lead to nothing.",
    ),
    (
        error("exception_during_inner_validation", "model", details="KeyError"),
        "the server failed while checking model (KeyError); a connection may lead to nothing.",
    ),
    (error("custom_validation_failed", "even", details="must be even"), "Some message: must be even."),
    (error("custom_validation_failed"), "Some message."),
    ({"type": "odd", "message": "It says must be even", "details": "must be even"}, "It says must be even."),
    ({"type": "odd"}, "odd."),
    ({}, "refused."),
]


@pytest.mark.parametrize(("told", "sentence"), SENTENCES, ids=[told.get("type", "empty") for told, _ in SENTENCES])
def test_each_error_is_a_sentence(told: dict[str, Any], sentence: str) -> None:
    problem = only(told)
    assert problem.text == f"The sampler (KSampler, node 3): {sentence}"
    assert problem.reason == sentence
    assert problem.type == told.get("type", "")
    assert problem.input_name == told.get("extra_info", {}).get("input_name")
    assert (problem.node_id, problem.node_title, problem.class_type) == ("3", "The sampler", "KSampler")


def test_values_are_shown_shortened_and_in_every_script() -> None:
    assert "x is " + '"' + "é" * 76 + "..." in only(error("invalid_input_type", "x", received_value="é" * 79)).text
    whole = '"' + "é" * 78 + '"'
    assert f"x is {whole}, which" in only(error("invalid_input_type", "x", received_value="é" * 78)).text


def test_a_node_is_named_by_its_title_and_its_class_only_where_they_differ() -> None:
    missing = error("required_input_missing", "images")
    assert only(missing, "9").text.startswith("SaveImage (node 9): the input")
    assert only(missing, "4").text.startswith("CheckpointLoaderSimple (node 4): the input")
    (stranger,) = node_problems({"77": {"class_type": "Odd", "errors": [missing]}}, PROMPT)
    assert stranger.text.startswith("Odd (node 77): the input")
    assert (stranger.node_title, stranger.class_type) == ("Odd", "Odd")
    (nameless,) = node_problems({"77": {"errors": [missing]}}, PROMPT)
    assert nameless.text.startswith("Node 77: the input")
    assert (nameless.node_title, nameless.class_type) == ("", None)


def test_problems_come_in_the_order_of_the_prompt_with_strangers_last() -> None:
    entry = {"class_type": "X", "errors": [error("a"), error("b")]}
    found = list(node_problems({"stranger": entry, "9": entry, "3": entry}, PROMPT))
    assert [(p.node_id, p.type) for p in found] == [
        *(("3", "a"), ("3", "b"), ("9", "a"), ("9", "b"), ("stranger", "a"), ("stranger", "b"))
    ]


@pytest.mark.parametrize("entry", [None, [], {"errors": None}, {"errors": ["text", None]}, {}])
def test_what_is_no_list_of_errors_is_passed_over(entry: object) -> None:
    assert list(node_problems({"3": entry}, PROMPT)) == []


@pytest.mark.parametrize(
    ("node", "title"),
    [
        ({"class_type": "KSampler", "_meta": {"title": "Mine"}}, "Mine"),
        ({"class_type": "KSampler", "_meta": {"title": ""}}, "KSampler"),
        ({"class_type": "KSampler", "_meta": {"title": 7}}, "KSampler"),
        ({"class_type": "KSampler", "_meta": None}, "KSampler"),
        ({"class_type": "KSampler"}, "KSampler"),
        ({"class_type": ""}, None),
        ({"class_type": 7}, None),
        (["KSampler"], None),
    ],
)
def test_the_title_of_a_node(node: object, title: str | None) -> None:
    assert title_of({"3": node}, "3") == title
    assert title_of({}, "3") is None


def test_a_refusal_is_read_whole() -> None:
    body = {
        "error": {"type": "prompt_no_outputs", "message": "None", "details": "d", "extra_info": {"a": 1}},
        "node_errors": {"3": {}},
    }
    assert Refusal.parse(body, 400) == Refusal("prompt_no_outputs", "None", "d", {"a": 1}, {"3": {}})


NO_REASON = Refusal("http_418", "The server gave no reason.")


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        ({"error": "no prompt"}, Refusal("error", "no prompt")),
        ({"code": "quota", "message": "Too many"}, Refusal("quota", "Too many")),
        ({"error": {"message": "m"}, "message": "other"}, Refusal("http_418", "m")),
        (
            {"error": {"extra_info": [], "details": None}, "node_errors": []},
            NO_REASON,
        ),
        ({}, NO_REASON),
        (None, NO_REASON),
        ("text", NO_REASON),
    ],
)
def test_a_refusal_may_lack_everything(body: object, refusal: Refusal) -> None:
    assert Refusal.parse(body, 418) == refusal


def test_the_choice_that_was_meant_is_named_where_the_server_lists_none() -> None:
    wrong = error("value_not_in_list", "sampler_name", received_value="eulr", details="not in (list of length 44)")
    refusal = Refusal("prompt_outputs_failed_validation", "", node_errors={"3": {"errors": [wrong]}})
    info = {"KSampler": {"input": {"required": {"sampler_name": [["heun", "euler", 7], {}]}}}}
    newer = {"KSampler": {"input": {"required": {"sampler_name": ["COMBO", {"options": ["heun", "euler"]}]}}}}
    assert refusal.needs_definitions
    listed = error("value_not_in_list", "sampler_name", received_value="eulr", input_config=[["euler"], {}])
    assert not Refusal("prompt_outputs", "", node_errors={"3": {"errors": [listed]}}).needs_definitions
    said = 'sampler_name is "eulr", which is not one of the server\'s 44 choices.'
    for known in (info, newer):
        (problem,) = refusal.problems(PROMPT, known)
        assert problem.reason == f'{said} Did you mean "euler"?'
    for nothing in (None, {"KSampler"}, {}, {"KSampler": None}, {"KSampler": {"input": {"required": []}}}):
        (problem,) = refusal.problems(PROMPT, nothing)  # type: ignore[arg-type]
        assert problem.reason == said


@pytest.mark.parametrize("type_", ["invalid_prompt", "missing_node_type"])
def test_missing_classes_are_all_named_where_the_servers_are_known(type_: str) -> None:
    refusal = Refusal(type_, "Cannot execute", extra_info={"node_id": "3"})

    def missing(node_id: str, where: str, title: str, class_type: str) -> NodeProblem:
        words = f"the server has no node class {class_type!r}; its custom node pack is probably not installed there."
        return NodeProblem(f"{where}: {words}", node_id, title, class_type, None, type_, words)

    one = missing("3", "The sampler (KSampler, node 3)", "The sampler", "KSampler")
    other = missing("9", "SaveImage (node 9)", "SaveImage", "SaveImage")
    assert refusal.problems(PROMPT) == (one,)
    assert refusal.problems(PROMPT, {"CheckpointLoaderSimple"}) == (one, other)
    # All classes are known by now: then what the server named counts.
    assert refusal.problems(PROMPT, {"KSampler", "CheckpointLoaderSimple", "SaveImage"}) == (one,)


def test_the_node_of_a_missing_class_may_stand_in_the_details_only() -> None:
    refusal = Refusal("invalid_prompt", "Cannot execute", "Node ID '#9'")
    assert [problem.node_id for problem in refusal.problems(PROMPT)] == ["9"]
    zero = Refusal("invalid_prompt", "m", extra_info={"node_id": 0})
    assert [problem.node_id for problem in zero.problems(PROMPT)] == ["0"]
    nowhere = Refusal("invalid_prompt", "Cannot execute", "no id")
    assert nowhere.problems(PROMPT) == (overall("Cannot execute: no id", "invalid_prompt"),)


def test_a_node_without_a_class_is_told_as_such() -> None:
    refusal = Refusal("missing_node_type", "m", extra_info={"node_id": "5"})
    reason = "the node has no class_type."
    assert refusal.problems({"5": {"inputs": {}}}) == (
        NodeProblem(f"Node 5: {reason}", "5", None, None, None, "missing_node_type", reason),
    )


def test_errors_of_nodes_and_a_missing_class_are_both_told() -> None:
    refusal = Refusal("invalid_prompt", "m", extra_info={"node_id": "9"}, node_errors={"3": {"errors": [error("a")]}})
    assert [(p.node_id, p.type) for p in refusal.problems(PROMPT)] == [("3", "a"), ("9", "invalid_prompt")]


@pytest.mark.parametrize(
    ("refusal", "text"),
    [
        (
            Refusal("prompt_no_outputs", "m", "d"),
            "The workflow has no output node to run. Add one that keeps its result, such as SaveImage or "
            "PreviewImage, and connect it.",
        ),
        (Refusal("no_prompt", "m", "d"), "The server found no prompt in what was sent."),
        (
            Refusal("prompt_outputs_failed_validation", "m"),
            "The server refused every output and named no node; the nodes probably form a cycle.",
        ),
        (Refusal("prompt_outputs_failed_validation", "m", "d"), "m: d"),
        (Refusal("other", "m", "d"), "m: d"),
        (Refusal("other", "m"), "m"),
    ],
)
def test_what_concerns_no_node_is_one_sentence(refusal: Refusal, text: str) -> None:
    assert refusal.problems(PROMPT) == (overall(text, refusal.type),)


@pytest.mark.parametrize(
    ("value", "details", "sentence"),
    [
        (3, "even - 3 is odd", "even is 3, which the node refuses: 3 is odd."),
        (3, "even", "even is 3, which the node refuses: even."),
        ("", "even - Invalid image file: ", "even is empty; choose something, or give it."),
        (["4", 0], "even - 3 is odd", "Some message: even - 3 is odd."),
    ],
)
def test_what_a_nodes_own_check_refuses_is_told_with_its_value(value: Any, details: str, sentence: str) -> None:
    prompt = {"1": {"class_type": "Even", "inputs": {"even": value}}}
    told = error("custom_validation_failed", "even", details=details)
    (problem,) = node_problems({"1": {"class_type": "Even", "errors": [told]}}, prompt)
    assert problem.reason == sentence
