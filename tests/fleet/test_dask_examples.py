"""What is shown of clusters, parsed and checked but not run; and that Dask is imported by nothing else."""

from __future__ import annotations

import ast
import inspect
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import comfy_widgets
from comfy_widgets import DaskFleet

PAGE = Path(__file__).resolve().parents[2] / "docs" / "howto" / "dask.md"
EXAMPLES = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def calls(code: str) -> dict[str, ast.Call]:
    """The calls of an example by the name of what is called."""
    return {
        node.func.id: node
        for node in ast.walk(ast.parse(code))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }


def bind(called: Any, call: ast.Call) -> None:
    """Raise TypeError where something does not take these arguments."""
    keywords = {keyword.arg or "": None for keyword in call.keywords}
    inspect.signature(called).bind(*[None] * len(call.args), **keywords)


@pytest.mark.parametrize("code", EXAMPLES, ids=["any", "ssh", "slurm", "kubernetes"])
def test_an_example_is_right_as_far_as_can_be_seen(code: str) -> None:
    tree, called = ast.parse(code), calls(code)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "comfy_widgets":
            assert {alias.name for alias in node.names} <= set(comfy_widgets.__all__)
    bind(DaskFleet, called["DaskFleet"])
    assert isinstance(called["DaskFleet"].args[0], (ast.Name, ast.Call))
    # All that is used has been imported or made.
    bound = {alias.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names}
    bound |= {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    assert used <= bound | {"range"}


@pytest.mark.parametrize("code", EXAMPLES[1:], ids=["ssh", "slurm", "kubernetes"])
def test_workers_get_the_resource(code: str) -> None:
    assert re.search(r'"resources": \{"COMFY": 2\}|"--resources", "COMFY=2"', code)


def test_distributed_takes_what_the_example_gives_it() -> None:
    distributed = pytest.importorskip("distributed", reason="the extra 'dask' is not installed")
    called = calls(EXAMPLES[1])
    bind(distributed.SSHCluster, called["SSHCluster"])
    (options,) = [keyword.value for keyword in called["SSHCluster"].keywords if keyword.arg == "worker_options"]
    assert set(ast.literal_eval(options)) <= set(inspect.signature(distributed.Worker).parameters)


def test_nothing_of_dask_is_imported_otherwise() -> None:
    program = (
        "import sys, comfy_widgets; comfy_widgets.DaskFleet; comfy_widgets.Fleet; "
        "print([name for name in ('dask', 'distributed') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
