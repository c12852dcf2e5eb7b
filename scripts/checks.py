"""Every check and every test, one after the other, with one count at the end."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from . import environment, frontend
from .environment import PYTHON
from .frontend import Node
from .shell import ROOT, call

SIDE_BY_SIDE = max(3, os.cpu_count() or 1)
"""Processes that run tests. More than two also on two cores, because most of the tests' time is waiting."""

FEW = 5
"""Tests that may fail at first: a fault of the code fails again, what only a busy machine did does not."""
ONCE_MORE = ("--last-failed", "--last-failed-no-failures=none", "--numprocesses=0", "--verbose")
"""What runs pytest over those that failed."""


@dataclass(frozen=True)
class Count:
    """How many tests ended how."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __add__(self, other: Count) -> Count:
        return Count(self.passed + other.passed, self.failed + other.failed, self.skipped + other.skipped)

    def __str__(self) -> str:
        skipped = f", {self.skipped} skipped" if self.skipped else ""
        return f"{self.passed} passed, {self.failed} failed{skipped}"


@dataclass(frozen=True)
class Check:
    """A program that judges the project; it may leave a JUnit report at the path it is given."""

    name: str
    run: Callable[[Path], int]
    again: Callable[[Path], int] | None = None
    """Runs once more, one after the other, what has failed; it is asked only where few have."""

    def count(self, folder: Path) -> Count:
        """Run it. Without a report it counts as one test."""
        print(f"\n--- {self.name}", flush=True)
        started = time.monotonic()
        code, count = _reported(self.run, folder)
        if self.again is not None and 0 < count.failed <= FEW:
            print(f"--- {self.name}: {count}; what failed runs once more, alone", flush=True)
            code, second = _reported(self.again, folder)
            count = Count(count.passed + second.passed, count.failed - second.passed, count.skipped)
            if second.passed:
                print(f"--- {self.name}: unsteady, passed only at the second try: {second.passed} (named above)")
        if count == Count() or (code and not count.failed):
            count += Count(failed=1) if code else Count(passed=1)
        print(f"--- {self.name}: {count} in {time.monotonic() - started:.1f} s", flush=True)
        return count


def _reported(run: Callable[[Path], int], folder: Path) -> tuple[int, Count]:
    """Return the exit code, and what the report counts."""
    report = folder / "report.xml"
    report.unlink(missing_ok=True)
    code = run(report)
    return code, _read(report) if report.is_file() else Count()


def _read(report: Path) -> Count:
    """Read the totals of a JUnit report, pytest's or vitest's."""
    total = Count()
    for suite in ElementTree.parse(report).getroot().iter("testsuite"):
        tests, skipped = int(suite.get("tests", 0)), int(suite.get("skipped", 0))
        failed = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
        total += Count(tests - failed - skipped, failed, skipped)
    return total


def lint_checks(node: Node) -> list[Check]:
    """Return the checks that run nothing of the project."""

    def python(*words: str | Path) -> Callable[[Path], int]:
        return lambda _report: call([PYTHON, *words])

    def npm(script: str) -> Callable[[Path], int]:
        return lambda _report: frontend.run_script(ROOT, node, script)

    def public_types(_report: Path) -> int:
        # Pyright takes the packages of the Python that it finds first.
        path = os.pathsep.join([str(PYTHON.parent), node.env()["PATH"]])
        return frontend.run_script(ROOT, node, "verifytypes", env={"PATH": path})

    return [
        Check("ruff check", python("-m", "ruff", "check")),
        Check("ruff format", python("-m", "ruff", "format", "--check")),
        Check("mypy --strict", python("-m", "mypy")),
        Check("public types", public_types),
        Check("import rules", python(PYTHON.with_name("lint-imports"), "--no-logo", "--no-cache")),
        Check("Biome", npm("lint")),
        Check("tsc", npm("typecheck")),
    ]


def test_checks(node: Node) -> list[Check]:
    """Return the tests: TypeScript first, then Python and the notebooks in a browser."""
    browser = {"CHROMIUM": environment.chromium()}

    def vitest(script: str) -> Callable[[Path], int]:
        return lambda report: frontend.run_script(
            ROOT, node, script, "--reporter=default", "--reporter=junit", f"--outputFile.junit={report}", env=browser
        )

    def pytest(*words: str) -> Callable[[Path], int]:
        return lambda report: call([PYTHON, "-m", "pytest", *words, f"--junit-xml={report}"], env=browser)

    return [
        Check("vitest", vitest("test")),
        Check("vitest in Chromium", vitest("test:browser")),
        Check("pytest", pytest(f"--numprocesses={SIDE_BY_SIDE}"), again=pytest(*ONCE_MORE)),
        Check("packages", lambda _report: judge_packages()),
        # The notebooks are run by pytest.
        Check("documentation", lambda _report: call(build_docs("-D", "nb_execution_mode=off"))),
    ]


def judge_packages() -> int:
    """Build the sdist and the wheel, and let the tools that know what PyPI and pip refuse look at them."""
    with tempfile.TemporaryDirectory() as folder:
        code = call([PYTHON, "-m", "hatchling", "build", "--directory", folder])
        if code:
            return code
        packages = sorted(Path(folder).iterdir())
        wheels = [package for package in packages if package.suffix == ".whl"]
        return call([PYTHON, "-m", "twine", "check", "--strict", *packages]) or call(
            [PYTHON.with_name("check-wheel-contents"), *wheels]
        )


def build_docs(*options: str) -> list[str | Path]:
    """Return the command that builds the documentation; a warning is an error."""
    folders = (ROOT / "docs", ROOT / "docs" / "_build" / "html")
    return [PYTHON, "-m", "sphinx", "-W", "--keep-going", "-E", "-q", "-b", "html", *options, *folders]


def run(checks: list[Check]) -> int:
    """Run all checks, also after one has failed; the last line is the count. Return an exit code."""
    total, failed = Count(), []
    with tempfile.TemporaryDirectory() as folder:
        for check in checks:
            count = check.count(Path(folder))
            total += count
            if count.failed:
                failed.append(check.name)
    print(f"\nFailed: {', '.join(failed)}" if failed else "\nAll is well.")
    print(total, flush=True)
    return 1 if failed else 0
