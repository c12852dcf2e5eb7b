"""Prompts in several boxes: those that held the same text move together, the others are named for what they are."""

from __future__ import annotations

from typing import Any

import pytest

from comfy_widgets.workflow import Workflow

from .catalog import INFO, TEXT, definition, text_to_image

BOXES: dict[str, tuple[str, ...]] = {
    "CLIPTextEncodeFlux": ("clip_l", "t5xxl"),
    "CLIPTextEncodeSDXL": ("text_g", "text_l"),
    "CLIPTextEncodeSD3": ("clip_l", "clip_g", "t5xxl"),
}
MORE = {
    **INFO,
    **{name: definition(dict.fromkeys(boxes, TEXT), ("CONDITIONING",)) for name, boxes in BOXES.items()},
    "ConditioningConcat": definition(
        {"conditioning_to": ["CONDITIONING"], "conditioning_from": ["CONDITIONING"]}, ("CONDITIONING",)
    ),
}


def encoder(class_type: str, *texts: str) -> dict[str, Any]:
    inputs: dict[str, Any] = dict(zip(BOXES[class_type], texts, strict=True))
    return {"class_type": class_type, "inputs": {**inputs, "clip": ["4", 1]}}


def with_encoder(class_type: str, *texts: str) -> dict[str, Any]:
    prompt = text_to_image()
    prompt["6"] = encoder(class_type, *texts)
    return prompt


def texts(prompt: dict[str, Any], node_id: str = "6") -> list[Any]:
    return [value for value in prompt[node_id]["inputs"].values() if isinstance(value, str)]


@pytest.fixture(params=[MORE, None], ids=["with definitions", "without"])
def load(request: pytest.FixtureRequest) -> Any:
    def loaded(prompt: dict[str, Any]) -> Workflow:
        workflow = Workflow.load(prompt)
        return workflow if request.param is None else workflow.bind(request.param)

    return loaded


@pytest.mark.parametrize("class_type", BOXES)
def test_boxes_that_held_the_same_text_move_together(load: Any, class_type: str) -> None:
    workflow = load(with_encoder(class_type, *["a hill"] * len(BOXES[class_type])))
    params = workflow.params()
    assert [param.input_name for param in params.values() if param.node_id == "6"] == [params["positive"].input_name]
    assert set(texts(workflow.with_params(positive="a cat").to_prompt())) == {"a cat"}
    again = workflow.with_params(positive="a cat").with_params(positive="a dog")
    assert set(texts(again.to_prompt())) == {"a dog"}


@pytest.mark.parametrize(
    ("class_type", "stored", "main", "others"),
    [
        ("CLIPTextEncodeFlux", ("hill", "a green hill"), "t5xxl", ["positive_clip_l"]),
        ("CLIPTextEncodeFlux", ("a hill", ""), "clip_l", ["positive_t5xxl"]),
        ("CLIPTextEncodeSDXL", ("a hill", "painting"), "text_g", ["positive_text_l"]),
        ("CLIPTextEncodeSD3", ("a", "b", ""), "clip_g", ["positive_clip_l", "positive_t5xxl"]),
        ("CLIPTextEncodeSD3", ("a", "a", "b"), "t5xxl", ["positive_clip_l", "positive_clip_g"]),
    ],
)
def test_other_texts_are_named_for_their_boxes(
    load: Any, class_type: str, stored: tuple[str, ...], main: str, others: list[str]
) -> None:
    workflow = load(with_encoder(class_type, *stored))
    params = workflow.params()
    assert params["positive"].input_name == main
    assert [name for name in params if name.startswith("positive_")] == others
    assert all(params[name].primary and params[name].label.startswith("Positive prompt (") for name in others)
    changed = workflow.with_params(positive="new").to_prompt()["6"]["inputs"]
    assert changed[main] == "new"
    assert [changed[box] for box in BOXES[class_type] if box != main] == [
        text for box, text in zip(BOXES[class_type], stored, strict=True) if box != main
    ]


def test_one_box_alone_can_still_be_set(load: Any) -> None:
    workflow = load(with_encoder("CLIPTextEncodeSDXL", "a hill", "a hill"))
    changed = workflow.with_params({"6.text_l": "painting"})
    assert texts(changed.to_prompt()) == ["a hill", "painting"]
    assert texts(workflow.with_params(text_l="painting").to_prompt()) == ["a hill", "painting"]
    assert texts(workflow.with_params({"6.text_g": "a cat"}).to_prompt()) == ["a cat", "a hill"]


def combined(first: str, second: str, by: str = "ConditioningCombine") -> dict[str, Any]:
    prompt = text_to_image()
    prompt["6"]["inputs"]["text"] = first
    prompt["16"] = {"class_type": "CLIPTextEncode", "inputs": {"text": second, "clip": ["4", 1]}}
    names = (
        ("conditioning_1", "conditioning_2")
        if by == "ConditioningCombine"
        else ("conditioning_to", "conditioning_from")
    )
    prompt["17"] = {"class_type": by, "inputs": {names[0]: ["6", 0], names[1]: ["16", 0]}}
    prompt["3"]["inputs"]["positive"] = ["17", 0]
    return prompt


@pytest.mark.parametrize("by", ["ConditioningCombine", "ConditioningConcat"])
def test_encoders_that_are_combined(load: Any, by: str) -> None:
    same = load(combined("a hill", "a hill", by)).with_params(positive="a cat").to_prompt()
    assert (texts(same, "6"), texts(same, "16")) == (["a cat"], ["a cat"])
    other = load(combined("a hill", "a lake", by))
    changed = other.with_params(positive="a cat").to_prompt()
    assert (texts(changed, "6"), texts(changed, "16")) == (["a cat"], ["a lake"])
    second = next(param for param in other.params().values() if param.node_id == "16")
    assert (second.primary, second.label.startswith("Positive prompt (")) == (True, True)


def test_empty_boxes_of_two_encoders_stay_apart(load: Any) -> None:
    changed = load(combined("", "")).with_params(positive="a cat").to_prompt()
    assert (texts(changed, "6"), texts(changed, "16")) == (["a cat"], [""])


def test_the_same_text_as_positive_and_negative_stays_apart(load: Any) -> None:
    prompt = text_to_image()
    prompt["6"]["inputs"]["text"] = prompt["7"]["inputs"]["text"] = "fog"
    changed = load(prompt).with_params(negative="rain").to_prompt()
    assert (texts(changed, "6"), texts(changed, "7")) == (["fog"], ["rain"])


def test_an_encoder_with_a_box_for_each_role() -> None:
    prompt = text_to_image()
    prompt["6"] = {"class_type": "Both", "inputs": {"prompt": "a hill", "negative_prompt": "fog", "clip": ["4", 1]}}
    prompt["3"]["inputs"] |= {"positive": ["6", 0], "negative": ["6", 1]}
    params = Workflow.load(prompt).params()
    assert (params["positive"].value, params["negative"].value) == ("a hill", "fog")


def test_an_audio_model_has_tags_and_lyrics() -> None:
    prompt = text_to_image()
    prompt["6"] = {
        "class_type": "TextEncodeAceStepAudio",
        "inputs": {"clip": ["4", 1], "tags": "folk", "lyrics": "[verse]\nla", "lyrics_strength": 0.99},
    }
    prompt["5"] = {"class_type": "EmptyAceStepLatentAudio", "inputs": {"seconds": 120.0, "batch_size": 1}}
    first = list(Workflow.load(prompt).params())[:4]
    assert first == ["tags", "lyrics", "negative", "seconds"]


def test_a_video_model_has_its_length_among_the_first() -> None:
    prompt = text_to_image()
    prompt["5"] = {
        "class_type": "EmptyHunyuanLatentVideo",
        "inputs": {"width": 848, "height": 480, "length": 33, "batch_size": 1},
    }
    prompt["10"] = {"class_type": "CreateVideo", "inputs": {"images": ["8", 0], "fps": 24.0}}
    first = list(Workflow.load(prompt).params())[:5]
    assert first == ["positive", "negative", "length", "fps", "seed"]


def test_the_image_that_a_workflow_changes_comes_first() -> None:
    prompt = text_to_image()
    prompt["10"] = {"class_type": "LoadImage", "inputs": {"image": "example.png"}}
    prompt["11"] = {"class_type": "VAEEncode", "inputs": {"pixels": ["10", 0], "vae": ["4", 2]}}
    prompt["3"]["inputs"]["latent_image"] = ["11", 0]
    assert list(Workflow.load(prompt).params(INFO))[:3] == ["image", "positive", "negative"]
