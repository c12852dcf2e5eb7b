"""A cell that is run again and again keeps no panels that nobody can reach."""

from __future__ import annotations

import subprocess
import sys

import pytest

from comfy_widgets.testing import ScriptedServer

# A shell of its own, which runs cells as JupyterLab has them run: each with its id.
PROGRAM = """
from IPython.core.interactiveshell import InteractiveShell

shell = InteractiveShell.instance()

def run(cell_id, *lines, times=1):
    for _ in range(times):
        shell.run_cell("\\n".join(lines), store_history=True, cell_id=cell_id).raise_error()

run(
    "setup",
    "from ipywidgets import VBox",
    "from comfy_widgets import ComfyClient, ComfyPanel",
    "from comfy_widgets.testing import text_to_image",
    "client = ComfyClient({url!r})",
    "ComfyPanel(text_to_image(), client).close()  # from now on cells are watched",
    "kept = []",
    "def count():",
    "    from ipywidgets.widgets.widget import _instances",
    "    return sum(type(widget).__name__ == 'ComfyPanel' for widget in _instances.values())",
    "def count_all():",
    "    from ipywidgets.widgets.widget import _instances",
    "    return len(_instances)",
)
"""
MAKE = "panel = ComfyPanel(text_to_image(), client)"


def execute(server: ScriptedServer, *steps: str) -> list[str]:
    program = "\n".join([PROGRAM.format(url=server.url), *steps])
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return [line for line in done.stdout.splitlines() if line.startswith("now ")]


@pytest.mark.timeout(200)
def test_thirty_runs_of_a_cell_keep_one_panel(server: ScriptedServer) -> None:
    lines = execute(
        server,
        f"run('shown', {MAKE!r}, 'panel;', times=30)",
        "run('count', \"print('now', count(), panel.status, count_all())\")",
        "run('unnamed', 'ComfyPanel(text_to_image(), client);', times=5)",
        "run('count', \"print('now', count())\")",
    )
    assert lines == ["now 1 idle 2", "now 2"]


@pytest.mark.timeout(200)
def test_panels_that_somebody_holds_are_kept(server: ScriptedServer) -> None:
    lines = execute(
        server,
        "run('list', 'kept.append(ComfyPanel(text_to_image(), client))', times=3)",
        f"run('box', {MAKE!r}, 'box = VBox([panel])')",
        "run('dict', \"other = {'deep': [panel]}\")",
        f"run('box', {MAKE!r})",
        "run('count', \"print('now', count(), all(panel.comm is not None for panel in kept))\")",
        "run('elsewhere', 'panel')",
        f"run('box', {MAKE!r})",
        "run('count', \"print('now', count())\")",
    )
    assert lines == ["now 5 True", "now 6"]
