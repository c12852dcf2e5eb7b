"""Every notebook runs top to bottom, in a fresh kernel, on the embedded engine."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from comfy_widgets import Engine

NOTEBOOKS = Path(__file__).resolve().parent.parent / "notebooks"


# The first one is run by `make demo`, which has tests of its own.
@pytest.mark.timeout(300)
@pytest.mark.parametrize("path", sorted(NOTEBOOKS.glob("0[2-9]*.ipynb")), ids=lambda path: path.stem)
def test_it_runs_top_to_bottom(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    notebook = nbformat.read(path, as_version=4)
    with Engine() as engine:
        monkeypatch.setenv("COMFYUI_URL", engine.url)
        NotebookClient(notebook, timeout=240, resources={"metadata": {"path": str(tmp_path)}}).execute()
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(cell.execution_count for cell in code)
    assert any(cell.outputs for cell in code)
