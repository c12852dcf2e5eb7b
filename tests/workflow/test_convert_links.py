"""What feeds an input: through muted, bypassed and virtual nodes, and through files that are not quite right."""

from __future__ import annotations

from typing import Any

import pytest

from comfy_widgets.errors import WorkflowError
from comfy_widgets.workflow._convert import convert, to_api_prompt

from .ui_graphs import INFO, Drawing, definition, inputs_of

IMAGE = ("IMAGE",)


def image_of(prompt: dict[str, Any], identity: str) -> Any:
    return prompt[identity]["inputs"].get("images")


def with_middle(node_type: str, mode: int = 0, **more: Any) -> Drawing:
    """Image (1) -> a node (2) -> Save (3)."""
    drawing = Drawing()
    image = drawing.node("Image", [1, 2], outputs=IMAGE)
    middle = drawing.node(node_type, None, {"image": (image, 0, "IMAGE")}, IMAGE, mode=mode, **more)
    drawing.node("Save", ["x"], {"images": (middle, 0, "IMAGE")})
    return drawing


@pytest.mark.parametrize("mode", [0, 1, 3])
def test_active_nodes_are_linked(mode: int) -> None:
    assert inputs_of(to_api_prompt(with_middle("Invert", mode).root(), INFO)) == {
        "1": {"width": 1, "height": 2},
        "2": {"image": ["1", 0]},
        "3": {"filename_prefix": "x", "images": ["2", 0]},
    }


def test_a_muted_node_cuts_the_link_and_a_bypassed_one_hands_it_on() -> None:
    muted = to_api_prompt(with_middle("Invert", 2).root(), INFO)
    assert (set(muted), image_of(muted, "3")) == ({"1", "3"}, None)
    bypassed = to_api_prompt(with_middle("Invert", 4).root(), INFO)
    assert (set(bypassed), image_of(bypassed, "3")) == ({"1", "3"}, ["1", 0])


def test_nodes_that_are_not_connected_are_sent_too() -> None:
    drawing = Drawing()
    drawing.node("Image", [1, 2])
    assert set(to_api_prompt(drawing.root(), INFO)) == {"1"}


@pytest.mark.parametrize(
    ("slot", "consumer", "expected"),
    [
        # Blend's inputs: 0 image IMAGE, 1 mask MASK, 2 factor FLOAT (a widget); its outputs: 0 MASK, 1 IMAGE.
        (0, ("mask", "MASK"), 1),
        (1, ("image", "IMAGE"), 0),
        (1, ("source", "*"), 1),
        (0, ("source", "*"), 0),
    ],
)
def test_a_bypassed_node_is_replaced_by_its_matching_input(slot: int, consumer: tuple[str, str], expected: int) -> None:
    drawing = Drawing()
    image = drawing.node("Image", [1, 2], outputs=IMAGE, id=10)
    mask = drawing.node("MaskMaker", None, outputs=("MASK",), id=11)
    blend = drawing.node(
        "Blend",
        [0.5],
        {"image": (image, 0, "IMAGE"), "mask": (mask, 0, "MASK")},
        ("MASK", "IMAGE"),
        mode=4,
        id=12,
    )
    drawing.node("Consumer", None, {consumer[0]: (blend, slot, consumer[1])}, id=13)
    info = {
        **INFO,
        "MaskMaker": definition({}, ("MASK",)),
        "Consumer": definition({consumer[0]: [consumer[1]]}),
    }
    origin = ["10", "11"][expected]
    assert to_api_prompt(drawing.root(), info)["13"]["inputs"] == {consumer[0]: [origin, 0]}


def test_bypassing_prefers_the_same_place_then_the_same_type_then_what_fits() -> None:
    def feeding(types: list[str], outputs: tuple[str, ...], slot: int, wanted: str) -> Any:
        drawing = Drawing()
        sources = [drawing.node("Image", [1, 2], outputs=(name,)) for name in types]
        inputs = {
            f"i{index}": (source, 0, name) for index, (source, name) in enumerate(zip(sources, types, strict=True))
        }
        middle = drawing.node("Middle", None, inputs, outputs, mode=4, id=50)
        drawing.node("End", None, {"x": (middle, slot, wanted)}, id=51)
        info = {
            **INFO,
            "Middle": definition({name: [source[2]] for name, source in inputs.items()}, outputs),
            "End": definition({"x": [wanted]}),
        }
        return to_api_prompt(drawing.root(), info)["51"]["inputs"].get("x")

    assert feeding(["A", "A"], ("A", "A"), 1, "A") == ["2", 0]
    assert feeding(["B", "A"], ("A",), 0, "A") == ["2", 0]
    assert feeding(["B", "A,C"], ("A",), 0, "a") == ["2", 0]
    assert feeding(["B", "*"], ("A",), 0, "A") == ["2", 0]
    assert feeding(["*", "A"], ("B", "A"), 1, "A") == ["2", 0]
    assert feeding(["B"], ("A",), 0, "A") is None
    assert feeding([], ("A",), 0, "*") is None


def bypassed(
    first: dict[str, Any], outputs: tuple[str, ...], slot: int, wanted: str, saved: dict[str, str] | None = None
) -> Any:
    """What a consumer of type `wanted` is fed with by output `slot` of a bypassed node (50) with the inputs `first`.

    Each of its sockets is fed by an image (1, 2, ...) of its own, saved with the type in `saved`, if it has one there.
    """
    drawing = Drawing()
    names = list(saved) if saved else list(first)
    sources = {name: drawing.node("Image", [1, 2], outputs=IMAGE) for name in names}
    inputs = {name: (source, 0, saved[name] if saved else first[name][0]) for name, source in sources.items()}
    drawing.node("Middle", None, inputs, outputs, mode=4, id=50)
    drawing.node("End", None, {"x": (50, slot, wanted)}, id=51)
    info = {**INFO, "Middle": definition(first, outputs), "End": definition({"x": [wanted]})}
    return to_api_prompt(drawing.root(), info)["51"]["inputs"].get("x")


def test_autogrow_shows_one_more_socket_than_is_connected() -> None:
    rows = [
        "COMFY_AUTOGROW_V3",
        {"template": {"input": {"required": {"i": ["IMAGE"]}}, "prefix": "i", "min": 1, "max": 4}},
    ]
    inputs = {"g": rows, "last": ["IMAGE"]}

    def at(slot: int, *connected: str) -> Any:
        return bypassed(inputs, ("A",) * 6, slot, "*", dict.fromkeys([*connected, "last"], "IMAGE"))

    # Nothing connected: min + 1 = 2 sockets; three connected: 4; all four connected: no fifth.
    assert at(2) == ["1", 0]
    assert at(4, "g.i0", "g.i2") == ["3", 0]
    assert at(4, "g.i3") == ["2", 0]
    assert at(0, "g.i0", "g.i2") == ["1", 0]


MATCHED = ["COMFY_MATCHTYPE_V3", {"template": {"template_id": "t", "allowed_types": "*"}}]


def into_a_switch(other: str | None, saved: str) -> Any:
    """What feeds ``off`` of a switch behind a bypassed node; ``on`` is fed by a node of type `other`, if any."""
    drawing = Drawing()
    model = drawing.node("Model", ["a.safetensors"], outputs=("MODEL", "CLIP", "VAE"))
    text = drawing.node("Text", ["x"], {"clip": (model, 1, "CLIP")}, ("COND",), mode=4)
    inputs: dict[str, Any] = {"off": (text, 0, saved), "on": saved}
    if other is not None:
        fed = drawing.node("Fed", [], outputs=(other,))
        inputs["on"] = (fed, 0, saved)
    drawing.node("Switch", [], inputs, (saved,), id=50)
    info = {
        **INFO,
        "Switch": definition({"off": MATCHED, "on": MATCHED}, ("COMFY_MATCHTYPE_V3",)),
        "Fed": definition({}, (other or "X",)),
    }
    return to_api_prompt(drawing.root(), info)["50"]["inputs"].get("off")


@pytest.mark.parametrize("saved", ["*", "COND", "MODEL"])
def test_a_matched_input_has_the_type_of_what_is_linked_to_the_others(saved: str) -> None:
    # Alone it takes anything, so the bypassed node's input of the same number stands in.
    assert into_a_switch(None, saved) == ["1", 1]
    assert into_a_switch("COND", saved) is None
    assert into_a_switch("CLIP", saved) == ["1", 1]


def test_matched_inputs_of_a_bypassed_node_have_the_type_of_their_links() -> None:
    inputs = {"switch": ["BOOLEAN"], "off": MATCHED, "on": MATCHED}
    for saved in ("IMAGE", "MASK"):
        fed = {"off": saved, "on": saved}
        assert bypassed(inputs, ("COMFY_MATCHTYPE_V3",), 0, "IMAGE", fed) == ["1", 0]
        assert bypassed(inputs, ("COMFY_MATCHTYPE_V3",), 0, "MASK", fed) is None


def test_behind_a_bypassed_node_its_own_inputs_type_counts() -> None:
    drawing = Drawing()
    image = drawing.node("Image", [1, 2], outputs=IMAGE)
    mask = drawing.node("Image", [3, 4], outputs=IMAGE)
    pair = {"image": (image, 0, "IMAGE"), "mask": (mask, 0, "MASK")}
    blend = drawing.node("Blend", [0.5], pair, ("MASK", "IMAGE"), mode=4)
    middle = drawing.node("Middle", None, {"any": (blend, 0, "*")}, ("MASK",), mode=4)
    drawing.node("End", None, {"x": (middle, 0, "MASK")})
    info = {**INFO, "Middle": definition({"any": ["*"]}, ("MASK",)), "End": definition({"x": ["MASK"]})}
    # As "*" it is fed by the input of the same number; as MASK it would be by the mask.
    assert to_api_prompt(drawing.root(), info)["5"]["inputs"] == {"x": ["1", 0]}


def test_a_bypassed_node_without_anything_connected_leaves_the_input_open() -> None:
    drawing = Drawing()
    middle = drawing.node("Invert", None, {"image": "IMAGE"}, IMAGE, mode=4)
    drawing.node("Save", ["x"], {"images": (middle, 0, "IMAGE")})
    assert to_api_prompt(drawing.root(), INFO)["2"]["inputs"] == {"filename_prefix": "x"}


def test_reroutes_in_series_carry_the_wanted_type_into_a_bypassed_node() -> None:
    drawing = Drawing()
    image = drawing.node("Image", [1, 2], outputs=IMAGE, id=10)
    mask = drawing.node("MaskMaker", None, outputs=("MASK",), id=11)
    inputs = {"image": (image, 0, "IMAGE"), "mask": (mask, 0, "MASK")}
    origin = drawing.node("Blend", [0.5], inputs, ("MASK", "IMAGE"), mode=4, id=12)
    for identity in range(20, 23):
        origin = drawing.node("Reroute", None, {"": (origin, 1 if identity == 20 else 0, "*")}, ("*",), id=identity)
    drawing.node("Save", ["x"], {"images": (origin, 0, "IMAGE")}, id=30)
    info = {**INFO, "MaskMaker": definition({}, ("MASK",))}
    prompt = to_api_prompt(drawing.root(), info)
    assert image_of(prompt, "30") == ["10", 0]
    assert set(prompt) == {"10", "11", "30"}


def test_notes_are_dropped_and_links_to_them_lead_nowhere() -> None:
    drawing = Drawing()
    note = drawing.node("Note", ["hello"], outputs=IMAGE)
    drawing.node("MarkdownNote", ["hello"])
    drawing.node("Save", ["x"], {"images": (note, 0, "IMAGE")})
    done = convert(drawing.root(), INFO)
    assert inputs_of(done.prompt) == {"3": {"filename_prefix": "x"}}
    assert done.report == ()


def primitive(mode: int = 0, through: str | None = None) -> Drawing:
    """Primitive (1) -> maybe a Reroute (2) -> the width of Image (9)."""
    drawing = Drawing()
    origin = drawing.node("PrimitiveNode", [128, "fixed"], outputs=("INT",), mode=mode)
    if through:
        origin = drawing.node(through, None, {"": (origin, 0, "*")}, ("INT",))
    drawing.node("Image", [64, 65], outputs=IMAGE, widget_inputs={"width": (origin, 0, "INT")}, id=9)
    return drawing


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("mode", [0, 2, 4])
def test_a_primitive_writes_its_value_whatever_its_mode(mode: int, strict: bool) -> None:
    done = convert(primitive(mode).root(), INFO, strict_frontend=strict)
    assert inputs_of(done.prompt) == {"9": {"width": 128, "height": 65}}
    assert done.report == ()


def test_a_primitive_behind_a_reroute_counts_here_and_is_reported() -> None:
    done = convert(primitive(through="Reroute").root(), INFO)
    assert done.prompt["9"]["inputs"]["width"] == 128
    (note,) = done.report
    assert (note.kind, note.node_id, note.input_name) == ("frontend-differs", "9", "width")
    strict = convert(primitive(through="Reroute").root(), INFO, strict_frontend=True)
    assert (strict.prompt["9"]["inputs"]["width"], strict.report) == (64, ())


def test_a_primitive_without_a_value_leaves_the_widget_alone() -> None:
    workflow = primitive().root()
    del workflow["nodes"][0]["widgets_values"]
    assert to_api_prompt(workflow, INFO)["9"]["inputs"]["width"] == 64


@pytest.mark.parametrize("kinds", [("SetNode", "GetNode"), ("easy setNode", "easy getNode")])
def test_wires_by_name(kinds: tuple[str, str]) -> None:
    drawing = Drawing()
    images = [drawing.node("Image", [1, 2], outputs=IMAGE) for _ in range(2)]
    for image, name in zip(images, ("a", "b"), strict=True):
        drawing.node(kinds[0], [name], {"IMAGE": (image, 0, "IMAGE")}, ("*",))
    for name in ("b", "gone"):
        getter = drawing.node(kinds[1], [name], outputs=IMAGE)
        drawing.node("Save", ["x"], {"images": (getter, 0, "IMAGE")})
    prompt = to_api_prompt(drawing.root(), INFO)
    assert set(prompt) == {"1", "2", "6", "8"}
    assert (image_of(prompt, "6"), image_of(prompt, "8")) == (["2", 0], None)


@pytest.mark.parametrize("muted", [1, 2])
def test_muted_ends_cut_a_wire_by_name(muted: int) -> None:
    drawing = Drawing()
    image = drawing.node("Image", [1, 2], outputs=IMAGE)
    drawing.node("SetNode", ["a"], {"IMAGE": (image, 0, "IMAGE")}, ("*",))
    getter = drawing.node("GetNode", ["a"], outputs=IMAGE)
    drawing.node("Save", ["x"], {"images": (getter, 0, "IMAGE")})
    workflow = drawing.root()
    workflow["nodes"][muted]["mode"] = 2
    assert image_of(to_api_prompt(workflow, INFO), "4") is None


def test_a_muted_reroute_cuts_and_a_bypassed_one_does_not() -> None:
    for mode, image in ((2, None), (4, ["1", 0])):
        drawing = with_middle("Reroute", mode)
        assert image_of(to_api_prompt(drawing.root(), INFO), "3") == image


def test_a_server_class_of_that_name_is_no_wire() -> None:
    drawing = Drawing()
    drawing.node("GetNode", ["a"])
    info = {"GetNode": definition({"key": ["STRING"]})}
    assert to_api_prompt(drawing.root(), info)["1"]["inputs"] == {"key": "a"}


def test_saved_inputs_are_matched_by_name_whatever_their_place() -> None:
    drawing = Drawing()
    image = drawing.node("Image", [1, 2], outputs=IMAGE, id=10)
    mask = drawing.node("MaskMaker", None, outputs=("MASK",), id=11)
    inputs = {"new": (mask, 0, "X"), "mask": (mask, 0, "MASK"), "image": (image, 0, "IMAGE")}
    drawing.node("Blend", [0.5], inputs, widget_inputs={"no such widget": (image, 0, "INT")}, id=12)
    info = {**INFO, "MaskMaker": definition({}, ("MASK",))}
    assert to_api_prompt(drawing.root(), info)["12"]["inputs"] == {
        "factor": 0.5,
        "image": ["10", 0],
        "mask": ["11", 0],
        # Unknown to the definition, but not a widget that is gone: it is sent.
        "new": ["11", 0],
    }


def test_ids_and_slots_may_be_numbers_or_text_and_links_objects() -> None:
    drawing = with_middle("Invert")
    workflow = drawing.root()
    workflow["version"] = 1
    keys = ("id", "origin_id", "origin_slot", "target_id", "target_slot", "type")
    workflow["links"] = [dict(zip(keys, map(str, link), strict=True)) for link in workflow["links"]]
    for node in workflow["nodes"]:
        node["id"] = float(node["id"])
    assert to_api_prompt(workflow, INFO) == to_api_prompt(drawing.root(), INFO)


def test_of_two_links_to_one_input_the_one_that_the_node_names_counts() -> None:
    drawing = with_middle("Invert")
    other = drawing.node("Image", [3, 4], outputs=IMAGE)
    drawing.link(other, 0, 2, 0, "IMAGE")
    workflow = drawing.root()
    assert to_api_prompt(workflow, INFO)["2"]["inputs"]["image"] == ["1", 0]
    workflow["nodes"][1]["inputs"][0]["link"] = len(workflow["links"])
    assert to_api_prompt(workflow, INFO)["2"]["inputs"]["image"] == ["4", 0]
    # A file that names no links at its inputs: the first in the table.
    del workflow["nodes"][1]["inputs"][0]["link"]
    assert to_api_prompt(workflow, INFO)["2"]["inputs"]["image"] == ["1", 0]


def test_links_to_nothing_are_no_links() -> None:
    drawing = with_middle("Invert")
    workflow = drawing.root()
    workflow["nodes"][1]["inputs"][0]["link"] = 99
    workflow["links"][1][1] = 77
    workflow["links"] += [None, [1], ["x", None, None, None, None, "*"]]
    done = convert(workflow, INFO)
    assert inputs_of(done.prompt)["2"] == {}
    assert image_of(done.prompt, "3") is None
    assert [note.kind for note in done.report] == ["dropped"]


@pytest.mark.parametrize(("kind", "mode"), [("Reroute", 0), ("Invert", 4)])
def test_a_circle_of_nodes_that_only_hand_on_is_refused(kind: str, mode: int) -> None:
    drawing = Drawing()
    drawing.node(kind, None, {"image": (2, 0, "IMAGE")}, IMAGE, mode=mode, title="First")
    drawing.node(kind, None, {"image": (1, 0, "IMAGE")}, IMAGE, mode=mode)
    drawing.node("Save", ["x"], {"images": (2, 0, "IMAGE")})
    with pytest.raises(WorkflowError, match="circle") as caught:
        to_api_prompt(drawing.root(), INFO)
    assert caught.value.node_id in {"1", "2"}


def test_a_circle_of_sent_nodes_is_the_servers_to_refuse() -> None:
    drawing = Drawing()
    drawing.node("Invert", None, {"image": (2, 0, "IMAGE")}, IMAGE)
    drawing.node("Invert", None, {"image": (1, 0, "IMAGE")}, IMAGE)
    assert inputs_of(to_api_prompt(drawing.root(), INFO)) == {"1": {"image": ["2", 0]}, "2": {"image": ["1", 0]}}


def test_a_very_long_chain_needs_no_stack() -> None:
    drawing = Drawing()
    origin = drawing.node("Image", [1, 2], outputs=IMAGE)
    for _ in range(3000):
        origin = drawing.node("Reroute", None, {"": (origin, 0, "*")}, ("*",))
    drawing.node("Save", ["x"], {"images": (origin, 0, "IMAGE")}, id=9999)
    assert image_of(to_api_prompt(drawing.root(), INFO), "9999") == ["1", 0]


def test_nodes_of_packs_that_live_in_the_editor_are_not_missing() -> None:
    drawing = Drawing()
    image = drawing.node("Image", [1, 2], outputs=IMAGE)
    reroute = drawing.node("Reroute (rgthree)", None, {"": (image, 0, "*")}, ("*",))
    drawing.node("Fast Groups Muter (rgthree)", [])
    drawing.node("Save", ["x"], {"images": (reroute, 0, "IMAGE")})
    done = convert(drawing.root(), INFO)
    assert (set(done.prompt), image_of(done.prompt, "4"), done.report) == ({"1", "4"}, ["1", 0], ())
