"""Files that are wrong: a clear error or a best effort, in bounded time, and the input as it was."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comfy_widgets.errors import WorkflowError
from comfy_widgets.workflow._convert import convert, to_api_prompt

from .ui_graphs import INFO, Drawing, definition


@pytest.mark.parametrize(
    ("workflow", "message"),
    [
        (None, "null"),
        ([1], "a list"),
        ("text", "text"),
        (3, "a number"),
        ({}, 'no list "nodes"'),
        ({"nodes": 3}, 'no list "nodes"'),
        ({"1": {"class_type": "A", "inputs": {}}}, "API prompt already"),
        ({"nodes": [3]}, "Node number 1 of the workflow is a number"),
        ({"nodes": [{"type": "A"}]}, r"Node number 1 of the workflow \(A\) has no usable id"),
        ({"nodes": [{"id": True, "type": "A"}]}, "no usable id"),
        ({"nodes": [{"id": 10**30, "type": "A"}]}, "no usable id"),
        ({"nodes": [{"id": 3}]}, "Node 3 of the workflow has no type"),
        (
            {"nodes": [], "definitions": {"subgraphs": [{"id": "s", "name": "Sub", "nodes": [None]}]}},
            "of the Sub is null",
        ),
    ],
)
def test_what_is_no_workflow_is_refused_in_words(workflow: Any, message: str) -> None:
    with pytest.raises(WorkflowError, match=message):
        to_api_prompt(workflow, INFO)


def test_two_nodes_of_one_id_are_both_kept() -> None:
    drawing = Drawing()
    drawing.node("Image", [1, 2], id=5)
    drawing.node("Image", [3, 4], id=5)
    done = convert(drawing.root(), INFO)
    assert [node["inputs"]["width"] for node in done.prompt.values()] == [1, 3]
    assert [note.kind for note in done.report] == ["dropped"]


def test_two_nodes_that_would_be_sent_under_one_id_are_refused() -> None:
    inner = Drawing(first_id=20)
    inner.node("Image", [1, 2])
    drawing = Drawing()
    drawing.node("sub", [])
    drawing.node("Image", [3, 4], id=7)
    workflow = drawing.root(inner.subgraph("sub", {}, {}))
    workflow["nodes"][1]["id"] = "1:20"
    with pytest.raises(WorkflowError, match="1:20"):
        to_api_prompt(workflow, INFO)


def test_values_nested_beyond_reason_are_refused() -> None:
    value: Any = []
    for _ in range(100_000):
        value = [value]
    drawing = Drawing()
    drawing.node("Image", [value, 1])
    with pytest.raises(WorkflowError, match="nested too deeply"):
        to_api_prompt(drawing.root(), INFO)


def test_chains_that_every_node_hangs_on_are_given_up_in_time() -> None:
    drawing = Drawing()
    origin = drawing.node("Image", [1, 2], outputs=("IMAGE",))
    for _ in range(1200):
        origin = drawing.node("Reroute", None, {"": (origin, 0, "*")}, ("*",))
    for _ in range(1200):
        drawing.node("Save", ["x"], {"images": (origin, 0, "IMAGE")})
    with pytest.raises(WorkflowError, match="too many"):
        to_api_prompt(drawing.root(), INFO)


def test_the_prompt_shares_nothing_with_the_file() -> None:
    drawing = Drawing()
    drawing.node("N", [{"min": 1}, [1, 2]])
    workflow = drawing.root()
    before = copy.deepcopy(workflow)
    inputs = to_api_prompt(workflow, {"N": definition({"range": ["RANGE"], "list": ["COLORS"]})})["1"]["inputs"]
    inputs["range"]["min"] = 2
    inputs["list"]["__value__"].append(3)
    assert workflow == before


TYPES = [
    "Image",
    "Invert",
    "Blend",
    "Save",
    "Any",
    "Text",
    "Sampler",
    "Reroute",
    "PrimitiveNode",
    "Note",
    "SetNode",
    "GetNode",
]
TYPES += ["Lost", "one", "two", "workflow>G"]
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.floats()
    | st.sampled_from(["fixed", "a", "-1", "{a|b}", "%a.b%"])
)
IDS = st.integers(1, 6)
SLOTS = st.integers(0, 3)
NAMES = st.sampled_from(["image", "mask", "images", "width", "factor", "source", "", "text", "w"])


PROXIES = st.lists(st.lists(st.sampled_from(["-1", "2", "w", "width"]), max_size=3), max_size=2)
VALUES = st.lists(SCALARS, max_size=4) | st.dictionaries(NAMES, SCALARS, max_size=3)
LINKS = st.none() | st.integers(1, 12)


@st.composite
def saved_inputs(draw: st.DrawFn) -> dict[str, Any]:
    name = draw(NAMES)
    widget = {"widget": {"name": name}} if draw(st.booleans()) else {}
    return {"name": name, "type": draw(st.sampled_from(["IMAGE", "*", "INT"])), "link": draw(LINKS), **widget}


@st.composite
def nodes(draw: st.DrawFn) -> list[dict[str, Any]]:
    return [
        {
            "id": identity,
            "type": draw(st.sampled_from(TYPES)),
            "mode": draw(st.sampled_from([0, 0, 0, 2, 4])),
            "inputs": draw(st.lists(saved_inputs(), max_size=3)),
            "outputs": [{"name": "o", "type": "IMAGE"}] * draw(SLOTS),
            "properties": draw(st.just({}) | st.fixed_dictionaries({"proxyWidgets": PROXIES})),
            "widgets_values": draw(VALUES),
        }
        for identity in draw(st.lists(IDS, max_size=6))
    ]


@st.composite
def graphs(draw: st.DrawFn) -> dict[str, Any]:
    def scope(*, inner: bool) -> dict[str, Any]:
        ends = st.sampled_from([-20, -10]) | IDS if inner else IDS
        links = st.lists(st.tuples(ends, SLOTS, ends, SLOTS), max_size=12)
        table = [[index + 1, *link, "IMAGE"] for index, link in enumerate(draw(links))]
        return {"nodes": draw(nodes()), "links": table}

    def subgraph(name: str) -> dict[str, Any]:
        ports = [
            {"name": port, "type": "IMAGE", "linkIds": draw(st.lists(st.integers(1, 12), max_size=3))} for port in "wx"
        ]
        return {"id": name, "name": name, **scope(inner=True), "inputs": ports, "outputs": copy.deepcopy(ports)}

    group = scope(inner=False)
    group["links"] = [[*link[1:5], 0, "IMAGE"] for link in group["links"]]
    subgraphs = [subgraph(name) for name in ("one", "two")[: draw(st.integers(0, 2))]]
    return {
        "version": 0.4,
        **scope(inner=False),
        "definitions": {"subgraphs": subgraphs},
        "extra": {"groupNodes": {"G": group}},
    }


@given(graphs(), st.booleans())
@settings(max_examples=150, deadline=None)
def test_any_graph_is_converted_or_refused(workflow: dict[str, Any], strict: bool) -> None:
    before = json.dumps(workflow)
    try:
        done = convert(workflow, INFO, strict_frontend=strict)
    except WorkflowError as error:
        assert str(error)
    else:
        for node in done.prompt.values():
            for value in node["inputs"].values():
                # Whatever is a list is a link, and a link leads to a node that is sent.
                assert not isinstance(value, list) or value[0] in done.prompt
        assert all(str(note) for note in done.report)
    assert json.dumps(workflow) == before


JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=3), max_leaves=8
)


@given(graphs(), st.data())
@settings(max_examples=150, deadline=None)
def test_junk_anywhere_in_a_file_raises_nothing_else(workflow: dict[str, Any], data: st.DataObject) -> None:
    for _ in range(data.draw(st.integers(1, 3))):
        target: Any = workflow
        while True:
            keys = list(target) if isinstance(target, dict) else list(range(len(target)))
            if not keys:
                break
            key = data.draw(st.sampled_from(keys))
            inner = target[key]
            if not isinstance(inner, (dict, list)) or not inner or data.draw(st.integers(0, 3)) == 0:
                target[key] = data.draw(JSON)
                break
            target = inner
    try:
        to_api_prompt(workflow, INFO)
    except WorkflowError as error:
        assert str(error)


@pytest.mark.timeout(60)
def test_tens_of_thousands_of_values_without_an_input_are_told_in_time() -> None:
    rows = [{"lora": f"{index}.safetensors", "on": True} for index in range(20_000)]
    named = {f"name{index}": index for index in range(20_000)}
    drawing = Drawing()
    drawing.node("Power Lora Loader (rgthree)", rows, outputs=("MODEL",))
    drawing.node("Odd", list(range(20_000)), widgets_values_named=named, outputs=("MODEL",))
    info = {"Power Lora Loader (rgthree)": definition({}, ("MODEL",)), "Odd": definition({}, ("MODEL",))}
    assert len(to_api_prompt(drawing.root(), info)) == 2


@pytest.mark.timeout(60)
def test_thousands_of_broadcasters_are_told_in_time() -> None:
    drawing = Drawing()
    model = drawing.node("Model", ["a.safetensors"], outputs=("MODEL", "CLIP", "VAE"))
    for _ in range(2000):
        drawing.node("Text", ["x"], {"clip": "CLIP"}, ("COND",))
        drawing.node("Anything Everywhere", None, {"anything": (model, 1, "*")})
    assert len(convert(drawing.root(), INFO).report) == 2000


@pytest.mark.timeout(60)
def test_matched_sockets_by_the_thousand_are_resolved_in_time() -> None:
    match = ["COMFY_MATCHTYPE_V3", {"template": {"template_id": "t", "allowed_types": "*"}}]
    names = [f"in{index}" for index in range(1000)]
    drawing = Drawing()
    image = drawing.node("Image", [1, 2], outputs=("IMAGE",))
    for _ in range(20):
        switch = drawing.node("Switch", [], dict.fromkeys(names, (image, 0, "IMAGE")), ("*",), mode=4)
        drawing.node("Save", ["x"], {"images": (switch, 0, "IMAGE")})
    info = {**INFO, "Switch": definition(dict.fromkeys(names, match), ("COMFY_MATCHTYPE_V3",))}
    prompt = to_api_prompt(drawing.root(), info)
    assert all(node["inputs"]["images"] == ["1", 0] for node in prompt.values() if node["class_type"] == "Save")
