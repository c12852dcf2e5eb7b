"""`make demo`: the first notebook without a browser, and what it leaves behind."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent

pytestmark = pytest.mark.timeout(600)


def demo(notebook: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "scripts.demo", str(notebook), str(folder)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


def notebook_of(folder: Path, code: str) -> Path:
    cell = {"cell_type": "code", "id": "only", "execution_count": None, "metadata": {}, "outputs": [], "source": code}
    path = folder / "some.ipynb"
    path.write_text(json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [cell]}))
    return path


def test_the_first_notebook_leaves_images_and_a_page(tmp_path: Path) -> None:
    done = demo(ROOT / "notebooks" / "01_first_image.ipynb", tmp_path / "demo output")
    assert done.returncode == 0, done.stderr
    images = sorted((tmp_path / "demo output" / "images").glob("*.png"))
    assert len(images) >= 3
    with Image.open(images[0]) as image:
        assert image.size == (512, 512)
        assert "KSampler" in image.info["prompt"]  # ComfyUI reads its workflow from there
    page = (tmp_path / "demo output" / "01_first_image.html").read_text(encoding="utf-8")
    assert page.count("data:image/png;base64,") >= 3
    assert "unpkg.com" not in page and "require.min.js" not in page  # it needs no network
    executed = json.loads((tmp_path / "demo output" / "01_first_image.ipynb").read_text(encoding="utf-8"))
    assert all(cell["execution_count"] for cell in executed["cells"] if cell["cell_type"] == "code")


def test_a_notebook_without_images_is_a_failure(tmp_path: Path) -> None:
    done = demo(notebook_of(tmp_path, "1 + 1"), tmp_path / "output")
    assert done.returncode == 1
    assert "No images came out" in done.stderr


def test_a_cell_that_fails_is_shown_and_kept(tmp_path: Path) -> None:
    done = demo(notebook_of(tmp_path, "raise ValueError('out of paint')"), tmp_path / "output")
    assert done.returncode == 1
    assert "out of paint" in done.stderr
    assert "out of paint" in (tmp_path / "output" / "some.ipynb").read_text(encoding="utf-8")
