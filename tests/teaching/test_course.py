"""The lessons that everybody gets who installs the package."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest

from comfy_widgets.cli import main
from comfy_widgets.errors import ComfyError
from comfy_widgets.teaching import copy_lessons


def test_the_command_copies_all_lessons_and_keeps_what_is_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "course"
    folder.mkdir()
    (folder / "02_noise.ipynb").write_text("somebody's answers")
    assert main(["lessons", str(folder)]) == 0
    told = capsys.readouterr()
    names = [Path(line).name for line in told.out.splitlines()]
    assert len(names) == 12 and names == sorted(path.name for path in folder.iterdir())
    assert (folder / "02_noise.ipynb").read_text() == "somebody's answers"
    assert f"jupyter lab {folder}" in told.err
    nbformat.validate(nbformat.read(folder / "01_words.ipynb", 4))


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ComfyError, match=r"file cannot be written .* Name another folder"):
        copy_lessons(tmp_path / "file")
