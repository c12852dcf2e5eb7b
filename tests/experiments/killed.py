"""A kernel that runs a sweep until somebody kills it: ``python killed.py URL FOLDER CELLS``."""

from __future__ import annotations

import sys

from comfy_widgets import ComfyClient
from comfy_widgets.experiments import sweep
from comfy_widgets.testing import text_to_image

if __name__ == "__main__":
    url, folder, cells = sys.argv[1:]
    sweep(
        text_to_image(steps=1),
        seed=range(int(cells)),
        client=ComfyClient(url, journal=False),
        folder=folder,
        confirm=True,
    ).wait()
