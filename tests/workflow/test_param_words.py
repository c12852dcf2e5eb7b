"""Parameters by themselves: what each kind takes, to the last bound, and the words against the rest."""

from __future__ import annotations

from typing import Any

import pytest

from comfy_widgets.errors import WorkflowError
from comfy_widgets.workflow import Param, Workflow

from .catalog import INFO, text_to_image


def param(kind: Any, value: Any, **more: Any) -> Param:
    return Param("p", "P", "3", "KSampler", "KSampler", "p", kind, value, **more)


@pytest.mark.parametrize(
    ("given", "value"), [(0, False), (1, True), (True, True), (False, False), (" True ", True), ("FALSE", False)]
)
def test_what_is_true_or_false(given: object, value: bool) -> None:
    assert param("bool", "unset").check(given) is value


@pytest.mark.parametrize("given", [2, -1, 1.5, "yes", None, []])
def test_what_is_neither(given: object) -> None:
    with pytest.raises(WorkflowError, match="wants True or False, not "):
        param("bool", "unset").check(given)


def test_values_are_shown_shortened() -> None:
    whole, long = "x" * 58, "x" * 59
    with pytest.raises(WorkflowError) as caught:
        param("bool", "unset").check(whole)
    assert str(caught.value) == f"KSampler: p wants True or False, not '{whole}'."
    with pytest.raises(WorkflowError) as caught:
        param("bool", "unset").check(long)
    assert str(caught.value) == f"KSampler: p wants True or False, not '{'x' * 56}...."


@pytest.mark.parametrize(("count", "more"), [(7, ""), (8, ""), (9, " and 1 more"), (20, " and 12 more")])
def test_choices_are_listed_up_to_eight(count: int, more: str) -> None:
    choices = tuple(f"choice {number}" for number in range(count))
    with pytest.raises(WorkflowError) as caught:
        param("choice", "choice 0", choices=choices).check("quite another")
    assert (" more" in str(caught.value)) is bool(more)
    assert more in str(caught.value)
    assert ("choice 7" in str(caught.value)) is (count > 7)


def test_a_text_that_may_stand_for_a_number_takes_one_only_where_it_was_guessed() -> None:
    assert param("string", "a", guessed=True).check(7) == 7
    for known in (param("string", "a"), param("text", "a", guessed=True)):
        with pytest.raises(WorkflowError, match="wants text, not 7"):
            known.check(7)


def test_bounds_are_known_without_a_server() -> None:
    prompt = text_to_image()
    prompt["3"]["inputs"]["noise_seed"] = prompt["3"]["inputs"].pop("seed")
    params = Workflow.load(prompt).params()
    batch, seed = params["batch_size"], params["seed"]
    assert (batch.kind, batch.min, batch.max, batch.step) == ("int", 1, 4096, 1)
    assert (seed.kind, seed.min, seed.max, seed.step) == ("seed", 0, 2**64 - 1, 1)


@pytest.mark.parametrize(("count", "used"), [(1, "the node "), (3, "3 nodes: "), (4, "4 nodes: ")])
def test_a_missing_class_says_where_it_is_used(count: int, used: str) -> None:
    prompt = text_to_image()
    for number in range(count):
        prompt[str(100 + number)] = {"class_type": "NoSuchNode", "inputs": {}}
    problems = Workflow.load(prompt).check(INFO)
    (text,) = [problem.message for problem in problems if "does not know the node class" in problem.message]
    assert f"(used by {used}" in text
    assert (", ...)" in text) is (count > 3)
