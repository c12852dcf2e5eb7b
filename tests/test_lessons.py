"""Every lesson runs top to bottom, and what it calls right is what its own run shows.

All of them run in one kernel, on one engine: a learner has a kernel for each, which costs a second more.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from comfy_widgets import Engine
from comfy_widgets.teaching import answers

LESSONS = sorted((Path(__file__).resolve().parent.parent / "notebooks" / "lessons").glob("*.ipynb"))
RIGHT = {
    "01_words": "joyful",
    "02_noise": 0.4,
    "03_best_guess": "C",
    "04_step_by_step": 7.0,
    "05_seeds": "the one image for a while, and then the other",
    "06_steps_and_samplers": "euler",
    "07_schedules": 5.0,
    "08_guidance": ["B", "D", "A", "C"],
    "09_latent": "fine detail",
    "10_image_to_image": "a new drawing in the light and with the mountains of the sketch",
    "11_inpaint": "only what is inside the circle",
    "12_memory": "same things, in a light of its own",
}
"""What the text of each lesson says is right."""

# What somebody does who reads the lesson: predict, and then try.
LEARN = """
from comfy_widgets import ComfyPanel as _Panel
if hasattr(lesson.target, "sigma"):
    lesson.target.sigma = 0.4
lesson.predict({right!r})
if isinstance(lesson.target, _Panel):
    lesson.target.run().result(60)
else:
    lesson.reveal()
    assert lesson.answer, lesson.box.children[0]._state["problem"]
assert lesson.wait(60)["correct"], lesson.answer
"""


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, Any]]:
    """One kernel for all lessons, in a folder of its own, as some of them keep files."""
    with pytest.MonkeyPatch.context() as patch, Engine() as engine:
        patch.setenv("COMFYUI_URL", engine.url)
        client = NotebookClient(nbformat.v4.new_notebook(), kernel_name="python3")
        manager = client.create_kernel_manager()
        client.start_new_kernel(cwd=str(tmp_path_factory.mktemp("lessons")))
        client.start_new_kernel_client()
        yield manager, client.kc
        client._cleanup_kernel()


@pytest.mark.timeout(300)
@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_it_runs_top_to_bottom_and_its_answer_is_right(path: Path, kernel: tuple[Any, Any], tmp_path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    notebook.cells.append(nbformat.v4.new_code_cell(LEARN.format(right=RIGHT[path.stem])))
    client = NotebookClient(notebook, km=kernel[0], timeout=240, resources={"metadata": {"path": str(tmp_path)}})
    client.kc = kernel[1]
    client.reset_execution_trackers()
    for index, cell in enumerate(notebook.cells):
        client.execute_cell(cell, index)
    (answer,) = answers(notebook)
    right = RIGHT[path.stem]
    # Another machine's arithmetic may shift a threshold by a step.
    assert answer["right"] == (pytest.approx(right, abs=1) if isinstance(right, float) else right)
    assert answer["correct"] is True
    assert answer["lesson"] and answer["question"].endswith("?")


def test_there_are_twelve_and_each_has_its_parts() -> None:
    assert [path.stem for path in LESSONS] == sorted(RIGHT)
    for number, path in enumerate(LESSONS, 1):
        text = "\n".join(cell.source for cell in nbformat.read(path, as_version=4).cells)
        assert text.startswith(f"# Lesson {number}: ")
        for part in ("minutes.*", "## Predict", "## Remember", "**Where it stands in the source:**"):
            assert part in text, (path.stem, part)
        for named in re.findall(r"`(comfy_widgets/[\w/]+\.py)`", text):
            assert (path.parents[2] / named).exists(), named
