"""``comfy-widgets demo``: four images, and a notebook or a page to go on with."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import webbrowser
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from ._writing import replace_file

_CELLS = (
    "# ComfyUI in a notebook\n\nRun the cells from top to bottom (Shift+Enter). Without a ComfyUI on this machine they "
    "use the embedded engine, a small procedural model with a real sampler.",
    "from comfy_widgets import ComfyClient, ComfyPanel, example, sweep\n\nclient = ComfyClient()",
    "## A workflow as a form\n\nChange a prompt, press **Run**, or run it from Python with `panel.run()`.",
    "panel = ComfyPanel(example(), client)\npanel",
    "## Without a form",
    'result = client.run(example(), seed=7, positive="a lighthouse by the sea, starry night")\nresult.images[0]',
    "## All combinations of some values\n\nHover an image to magnify it; the keys 1 to 5 rate it.",
    'sweep(example(), seed=range(2), cfg=[2, 7], client=client, folder="demo-sweep")',
)


def make_images(folder: Path, say: Callable[[str], object]) -> Path:
    """Make four images on the embedded engine, and what to open next.

    Parameters
    ----------
    folder : Path
        Gets the images, a page that shows them as a grid, and a notebook where there is a Jupyter to open it.
    say : callable
        Takes one line at a time.

    Returns
    -------
    Path
        The notebook, or the page where Jupyter is missing.
    """
    from .client import ComfyClient, shared_engine
    from .experiments import sweep
    from .workflow import example

    with ComfyClient(shared_engine().url) as client:
        say(f"{client.description}: no large model, but a real sampler.")
        run = sweep(example(), seed=range(2), cfg=[2, 7], client=client, folder=folder / "sweep", name="demo")
        try:
            run.wait()
            count = sum(file.suffix == ".png" for file in run.export(folder))
            page = run.save(folder / "demo.html")
        finally:
            run.close()
    say(f"{count} images are in {folder.resolve()}")
    if _jupyter() is None:
        return page
    notebook = folder / "demo.ipynb"
    if not notebook.exists():  # it may be one that somebody has worked on since
        replace_file(notebook, json.dumps(_notebook(), indent=1).encode())
    return notebook


def show(path: Path, say: Callable[[str], object]) -> None:
    """Open a notebook or a page, where somebody sits at a terminal; else say how.

    Parameters
    ----------
    path : Path
        What `make_images` returned.
    say : callable
        Takes one line at a time.
    """
    jupyter, notebook = _jupyter(), path.suffix == ".ipynb"
    if not sys.stdout.isatty():
        how = (
            f"jupyter {'lab' if jupyter == 'jupyterlab' else 'notebook'} {path}"
            if notebook
            else path.resolve().as_uri()
        )
        say(f"To go on, open it: {how}")
    elif notebook:
        say("Opening it in Jupyter; Ctrl-C ends that.")
        as_root = ["--allow-root"] if getattr(os, "geteuid", lambda: 1)() == 0 else []
        try:
            subprocess.run([sys.executable, "-m", str(jupyter), str(path), *as_root], check=False)
        except KeyboardInterrupt:
            return
    else:
        say(f"Opening {path}. For notebooks: pip install jupyterlab")
        webbrowser.open(path.resolve().as_uri())


def _jupyter() -> str | None:
    return next((name for name in ("jupyterlab", "notebook") if find_spec(name) is not None), None)


def _notebook() -> dict[str, object]:
    cells: list[dict[str, object]] = []
    for number, source in enumerate(_CELLS):
        is_text = source.startswith("#")
        cell: dict[str, object] = {"id": f"demo-{number}", "metadata": {}, "source": source}
        cell.update({"cell_type": "markdown"} if is_text else _CODE)
        cells.append(cell)
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": {"kernelspec": kernel}, "cells": cells}


_CODE: dict[str, object] = {"cell_type": "code", "execution_count": None, "outputs": []}
