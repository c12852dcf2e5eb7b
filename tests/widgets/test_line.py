"""What a notebook shows unasked: a live line for `client.run`, and results with a caption; a script shows nothing."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from comfy_widgets.testing import ScriptedServer

SETUP = """
from comfy_widgets import ComfyClient
from comfy_widgets.testing import text_to_image
client = ComfyClient({url!r})
"""


def execute(server: ScriptedServer, *cells: str) -> list[list[Any]]:
    sources = [SETUP.format(url=server.url), *cells]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in sources])
    NotebookClient(notebook, timeout=120, kernel_name="python3", allow_errors=True).execute()
    return [[out for out in cell.outputs if out.output_type != "stream"] for cell in notebook.cells[1:]]


@pytest.mark.timeout(300)
def test_a_cell_that_runs_jobs_keeps_one_line_of_text(server: ScriptedServer) -> None:
    result, loop, silent, left = execute(
        server,
        "client.run(text_to_image(batch_size=2))",
        "for seed in range(3):\n    client.run(text_to_image(seed=seed))",
        "_ = client.run(text_to_image(seed=9), progress=False)",
        "from ipywidgets.widgets.widget import _instances\nprint(len(_instances))\nlen(_instances)",
    )
    line, image, caption = result
    assert line["data"]["text/plain"].startswith("2 images · ")
    assert "image/jpeg" in image["data"]
    assert image["metadata"]["image/jpeg"]["alt"]
    assert caption["data"]["text/plain"].startswith("2 images · ")
    (line,) = loop
    assert line["data"]["text/plain"].startswith("3 runs · 3 images · ")
    assert "widget-view" not in str(line["data"])
    assert silent == []
    assert left[0]["data"]["text/plain"] == "0"


@pytest.mark.timeout(300)
def test_a_caption_tells_what_differs_from_the_result_before(server: ScriptedServer) -> None:
    changes = [
        "",
        "seed=5, cfg=3.5",
        "seed=5, cfg=3.5",
        "seed=6, steps=9, sampler_name='heun', width=80",
        "positive='x' * 300",
    ]
    cells = [f"client.run(text_to_image(), progress=False, **dict({change}))" for change in changes]
    captions = [outputs[-1]["data"]["text/plain"].split(" · ") for outputs in execute(server, *cells)]
    size = "32 \N{MULTIPLICATION SIGN} 32"
    assert [caption[:-3] for caption in captions[:3]] == [[], ["Seed 0 → 5", "CFG 7.0 → 3.5"], []]
    assert all(caption[-3:-1] == ["1 image", size] for caption in captions)
    assert len(captions[3]) == 4 + 3 and captions[3][3] == "2 more"
    assert all(len(words) <= 80 for words in captions[4])


@pytest.mark.timeout(300)
def test_a_failure_is_told_in_the_line(server: ScriptedServer) -> None:
    from comfy_widgets.testing import standard_run

    server.play(standard_run(fail_at="3"))
    (outputs,) = execute(server, "client.run(text_to_image())")
    assert outputs[0]["data"]["text/plain"].startswith("1 run · 1 failed")
    assert outputs[-1]["output_type"] == "error"


@pytest.mark.timeout(300)
def test_many_runs_have_one_line_for_all(server: ScriptedServer) -> None:
    seeds = "[{'seed': seed} for seed in range(3)]"
    mapped, ended, silent, unread = execute(
        server,
        f"_ = list(client.map(text_to_image(), {seeds}))",
        "from comfy_widgets import as_completed\n"
        "for job in as_completed([client.submit(text_to_image(seed=seed)) for seed in range(5, 9)]):\n    pass",
        f"_ = list(client.map(text_to_image(), {seeds}, progress=False))",
        f"_ = client.map(text_to_image(), {seeds})",
    )
    (line,) = mapped
    assert line["data"]["text/plain"].startswith("3 runs · 3 images · ")
    (line,) = ended
    assert line["data"]["text/plain"].startswith("4 runs · 4 images · ")
    assert (silent, unread) == ([], [])


@pytest.mark.timeout(300)
def test_the_extension_shows_a_job(server: ScriptedServer) -> None:
    _, job = execute(server, "%load_ext comfy_widgets", "client.submit(text_to_image())")
    assert "application/vnd.jupyter.widget-view+json" in job[0]["data"]


def test_a_script_shows_nothing(server: ScriptedServer) -> None:
    program = SETUP.format(url=server.url) + "client.run(text_to_image())\nlist(client.map(text_to_image(), [{}, {}]))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert (done.stdout, done.stderr) == ("", "")
