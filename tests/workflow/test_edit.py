"""Editing as a value: values, pictures, nodes and wires; what differs; what is saved."""

from __future__ import annotations

import io
import json
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from comfy_widgets.errors import WorkflowError
from comfy_widgets.workflow import Workflow, example

from .catalog import INFO, hires, recorded_info, recorded_rows, text_to_image


def flow(prompt: dict[str, Any] | None = None) -> Workflow:
    return Workflow.load(prompt or text_to_image()).bind(INFO)


# -- values ------------------------------------------------------------------------------------------------------------


def test_a_change_makes_another_workflow() -> None:
    before = flow()
    after = before.with_params({"Save Image.filename_prefix": "b"}, seed=8)
    assert before.to_prompt() == text_to_image()
    assert (after["KSampler"].inputs["seed"], after["9"].inputs["filename_prefix"]) == (8, "b")
    assert after != before
    assert after.with_params(seed=7, filename_prefix="out") == before
    assert before.with_params() is before


def test_definitions_are_no_part_of_the_value() -> None:
    assert flow() == Workflow.load(text_to_image())


def test_values_wait_for_the_definitions_of_the_editors_form() -> None:
    waiting = example("text_to_image_ui").with_params(seed=8).with_params(steps=30)
    assert waiting.to_prompt(INFO)["3"]["inputs"]["steps"] == 30
    assert waiting.params(INFO)["seed"].value == 8
    assert waiting.bind(INFO).to_prompt() == waiting.to_prompt(INFO)
    with pytest.raises(WorkflowError, match="no parameter 'sed'"):
        example("text_to_image_ui").with_params(sed=8).to_prompt(INFO)


def test_changed_values_stand_in_the_editors_form() -> None:
    workflow = example("text_to_image_ui").bind(INFO).with_params(seed=8, positive="a boat", width=64)
    ui = workflow.to_ui()
    assert ui is not None
    assert Workflow.load(ui).to_prompt(INFO) == workflow.to_prompt()
    assert example("text_to_image_ui").bind(INFO).ui == example("text_to_image_ui").ui
    assert flow().to_ui() is None


def test_changed_values_of_real_workflows_stand_in_the_editors_form() -> None:
    info = recorded_info()
    written = 0
    for row in islice(recorded_rows("template"), 30):
        workflow = Workflow.load(row["workflow"]).bind(info)
        seed = next((param for param in workflow.params().primary if param.kind == "seed"), None)
        if seed is not None:
            changed = workflow.with_params({seed.name: 123456})
            ui = changed.to_ui()
            assert ui is not None
            assert Workflow.load(ui).to_prompt(info) == changed.to_prompt(), row["name"]
            written += 1
    assert written > 10


# -- pictures ----------------------------------------------------------------------------------------------------------

PICTURE = Image.new("RGB", (4, 4), "teal")


def with_picture() -> Workflow:
    prompt = text_to_image()
    prompt["10"] = {"class_type": "LoadImage", "inputs": {"image": "example.png"}}
    return flow(prompt)


def test_a_picture_of_ones_own_comes_along(tmp_path: Path) -> None:
    file = tmp_path / "mine.png"
    PICTURE.save(file)
    for way in ("image", "Load Image", "LoadImage", "10"):
        workflow = with_picture().set_image(way, file)
        ((name, data),) = workflow.uploads.items()
        assert workflow.to_prompt()["10"]["inputs"]["image"] == name
        assert data == file.read_bytes()
        assert name.endswith(".png")
        assert workflow.check() == []
    assert with_picture().uploads == {}


def test_a_picture_as_a_value() -> None:
    buffer = io.BytesIO()
    PICTURE.save(buffer, "PNG")
    by_image = with_picture().with_params(image=PICTURE)
    by_bytes = with_picture().with_params(image=buffer.getvalue())
    assert by_image == by_bytes
    assert by_image.set_image("image", PICTURE.resize((8, 8))).uploads.keys() != by_image.uploads.keys()
    assert with_picture().with_params(image="on_the_server.png").uploads == {}
    # What was given and then replaced is not uploaded; what a graph was rebuilt around still is.
    assert by_image.with_params(image="example.png").uploads == {}
    assert by_image.remove("9").uploads == by_image.uploads


@pytest.mark.parametrize(
    ("name", "picture", "says"),
    [
        ("image", b"not a picture", "no image format"),
        ("image", Path("/nowhere.png"), "cannot be read"),
        ("image", "/nowhere.png", "cannot be read"),
        ("positive", PICTURE, "takes no image, but a text"),
        ("nothing", PICTURE, "no parameter 'nothing'"),
    ],
)
def test_pictures_that_cannot_be(name: str, picture: Any, says: str) -> None:
    with pytest.raises(WorkflowError, match=says):
        with_picture().set_image(name, picture)


# -- the graph ---------------------------------------------------------------------------------------------------------


def with_lora() -> Workflow:
    lora = flow().add(
        "LoraLoader",
        title="Ink",
        model=("Load Checkpoint", "MODEL"),
        clip=("4", 1),
        lora_name="ink.safetensors",
        strength_model=1.0,
        strength_clip=1.0,
    )
    return lora.rewire("KSampler", "model", ("Ink", 0)).rewire("6", "clip", ("Ink", "CLIP"))


def test_adding_and_connecting_a_node() -> None:
    workflow = with_lora()
    assert workflow.check() == []
    assert workflow["KSampler"].inputs["model"] == [workflow["Ink"].id, 0]
    assert workflow.params()["lora_name"].value == "ink.safetensors"
    assert flow().diff(workflow) == [
        "added Ink (LoraLoader)",
        # Its node now stands behind the other one, so it is the second of its title.
        "CLIP Text Encode (Prompt) 2.clip Load Checkpoint[1] → Ink[1]",
        "KSampler.model Load Checkpoint[0] → Ink[0]",
    ]


def test_a_bypass_leads_around() -> None:
    around = with_lora().bypass("Ink")
    assert around.diff(flow()) == []
    assert around == flow()
    with pytest.raises(WorkflowError, match="needs the server's definitions"):
        Workflow.load(text_to_image()).bypass("KSampler")


def test_a_bypass_without_a_way_leaves_the_consumer_unconnected() -> None:
    workflow = flow().bypass("VAE Decode")
    assert "images" not in workflow["9"].inputs
    assert "images is not connected" in workflow.check()[0].message


def test_removing_a_node_takes_its_links() -> None:
    workflow = flow().remove("8")
    assert [node.id for node in workflow.find(class_type="VAEDecode")] == []
    assert workflow["9"].inputs == {"filename_prefix": "out"}
    assert flow().rewire("9", "images", None)["9"].inputs == {"filename_prefix": "out"}


def test_finding_nodes() -> None:
    workflow = flow()
    assert [node.id for node in workflow.find(class_type="CLIPTextEncode")] == ["6", "7"]
    assert [node.id for node in workflow.find(title="sampler")] == ["3"]
    assert workflow["KSampler"].id == workflow["3"].id == workflow[3].id
    assert [node.title for node in workflow][-1] == "Save Image"


@pytest.mark.parametrize(
    ("act", "says"),
    [
        (lambda w: w["KSampl"], "no node 'KSampl'. Did you mean 'KSampler'"),
        (lambda w: w["CLIPTextEncode"], "Several nodes are of the class 'CLIPTextEncode'"),
        (lambda w: w.remove("99"), "no node '99'"),
        (lambda w: w.add("KSamplr"), "no node class 'KSamplr'. Did you mean 'KSampler'"),
        (lambda w: w.rewire("3", "modl", ("4", 0)), "no input 'modl'. Did you mean 'model'"),
        (lambda w: w.rewire("3", "model", ("4", "MODL")), "no output 'MODL' .*Did you mean 'MODEL'"),
        (lambda w: w.rewire("3", "model", "4"), "connected to a pair of a node and its output"),
        (lambda w: w.rewire("3", "model", ("Loader", 0)), "no node 'Loader'"),
    ],
)
def test_edits_that_cannot_be(act: Any, says: str) -> None:
    with pytest.raises(WorkflowError, match=says):
        act(flow())


# -- what differs, and what matters ------------------------------------------------------------------------------------


def test_a_difference_in_words() -> None:
    before = flow(hires(text_to_image()))
    assert before.diff(before) == []
    changed = before.with_params({"KSampler 2.steps": 30, "positive": "word " * 40})
    first, second = before.diff(changed)
    assert first.startswith('CLIP Text Encode (Prompt).text "a lighthouse" → "word word')
    assert len(first) < 130
    assert second == "KSampler 2.steps 20 → 30"
    assert before.remove("2").diff(before)[0] == "added KSampler 2 (KSampler)"


def test_a_difference_in_the_labels_of_the_form() -> None:
    before = flow(text_to_image())
    changed = before.with_params({"steps": 30, "sampler_name": "heun", "positive": "a red <b>fox</b>"})
    assert sorted(before.diff(changed, labels=True)) == [
        'Positive prompt "a lighthouse" → "a red <b>fox</b>"',
        "Sampler euler → heun",
        "Steps 20 → 30",
    ]
    # Two samplers have steps, each says so by the same word, and its node says which.
    twice = flow(hires(text_to_image()))
    changed = twice.with_params({"steps": 30, "KSampler 2.cfg": 3})
    first, second = twice.diff(changed, labels=True)
    assert first.startswith("KSampler: Steps 20 → 30")
    assert second.startswith("KSampler 2: CFG ")
    # Links, and inputs that no form has.
    other = twice.remove("2").diff(twice, labels=True)
    assert other[0] == "added KSampler 2 (KSampler)"
    assert not any(".samples" in line or "[0]" in line for line in other)


def test_ids_alone_are_no_difference() -> None:
    prompt = text_to_image()
    prompt["90"] = prompt.pop("9")
    assert flow(prompt).diff(flow()) == []


def test_the_hash_is_of_what_runs() -> None:
    same = json.loads(
        json.dumps(dict(reversed(text_to_image().items()))).replace('"cfg": 8', '"cfg": 8.0').replace('"4"', '"40"')
    )
    same["3"]["_meta"] = {"title": "Anything"}
    assert flow(same).hash == flow().hash == Workflow.load(flow().to_prompt()).hash
    assert flow().with_params(seed=8).hash != flow().hash
    assert flow().rewire("3", "positive", ("7", 0)).hash != flow().hash
    swapped = text_to_image()
    swapped["3"]["inputs"].update(positive=["7", 0], negative=["6", 0])
    assert flow(swapped).hash != flow().hash


# -- saving ------------------------------------------------------------------------------------------------------------

VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**64), 2**64),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=20),
    st.lists(st.integers(), max_size=3),
    st.dictionaries(st.text(max_size=5), st.integers(), max_size=3),
)
NAMES = st.text(min_size=1, max_size=8)


@st.composite
def prompts(draw: st.DrawFn) -> dict[str, Any]:
    """Random graphs, cycles and links to nothing among them."""
    ids = draw(st.lists(st.text(min_size=1, max_size=4), min_size=1, max_size=8, unique=True))
    links = st.tuples(st.sampled_from([*ids, "gone"]), st.integers(0, 3)).map(list)
    nodes = st.fixed_dictionaries(
        {"class_type": NAMES, "inputs": st.dictionaries(NAMES, st.one_of(VALUES, links), max_size=4)},
        optional={"_meta": st.fixed_dictionaries({"title": st.text(max_size=8)})},
    )
    return {node_id: draw(nodes) for node_id in ids}


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(prompt=prompts())
def test_saved_and_loaded_is_the_same(prompt: dict[str, Any], tmp_path: Path) -> None:
    workflow = Workflow.load(prompt)
    again = Workflow.load(workflow.save(tmp_path / "flow.json"))
    assert again == workflow
    assert again.hash == workflow.hash
    assert again.to_prompt() == workflow.to_prompt()
    assert workflow.diff(again) == []
    assert [param.name for param in again.params().values()] == [param.name for param in workflow.params().values()]


def test_both_forms_are_saved(tmp_path: Path) -> None:
    workflow = example("text_to_image_ui").bind(INFO).with_params(seed=5)
    ui = Workflow.load(workflow.save(tmp_path / "ui.json"))
    api = Workflow.load(workflow.save(tmp_path / "api.json", form="api"))
    assert ui.ui is not None and ui.prompt is None
    assert api.ui is None
    assert ui.to_prompt(INFO) == api.to_prompt() == workflow.to_prompt()
    with pytest.raises(WorkflowError, match="no editor's form"):
        api.save(tmp_path / "x.json", form="ui")
