"""What the history of a panel costs with ten thousand runs in its folder.

In one process and one run: how long a panel with that folder takes beside one without, and how long until the first
rows, rows from the middle, and those of a search are with the browser, beside SQLite alone that reads the same rows
and small images from the same file. The browser is a comm that keeps what it is sent; painting is not judged here.
"""

from __future__ import annotations

import io
import json
import sqlite3
import statistics
import sys
import time
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import comm
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from comfy_widgets import ComfyClient, ComfyPanel, Result
from comfy_widgets.client import JobStatus
from comfy_widgets.experiments import RunHistory
from comfy_widgets.testing import ScriptedServer, text_to_image
from tests.widgets.page import Page

RUNS = 10_000
PAGE = 60
TIMES = 9
FLOOR = """
    SELECT history.id, title, started_at, vals, details, images, starred, status, error, server, seconds, webp
    FROM history JOIN result USING (key) LEFT JOIN thumbnail ON sha256 = cover ORDER BY started_at DESC LIMIT ? OFFSET ?
"""


def fill(folder: Path) -> None:
    """Keep many runs, each with a prompt of twenty nodes and an image of its own."""
    prompt = {str(node): {"class_type": "KSampler", "inputs": {"text": "x" * 80, "seed": node}} for node in range(20)}
    outputs = {"9": {"images": [{"filename": "a.png", "subfolder": "", "type": "output"}]}}
    noise = Image.effect_noise((96, 96), 60).convert("RGB")
    history = RunHistory(folder)
    with history.store.database.transaction():
        for number in range(RUNS):
            noise.putpixel((number % 96, number // 96 % 96), (number % 256, number // 256, 0))
            stream = io.BytesIO()
            noise.save(stream, "PNG", compress_level=1)
            content = stream.getvalue()
            values = {"positive": f"a cat, number {number}", "seed": number, "cfg": 7.0}
            history.add(
                Result(f"prompt-{number}", prompt, JobStatus.COMPLETED, outputs, 1.0, (), lambda _, one=content: one),
                title="Cats",
                started=float(number),
                finished=number + 1.0,
                values=values,
                details=[(name, str(value), "KSampler") for name, value in values.items()],
                count=1,
            )
    history.close()


def median(act: Callable[[], Any]) -> float:
    """Seconds, the middle of several."""
    took = []
    for _ in range(TIMES):
        started = time.perf_counter()
        act()
        took.append(time.perf_counter() - started)
    return statistics.median(took)


def main() -> None:
    """Measure and print."""
    comm.create_comm = Page
    with TemporaryDirectory() as name, ScriptedServer() as server, ComfyClient(server.url) as client:
        folder = Path(name) / "runs"
        fill(folder)
        database = folder / "experiment.db"
        print(f"{RUNS:,} runs, {database.stat().st_size / 1e6:.0f} MB of database")

        def panel(**options: Any) -> ComfyPanel:
            return ComfyPanel(text_to_image(), client, **options)

        panel().close()
        without, with_history = median(lambda: panel().close()), median(lambda: panel(history=folder).close())
        print(f"a panel: {1000 * without:.0f} ms; with the folder {1000 * with_history:.0f} ms")
        widget = panel(history=folder)
        page: Any = widget.comm

        def ask(start: int, text: str = "") -> None:
            page.say("history", text=text, starred=False, start=start, count=PAGE)

        def floor(start: int) -> None:
            with closing(sqlite3.connect(database)) as connection:
                for row in connection.execute(FLOOR, (PAGE, start)).fetchall():
                    json.loads(row[3])

        for words, start, text in (
            ("the first rows", 0, ""),
            ("rows in the middle", RUNS // 2, ""),
            ("a search that finds one", 0, f'"number {RUNS // 2}"'),
            ("a search that finds all", 0, "cat"),
        ):
            took, alone = median(partial(ask, start, text)), median(partial(floor, start))
            print(f"{words}: {1000 * took:.1f} ms, {took / alone:.1f} times SQLite alone with {PAGE} rows")
        found = page.custom("history")[-1]
        assert found[0]["total"] == RUNS and len(found[1]) == PAGE
        widget.close()


if __name__ == "__main__":
    main()
