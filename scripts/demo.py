"""``python -m scripts.demo NOTEBOOK FOLDER``: run a notebook on the embedded engine and keep what it made.

Runs in ``.venv``, unlike the other tasks.
"""

from __future__ import annotations

import asyncio
import copy
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbconvert import HTMLExporter

from comfy_widgets.engine import Engine

CELL_SECONDS = 600
IMAGE_TYPES = ("image/png", "image/jpeg")
FIT = "<style>.jp-RenderedSVG img { max-width: 100%; }</style>"  # nbconvert lets a wide drawing run off the page
WIDGET = "application/vnd.jupyter.widget-view+json"


def run(notebook: Path, folder: Path) -> int:
    """Run `notebook`; leave it executed, its HTML and the images in `folder`. Return an exit code."""
    shutil.rmtree(folder, ignore_errors=True)
    images = folder / "images"
    images.mkdir(parents=True)
    document = nbformat.read(notebook, as_version=4)
    print(f"Running {notebook.name} on the embedded engine ...", flush=True)
    try:
        with Engine(output_dir=images) as engine:
            os.environ["COMFYUI_URL"] = engine.url  # for the kernel, which is started next
            asyncio.run(_execute(document, notebook.parent))
    except CellExecutionError as error:
        print(f"A cell of {notebook.name} failed:\n{error}", file=sys.stderr)
        return 1
    finally:
        nbformat.write(document, folder / notebook.name)
        (folder / notebook.with_suffix(".html").name).write_text(_html(document), encoding="utf-8")
    return _report(document, folder)


async def _execute(document: Any, where: Path) -> None:
    client = NotebookClient(
        document,
        timeout=CELL_SECONDS,
        kernel_name="python3",
        resources={"metadata": {"path": str(where)}},
        extra_arguments=["--log-level=ERROR"],  # it warns of its own transport, which nobody here chose
    )
    await client.async_execute()


def _html(document: Any) -> str:
    """Return the notebook as a page that needs no network. Where a widget would stand, it says so."""
    document = copy.deepcopy(document)
    document.metadata.pop("widgets", None)
    for cell in document.cells:
        for output in cell.get("outputs", []):
            if WIDGET in output.get("data", {}):
                output.data = {"text/plain": "A live widget stands here in the notebook; `make lab` opens it."}
    page = HTMLExporter(require_js_url="", mathjax_url="")
    body, _resources = page.from_notebook_node(document)
    return str(body).replace("</head>", f"{FIT}</head>", 1)


def _report(document: Any, folder: Path) -> int:
    """Say what there is. Without images, on disk and in the notebook, the demo has failed."""
    saved = sorted((folder / "images").rglob("*.png"))
    outputs = [output for cell in document.cells for output in cell.get("outputs", [])]
    shown = [output for output in outputs if any(kind in output.get("data", {}) for kind in IMAGE_TYPES)]
    if not saved or not shown:
        print(f"No images came out: {len(saved)} saved, {len(shown)} shown in the notebook.", file=sys.stderr)
        return 1
    name = Path(os.path.relpath(folder))
    print(f"""
Done. Look at
    {name / "01_first_image.html"}     the notebook as a page
    {name / "01_first_image.ipynb"}    the notebook, executed
    {name / "images"}/                 {len(saved)} images; drop one into ComfyUI and it shows its workflow

The live notebook, with the panel to play with, opens with
    make lab""")
    return 0


if __name__ == "__main__":
    sys.exit(run(Path(sys.argv[1]), Path(sys.argv[2])))
