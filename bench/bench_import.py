"""``import comfy_widgets`` against ``import ipywidgets, anywidget``, which every widget costs; fresh processes in turn.

Prints the ratio of the medians, and of the import of all public names.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys

PEER = "import ipywidgets, anywidget"
OURS = "import comfy_widgets"
PANEL = "import comfy_widgets; comfy_widgets.ComfyPanel"


def seconds(statement: str) -> float:
    """Seconds that a statement takes in a fresh interpreter, without the interpreter's own start."""
    program = f"import time; t = time.perf_counter(); {statement}; print(time.perf_counter() - t)"
    # With compiled modules kept, as they are where people install: otherwise compiling is what would be measured.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True, env=environment)
    return float(done.stdout)


def main() -> int:
    """Print the ratios."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    took: dict[str, list[float]] = {PEER: [], OURS: [], PANEL: []}
    for _ in range(rounds + 1):
        for statement, times in took.items():
            times.append(seconds(statement))
    peer, *others = (statistics.median(times[1:]) for times in took.values())
    print(f"import, median of {rounds} fresh processes, against {PEER!r} ({peer * 1000:.0f} ms)")
    for statement, value in zip([OURS, PANEL], others, strict=True):
        print(f"  {statement:48} {value * 1000:6.1f} ms = {value / peer:.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
