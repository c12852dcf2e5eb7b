"""Documents that were damaged anywhere: every question gets an answer or a clear error."""

from __future__ import annotations

import copy
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comfy_widgets.errors import WorkflowError
from comfy_widgets.workflow import Workflow, example

from .catalog import INFO, hires, text_to_image
from .ui_graphs import INFO as UI_INFO
from .ui_graphs import Drawing

JUNK: list[Any] = [None, True, -1, 10**30, 1.5, float("nan"), "", "x", [], {}, [1, 2], {"a": 1}, "9", ["3", 0]]

ORIGINALS: list[Any] = [
    hires(text_to_image()),
    example("text_to_image_ui").ui,
    Workflow.load(hires(text_to_image())).expose({"quality": {"param": "steps", "max": 9}}).prompt,
    example("text_to_image_ui").bind(INFO).expose({"quality": {"param": "steps", "max": 9}}).ui,
    example("text_to_image_ui").bind(INFO).add("SaveImage", images=("VAE Decode", 0)).ui,
]


def damaged(document: Any, chance: random.Random) -> Any:
    """Put junk in one place of a document, or take that place away."""
    document = copy.deepcopy(document)
    here = document
    while True:
        key = chance.choice(list(here) if isinstance(here, dict) else range(len(here)))
        if not here[key] or not isinstance(here[key], (dict, list)) or chance.random() < 0.2:
            if isinstance(here, dict) and chance.random() < 0.3:
                del here[key]
            else:
                here[key] = copy.deepcopy(chance.choice(JUNK))
            return document
        here = here[key]


@settings(deadline=None, max_examples=400)
@given(original=st.sampled_from(ORIGINALS), seed=st.integers(0, 10**6), times=st.integers(1, 4))
def test_a_document_damaged_anywhere(original: Any, seed: int, times: int) -> None:
    chance = random.Random(seed)
    document = original
    for _ in range(times):
        document = damaged(document, chance)
    try:
        workflow = Workflow.load(document)
    except WorkflowError as error:
        assert str(error)
        return
    assert workflow._repr_mimebundle_()
    bound = workflow.bind(INFO)
    questions = [
        workflow.to_svg,
        bound.to_mermaid,
        bound.to_prompt,
        bound.check,
        lambda: bound.hash,
        lambda: bound.notes,
        lambda: bound.with_params(seed=5).to_ui(),
        lambda: bound.expose(["seed"]).params(),
        lambda: bound.remove("3").bypass("4").diff(bound),
        lambda: bound.missing(),
        lambda: bound.with_params(seed="random").settle().drawn,
        lambda: bound.outputs,
        lambda: bound.add("SaveImage", images=("8", 0)).to_ui(),
        lambda: bound.rewire("3", "positive", ("7", 0)).to_prompt(),
        lambda: bound.insert_lora("ink").to_ui(),
    ]
    for ask in questions:
        try:
            ask()
        except WorkflowError as error:
            assert str(error)


def subgraph(identity: str, inner: str) -> dict[str, Any]:
    return {
        "id": identity,
        "name": identity,
        "nodes": [{"id": 1, "type": inner}],
        "links": [],
        "inputs": [],
        "outputs": [],
    }


@pytest.mark.parametrize("inner", [("a", "a"), ("b", "a")], ids=["itself", "one another"])
def test_a_subgraph_that_contains_itself(inner: tuple[str, str]) -> None:
    document = {
        "version": 0.4,
        "nodes": [{"id": 1, "type": "a"}],
        "links": [],
        "definitions": {"subgraphs": [subgraph("a", inner[0]), subgraph("b", inner[1])]},
    }
    with pytest.raises(WorkflowError, match="contains itself"):
        Workflow.load(document).to_prompt(INFO)
    assert Workflow.load(document).to_svg()


def test_reroutes_that_multiply_are_followed_only_so_far() -> None:
    drawing = Drawing()
    last = [drawing.node("PrimitiveNode", ["x"], outputs=("STRING",))]
    for _ in range(30):
        # Each of two Reroutes is fed by both before it: a thousand million ways from end to end.
        last = [
            drawing.node("Reroute", None, {str(index): (origin, 0, "*") for index, origin in enumerate(last)}, ("*",))
            for _ in range(2)
        ]
    drawing.node("Text", ["end"], widget_inputs={"text": (last[0], 0, "STRING")})
    ui = drawing.root(extra={"linearData": {"inputs": [[1, "value"]], "outputs": []}})
    assert len(Workflow.load(ui).bind(UI_INFO).params()) == 1
