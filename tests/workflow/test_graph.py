"""Building a workflow in Python: mistakes are told where they are made."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path
from typing import Any

import pytest

from comfy_widgets.errors import WorkflowError
from comfy_widgets.workflow import Graph, Workflow

from .catalog import INFO, recorded_info, text_to_image


def build() -> Graph:
    g = Graph(INFO)
    model, clip, vae = g.CheckpointLoaderSimple(ckpt_name="dream-v2.safetensors")
    latent = g.KSampler(
        model=model,
        seed=7,
        sampler_name="euler",
        positive=g.CLIPTextEncode(text="a lighthouse", clip=clip),
        negative=g.CLIPTextEncode(text="fog", clip=clip),
        latent_image=g.EmptyLatentImage(width=512, height=768),
    )
    g.SaveImage(images=g.VAEDecode(samples=latent, vae=vae), filename_prefix="out")
    return g


def test_what_is_built_is_what_was_drawn() -> None:
    workflow = build().workflow()
    assert workflow.check() == []
    assert workflow.hash == Workflow.load(text_to_image()).hash


def test_building_may_go_on() -> None:
    g = build()
    before = g.workflow()
    g.LoadImage(image="example.png")
    assert len(list(g.workflow())) == len(list(before)) + 1


def test_outputs_by_name_and_titles() -> None:
    g = Graph(INFO)
    loaded = g.CheckpointLoaderSimple(_title="Dreamer")
    g.CLIPTextEncode(text="x", clip=loaded.clip)
    assert g.workflow()["Dreamer"].inputs == {"ckpt_name": "dream-v2.safetensors"}
    with pytest.raises(AttributeError, match=r"no output 'clp'\. Did you mean 'clip'"):
        _ = loaded.clp


def mistakes() -> list[tuple[Any, str]]:
    g = Graph(INFO)
    model, clip, vae = g.CheckpointLoaderSimple()
    other = Graph(INFO).EmptyLatentImage()
    loaded = g.CheckpointLoaderSimple()
    image = g.LoadImage()[0]
    return [
        (lambda: g.CLIPTextEncode(text="x", clip=model), "clip wants CLIP, but <MODEL 'MODEL' of Load Checkpoint>"),
        (lambda: g.CLIPTextEncode(txt="x", clip=clip), "no input 'txt'. Did you mean 'text'"),
        (lambda: g.CLIPTextEncode(text="x"), "clip is missing; connect an output of type CLIP"),
        (lambda: g.CLIPTextEncode(text="x", clip=loaded), "all 3 outputs of a node at once. Take one of: clip"),
        (lambda: g.CLIPTextEncode(text="x", clip="clip"), "clip is a connection and wants an output of type CLIP"),
        (lambda: g.CLIPTextEncode(text=5, clip=clip), "text wants text, not 5"),
        (lambda: g.EmptyLatentImage(width=1), "width is 1, below its minimum of 16"),
        (lambda: g.VAEDecode(samples=other, vae=vae), "node of another graph"),
        (lambda: g.CheckpointLoaderSimple(ckpt_name="dream"), "Did you mean 'dream-v2.safetensors'"),
        (lambda: g["Nope"], "no node class 'Nope'"),
        (lambda: g.BatchImages(images=[image] * 4), "images takes at most 3 connections, not 4"),
        (lambda: tuple(g.EmptyLatentImage()), "is a single output"),
        (lambda: Graph(INFO).workflow(), "has no nodes yet"),
    ]


@pytest.mark.parametrize(("act", "says"), mistakes(), ids=[says[:30] for _, says in mistakes()])
def test_mistakes_are_told_at_once(act: Any, says: str) -> None:
    with pytest.raises(WorkflowError, match=says.replace("(", r"\(")):
        act()


def test_dynamic_inputs() -> None:
    g = Graph(INFO)
    image = g.LoadImage(image="example.png")[0]
    batch = g.BatchImages(images=[image, image])
    g.SaveImage(images=g.Resize(image=batch, mode="size", **{"mode.width": 32}))
    workflow = g.workflow()
    assert workflow["BatchImages"].inputs.keys() == {"images.image0", "images.image1"}
    assert workflow["Resize"].inputs["mode.width"] == 32
    assert workflow.check() == []


def test_tab_and_help() -> None:
    g = Graph(INFO)
    assert {"KSampler", "workflow"} <= set(dir(g))
    assert "Where the noise starts." in (g.KSampler.__doc__ or "")
    parameters = inspect.signature(g.KSampler).parameters
    assert parameters["steps"].default == 20
    assert parameters["model"].default is inspect.Parameter.empty
    with pytest.raises(AttributeError, match=r"Did you mean 'KSampler'"):
        _ = g.KSamplr
    assert not hasattr(g, "_repr_html_")


def test_stubs_are_python_and_name_every_class(tmp_path: Path) -> None:
    info = recorded_info()
    Graph(info).write_stubs(tmp_path / "nodes.pyi")
    tree = ast.parse((tmp_path / "nodes.pyi").read_text())
    nodes = next(item for item in tree.body if isinstance(item, ast.ClassDef) and item.name == "Nodes")
    methods = {item.name: item for item in nodes.body if isinstance(item, ast.FunctionDef)}
    assert methods.keys() == {name for name in info if name.isidentifier()}
    assert [argument.arg for argument in methods["VAEDecode"].args.kwonlyargs] == ["samples", "vae"]
    assert ast.unparse(methods["VAEDecode"].args.kwonlyargs[0].annotation or ast.Constant(0)) == "LATENT"
    assert ast.unparse(methods["VAEDecode"].returns or ast.Constant(0)) == "IMAGE"
