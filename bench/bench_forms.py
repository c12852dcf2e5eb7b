"""How well a form foresees what an author wants to show, against the official templates that say so (App mode).

    python bench/bench_forms.py [object_info.json[.gz]]

For each template of the installed `comfyui-workflow-templates-json` whose author chose k inputs: how many of them are
found, and how many are among the first k of our own ranking when the choice is taken out of the file. An author may
have chosen inputs of nodes that are gone since; those can be neither. The definitions are those of ComfyUI 0.33.0
beside the repository, or a server's own.
"""

from __future__ import annotations

import gzip
import json
import sys
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

from comfy_widgets.workflow import Workflow

DEFINITIONS = Path(__file__).resolve().parents[2] / "shared" / "convert-0.33" / "object_info-0.33.0.json.gz"


def templates() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the templates in which an author chose inputs."""
    for entry in sorted((files("comfyui_workflow_templates_json") / "templates").iterdir(), key=lambda file: file.name):
        document = json.loads(entry.read_text(encoding="utf-8")) if entry.name.endswith(".json") else None
        extra = document.get("extra") if isinstance(document, dict) else None
        if isinstance(document, dict) and isinstance(extra, dict) and (extra.get("linearData") or {}).get("inputs"):
            yield entry.name, document


def score(document: dict[str, Any], object_info: dict[str, Any]) -> tuple[int, int, int]:
    """Return how many inputs were chosen, how many are found, and how many are among the first without the choice."""
    count = len(document["extra"]["linearData"]["inputs"])
    chosen = [param.place for param in Workflow.load(document, object_info=object_info).params().primary]
    plain = {**document, "extra": {**document["extra"], "linearData": None}}
    first = list(Workflow.load(plain, object_info=object_info).params().values())[:count]
    return count, len(chosen), sum(param.place in chosen for param in first)


def main() -> None:
    """Print a line for each template, and the sums."""
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else DEFINITIONS
    data = path.read_bytes()
    object_info = json.loads(gzip.decompress(data) if path.suffix == ".gz" else data)
    sums = [0, 0, 0]
    print(f"{'template':60} chosen found first k")
    for name, document in templates():
        counts = score(document, object_info)
        sums = [total + count for total, count in zip(sums, counts, strict=True)]
        print(f"{name:60} {counts[0]:6} {counts[1]:5} {counts[2]:7}")
    print(f"{'all':60} {sums[0]:6} {sums[1]:5} {sums[2]:7}")


if __name__ == "__main__":
    main()
