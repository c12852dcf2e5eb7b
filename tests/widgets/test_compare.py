"""`ImageCompare` and `ImageGrid` with axes, as Python sees them."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from traitlets import TraitError

from comfy_widgets import ComfyClient, ImageCompare, ImageGrid, example
from comfy_widgets.engine import Engine


def png(color: str, size: int = 8) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (size, size), color).save(stream, "PNG")
    return stream.getvalue()


def test_everything_that_is_an_image_is_taken(tmp_path: Path) -> None:
    file = tmp_path / "blue.png"
    file.write_bytes(png("blue"))
    tiff = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(tiff, "TIFF")
    kinds: list[Any] = [file, str(file), png("red"), Image.new("L", (8, 8)), np.zeros((8, 8, 3)), tiff.getvalue()]
    for kind in kinds:
        compare = ImageCompare(kind, kinds[0])
        assert compare._sides["a"].size == (8, 8)
        assert compare._sides["a"].mime in ("image/png", "image/webp")
        compare.close()


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (5, "a int is no image"),
        (None, "a NoneType is no image"),
        ("there-is-none.png", "there-is-none.png cannot be read"),
        (b"no image", "is no image that Pillow can read"),
        (np.zeros((2, 2, 7)), r"shape \(2, 2, 7\) is no image"),
    ],
)
def test_what_is_no_image_is_refused_in_words_and_changes_nothing(value: Any, words: str) -> None:
    with pytest.raises(TraitError, match=words):
        ImageCompare(value, png("red"))
    compare = ImageCompare(png("blue"), png("red"), ["one", "two"])
    with pytest.raises(TraitError, match=words):
        compare.b = value
    assert compare.b == png("red")
    with pytest.raises(TraitError, match="There are 1 labels for two images"):
        compare.labels = ("one",)
    assert compare.labels == ("one", "two")


def test_differences_are_told_wherever_the_images_come_from(engine: Engine) -> None:
    with ComfyClient(engine.url) as client:
        first, second = (client.run(example(), steps=steps, width=64, height=64) for steps in (1, 2))
        for a, b in [(first, second), (first.images[0], second), (first.bytes(first.image_files[0]), second.images[0])]:
            assert ImageCompare(a, b).differences == ["Steps 1 → 2"]
        compare = ImageCompare(first, second)
        compare.b = png("red")
        assert compare.differences == []


@pytest.mark.parametrize(
    ("axes", "words"),
    [
        ({"x": [1, 2]}, "3 images do not fill 1 rows of 2 columns; give 2 images"),
        ({"x": [1, 2], "y": [1, 2]}, "3 images do not fill 2 rows of 2 columns; give 4 images, row by row"),
        ({"x": {"cfg": [1], "seed": [2]}}, "x names 2 axes; give one"),
        ({"y": []}, "y is .* must be a list of at least one value"),
        ({"x": "abc"}, "x is 'abc', but must be a list"),
    ],
)
def test_axes_that_do_not_fit_are_told(axes: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        ImageGrid([Image.new("RGB", (8, 8))] * 3, **axes)


def test_one_axis_alone_makes_rows_or_columns() -> None:
    images = [Image.new("RGB", (8, 8))] * 6
    assert len(ImageGrid(images, x={"cfg": [1, 2, 3]})._axes["y"]["labels"]) == 2
    assert len(ImageGrid(images, y=["a", "b", "c"])._axes["x"]["labels"]) == 2
    grid = ImageGrid(images, x=[1, 2, 3], y=["a", "b"])
    grid.images = images[::-1]
    assert grid._axes["x"]["labels"] == ["1", "2", "3"]
    grid.images = images[:1]
    assert grid._axes == {"x": None, "y": None}
