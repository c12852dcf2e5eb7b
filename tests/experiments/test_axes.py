"""Axes: what they multiply to, and what is wrong with them, in one sentence and before anything is sent."""

from __future__ import annotations

import io
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from comfy_widgets import Workflow, WorkflowError, prompt_variants
from comfy_widgets.experiments import Experiment, latin, lora, replace, sobol, together
from comfy_widgets.testing import ScriptedServer, node_info, text_to_image

Sweep = Callable[..., Experiment]


def posted(server: ScriptedServer, node: str, name: str) -> list[Any]:
    return [body["prompt"][node]["inputs"][name] for body in server.posted]


def test_axes_multiply_and_single_values_hold_for_all(run_sweep: Sweep, server: ScriptedServer) -> None:
    run = run_sweep(seed=range(3), cfg=[2, 5.5], steps=2).wait(30)
    assert len(run) == 6
    assert sorted((cell.values.seed, cell.values["cfg"]) for cell in run) == [
        *((0, 2), (0, 5.5), (1, 2), (1, 5.5), (2, 2), (2, 5.5))
    ]
    assert set(posted(server, "3", "steps")) == {2}
    assert all(cell.status == "completed" and len(cell.images) == 1 for cell in run.cells)


def test_what_changes_together_is_one_axis(run_sweep: Sweep, server: ScriptedServer) -> None:
    run = run_sweep(size=together(width=[64, 128], height=[128, 64]), seed=[1, 2]).wait(30)
    assert len(run) == 4 and run.axes["size"] == ["64 x 128", "128 x 64"]
    assert set(zip(posted(server, "5", "width"), posted(server, "5", "height"), strict=True)) == {(64, 128), (128, 64)}


def test_words_of_one_prompt_are_replaced_at_once(run_sweep: Sweep, server: ScriptedServer) -> None:
    # "cat" becomes "red dog", whose red must not become blue.
    run = run_sweep(
        animal=replace("cat", ["cat", "red dog"], of="positive"), colour=replace("red", ["red", "blue"], of="positive")
    ).wait(30)
    assert len(run) == 4
    assert set(posted(server, "6", "text")) == {"a red cat", "a blue cat", "a red red dog", "a blue red dog"}


def test_a_dynamic_prompt_is_an_axis(run_sweep: Sweep, server: ScriptedServer) -> None:
    run = run_sweep(positive=prompt_variants("a {red|{dark|light} green} hill"), seed=[1, 2]).wait(30)
    texts = ["a red hill", "a dark green hill", "a light green hill"]
    assert run.axes["positive"] == texts
    assert sorted(posted(server, "6", "text")) == sorted(texts * 2)


def test_names_for_values(run_sweep: Sweep) -> None:
    run = run_sweep(positive={"short": "a cat", "long": "a cat on a mat, in the sun"}).wait(30)
    assert run.labels["positive"] == ["short", "long"] and run[1].values.positive == "a cat on a mat, in the sun"


def test_samplers_models_and_numpy_like_values(run_sweep: Sweep) -> None:
    run = run_sweep(sampler_name=["euler", "heun"], ckpt_name=["model.safetensors", "other.safetensors"]).wait(30)
    assert len(run) == 4 and {cell.status for cell in run} == {"completed"}


def test_workflows_are_an_axis(run_sweep: Sweep, workflow: Workflow, server: ScriptedServer) -> None:
    other = workflow.remove("SaveImage").add("PreviewImage", images=("VAEDecode", 0))
    run = run_sweep({"saved": workflow, "previewed": other}, seed=[1, 2]).wait(30)
    assert run.axes["workflow"] == ["saved", "previewed"] and len(run) == 4
    assert [cell.status for cell in run] == ["completed"] * 4
    unnamed = run_sweep([workflow, other], folder=run.store.folder.parent / "two", confirm=False)
    assert len(set(unnamed.axes["workflow"])) == 2


def test_images_are_uploaded_and_told_apart(run_sweep: Sweep, server: ScriptedServer, tmp_path: Path) -> None:
    of_image = Workflow.load(
        {
            "1": {"class_type": "LoadImage", "inputs": {"image": "example.png"}},
            "2": {"class_type": "PreviewImage", "inputs": {"images": ["1", 0]}},
        }
    )
    path = tmp_path / "blue.png"
    Image.new("RGB", (8, 8), "blue").save(path)
    content = io.BytesIO()
    Image.new("RGB", (8, 8), "green").save(content, "PNG")
    images = [Image.new("RGB", (8, 8), "red"), path, content.getvalue(), "example.png"]
    run = run_sweep(of_image, image=images).wait(30)
    assert run.labels["image"] == ["image 1", "blue.png", "image 3", "example.png"]
    assert len(set(posted(server, "1", "image"))) == 4
    assert server.count("POST", "/upload/image") == 3


LORAS = ["style/ink.safetensors", "epoch-4.safetensors", "epoch-8.safetensors"]


def with_loras(server: ScriptedServer) -> None:
    strength = ["FLOAT", {"default": 1.0, "min": -100.0, "max": 100.0}]
    server.object_info["LoraLoader"] = node_info(
        "LoraLoader",
        "Load LoRA",
        {
            "model": ["MODEL", {}],
            "clip": ["CLIP", {}],
            "lora_name": [LORAS, {}],
            "strength_model": strength,
            "strength_clip": strength,
        },
        ("MODEL", "CLIP"),
    )


def test_a_lora_is_put_behind_the_loader_where_there_is_none(run_sweep: Sweep, server: ScriptedServer) -> None:
    with_loras(server)
    run = run_sweep(style=lora("ink", [0, 0.5, 1])).wait(30)
    assert run.axes["style"] == [0.0, 0.5, 1.0]
    prompt = server.posted[0]["prompt"]
    (added,) = [node_id for node_id, node in prompt.items() if node["class_type"] == "LoraLoader"]
    assert prompt["3"]["inputs"]["model"] == [added, 0]
    assert prompt["6"]["inputs"]["clip"] == prompt["7"]["inputs"]["clip"] == [added, 1]
    assert prompt[added]["inputs"]["model"] == ["4", 0]
    assert set(posted(server, added, "lora_name")) == {"style/ink.safetensors"}
    assert set(posted(server, added, "strength_clip")) == {0.0, 0.5, 1.0}


def test_epochs_of_a_lora_at_several_strengths(run_sweep: Sweep, server: ScriptedServer) -> None:
    with_loras(server)
    run = run_sweep(style=lora(["epoch-4", "epoch-8"], [0.5, 1]), confirm=False)
    assert run.labels["style"] == ["epoch-4 @ 0.5", "epoch-4 @ 1", "epoch-8 @ 0.5", "epoch-8 @ 1"]


@pytest.mark.parametrize(
    ("axes", "told"),
    [
        ({"sed": [1]}, "no parameter 'sed'. Did you mean 'seed'"),
        ({"seed": None}, "seed=None names no values"),
        ({"seed": [1, None]}, "None among its values"),
        ({"seed": "random"}, "cannot be 'random' in a sweep"),
        ({"seed": ["Random"]}, "cannot be 'Random' in a sweep"),
        ({"seed": []}, "seed has no values"),
        ({"positive": {}}, "positive has no values"),
        ({"seed": [-1]}, "seed is -1, below its minimum of 0"),
        ({"cfg": [2, 200]}, "cfg is 200, above its maximum of 100"),
        ({"cfg": [[1, 2]]}, "cfg wants a number"),
        ({"sampler_name": ["eulr"]}, "Did you mean 'euler'"),
        ({"seed": itertools.count()}, "does the list never end"),
        ({"latent_image": [1]}, "connected to Empty Latent Image"),
        ({"KSampler.model": [1]}, "connected to Load Checkpoint"),
        ({"seed": [1], "KSampler.seed": [2]}, "set the same input"),
        ({"seed": [1], "both": together(seed=[1, 2], cfg=[1, 2])}, "set the same input"),
        ({"seed": 1, "KSampler.seed": [2]}, "set the same input"),
        ({"positive": replace("dog", ["cat"])}, "does not contain 'dog'"),
        ({"seed": replace("1", ["2"])}, "is no text"),
        ({"positive": [b"\x89PNG...."]}, "takes no picture"),
        ({"style": lora("ink")}, "no LoRA loader"),
        ({"seed": range(400), "cfg": [n / 10 for n in range(900)]}, "360,000 cells"),
    ],
    ids=str,
)
def test_what_is_no_axis_is_told_before_anything_is_sent(
    run_sweep: Sweep, server: ScriptedServer, axes: dict[str, Any], told: str
) -> None:
    with pytest.raises(WorkflowError) as caught:
        run_sweep(**axes)
    assert told in str(caught.value)
    assert server.posted == []


def test_every_cell_is_checked_before_the_first_is_sent(run_sweep: Sweep, server: ScriptedServer) -> None:
    broken = text_to_image()
    del broken["3"]["inputs"]["latent_image"]
    with pytest.raises(WorkflowError, match="latent_image"):
        run_sweep(broken, seed=range(3))
    assert server.posted == []


def test_together_and_replace_and_lora_refuse_nonsense() -> None:
    with pytest.raises(WorkflowError, match="width has 2, height has 1"):
        together(width=[1, 2], height=[1])
    with pytest.raises(WorkflowError, match="needs parameters"):
        together()
    with pytest.raises(WorkflowError, match="a text to search for"):
        replace("", ["a"])
    with pytest.raises(WorkflowError, match="takes texts"):
        replace("a", [1])  # type: ignore[list-item]
    with pytest.raises(WorkflowError, match="numbers as strengths"):
        lora("a", ["strong"])  # type: ignore[list-item]
    with pytest.raises(WorkflowError, match="names of LoRA files"):
        lora([3])  # type: ignore[list-item]


def test_skip_leaves_cells_out(run_sweep: Sweep) -> None:
    run = run_sweep(seed=range(4), cfg=[2, 5], skip=lambda cell: cell.seed > 1 and cell["cfg"] == 5, confirm=False)
    assert [(cell.values.seed, cell.values.cfg) for cell in run] == [(0, 2), (0, 5), (1, 2), (1, 5), (2, 2), (3, 2)]
    with pytest.raises(WorkflowError, match="leaves out all 8"):
        run_sweep(seed=range(4), cfg=[2, 5], skip=lambda cell: True)
    with pytest.raises(AttributeError, match="no axis 'sede'; it has seed"):
        run_sweep(seed=range(4), skip=lambda cell: cell.sede > 1)


@pytest.mark.parametrize("sample", [12, latin(12), sobol(12)], ids=["random", "latin", "sobol"])
def test_samples_are_so_many_different_cells_and_the_same_again(run_sweep: Sweep, sample: Any) -> None:
    axes = {"seed": range(8), "cfg": [1, 2, 3, 4], "steps": [1, 2, 3]}
    run = run_sweep(sample=sample, confirm=False, **axes)
    chosen = [cell.indices for cell in run]
    assert len(chosen) == len(set(chosen)) == 12
    assert [cell.indices for cell in run_sweep(sample=sample, confirm=False, **axes)] == chosen


def test_latin_gives_every_value_its_turn(run_sweep: Sweep) -> None:
    run = run_sweep(sample=latin(12), seed=range(12), cfg=[1, 2, 3, 4], steps=[1, 2, 3], confirm=False)
    assert {cell.values.seed for cell in run} == set(range(12))
    assert all(sum(cell.values.cfg == cfg for cell in run) == 3 for cfg in (1, 2, 3, 4))


def test_sobol_fills_every_axis_evenly(run_sweep: Sweep) -> None:
    chosen = sobol(64).choose([64] * 10)
    # The mark of a Sobol sequence: of its first 2^k points, each of 2^k intervals of each axis has one.
    assert all({point[axis] for point in chosen} == set(range(64)) for axis in range(10))
    # And each square of the 8 x 8 of its first two axes.
    assert len({(point[0] // 8, point[1] // 8) for point in chosen}) == 64
    with pytest.raises(WorkflowError, match="at most 10 axes"):
        sobol(4).choose([2] * 11)


def test_a_sample_larger_than_all_is_all(run_sweep: Sweep) -> None:
    assert len(run_sweep(seed=range(4), sample=100, confirm=False)) == 4
    for wrong in (0, -1, True, "latin"):
        with pytest.raises(WorkflowError, match="sample"):
            run_sweep(seed=range(4), sample=wrong, confirm=False)
