"""Labels of grids and sheets: every script that a font of this machine has, or a word about those that it lacks."""

from __future__ import annotations

import os
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
from PIL import Image, ImageChops, features

from comfy_widgets import make_grid

SCRIPTS = {
    "Latin": ("Café", "Cafñ"),
    "Greek": ("αβ", "βγ"),
    "Cyrillic": ("Привет", "Превит"),
    "Hebrew": ("שלום", "שלומ"),
    "Arabic": ("قطة", "كلب"),
    "Devanagari": ("नमस्ते", "नमस्का"),
    "Thai": ("แมว", "แมน"),
    "Chinese": ("猫在雪中", "狗在雪中"),
    "Japanese": ("ねこ", "いぬ"),
    "Korean": ("안녕", "한국"),
    "Georgian": ("კატა", "ქარი"),
    "symbols": ("🦊", "🐈"),
}
EUROPE = ("Latin", "Greek", "Cyrillic")
"""matplotlib's fonts have these, wherever the tests run."""


def labelled(*labels: str, width: int = 400) -> Image.Image:
    return make_grid([Image.new("RGB", (width, 4), "white")] * len(labels), labels=labels, cols=1, gap=4)


def rows(sheet: Image.Image, count: int) -> list[Image.Image]:
    high = (sheet.height - 4) // count
    return [sheet.crop((0, 4 + high * row, sheet.width, 4 + high * (row + 1))) for row in range(count)]


def ink(sheet: Image.Image) -> tuple[int, int, int, int]:
    box = ImageChops.invert(sheet.convert("L")).getbbox()
    assert box is not None
    return box


def strokes(sheet: Image.Image) -> int:
    """Count what stands apart from left to right."""
    dark = sheet.convert("L").point(lambda grey: 255 if grey < 200 else 0)
    columns = [dark.crop((x, 0, x + 1, dark.height)).getbbox() is not None for x in range(dark.width)]
    return sum(now and not before for before, now in zip([False, *columns], columns, strict=False))


@pytest.mark.parametrize("script", SCRIPTS)
def test_each_letter_is_drawn_or_its_script_is_named(script: str) -> None:
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        one, other = rows(labelled(*SCRIPTS[script]), 2)
    if script in EUROPE:
        assert not told
    if told:
        assert f"{script}: " in str(told[0].message)
    else:
        # Boxes would be the same for both.
        assert ImageChops.difference(one, other).getbbox() is not None


def test_one_label_may_have_several_scripts() -> None:
    texts = [one for script in EUROPE for one in SCRIPTS[script]]
    whole = strokes(labelled(" ".join(texts), width=900))
    assert whole >= sum(len(text) for text in texts) - 4


def test_plain_text_looks_the_same_everywhere() -> None:
    # In Pillow's own font, whatever this machine has.
    with_others = rows(labelled("cfg 7", "steps 20"), 2)[0]
    assert ImageChops.difference(with_others, rows(labelled("cfg 7", "sampler"), 2)[0]).getbbox() is None


def test_a_long_label_is_cut_inside_its_cell() -> None:
    for text in ("é" * 300, "Привет " * 60, "e\u0301" * 300):
        left, _, right, _ = ink(labelled(text, width=200))
        assert left >= 4
        assert right <= 204
        assert right - left > 150


@pytest.mark.skipif(not features.check("raqm"), reason="this Pillow was built without Raqm")
def test_arabic_letters_are_joined_and_run_to_the_left() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            joined = labelled("ممم")
        except UserWarning as missing:
            pytest.skip(str(missing))
        assert strokes(joined) == 1
        # A label that begins in Arabic ends, on the left, with what stands last in it.
        left, _, right, _ = ink(labelled("ممم 1"))
    assert right - left > ink(joined)[2] - ink(joined)[0]


@pytest.mark.skipif(sys.platform == "darwin", reason="macOS keeps its fonts where no variable points to")
def test_without_a_font_the_warning_says_what_to_install(tmp_path: Path) -> None:
    program = (
        "import sys; sys.modules['matplotlib'] = None\n"
        "from PIL import Image; from comfy_widgets import make_grid\n"
        "image = Image.new('RGB', (64, 64))\n"
        "print(make_grid([image], labels=['cfg 7']).size)\n"
        "print(make_grid([image] * 2, labels=['Привет', '猫']).size)\n"
    )
    empty = os.fspath(tmp_path)
    nowhere = dict.fromkeys(("HOME", "XDG_DATA_HOME", "XDG_DATA_DIRS", "WINDIR", "LOCALAPPDATA"), empty)
    done = subprocess.run(
        [sys.executable, "-W", "always", "-c", program],
        env=os.environ | nowhere,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    told = [line for line in done.stderr.splitlines() if "UserWarning" in line]
    assert len(told) == 1
    assert "Cyrillic: Пвеирт; " in told[0]
    assert "Chinese: 猫" in told[0]
    assert "fonts-noto-cjk" in told[0]
    assert "restart the kernel" in told[0]


def test_a_broken_font_is_passed_over(tmp_path: Path) -> None:
    fonts = tmp_path / "fonts"
    fonts.mkdir()
    (fonts / "DejaVuSans.ttf").write_bytes(b"no font at all")
    program = (
        "from PIL import Image; from comfy_widgets import make_grid\n"
        "print(make_grid([Image.new('RGB', (64, 64))], labels=['Привет']).size)\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        env=os.environ | {"XDG_DATA_HOME": os.fspath(tmp_path), "HOME": os.fspath(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
