"""What the front end weighs: its files, a panel's saved state, and what panels add to a saved notebook.

Counts of bytes, each beside its budget. No network and no browser take part; first paint is not judged here.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient

from comfy_widgets.engine import Engine

STATIC = Path(__file__).resolve().parent.parent / "comfy_widgets" / "static"
PANELS = 20
TOGETHER = 275_000
"""All parts: a page loads those that it shows. It grew with what a panel can do beside running."""
SETUP = "from comfy_widgets import ComfyClient, ComfyPanel, example\nclient = ComfyClient({url!r})"
PANEL = "ComfyPanel(example(), client)"


def notebook_size(url: str, panels: int) -> int:
    """Bytes of a notebook that shows so many panels, with its widgets' state."""
    cells = [SETUP.format(url=url), *[PANEL] * panels]
    document = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    NotebookClient(document, kernel_name="python3", store_widget_state=True).execute()
    return len(nbformat.writes(document).encode())


def parts() -> dict[str, int]:
    """Bytes of what each part needs in all."""
    manifest: dict[str, list[str]] = json.loads((STATIC / "manifest.json").read_bytes())
    return {part: sum((STATIC / name).stat().st_size for name in files) for part, files in manifest.items()}


def main() -> int:
    """Print each size and its budget; the exit code tells whether all are kept."""
    sizes = parts()
    rows = [
        ("start module, in each widget", (STATIC / "start.js").stat().st_size, 12_000),
        ("usable panel, once a page", sizes["panel"], 60_000),
        ("everything", sum(file.stat().st_size for file in STATIC.glob("*.js")), TOGETHER),
    ]
    with Engine() as engine:
        empty, one, many = (notebook_size(engine.url, count) for count in (0, 1, PANELS))
    rows += [
        ("a panel in a saved notebook", one - empty, 16_000),
        (f"{PANELS} panels in a saved notebook", many - empty, 400_000),
    ]
    for words, size, budget in rows:
        print(f"  {words:32} {size / 1000:7.1f} kB of {budget / 1000:5.0f} kB = {size / budget:4.0%}")
    others = (f"{part} {size / 1000:.1f}" for part, size in sorted(sizes.items()) if part != "panel")
    print(f"  the other parts, in kB and with all they import: {', '.join(others)}")
    return int(any(size > budget for _, size, budget in rows))


if __name__ == "__main__":
    sys.exit(main())
