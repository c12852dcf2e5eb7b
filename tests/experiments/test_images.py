"""A folder of images: indexed by what made them, found again, and never changed by a question."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from comfy_widgets import images
from comfy_widgets.errors import ComfyError, ExperimentError
from comfy_widgets.testing import text_to_image


def save(path: Path, prompt: dict[str, Any] | None = None, **values: Any) -> None:
    """Write a PNG as ComfyUI does."""
    info = PngInfo()
    if prompt is not None:
        prompt["3"]["inputs"].update(values)
        info.add_text("prompt", json.dumps(prompt))
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (16, 16), "red").save(path, pnginfo=info)


def with_loras(*loras: tuple[str, float]) -> dict[str, Any]:
    prompt = text_to_image()
    source = ["4", 0]
    for number, (name, strength) in enumerate(loras, 20):
        inputs = {
            "lora_name": name,
            "strength_model": strength,
            "strength_clip": 1.0,
            "model": source,
            "clip": ["4", 1],
        }
        prompt[str(number)] = {"class_type": "LoraLoader", "inputs": inputs}
        source = [str(number), 0]
    prompt["3"]["inputs"]["model"] = source
    return prompt


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "output"
    for seed, cfg in enumerate((2, 5, 8)):
        save(folder / f"cat_{seed}.png", text_to_image(text="a red cat"), seed=seed, cfg=cfg)
    save(
        folder / "sub" / "dog.png", with_loras(("style/ink.safetensors", 0.5), ("epoch-4.pt", 1)), cfg=6, seed=2**64 - 1
    )
    save(folder / "plain.png")
    (folder / "notes.txt").write_text("no image")
    (folder / "cut.png").write_bytes((folder / "cat_0.png").read_bytes()[:60])
    return folder


def names(found: Any) -> list[str]:
    return [one.path.name for one in found]


def test_files_are_found_by_what_made_them(folder: Path) -> None:
    found = images(folder)
    assert names(found) == ["cat_0.png", "cat_1.png", "cat_2.png", "cut.png", "plain.png", "dog.png"]
    assert names(found.where("cfg > 5")) == ["cat_2.png", "dog.png"]
    assert names(found.where("cfg > 5 and lora = 'ink'")) == ["dog.png"]
    assert names(found.where("lora = 'epoch-4' and strength = 1")) == ["dog.png"]
    assert names(found.where("lora = 'ink' and strength = 1")) == []
    assert names(found.where("positive like '%cat%' and seed between 1 and 2")) == ["cat_1.png", "cat_2.png"]
    assert names(found.where("model = 'model' and sampler = 'euler'")) == [
        "cat_0.png",
        "cat_1.png",
        "cat_2.png",
        "dog.png",
    ]
    assert names(found.where("cfg > 2").where("cfg < 6")) == ["cat_1.png"]
    assert names(found.where("cfg is null")) == ["cut.png", "plain.png"]


def test_a_file_tells_what_made_it(folder: Path) -> None:
    dog = images(folder).where("lora = 'ink'")[0]
    assert (dog.values["seed"], dog.values["cfg"], dog.loras) == (str(2**64 - 1), 6.0, {"ink": 0.5, "epoch-4": 1.0})
    assert dog.image.size == (16, 16) and dog.workflow.params()["cfg"].value == 6
    plain = images(folder).where("path = 'plain.png'")[0]
    assert "cfg" not in plain.values and plain.loras == {}
    with pytest.raises(ComfyError, match="cannot be opened as an image"):
        _ = images(folder).where("path = 'cut.png'")[0].image


def test_what_has_changed_is_read_again_and_what_is_gone_forgotten(folder: Path) -> None:
    images(folder)
    save(folder / "cat_0.png", text_to_image(), cfg=50)
    (folder / "cat_1.png").unlink()
    save(folder / "new.png", text_to_image(), cfg=60)
    assert names(images(folder).where("cfg > 8")) == ["cat_0.png", "new.png"]
    assert "cat_1.png" not in names(images(folder))


def test_a_folder_that_cannot_be_written_is_indexed_elsewhere(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / ".comfy_widgets").write_text("something else")
    monkeypatch.setenv("COMFY_WIDGETS_STATE", str(tmp_path / "state"))
    assert len(images(folder).where("cfg > 5")) == 2
    monkeypatch.setenv("COMFY_WIDGETS_STATE", "off")
    with pytest.raises(ExperimentError, match="cannot be written"):
        images(folder)


@pytest.mark.parametrize(
    ("condition", "told"),
    [
        ("cgf > 5", "there is no 'cgf'. Did you mean 'cfg'"),
        ("cfg >", "Write it as in"),
        ("", "Write it as in"),
        ("1=1) UNION SELECT name FROM sqlite_master --", "Write it as in|more than a condition"),
        ("cfg > 5; DROP TABLE image", "Write it as in|one statement"),
        ("load_extension('x')", "Write it as in|more than a condition|not authorized"),
        (
            "path in (WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n FROM c) SELECT n FROM c)",
            "more than a condition",
        ),
    ],
)
def test_what_is_no_condition_is_told_and_changes_nothing(folder: Path, condition: str, told: str) -> None:
    found = images(folder)
    with pytest.raises(ExperimentError, match=told):
        found.where(condition)
    assert len(images(folder).where("cfg > 5")) == 2


def test_a_sheet_of_what_was_found(folder: Path) -> None:
    assert images(folder).where("cfg > 2").sheet(cell=64).width > 64
    with pytest.raises(ComfyError, match="1 to 400 images, not of 0"):
        images(folder).where("cfg > 99").sheet()
    with pytest.raises(ExperimentError, match="no folder"):
        images(folder / "nothing")


def test_slices_are_indexes_too(folder: Path) -> None:
    found = images(folder)
    assert names(found[:2]) == ["cat_0.png", "cat_1.png"] and len(found[1:].where("cfg > 5")) == 2
    assert set(found.columns) >= {"cfg", "lora", "strength", "model"} and "6 files" in repr(found)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems know no such names")
def test_a_name_that_is_no_text_is_left_out(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    count = len(images(folder))
    Path(os.fsdecode(os.fsencode(folder) + b"/bad\xff.png")).write_bytes(b"x")
    found = images(folder)
    assert len(list(found)) == count and "is left out" in caplog.text
    with pytest.raises(ExperimentError, match="cannot be looked up"):
        found.where("positive like '\ud83d'")
