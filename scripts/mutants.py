"""``python -m scripts.mutants``: break the code on purpose, bit by bit, and count the breaks that a test notices.

Cosmic Ray makes the mutants; a sample of each part, the same every time, is tried in copies of the project. What breaks
nothing but an annotation is no mutant. Runs in ``.venv``, unlike the other tasks.
"""

from __future__ import annotations

import argparse
import ast
import difflib
import importlib.util
import itertools
import os
import queue
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cosmic_ray.plugins
from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code

from .shell import ROOT

WANTED = 0.85
"""The share of the mutants that has to be killed."""
SAMPLE = 40
"""Mutants of each part, unless more are asked for."""
COPIED = ("comfy_widgets", "tests", "pyproject.toml")
LEFT_OUT = ("__pycache__", "browser", "shots", ".hypothesis")


@dataclass(frozen=True)
class Part:
    """Some modules, and the tests that have to notice when one of them is broken."""

    name: str
    modules: tuple[str, ...]
    tests: tuple[str, ...]


PARTS = (
    Part(
        "protocol",
        ("protocol/*.py",),
        # Without test_any_input.py, which takes long and asks only that nothing raises.
        tuple(
            f"tests/protocol/test_{name}.py"
            for name in (
                *("frames", "refusal", "replies", "outputs", "text", "requests", "address", "errors", "replay"),
            )
        ),
    ),
    Part(
        "progress",
        ("client/_progress.py", "client/_run_state.py", "client/_steps.py"),
        ("tests/client/test_reducer.py", "tests/client/test_progress.py"),
    ),
    Part("job", ("client/_core.py", "client/_job_errors.py"), ("tests/client/test_core.py",)),
    Part(
        "params and check",
        ("workflow/_param.py", "workflow/_params.py", "workflow/_check.py"),
        tuple(f"tests/workflow/test_{name}.py" for name in ("params", "param_words", "check", "edit", "choice")),
    ),
)


@dataclass(frozen=True)
class Mutant:
    """One file with one break in it."""

    module: Path
    code: str

    def diff(self) -> str:
        """Return the lines that differ from the original."""
        before, after = (ROOT / self.module).read_text(encoding="utf-8").splitlines(), self.code.splitlines()
        lines = difflib.unified_diff(before, after, str(self.module), n=0, lineterm="")
        return "\n".join(line for line in lines if not line.startswith(("---", "+++ ")))


@dataclass(frozen=True)
class Place:
    """Where an operator of Cosmic Ray finds something to break: its how-manieth find in a file."""

    module: Path
    operator: str
    occurrence: int

    def mutant(self) -> Mutant | None:
        """Return the broken file; None where it means the same as before, or nothing."""
        source = (ROOT / self.module).read_text(encoding="utf-8")
        code = mutate_code(source, cosmic_ray.plugins.get_operator(self.operator)(), self.occurrence)
        return Mutant(self.module, code) if code and _meaning(code) not in (_meaning(source), "") else None


def places_of(module: Path) -> Iterator[Place]:
    """Yield everything in a file that can be broken."""
    tree = get_ast((ROOT / module).read_text(encoding="utf-8"))
    for name in cosmic_ray.plugins.operator_names():
        kind = cosmic_ray.plugins.get_operator(name)
        if not kind.arguments():  # the others need to be told what to do
            operator = kind()
            finds = sum(len(list(operator.mutation_positions(node))) for node in ast_nodes(tree))
            yield from (Place(module, name, occurrence) for occurrence in range(finds))


def sample_of(modules: Iterable[Path], count: int, seed: int) -> list[Mutant]:
    """Choose mutants by chance, the same for the same seed and code."""
    places = [place for module in modules for place in places_of(module)]
    random.Random(seed).shuffle(places)
    mutants = (mutant for place in places if (mutant := place.mutant()) is not None)
    return list(itertools.islice(mutants, count))


def _meaning(source: str) -> str:
    """What Python makes of a file without its annotations; empty where it is no Python."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return ""
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            node.returns = None
        elif isinstance(node, ast.arg):
            node.annotation = None
        elif isinstance(node, ast.AnnAssign):
            node.annotation = ast.Constant(None)
    return ast.dump(tree)


class Workshop:
    """Copies of the project, one for each mutant that is tried at a time."""

    def __init__(self, folder: Path, count: int) -> None:
        self._free: queue.Queue[Path] = queue.Queue()
        for number in range(count):
            copy = folder / str(number)
            for name in COPIED:
                if (ROOT / name).is_dir():
                    shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns(*LEFT_OUT))
                else:
                    shutil.copy(ROOT / name, copy)
            self._free.put(copy)

    def survives(self, part: Part, mutant: Mutant | None, timeout: float) -> bool:
        """Whether all tests of a part end well, although a module is broken (or none)."""
        copy = self._free.get()
        try:
            if mutant is not None:
                self._write(copy / mutant.module, mutant.code)
            return self._tests_pass(copy, part, timeout)
        finally:
            if mutant is not None:
                self._write(copy / mutant.module, (ROOT / mutant.module).read_text(encoding="utf-8"))
            self._free.put(copy)

    @staticmethod
    def _write(file: Path, code: str) -> None:
        file.write_text(code, encoding="utf-8")
        # Python would take the old one for current where size and second are the same.
        Path(importlib.util.cache_from_source(str(file))).unlink(missing_ok=True)

    @staticmethod
    def _tests_pass(copy: Path, part: Part, timeout: float) -> bool:
        command = [sys.executable, "-m", "pytest", "-x", "-q", "--tb=no", "-p", "no:randomly", *part.tests]
        process = subprocess.Popen(
            command,
            cwd=copy,
            env={**os.environ, "PYTHONPATH": str(copy), "HYPOTHESIS_STORAGE_DIRECTORY": str(copy / ".hypothesis")},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            return process.wait(timeout) == 0
        except subprocess.TimeoutExpired:
            return False
        finally:
            process.kill()
            process.wait()


def try_part(part: Part, workshop: Workshop, pool: ThreadPoolExecutor, sample: int, seed: int) -> tuple[int, int]:
    """Try a sample of the mutants of a part and print the survivors; return how many were killed, of how many."""
    files = sorted(file.relative_to(ROOT) for name in part.modules for file in (ROOT / "comfy_widgets").glob(name))
    chosen = sample_of([file for file in files if file.name != "__init__.py"], sample, seed)
    started = time.monotonic()
    if not workshop.survives(part, None, 600):
        raise SystemExit(f"The tests of {part.name} fail with nothing broken.")
    timeout = 10 + 10 * (time.monotonic() - started)
    survived = list(pool.map(lambda mutant: workshop.survives(part, mutant, timeout), chosen))
    for mutant, alive in zip(chosen, survived, strict=True):
        if alive:
            print(f"survived: {mutant.diff()}\n")
    killed = len(chosen) - sum(survived)
    print(f"{part.name}: {killed} of {len(chosen)} killed\n", flush=True)
    return killed, len(chosen)


def main(arguments: list[str]) -> int:
    """Try all parts, or those that are named; print the score and return an exit code."""
    parser = argparse.ArgumentParser(prog="python -m scripts.mutants", description=main.__doc__)
    parser.add_argument("parts", nargs="*", metavar="part", help=f"of {', '.join(part.name for part in PARTS)}")
    parser.add_argument("--sample", type=int, default=SAMPLE, help="mutants of each part (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="chooses the sample (default: %(default)s)")
    options = parser.parse_args(arguments)
    parts = [part for part in PARTS if not options.parts or part.name in options.parts]
    workers = max(2, os.cpu_count() or 1)
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(workers) as pool:
        workshop = Workshop(Path(folder), workers)
        counts = [try_part(part, workshop, pool, options.sample, options.seed) for part in parts]
    killed, tried = (sum(numbers) for numbers in zip(*counts, strict=True))
    print(f"mutants: {killed} of {tried} killed, {100 * killed / tried:.1f} % (a sample, seed {options.seed})")
    return 0 if killed >= WANTED * tried else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
