"""A kernel that runs a sweep on a fleet until somebody kills it: ``python killed.py FOLDER CELLS URL...``."""

from __future__ import annotations

import sys

from comfy_widgets import Fleet
from comfy_widgets.experiments import sweep
from comfy_widgets.testing import text_to_image

if __name__ == "__main__":
    folder, cells, *urls = sys.argv[1:]
    sweep(text_to_image(steps=1), seed=range(int(cells)), client=Fleet(urls), folder=folder, confirm=True).wait()
