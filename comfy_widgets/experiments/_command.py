"""``comfy-widgets sweep``: a sweep from the command line."""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path
from typing import Any, TextIO

from ..protocol import ComfyError, WorkflowError, plain, printable
from ._cell import Cell
from ._errors import ExperimentError
from ._experiment import Experiment

_RANGE = re.compile(r"\s*(-?\d+)\s*\.\.\s*(-?\d+)(?:\s*\.\.\s*(-?\d+))?\s*")
_MOST = 100_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``comfy-widgets sweep``.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        Is changed.

    Examples
    --------
    >>> import argparse
    >>> parser = argparse.ArgumentParser()
    >>> add_arguments(parser)
    >>> parser.parse_args(["workflow.json", "-p", "seed=0..3"]).param
    ['seed=0..3']
    """
    parser.add_argument("workflow", nargs="?", help="a workflow file: JSON, PNG, ...")
    parser.add_argument(
        "-p",
        "--param",
        action="append",
        default=[],
        metavar="NAME=VALUES",
        help='an axis: seed=0..3, cfg=2,5,8, positive=\'["a cat", "a dog"]\' (JSON); one value holds for all cells',
    )
    parser.add_argument("-o", "--output", type=Path, help="the folder in which the experiment is kept")
    parser.add_argument("--resume", type=Path, metavar="FOLDER", help="go on with a sweep that was begun before")
    parser.add_argument("--sample", type=int, help="run only so many of the combinations, chosen at random")
    parser.add_argument(
        "--export", type=Path, metavar="FOLDER", help="write the images under names that tell their values"
    )
    parser.add_argument("-y", "--yes", action="store_true", help="do not ask before a large sweep")


def run_command(options: argparse.Namespace, client: Any) -> int:
    """Run a sweep, and say on standard output where its results are.

    Parameters
    ----------
    options : argparse.Namespace
        As the options of `add_arguments` give it.
    client : ComfyClient
        The server that runs it.

    Returns
    -------
    int
        The exit status: 0 when all cells have a result, 1 when some have none or the sweep was declined, 130 when it
        was interrupted.

    Raises
    ------
    ComfyError
        The workflow, an axis, the folder or the server cannot be used.

    Examples
    --------
    >>> import argparse
    >>> parser = argparse.ArgumentParser()
    >>> add_arguments(parser)
    >>> path = example().with_params(width=64, height=64, steps=1).save("workflow.json")
    >>> run_command(parser.parse_args(["workflow.json", "-p", "seed=0,1", "-o", "sunsets"]), client)
    2 cells, ...
    2 of 2 cells are in ...sunsets
    0
    """
    from ._sweep import resume, sweep

    if (options.workflow is None) == (options.resume is None):
        raise ComfyError("Name a workflow file, or the folder of a sweep to go on with: --resume FOLDER.")
    if options.resume is not None:
        experiment = resume(options.resume, client=client, confirm=False)
    else:
        experiment = sweep(
            options.workflow,
            dict(parse_axis(text) for text in options.param),
            client=client,
            folder=options.output,
            sample=options.sample,
            confirm=False,
        )
    try:
        if not options.yes and not _consent(experiment):
            return 1
        _follow(experiment)
        if options.export is not None:
            experiment.export(options.export)
    except KeyboardInterrupt:
        sys.stderr.write(f"\nPaused. Go on with: comfy-widgets sweep --resume {experiment.folder}\n")
        return 130
    finally:
        experiment.close()
    failed = [cell for cell in experiment.cells if cell.status != "completed"]
    for cell in failed[:10]:
        where = " ".join(f"{name}={label}" for name, label in cell.labels.items())
        sys.stderr.write(printable(plain(f"{where}: {cell.error or cell.status}")) + "\n")
    sys.stdout.write(f"{len(experiment) - len(failed)} of {len(experiment)} cells are in {experiment.folder}\n")
    return 1 if failed else 0


def _consent(experiment: Experiment) -> bool:
    from ._experiment import ASK_ABOVE

    if len(experiment) - experiment.price.stored <= ASK_ABOVE:
        return True
    if not sys.stdin.isatty():
        raise ExperimentError(f"{experiment.price}: so many are run only with --yes.")
    sys.stderr.write("Run them? [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _follow(experiment: Experiment) -> None:
    """Run it; a terminal shows how far it is."""
    if sys.stderr.isatty():
        bar = _Bar(experiment, sys.stderr)
        stop = experiment.on_change(bar.draw)
        try:
            experiment.start().wait()
        finally:
            stop()
            sys.stderr.write("\r\033[K")
    else:
        experiment.start().wait()


class _Bar:
    def __init__(self, experiment: Experiment, target: TextIO) -> None:
        self._experiment = experiment
        self._target = target

    def draw(self, _: Cell | None = None) -> None:
        counts, total = self._experiment.counts, max(1, len(self._experiment))
        done = sum(counts.get(status, 0) for status in ("completed", "failed", "cancelled"))
        bar = ("#" * round(done / total * 24)).ljust(24, ".")
        failed = f", {counts['failed']} failed" if counts.get("failed") else ""
        self._target.write(f"\r\033[K[{bar}] {done} of {total}{failed}")
        self._target.flush()


def parse_axis(text: str) -> tuple[str, Any]:
    """Read ``NAME=VALUES`` of the command line.

    Parameters
    ----------
    text : str
        ``seed=0..3``, ``steps=10..30..5`` (by fives), ``cfg=2,5,8``, or JSON: a list, a number or a text in quotation
        marks. A text that is none of these is one value, commas and all, where a space follows a comma.

    Returns
    -------
    tuple
        The name, and a list of values or a single one.

    Raises
    ------
    WorkflowError

    Examples
    --------
    >>> parse_axis("seed=0..3")
    ('seed', [0, 1, 2, 3])
    >>> parse_axis("cfg=2,5.5")
    ('cfg', [2, 5.5])
    >>> parse_axis("positive=a cat, a dog")
    ('positive', 'a cat, a dog')
    """
    name, equals, given = text.partition("=")
    name = name.strip()
    if not equals or not name:
        raise WorkflowError(f"{text!r} is no axis: write it as NAME=VALUES, for example seed=0..3 or cfg=2,5,8.")
    found = _RANGE.fullmatch(given)
    if found:
        first, last = int(found[1]), int(found[2])
        step = abs(int(found[3])) if found[3] else 1
        if not step or abs(last - first) // step >= _MOST:
            raise WorkflowError(f"{text!r} would be too many values, or none.")
        return name, list(range(first, last + 1, step) if first <= last else range(first, last - 1, -step))
    try:
        return name, json.loads(given)
    except ValueError:
        pass
    parts = given.split(",")
    if len(parts) < 2 or any(part != part.strip() or not part for part in parts):
        return name, given
    return name, [_value(part) for part in parts]


def _value(text: str) -> Any:
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value if isinstance(value, (int, float, bool)) else text
