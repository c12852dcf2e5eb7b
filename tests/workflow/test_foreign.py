"""Settings that other programs write into their images."""

from __future__ import annotations

import struct

import pytest

from comfy_widgets import Workflow, example
from comfy_widgets.errors import WorkflowError
from comfy_widgets.workflow import read_settings

from . import containers

TEXT = (
    "a fox, <lora:ink:0.8> snow\nsecond line\nNegative prompt: blurry,\ntext\n"
    "Steps: 25, Sampler: DPM++ 2M Karras, CFG scale: 6.5, Seed: 18446744073709551615, Size: 512x768, Model hash: ab12, "
    'Model: nowhere, Clip skip: 2, Lora hashes: "ink: 12, b: 3", Version: v1.7.0'
)
WANTED = {
    "positive": "a fox, snow\nsecond line",
    "negative": "blurry,\ntext",
    "steps": 25,
    "sampler_name": "dpmpp_2m",
    "scheduler": "karras",
    "cfg": 6.5,
    "seed": 2**64 - 1,
    "width": 512,
    "height": 768,
}


def _user_comment(text: str) -> bytes:
    value = b"UNICODE\0" + text.encode("utf-16-be")
    entry = struct.pack(">HHII", 0x9286, 7, len(value), 26)
    return b"MM\0*" + struct.pack(">IH", 8, 1) + entry + struct.pack(">I", 0) + value


def _jpeg(exif: bytes) -> bytes:
    return b"\xff\xd8\xff\xe1" + struct.pack(">H", len(exif) + 8) + b"Exif\0\0" + exif + b"\xff\xd9"


FILES = {
    "tEXt": containers.png(containers.text("parameters", TEXT)),
    "iTXt": containers.png(containers.international("parameters", TEXT, packed=True)),
    "WebP": containers.webp(_user_comment(TEXT)),
    "JPEG": _jpeg(_user_comment(TEXT)),
}


@pytest.mark.parametrize("content", FILES.values(), ids=FILES)
def test_settings_of_another_program_become_values(content: bytes) -> None:
    settings = read_settings(content)
    assert settings is not None
    values, left = settings.fit(example().params())
    assert {name: values.get(name) for name in WANTED} == WANTED
    assert "Clip skip 2" in left
    assert "LoRA ink" in left
    assert not any("hash" in words for words in left)


@pytest.mark.parametrize(
    ("said", "sampler", "scheduler"),
    [
        ("Euler a", "euler_ancestral", None),
        ("DPM++ 2M SDE", "dpmpp_2m_sde", None),
        ("DPM++ 2S a Karras", "dpmpp_2s_ancestral", "karras"),
        ("DPM2 a", "dpm_2_ancestral", None),
        ("UniPC", "uni_pc", None),
        ("DPM adaptive", "dpm_adaptive", None),
        ("Euler, Schedule type: SGM Uniform", "euler", "sgm_uniform"),
        ("Euler, Schedule type: Automatic", "euler", None),
    ],
)
def test_samplers_have_the_names_of_comfyui(said: str, sampler: str, scheduler: str | None) -> None:
    settings = read_settings(containers.png(containers.text("parameters", f"fox\nSteps: 2, Sampler: {said}, Seed: 1")))
    assert settings is not None
    assert (settings.values["sampler_name"], settings.values.get("scheduler")) == (sampler, scheduler)


def test_swarmui_writes_json() -> None:
    said = {"sui_image_params": {"prompt": "fox", "negativeprompt": "blur", "cfgscale": 4.0, "seed": 5, "steps": 9}}
    settings = read_settings(containers.png(containers.text("parameters", said)))
    assert settings is not None
    assert settings.values == {"positive": "fox", "negative": "blur", "cfg": 4.0, "seed": 5, "steps": 9}


@pytest.mark.parametrize("text", ["", "a photo", "{", "[1]", '{"sui_image_params": 3}'])
def test_what_has_no_settings_gives_none(text: str) -> None:
    assert read_settings(containers.png(containers.text("parameters", text))) is None


def test_loading_it_as_a_workflow_says_what_it_is() -> None:
    with pytest.raises(WorkflowError, match="settings of another program"):
        Workflow.load(FILES["tEXt"])
