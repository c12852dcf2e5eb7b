"""Every official template, through all that a workflow is asked for: loaded, read, checked, drawn, saved, loaded again.

    python bench/bench_templates.py [object_info.json[.gz]] > docs/templates.md

The templates are those of the installed `comfyui-workflow-templates-json`; the definitions those of ComfyUI 0.33.0
beside the repository, or a server's own. Nothing may raise. Times are given as multiples of reading the same file with
`json.loads`, in the same run.
"""

from __future__ import annotations

import gzip
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib import metadata
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeVar

from comfy_widgets.workflow import NodeSpecs, Workflow

PACKAGE = "comfyui-workflow-templates-json"
DEFINITIONS = Path(__file__).resolve().parents[2] / "shared" / "convert-0.33" / "object_info-0.33.0.json.gz"
STEPS = ("load and convert", "params", "check", "draw", "save and load")

HEAD = """\
# The official templates

All templates of {package}, read with the definitions of ComfyUI 0.33.0: loaded, converted, asked for their
parameters, checked, drawn, saved and loaded again, without an error. Made by `bench/bench_templates.py`. *Known* are
those whose node classes this version of ComfyUI has; the others are newer, and the check says so. Times are medians of
CPU time, as multiples of `json.loads` of the same file.
"""

T = TypeVar("T")


@dataclass
class Row:
    """What came out for the templates of one kind."""

    count: int = 0
    nodes: int = 0
    params: int = 0
    primary: int = 0
    complete: int = 0
    times: dict[str, list[float]] = field(default_factory=dict)


def templates() -> Iterator[tuple[str, str]]:
    """Yield the name and the text of each template."""
    for entry in sorted((files(PACKAGE.replace("-", "_")) / "templates").iterdir(), key=lambda file: file.name):
        if entry.name.endswith(".json"):
            text = entry.read_text(encoding="utf-8")
            document = json.loads(text)
            if isinstance(document, dict) and isinstance(document.get("nodes"), list):
                yield entry.name, text


def kind_of(name: str) -> str:
    """Return the first word of a template's name, by which the official ones are grouped; "other" for rare ones."""
    word = name.replace("-", "_").split("_")[0].lower()
    return word if word in ("api", "image", "video", "audio", "3d", "utility", "template", "templates") else "other"


def measure(text: str, specs: NodeSpecs, row: Row, folder: Path) -> None:
    """Ask one template for everything, and add what came out."""
    read, _ = timed(lambda: json.loads(text))
    took = []

    def step(action: Callable[[], T]) -> T:
        seconds, value = timed(action)
        took.append(seconds / read)
        return value

    workflow = step(lambda: converted(text, specs))
    params = step(workflow.params)
    problems = step(workflow.check)
    assert step(workflow.to_svg).startswith("<svg")
    again = step(lambda: Workflow.load(workflow.save(folder / "saved.json")))
    assert again == workflow
    row.count += 1
    row.nodes += len(list(workflow))
    row.params += len(params)
    row.primary += len(params.primary)
    unknown = [problem for problem in problems if "does not know the node class" in problem.message]
    row.complete += not unknown
    for name, ratio in zip(STEPS, took, strict=True):
        row.times.setdefault(name, []).append(ratio)


def converted(text: str, specs: NodeSpecs) -> Workflow:
    """Load a template and convert it."""
    workflow = Workflow.load(text, object_info=specs)
    workflow.to_prompt()
    return workflow


def timed(action: Callable[[], T]) -> tuple[float, T]:
    """Return the CPU time of an action, and what it gave."""
    start = time.process_time()
    value = action()
    return max(time.process_time() - start, 1e-6), value


def measure_all(path: Path, every: int = 1) -> dict[str, Row]:
    """Measure the templates, or one of `every`, by kind."""
    data = path.read_bytes()
    object_info: dict[str, Any] = json.loads(gzip.decompress(data) if path.suffix == ".gz" else data)
    specs = NodeSpecs(object_info)
    rows: dict[str, Row] = {}
    with tempfile.TemporaryDirectory() as folder:
        for number, (name, text) in enumerate(templates()):
            if number % every == 0:
                measure(text, specs, rows.setdefault(kind_of(name), Row()), Path(folder))
    return rows


def main() -> None:
    """Print the table."""
    rows = measure_all(Path(sys.argv[1]) if len(sys.argv) > 1 else DEFINITIONS)
    rows = dict(sorted(rows.items()))
    total = Row()
    for row in rows.values():
        total.count += row.count
        total.nodes += row.nodes
        total.params += row.params
        total.primary += row.primary
        total.complete += row.complete
        for name, times in row.times.items():
            total.times.setdefault(name, []).extend(times)
    print(HEAD.format(package=f"{PACKAGE} {metadata.version(PACKAGE)}"))
    print("| kind | templates | known | nodes sent | parameters | shown at once |" + "".join(f" {s} |" for s in STEPS))
    print("| --- |" + " ---: |" * (5 + len(STEPS)))
    for name, row in [*rows.items(), ("**all**", total)]:
        ratios = "".join(f" {statistics.median(row.times[step]):.1f} |" for step in STEPS)
        counts = (row.count, row.complete, row.nodes, row.params, row.primary)
        print(f"| {name} |" + "".join(f" {count} |" for count in counts) + ratios)


if __name__ == "__main__":
    main()
