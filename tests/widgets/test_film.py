"""The film of a run, as Python keeps and writes it."""

from __future__ import annotations

import io
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from PIL import Image

from comfy_widgets import ComfyPanel, Preview, example
from comfy_widgets.widgets._film import Film, write


def frame(number: int, size: int = 100) -> Preview:
    return Preview(image=bytes([number % 256]) * size)


def test_a_film_of_any_length_takes_no_more_than_its_bound_and_spans_the_whole_run() -> None:
    film = Film(max_bytes=1000)
    for number in range(200):
        film.add(frame(number))
        assert film.size <= 1000
    numbers = [image[0] for image, _ in film.frames()]
    assert numbers[0] == 0 and numbers[-1] >= 160 and 5 <= len(numbers) <= 10
    steps = {later - earlier for earlier, later in pairwise(numbers)}
    assert len(steps) == 1
    film.add(frame(1, size=5000))
    assert film.size <= 1000


def png(color: str, size: tuple[int, int]) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", size, color).save(stream, "PNG")
    return stream.getvalue()


@pytest.mark.parametrize("form", ["gif", "webp"])
def test_images_of_any_size_become_one_file_and_broken_ones_are_left_out(form: str) -> None:
    frames = [png("red", (32, 32)), b"broken", png("blue", (64, 32)), png("lime", (1600, 800))]
    with Image.open(io.BytesIO(write(frames, form, 10))) as image:
        assert (image.format, image.size, getattr(image, "n_frames", 1)) == (form.upper(), (768, 384), 3)
    with pytest.raises(ValueError, match="no previews that could be written"):
        write([b"broken"], form, 10)


def test_the_film_of_the_last_run_is_saved(make_engine_panel: Callable[..., ComfyPanel], tmp_path: Path) -> None:
    panel = make_engine_panel(example().with_params(steps=6, width=64, height=64))
    with pytest.raises(ValueError, match="No run of this panel has had previews"):
        panel.save_film(tmp_path / "none.gif")
    for words, path, fps in [("must end in .gif or .webp", "a.mp4", 8), ("fps is 0", "a.gif", 0)]:
        with pytest.raises(ValueError, match=words):
            panel.save_film(tmp_path / path, fps)
    for fps in (float("nan"), float("inf"), 1e-9, 1e9, -1, "8", None):
        with pytest.raises(ValueError, match=r"must be a number from 0\.1 to 1000"):
            panel.save_film(tmp_path / "a.gif", fps)
    panel.run().result(60)
    for slowest, fastest in [("slow.gif", "fast.gif"), ("slow.webp", "fast.webp")]:
        assert panel.save_film(tmp_path / slowest, 0.1).stat().st_size > 0
        assert panel.save_film(tmp_path / fastest, 1000).stat().st_size > 0
    with Image.open(panel.save_film(tmp_path / "boat.webp", fps=20)) as image:
        assert image.size == (64, 64)
        assert getattr(image, "n_frames", 1) >= 2
