"""The pre-flight check: what a server would refuse is said before, in words."""

from __future__ import annotations

from typing import Any

import pytest

from comfy_widgets.workflow import Problem, Workflow

from .catalog import INFO, recorded_info, recorded_rows, text_to_image


def problems(prompt: dict[str, Any]) -> list[Problem]:
    return Workflow.load(prompt).check(INFO)


def changed(node_id: str, **inputs: Any) -> dict[str, Any]:
    prompt = text_to_image()
    prompt[node_id]["inputs"].update(inputs)
    return prompt


def test_a_good_workflow_has_none() -> None:
    assert problems(text_to_image()) == []


@pytest.mark.parametrize(
    ("prompt", "where", "says"),
    [
        (changed("3", steps=0), ("3", "steps"), "KSampler: steps must be at least 1, not 0."),
        (changed("3", steps=2.5), ("3", "steps"), "must be a whole number"),
        (changed("3", steps=None), ("3", "steps"), "must be a number"),
        (changed("3", sampler_name="eular"), ("3", "sampler_name"), "Did you mean 'euler'"),
        (
            changed("4", ckpt_name="v1-5.safetensors"),
            ("4", "ckpt_name"),
            "Load Checkpoint: the model file 'v1-5.safetensors' (ckpt_name) is not on the server."
            " Did you mean 'v1-5-pruned-emaonly.safetensors'",
        ),
        (changed("3", model=["4", 1]), ("3", "model"), "model wants a MODEL, but Load Checkpoint gives a CLIP there."),
        (
            changed("3", model=["4", 3]),
            ("3", "model"),
            "linked to output 3 of Load Checkpoint, which has only 3 outputs",
        ),
        (changed("3", model=["77", 0]), ("3", "model"), "linked to node '77', which is not in the workflow"),
        (changed("3", model="dream"), ("3", "model"), "model must be linked to a MODEL"),
        (changed("6", text=3), ("6", "text"), "text must be text, not 3"),
    ],
)
def test_one_thing_wrong(prompt: dict[str, Any], where: tuple[str, str], says: str) -> None:
    (problem,) = problems(prompt)
    assert problem.severity == "error"
    assert (problem.node_id, problem.input_name) == where
    assert problem.node_title and problem.class_type == prompt[where[0]]["class_type"]
    assert says in problem.message == str(problem)


def test_missing_inputs() -> None:
    prompt = text_to_image()
    del prompt["3"]["inputs"]["model"], prompt["3"]["inputs"]["steps"]
    found = [problem.message for problem in problems(prompt)]
    assert found == ["KSampler: model is not connected; it needs a MODEL.", "KSampler: steps needs a value."]


def test_all_missing_classes_at_once_with_their_packs() -> None:
    prompt = text_to_image()
    prompt["3"]["class_type"] = "KSamplr"
    for node_id in ("8", "18"):
        prompt[node_id] = {
            "class_type": "FancyDecode",
            "inputs": {},
            "_meta": {"title": f"Fancy {node_id}", "cnr_id": "fancy-pack"},
        }
    missing = [problem for problem in problems(prompt) if "does not know" in problem.message]
    assert {problem.class_type for problem in missing} == {"KSamplr", "FancyDecode"}
    by_class = {problem.class_type: problem.message for problem in missing}
    assert "Did you mean 'KSampler'" in by_class["KSamplr"]
    assert "2 nodes: 'Fancy 8', 'Fancy 18'" in by_class["FancyDecode"]
    assert "comes from the pack 'fancy-pack'" in by_class["FancyDecode"]


def test_a_cycle_is_told_as_a_round_trip() -> None:
    prompt = text_to_image()
    prompt["10"] = {"class_type": "VAEEncode", "inputs": {"pixels": ["8", 0], "vae": ["4", 2]}}
    prompt["3"]["inputs"]["latent_image"] = ["10", 0]
    (problem,) = problems(prompt)
    assert "wait for each other" in problem.message
    # Where the round trip begins does not matter, in which direction it goes does.
    assert any(
        way in problem.message for way in ("KSampler -> VAE Decode -> VAE Encode", "VAE Encode -> KSampler -> VAE")
    )


def test_a_node_that_feeds_itself() -> None:
    prompt = text_to_image()
    prompt["3"]["inputs"]["latent_image"] = ["3", 0]
    assert "KSampler -> KSampler" in problems(prompt)[0].message


def test_a_workflow_without_a_result() -> None:
    prompt = text_to_image()
    del prompt["9"]
    assert problems(prompt)[0].message.startswith("No node gives a result")


def test_what_no_result_needs_is_only_a_warning() -> None:
    prompt = text_to_image()
    prompt["20"] = {"class_type": "VAEDecode", "inputs": {"vae": ["4", 2]}}
    (problem,) = problems(prompt)
    assert problem.severity == "warning"
    assert "samples is not connected" in problem.message
    assert Workflow.load(prompt).with_params(steps=5).check(INFO) == [problem]


def test_a_slip_in_a_name_that_the_server_would_pass_over() -> None:
    prompt = text_to_image()
    prompt["9"]["inputs"]["filename_prefx"] = prompt["9"]["inputs"].pop("filename_prefix")
    found = problems(prompt)
    assert [problem.severity for problem in found] == ["error", "warning"]
    assert "Did you mean 'filename_prefix'" in found[1].message


def test_a_picture_that_is_not_there_may_come_yet() -> None:
    prompt = text_to_image()
    prompt["10"] = {"class_type": "LoadImage", "inputs": {"image": "new.png"}}
    prompt["11"] = {"class_type": "SaveImage", "inputs": {"images": ["10", 0], "filename_prefix": "x"}}
    (problem,) = problems(prompt)
    assert problem.severity == "warning"
    assert "Upload it first" in problem.message


def test_inputs_that_grow_and_that_depend_on_a_choice() -> None:
    prompt = text_to_image()
    prompt["20"] = {"class_type": "BatchImages", "inputs": {"images.image0": ["8", 0], "images.image1": ["3", 0]}}
    prompt["21"] = {"class_type": "Resize", "inputs": {"image": ["20", 0], "mode": "size"}}
    prompt["22"] = {"class_type": "SaveImage", "inputs": {"images": ["21", 0], "filename_prefix": "x"}}
    found = {(problem.node_id, problem.input_name): problem.message for problem in problems(prompt)}
    assert found.keys() == {("20", "images.image1"), ("21", "mode.width")}
    assert "wants an IMAGE" in found["20", "images.image1"]
    prompt["21"]["inputs"]["mode.width"] = 64
    assert ("21", "mode.width") not in {(problem.node_id, problem.input_name) for problem in problems(prompt)}


def test_what_a_real_editor_sends_has_no_structural_fault() -> None:
    """Real prompts lack models and pictures here, but their wires are right."""
    info = recorded_info()
    checked = 0
    for row in recorded_rows("template"):
        for problem in Workflow.load(row["output"]).check(info):
            assert "which is not in the workflow" not in problem.message, row["name"]
            assert "wait for each other" not in problem.message, row["name"]
            assert ", but " not in problem.message or " gives " not in problem.message, (row["name"], problem.message)
        checked += 1
    assert checked > 50
