"""The public face: the names that users write, pinned, lazy and documented."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from functools import cached_property
from pathlib import Path

import pytest

import comfy_widgets
from comfy_widgets import errors

NAMES = [
    "ComfyClient",
    "ComfyError",
    "ComfyPanel",
    "DaskFleet",
    "DiffusionSteps",
    "DrawingCanvas",
    "Engine",
    "Experiment",
    "File",
    "Fleet",
    "FleetView",
    "Graph",
    "ImageCompare",
    "ImageGrid",
    "Job",
    "JobProgress",
    "Lesson",
    "LivePreview",
    "NoiseExplorer",
    "Param",
    "Preview",
    "Progress",
    "ReplaySlider",
    "Result",
    "Run",
    "ScheduleEditor",
    "SweepGrid",
    "Workflow",
    "WorkflowError",
    "WorkflowForm",
    "WorkflowGraph",
    "as_completed",
    "example",
    "explain",
    "images",
    "lora",
    "make_grid",
    "prefer",
    "prompt_variants",
    "record",
    "replace",
    "resume",
    "runs",
    "sweep",
    "together",
]
MEMBERS = (property, classmethod, staticmethod, cached_property)


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


def test_the_panel_needs_no_client_before_one_is_made() -> None:
    heavy = ("requests", "websocket", "PIL", "numpy", "aiohttp", "sqlite3", "comfy_widgets.workflow._document")
    # Older releases of IPython import some of these themselves.
    program = (
        "import sys, ipywidgets, anywidget; before = set(sys.modules); "
        "import comfy_widgets; comfy_widgets.ComfyPanel, comfy_widgets.errors.ComfyError; "
        f"print([name for name in {heavy!r} if name in sys.modules and name not in before])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_client_needs_no_widgets_and_no_engine() -> None:
    heavy = ("ipywidgets", "anywidget", "numpy", "aiohttp", "comfy_widgets.testing")
    program = (
        "import sys, comfy_widgets; comfy_widgets.ComfyClient('http://127.0.0.1:9').close(); "
        f"print([name for name in {heavy!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def named_in_tests() -> set[str]:
    """Every attribute and keyword that occurs in a test."""
    names: set[str] = set()
    for file in Path(__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute):
                names.add(node.attr)
            elif isinstance(node, ast.keyword) and node.arg is not None:
                names.add(node.arg)
    return names


def test_every_method_and_property_of_the_public_face_occurs_in_a_test() -> None:
    tested, untested = named_in_tests(), []
    for name in NAMES:
        value = getattr(comfy_widgets, name)
        bases = value.__mro__ if isinstance(value, type) else ()
        for base in (base for base in bases if base.__module__.startswith("comfy_widgets")):
            members = {key for key, member in vars(base).items() if callable(member) or isinstance(member, MEMBERS)}
            untested += [f"{name}.{key}" for key in members if not key.startswith("_") and key not in tested]
    assert untested == []


def test_the_whole_tree_of_errors_is_drawn() -> None:
    """Each error stands in the tree below the class it derives from."""
    path: list[str] = []
    drawn: dict[str, str | None] = {}
    for line in (errors.__doc__ or "").splitlines():
        if found := re.match(r"([ │├└─]*)([A-Z]\w+)", line.removeprefix("    ")):
            depth = len(found[1]) // 4
            path[depth:] = [found[2]]
            if found[2] in errors.__all__:
                drawn[found[2]] = path[depth - 1] if depth else None
    assert sorted(drawn) == errors.__all__
    for name, parent in drawn.items():
        assert getattr(errors, name).__bases__[0].__name__ == (parent or "Exception")
