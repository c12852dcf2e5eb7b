"""Subgraph instances: what crosses their border, whose value counts, and what cannot be unfolded."""

from __future__ import annotations

from typing import Any

import pytest

from comfy_widgets.errors import WorkflowError
from comfy_widgets.workflow._convert import convert, to_api_prompt

from .ui_graphs import INFO, Drawing, definition, inputs_of

IMAGE = ("IMAGE",)


def inverter(mode: int = 0, kind: str = "Invert") -> dict[str, Any]:
    """A definition ``inv``: image -> a node (20) -> IMAGE."""
    inner = Drawing(first_id=20)
    node = inner.node(kind, None, {"image": (-10, 0, "IMAGE")}, IMAGE, mode=mode)
    return inner.subgraph("inv", {"image": "IMAGE"}, {"IMAGE": (node, 0, "IMAGE")})


def maker(**more: Any) -> dict[str, Any]:
    """A definition ``make`` with promoted width ``w`` (of node 30, saved as 7), and a height of its own (8)."""
    inner = Drawing(first_id=30)
    node = inner.node("Image", [7, 8], outputs=IMAGE, widget_inputs={"width": (-10, 0, "INT")})
    return inner.subgraph("make", {"w": "INT"}, {"IMAGE": (node, 0, "IMAGE")}, **more)


def chain(*instances: dict[str, Any], definitions: list[dict[str, Any]]) -> dict[str, Any]:
    """Image (1) -> instances of ``inv`` (2, 3, ...) -> Save (9)."""
    drawing = Drawing()
    origin = drawing.node("Image", [1, 2], outputs=IMAGE)
    for more in instances:
        origin = drawing.node("inv", [], {"image": (origin, 0, "IMAGE")}, IMAGE, **more)
    drawing.node("Save", ["x"], {"images": (origin, 0, "IMAGE")}, id=9)
    return drawing.root(*definitions)


def made(values: Any, definitions: list[dict[str, Any]] | None = None, **more: Any) -> dict[str, dict[str, Any]]:
    """The inputs that are sent for one instance (2) of ``make``."""
    drawing = Drawing(first_id=2)
    drawing.node("make", values, outputs=IMAGE, widget_inputs={"w": "INT"}, **more)
    return inputs_of(to_api_prompt(drawing.root(*(definitions or [maker()])), INFO))


def test_an_instance_is_unfolded_under_its_own_id() -> None:
    assert inputs_of(to_api_prompt(chain({}, definitions=[inverter()]), INFO)) == {
        "1": {"width": 1, "height": 2},
        "2:20": {"image": ["1", 0]},
        "9": {"filename_prefix": "x", "images": ["2:20", 0]},
    }


@pytest.mark.parametrize(("mode", "image"), [(2, None), (4, ["1", 0])])
def test_a_muted_or_bypassed_instance_is_not_unfolded(mode: int, image: Any) -> None:
    prompt = to_api_prompt(chain({"mode": mode}, definitions=[inverter()]), INFO)
    assert set(prompt) == {"1", "9"}
    assert prompt["9"]["inputs"].get("images") == image


@pytest.mark.parametrize(("mode", "image"), [(2, None), (4, ["1", 0])])
def test_a_muted_or_bypassed_node_inside(mode: int, image: Any) -> None:
    prompt = to_api_prompt(chain({}, definitions=[inverter(mode)]), INFO)
    assert set(prompt) == {"1", "9"}
    assert prompt["9"]["inputs"].get("images") == image


def test_nested_instances_are_unfolded_whatever_their_mode() -> None:
    outer = Drawing(first_id=40)
    inner = outer.node("inv", [], {"image": (-10, 0, "IMAGE")}, IMAGE, mode=4)
    definition = outer.subgraph(
        "outer", {"in": "IMAGE"}, {"out": (inner, 0, "IMAGE")}, definitions={"subgraphs": [inverter()]}
    )
    drawing = Drawing()
    image = drawing.node("Image", [1, 2], outputs=IMAGE)
    instance = drawing.node("outer", [], {"in": (image, 0, "IMAGE")}, IMAGE)
    drawing.node("Save", ["x"], {"images": (instance, 0, "IMAGE")}, id=9)
    prompt = to_api_prompt(drawing.root(definition), INFO)
    assert inputs_of(prompt)["2:40:20"] == {"image": ["1", 0]}
    assert prompt["9"]["inputs"]["images"] == ["1", 0]


@pytest.mark.parametrize(("kind", "mode"), [("Invert", 4), ("Reroute", 0)])
def test_copies_in_series_work_here_and_are_reported(kind: str, mode: int) -> None:
    workflow = chain({}, {}, definitions=[inverter(mode, kind)])
    done = convert(workflow, INFO)
    assert done.prompt["9"]["inputs"]["images"] == ["1", 0]
    assert [note.kind for note in done.report] == ["frontend-differs"]
    with pytest.raises(WorkflowError, match="circle"):
        convert(workflow, INFO, strict_frontend=True)


def test_active_copies_in_series_need_no_remark() -> None:
    done = convert(chain({}, {}, definitions=[inverter()]), INFO)
    assert (done.prompt["3:20"]["inputs"], done.report) == ({"image": ["2:20", 0]}, ())


def test_an_output_wired_straight_to_an_input() -> None:
    inner = Drawing()
    workflow = chain({}, definitions=[inner.subgraph("inv", {"image": "IMAGE"}, {"IMAGE": (-10, 0, "IMAGE")})])
    done = convert(workflow, INFO)
    assert done.prompt["9"]["inputs"]["images"] == ["1", 0]
    assert [note.kind for note in done.report] == ["frontend-differs"]
    with pytest.raises(WorkflowError, match="straight"):
        convert(workflow, INFO, strict_frontend=True)


def test_the_hosts_value_counts_and_the_inner_one_is_the_fallback() -> None:
    assert made([100]) == {"2:30": {"width": 100, "height": 8}}
    for nothing in ([], [None], None):
        assert made(nothing) == {"2:30": {"width": 7, "height": 8}}


def test_each_instance_has_values_of_its_own() -> None:
    drawing = Drawing(first_id=2)
    drawing.node("make", [100])
    drawing.node("make", [200])
    prompt = to_api_prompt(drawing.root(maker()), INFO)
    assert (prompt["2:30"]["inputs"]["width"], prompt["3:30"]["inputs"]["width"]) == (100, 200)


def test_a_link_to_the_host_counts_more_than_its_value() -> None:
    drawing = Drawing(first_id=1)
    image = drawing.node("Image", [1, 2], outputs=IMAGE)
    drawing.node("make", [100], widget_inputs={"w": (image, 0, "INT")})
    assert to_api_prompt(drawing.root(maker()), INFO)["2:30"]["inputs"] == {"width": ["1", 0], "height": 8}


def test_host_values_count_promoted_inputs_only() -> None:
    inner = Drawing(first_id=30)
    blend = inner.node(
        "Blend", [0.5], {"image": (-10, 0, "IMAGE"), "mask": (-10, 1, "MASK")}, ("MASK", "IMAGE"),
        widget_inputs={"factor": (-10, 2, "FLOAT")},
    )  # fmt: skip
    inner.node("Image", [7, 8], outputs=IMAGE, widget_inputs={"height": (-10, 3, "INT")})
    ports = {"image": "IMAGE", "mask": "MASK", "factor": "FLOAT", "h": "INT"}
    definition = inner.subgraph("make", ports, {"MASK": (blend, 0, "MASK")})
    assert made([0.9, 99], [definition]) == {"2:30": {"factor": 0.9}, "2:31": {"width": 7, "height": 99}}


def test_an_input_that_reaches_a_widget_only_through_a_reroute_is_not_promoted() -> None:
    inner = Drawing(first_id=30)
    reroute = inner.node("Reroute", None, {"": (-10, 0, "*")}, ("INT",))
    node = inner.node("Image", [7, 8], outputs=IMAGE, widget_inputs={"width": (reroute, 0, "INT")})
    definition = inner.subgraph("make", {"w": "INT"}, {"IMAGE": (node, 0, "IMAGE")})
    assert made([100], [definition]) == {"2:31": {"width": 7, "height": 8}}


@pytest.mark.parametrize("reroute", [False, True])
def test_the_hosts_own_type_counts_outside(reroute: bool) -> None:
    inner = Drawing(first_id=30)
    port = inner.node("Reroute", None, {"": (-10, 0, "*")}, ("*",), id=31) if reroute else -10
    inner.node("End", None, {"x": (port, 0, "MASK")}, id=30)
    drawing = Drawing()
    images = [drawing.node("Image", [1, 2], outputs=IMAGE) for _ in range(2)]
    pair = {"image": (images[0], 0, "IMAGE"), "mask": (images[1], 0, "MASK")}
    blend = drawing.node("Blend", [0.5], pair, ("MASK", "IMAGE"), mode=4)
    drawing.node("sub", [], {"in": (blend, 0, "*")})
    workflow = drawing.root(inner.subgraph("sub", {"in": "*"}, {}))
    prompt = to_api_prompt(workflow, {**INFO, "End": definition({"x": ["MASK"]})})
    # As "*" the bypassed node hands on its input of the same number; as MASK it would be the mask.
    assert prompt["4:30"]["inputs"] == {"x": ["1", 0]}


def test_lists_of_the_host_are_wrapped() -> None:
    assert made([[1, 2]])["2:30"]["width"] == {"__value__": [1, 2]}


def nested() -> list[dict[str, Any]]:
    """``wrap`` promotes ``w`` of its instance (40) of ``make``, whose own host value is 50."""
    outer = Drawing(first_id=40)
    node = outer.node("make", [50], outputs=IMAGE, widget_inputs={"w": (-10, 0, "INT")})
    return [outer.subgraph("wrap", {"w2": "INT"}, {"IMAGE": (node, 0, "IMAGE")}), maker()]


@pytest.mark.parametrize(("values", "width"), [([500], 500), ([None], 50), ([], 50)])
def test_values_are_promoted_through_two_levels(values: list[Any], width: int) -> None:
    drawing = Drawing(first_id=2)
    drawing.node("wrap", values)
    assert inputs_of(to_api_prompt(drawing.root(*nested()), INFO)) == {"2:40:30": {"width": width, "height": 8}}


def test_a_primitive_on_a_promoted_input_counts_here_and_is_reported() -> None:
    drawing = Drawing()
    primitive = drawing.node("PrimitiveNode", [256, "fixed"], outputs=("INT",))
    drawing.node("make", [100], widget_inputs={"w": (primitive, 0, "INT")})
    workflow = drawing.root(maker())
    done = convert(workflow, INFO)
    assert done.prompt["2:30"]["inputs"]["width"] == 256
    assert [(note.kind, note.node_id, note.input_name) for note in done.report] == [
        ("frontend-differs", "2:30", "width")
    ]
    assert convert(workflow, INFO, strict_frontend=True).prompt["2:30"]["inputs"]["width"] == 7


def test_a_quarantined_value_wins_the_first_for_a_name() -> None:
    entries = [
        {"originalEntry": ["30", "height"], "hostValue": 1},
        {"originalEntry": ["-1", "w"]},
        {"originalEntry": ["-1", "w"], "hostValue": 300},
        {"originalEntry": ["-1", "w"], "hostValue": 400},
        {"originalEntry": ["-1", "gone"], "hostValue": 5},
        None,
    ]
    assert made([100], properties={"proxyWidgetErrorQuarantine": entries}) == {"2:30": {"width": 300, "height": 8}}


@pytest.mark.parametrize(
    ("entries", "values", "inputs"),
    [
        ([["30", "height"], ["30", "width"]], [11, 22], {"width": 22, "height": 11}),
        ([["-1", "w"], ["30", "height"]], [11, 22], {"width": 11, "height": 22}),
        ([[30, "height"]], [11], {"width": 7, "height": 11}),
        ([["30", "30: height"]], [11], {"width": 7, "height": 11}),
        ([["30", "$$preview"], ["30", "height"]], [None, 22], {"width": 7, "height": 22}),
        ([["30", "height"], ["30", "width"]], [None], {"width": 7, "height": 8}),
        ([["30", "control_after_generate"], ["30", "height"]], ["fixed", 22], {"width": 7, "height": 22}),
        ([None, ["30", "height"]], [11, 22], {"width": 7, "height": 22}),
        ([], [11], {"width": 11, "height": 8}),
    ],
)
def test_lists_of_inner_widgets_in_older_files(entries: list[Any], values: list[Any], inputs: dict[str, Any]) -> None:
    assert made(values, properties={"proxyWidgets": entries}) == {"2:30": inputs}


@pytest.mark.parametrize("entry", [["99", "height"], ["30", "gone"]])
def test_a_value_for_an_inner_widget_that_does_not_exist_is_told(entry: list[str]) -> None:
    drawing = Drawing(first_id=2)
    drawing.node("make", [11], properties={"proxyWidgets": [entry]})
    done = convert(drawing.root(maker()), INFO)
    assert done.prompt["2:30"]["inputs"] == {"width": 7, "height": 8}
    assert [note.kind for note in done.report] == ["dropped"]
    assert entry[1] in str(done.report[0])


@pytest.mark.parametrize(
    ("entry", "inputs"),
    [
        # The nested instance's promoted input, fed by wrap's own input or by nothing; and a widget deep inside.
        (["40", "w"], {"width": 500, "height": 8}),
        (["40", "30: height"], {"width": 50, "height": 500}),
        (["40", "height", "30"], {"width": 50, "height": 500}),
        (["40", "listed inside"], {"width": 50, "height": 500}),
    ],
)
@pytest.mark.parametrize("fed", [True, False])
def test_older_lists_reach_into_nested_subgraphs(entry: list[str], inputs: dict[str, Any], fed: bool) -> None:
    definitions = nested()
    if not fed:
        definitions[0]["nodes"][0]["inputs"][0]["link"] = None
    if entry[1] == "listed inside":
        definitions[0]["nodes"][0].update(
            properties={"proxyWidgets": [["-1", "w"], ["30", "listed inside"]]}, widgets_values=[50, None]
        )
        definitions[1]["nodes"][0]["type"] = "Odd"
    info = {**INFO, "Odd": {"input": {"required": {"width": ["INT"], "listed inside": ["INT"]}}, "output": ["IMAGE"]}}
    drawing = Drawing(first_id=2)
    drawing.node("wrap", [500], properties={"proxyWidgets": [entry]})
    prompt = to_api_prompt(drawing.root(*definitions), info)
    if entry[1] == "listed inside":
        inputs = {"width": 50, "listed inside": 500}
    assert prompt["2:40:30"]["inputs"] == inputs


def test_an_older_list_may_name_a_primitive_inside() -> None:
    inner = Drawing(first_id=30)
    primitive = inner.node("PrimitiveNode", [5, "fixed"], outputs=("INT",))
    for name in ("width", "height"):
        inner.node("Image", [7, 8], outputs=IMAGE, widget_inputs={name: (primitive, 0, "INT")})
    definition = inner.subgraph("make", {}, {})
    sent = made([99], [definition], properties={"proxyWidgets": [["30", "value"]]})
    assert sent == {"2:31": {"width": 99, "height": 8}, "2:32": {"width": 7, "height": 99}}


def test_ids_that_clash_are_renumbered_above_the_highest() -> None:
    drawing = Drawing()
    drawing.node("make", [100], id=30, properties={"proxyWidgets": [["30", "height"]]})
    second = Drawing(first_id=30)
    second.node("Image", [1, 2])
    workflow = drawing.root(maker(), second.subgraph("other", {}, {}), last_node_id=60)
    workflow["nodes"].append({"id": 5, "type": "other"})
    # The root keeps 30; the definitions' 30 become 61 and 62, and the older list follows.
    assert inputs_of(to_api_prompt(workflow, INFO)) == {
        "30:61": {"width": 7, "height": 100},
        "5:62": {"width": 1, "height": 2},
    }


def test_a_subgraph_that_contains_itself_is_refused() -> None:
    inner = Drawing(first_id=20)
    inner.node("inv", [], {"image": (-10, 0, "IMAGE")}, IMAGE, title="Inner copy")
    with pytest.raises(WorkflowError, match='"The inv" contains itself') as caught:
        to_api_prompt(chain({}, definitions=[inner.subgraph("inv", {"image": "IMAGE"}, {})]), INFO)
    assert (caught.value.node_id, caught.value.node_title) == ("20", "Inner copy")


def test_subgraphs_that_double_at_every_level_are_refused_in_time() -> None:
    definitions = []
    for level in range(40):
        inner = Drawing(first_id=10 * level + 10)
        for _ in range(2):
            inner.node(f"level{level + 1}", [])
        definitions.append(inner.subgraph(f"level{level}", {}, {}))
    drawing = Drawing()
    drawing.node("level0", [])
    with pytest.raises(WorkflowError, match="unfold to more than"):
        to_api_prompt(drawing.root(*definitions), INFO)


def test_endless_nesting_is_refused() -> None:
    definitions = []
    for level in range(100):
        inner = Drawing(first_id=10 * level + 10)
        inner.node(f"level{level + 1}", [])
        definitions.append(inner.subgraph(f"level{level}", {}, {}))
    drawing = Drawing()
    drawing.node("level0", [])
    with pytest.raises(WorkflowError, match="nested deeper"):
        to_api_prompt(drawing.root(*definitions), INFO)
