"""Files made to cost much: each is answered within a second of CPU and in bounded memory."""

from __future__ import annotations

import gc
import time
import tracemalloc
from collections.abc import Callable, Iterator
from io import BytesIO

import pytest
from PIL import Image

from comfy_widgets.errors import WorkflowError
from comfy_widgets.workflow import Workflow

from . import containers as make
from . import crafted
from .catalog import text_to_image
from .test_files import PROMPT, TEXTS

MEGABYTE = 2**20


@pytest.fixture
def traced() -> Iterator[None]:
    gc.collect()
    tracemalloc.start()
    yield
    tracemalloc.stop()


def load(data: bytes) -> None:
    try:
        Workflow.load(data)
    except WorkflowError as error:
        assert len(str(error)) < 1000


@pytest.mark.parametrize("maker", crafted.MAKERS, ids=lambda maker: maker.__name__)
def test_a_crafted_file_takes_a_second_at_most(maker: Callable[[], bytes]) -> None:
    data = maker()
    start = time.thread_time()
    load(data)
    assert time.thread_time() - start < 1


@pytest.mark.parametrize(
    "maker",
    [
        crafted.png_of_compressed_texts,
        crafted.png_prompts_again_and_again,
        crafted.png_of_empty_lists,
        crafted.webp_prompts_on_one_text,
        crafted.avif_extents_of_one_place,
        crafted.ogg_without_end,
        crafted.mp3_of_half_characters,
    ],
    ids=lambda maker: maker.__name__,
)
def test_a_crafted_file_takes_bounded_memory(maker: Callable[[], bytes], traced: None) -> None:
    data = maker()
    before, _ = tracemalloc.get_traced_memory()
    tracemalloc.reset_peak()
    load(data)
    _, peak = tracemalloc.get_traced_memory()
    # A text has four bytes a character where it holds a rare one.
    assert peak - before < 200 * MEGABYTE


def test_texts_beside_the_workflow_are_not_unpacked() -> None:
    data = make.png(*(make.bomb(f"text {n}", 40) for n in range(40)), make.text("prompt", PROMPT))
    assert Workflow.load(data).prompt == PROMPT


def test_what_follows_both_texts_is_not_read() -> None:
    data = make.png(make.text("prompt", PROMPT), make.text("workflow", TEXTS["workflow"]))
    assert Workflow.load(data[:-40] + b"\0\0\0\0" * 10**6).prompt == PROMPT


@pytest.mark.parametrize("order", [0, 1])
def test_a_bomb_does_not_spoil_the_other_text(order: int) -> None:
    texts = [make.bomb("workflow", 40), make.text("prompt", PROMPT)]
    assert Workflow.load(make.png(*texts[:: 1 if order else -1])).prompt == PROMPT


def test_the_longest_real_workflows_still_load() -> None:
    prompt = text_to_image()
    prompt["6"]["inputs"]["text"] = "An image inside: " + "A" * 4 * MEGABYTE
    for data in (
        make.png(make.text("prompt", prompt)),
        make.png(make.compressed("prompt", prompt)),
        make.webp(make.tiff({0x0110: f"prompt:{crafted.json.dumps(prompt)}"})),
    ):
        assert Workflow.load(data).prompt == prompt


def test_names_of_texts_are_cut_in_the_error() -> None:
    with pytest.raises(WorkflowError, match=r"carries only: k{10,80}\.") as caught:
        Workflow.load(make.vorbis({"k" * 100_000: "x"}))
    assert len(str(caught.value)) < 500


def test_a_comment_in_half_characters_is_repaired() -> None:
    comment = b"UNICODE\0" + '{"prompt": {"1": {"class_type": "A", "inputs": {"text": "'.encode("utf-16-le")
    comment += b"\0\xd8" + '"}}}}'.encode("utf-16-le")
    entry = b"II*\0" + crafted.struct.pack("<IHHHIII", 8, 1, 0x9286, 7, len(comment), 26, 0) + comment
    prompt = Workflow.load(make.webp(entry)).prompt
    assert prompt is not None
    assert prompt["1"]["inputs"]["text"] == "\ufffd"


def test_a_pil_image_has_the_same_bounds() -> None:
    with Image.open(BytesIO(_pixel(crafted.webp_prompts_on_one_text()))) as image:
        start = time.thread_time()
        with pytest.raises(WorkflowError):
            Workflow.load(image)
        assert time.thread_time() - start < 1


def _pixel(webp: bytes) -> bytes:
    """A real image with the EXIF data of a crafted one."""
    stream = BytesIO()
    Image.new("RGB", (1, 1)).save(stream, "PNG", exif=b"Exif\0\0" + webp[webp.index(b"EXIF") + 8 :])
    return stream.getvalue()
