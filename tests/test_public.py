"""The public face: the names that users write, pinned, lazy and documented."""

from __future__ import annotations

import subprocess
import sys

import pytest

import comfy_widgets

NAMES = [
    "ComfyClient",
    "ComfyError",
    "ComfyPanel",
    "Engine",
    "Experiment",
    "File",
    "Graph",
    "ImageGrid",
    "Job",
    "JobProgress",
    "LivePreview",
    "Param",
    "Preview",
    "Progress",
    "Result",
    "Run",
    "Workflow",
    "WorkflowError",
    "WorkflowForm",
    "example",
    "lora",
    "make_grid",
    "replace",
    "resume",
    "runs",
    "sweep",
    "together",
]


def test_the_names_are_these_and_no_others() -> None:
    assert comfy_widgets.__all__ == NAMES
    assert set(NAMES) <= set(dir(comfy_widgets))


@pytest.mark.parametrize("name", NAMES)
def test_every_name_is_there_and_documented(name: str) -> None:
    assert (getattr(comfy_widgets, name).__doc__ or "").strip()


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'ComfyPannel'"):
        _ = comfy_widgets.ComfyPannel


def test_importing_the_package_imports_nothing_else() -> None:
    heavy = ("requests", "websocket", "PIL", "ipywidgets", "anywidget", "numpy", "aiohttp", "traitlets")
    program = f"import sys, comfy_widgets; print([name for name in {heavy!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_client_needs_no_widgets_and_no_engine() -> None:
    heavy = ("ipywidgets", "anywidget", "numpy", "aiohttp")
    program = (
        "import sys, comfy_widgets; comfy_widgets.ComfyClient('http://127.0.0.1:9').close(); "
        f"print([name for name in {heavy!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
