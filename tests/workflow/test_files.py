"""Workflows in pictures, films, sounds and models: files of real programs, and files made wrong on purpose."""

from __future__ import annotations

import html
import io
import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, UnidentifiedImageError

from comfy_widgets.errors import WorkflowError
from comfy_widgets.workflow import Workflow

from . import containers as make
from .catalog import MEDIA, SHARED, text_to_image

PROMPT = text_to_image()
UI = {"version": 0.4, "nodes": [], "links": [], "extra": {"note": "Grüße, 海"}}
TEXTS = {"prompt": json.dumps(PROMPT), "workflow": json.dumps(UI)}
FILES = sorted(path.name for path in MEDIA.iterdir())


@pytest.mark.parametrize("name", FILES)
def test_files_of_real_programs(name: str, tmp_path: Path) -> None:
    # The name tells nothing: what is inside counts.
    disguised = tmp_path / "download.bin"
    disguised.write_bytes((MEDIA / name).read_bytes())
    workflow = Workflow.load(disguised)
    assert workflow["Save"].inputs["filename_prefix"] == "näh"
    assert workflow["8"].inputs == {"width": 64, "height": 64}
    ui = workflow.ui
    assert ui is not None
    assert len(ui["nodes"]) == 2


@pytest.mark.parametrize(
    "data",
    [
        make.png(make.text("prompt", PROMPT), make.text("workflow", UI)),
        make.png(make.text("prompt", PROMPT, crc=1), make.text("workflow", UI, crc=2)),
        make.png(make.compressed("prompt", PROMPT), make.compressed("workflow", UI)),
        make.png(make.international("prompt", PROMPT), make.international("workflow", UI, packed=True)),
        make.png(after=make.chunk(b"comf", b"prompt\0" + TEXTS["prompt"].encode()))[:-12]
        + make.chunk(b"comf", b"workflow\0" + TEXTS["workflow"].encode()),
        make.glb(TEXTS),
        make.glb({"prompt": PROMPT, "workflow": UI}),
        make.svg(f"<metadata><![CDATA[{json.dumps(TEXTS)}]]></metadata>"),
        make.svg(f"<metadata>{html.escape(json.dumps(TEXTS))}</metadata>"),
        make.vorbis(TEXTS),
        make.vorbis(TEXTS, page=2),
        make.webp(make.tiff({0x0110: "prompt:" + TEXTS["prompt"], 0x010F: "workflow:" + TEXTS["workflow"]})),
        make.webp(make.tiff({0x010E: "Workflow: " + TEXTS["workflow"], 0x8298: "prompt:" + TEXTS["prompt"]}, ">")),
        make.safetensors(TEXTS),
    ],
)
def test_every_place_in_a_file(data: bytes) -> None:
    workflow = Workflow.load(data)
    assert workflow.prompt == PROMPT
    assert workflow.ui == UI


def test_pillow_refuses_the_wrong_checksum_that_we_read() -> None:
    data = make.png(make.text("prompt", PROMPT, crc=1))
    with pytest.raises((SyntaxError, UnidentifiedImageError)), Image.open(io.BytesIO(data)) as picture:
        picture.load()
    assert Workflow.load(data).prompt == PROMPT


def test_one_broken_text_does_not_spoil_the_other() -> None:
    data = make.png(make.text("prompt", PROMPT), make.text("workflow", '{"nodes": ['))
    workflow = Workflow.load(data)
    assert workflow.prompt == PROMPT
    assert workflow.ui is None


def test_a_picture_cut_off_after_its_texts_still_loads() -> None:
    data = make.png(make.text("prompt", PROMPT))
    assert Workflow.load(data[:-20]).prompt == PROMPT


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (make.png(make.text("prompt", PROMPT))[:200], "PNG file, but it is cut off"),
        (make.png(make.bomb("prompt", 200)), "unpacks to more than 32 MB"),
        (make.png(make.chunk(b"zTXt", b"prompt\0\0garbage")), "compressed text in it is damaged"),
        (make.png(make.text("parameters", "steps: 20")), "carries no workflow, but the settings of another program"),
        (make.png(make.text("prompt", "{")), "prompt in .* is no valid JSON"),
        (make.png(make.text("prompt", "[3]")), "holds no ComfyUI workflow"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 100, "no chunk where one should be"),
        (b"glTF" + bytes(40), "its first part is not JSON"),
        (b"\x08\0\0\0\0\0\0\0{garbage" + bytes(9), "JSON header is damaged"),
        (b"\x1a\x45\xdf\xa3" + bytes(50), "WebM file, but"),
        (b"OggS" + bytes(60), "Ogg file, but"),
    ],
)
def test_damage_is_told(data: bytes, says: str) -> None:
    with pytest.raises(WorkflowError, match=says):
        Workflow.load(data)


@settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.sampled_from(FILES),
    cut=st.integers(0, 400),
    flips=st.lists(st.tuples(st.integers(0, 2**16), st.integers(0, 255)), max_size=8),
)
def test_damaged_files_give_an_answer_or_a_clear_error(name: str, cut: int, flips: list[tuple[int, int]]) -> None:
    data = bytearray((MEDIA / name).read_bytes())
    for at, value in flips:
        data[at % len(data)] = value
    try:
        Workflow.load(bytes(data[: len(data) - cut]))
    except WorkflowError as error:
        assert str(error)


BEGINNINGS = [
    b"\x89PNG\r\n\x1a\n",
    b"RIFF\0\0\0\0WEBP",
    b"\xff\xd8\xff",
    b"\0\0\0\x18ftypavif",
    b"\0\0\0\x18ftypmp42",
    b"\x1a\x45\xdf\xa3",
    b"fLaC",
    b"OggS",
    b"ID3\4\0\0",
    b"glTF",
    b"<svg",
    b"\x10\0\0\0\0\0\0\0{",
]


@settings(deadline=None, max_examples=200)
@given(head=st.sampled_from(BEGINNINGS), body=st.binary(max_size=300))
def test_garbage_behind_a_right_beginning(head: bytes, body: bytes) -> None:
    with pytest.raises(WorkflowError):
        Workflow.load(head + body)


def test_pictures_of_real_servers() -> None:
    if not (SHARED / "traces").is_dir():
        pytest.skip("the recorded traffic of real servers is not beside this repository")
    loaded = 0
    for path in sorted((SHARED / "traces").rglob("body-*")):
        # The uploads and views of scenario 07 were never made by a run.
        if path.suffix in (".png", ".webp") and "07-" not in path.parent.name:
            if not any(key in path.read_bytes() for key in (b"prompt", b"workflow")):
                # A server with --disable-metadata, or an image that no node saved.
                with pytest.raises(WorkflowError, match="carries no workflow"):
                    Workflow.load(path)
                continue
            workflow = Workflow.load(path)
            assert all("is_changed" not in node for node in (workflow.prompt or {}).values())
            assert Workflow.load(workflow.to_prompt()).hash == workflow.hash
            loaded += 1
    assert loaded >= 20
