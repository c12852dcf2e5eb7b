"""``python -m scripts TASK``: what ``make TASK`` calls."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable

from . import checks, environment
from . import lock as locks
from .environment import PYTHON
from .shell import ROOT, Failed, Missing, call, is_root, step

FIRST_NOTEBOOK = ROOT / "notebooks" / "01_first_image.ipynb"
BUILT = [
    *(
        ".venv",
        ".matrix",
        "js/node_modules",
        "comfy_widgets/static",
        "demo-output",
        "dist",
        "build",
        "tests/browser/shots",
    ),
    *("shots", "docs/_build", "docs/_notebooks", "docs/_vocabulary.md", ".mypy_cache", ".ruff_cache", ".hypothesis"),
]


def setup() -> int:
    """Install everything."""
    environment.prepare()
    print(f"Ready. Python: {PYTHON.relative_to(ROOT)}")
    return 0


def demo() -> int:
    """Run the first notebook without a browser, then open it where somebody is looking."""
    environment.prepare()
    code = call([PYTHON, "-m", "scripts.demo", FIRST_NOTEBOOK, ROOT / "demo-output"])
    if code or not (sys.stdin.isatty() and sys.stdout.isatty()):
        return code
    if input("Open the live notebook in JupyterLab now? [Y/n] ").strip().lower() in ("", "y", "yes"):
        return lab()
    return 0


def lab() -> int:
    """Open JupyterLab on the first notebook."""
    environment.prepare()
    try:
        return call([PYTHON, "-m", "jupyterlab", FIRST_NOTEBOOK, *(["--allow-root"] if is_root() else [])])
    except KeyboardInterrupt:  # the way to leave JupyterLab
        return 0


def lint() -> int:
    """Run the checks that run nothing of the project."""
    return checks.run(checks.lint_checks(environment.prepare()))


def test() -> int:
    """Run every check and every test."""
    node = environment.prepare()
    return checks.run([*checks.lint_checks(node), *checks.test_checks(node)])


def bench() -> int:
    """Run the benchmarks, each in a fresh process."""
    environment.prepare()
    codes = [call([PYTHON, file]) for file in sorted((ROOT / "bench").glob("bench_*.py"))]
    return max(codes, default=0)


def conformance() -> int:
    """Show the statements that a client must hold, and whether this one does."""
    environment.prepare()
    return call([PYTHON, "-m", "pytest", "tests/conformance", "-q", f"--numprocesses={checks.SIDE_BY_SIDE}"])


def lock() -> int:
    """Write down the newest versions of everything that is installed here, with their hashes."""
    environment.prepare()
    uv = environment.find_uv()
    if uv is None:
        raise Missing("uv is missing, and PyPI has none for this machine; it resolves the lock.")
    with step("Resolving the lock"):
        locks.write(uv)
    return 0


def matrix() -> int:
    """Run the tests without browsers on every Python that is here, and on the oldest allowed packages."""
    environment.prepare()
    from .matrix import main as try_all

    return try_all()


def hosts() -> int:
    """Try the main path in every host, and write the page that says where it works."""
    environment.prepare()
    from .hosts import main as try_hosts

    return try_hosts()


def mutants() -> int:
    """Break the code on purpose, and count the breaks that a test notices."""
    environment.prepare()
    environment.add_group("mutants")
    return call([PYTHON, "-m", "scripts.mutants"])


def docs() -> int:
    """Build the documentation, with the notebooks executed."""
    environment.prepare()
    code = call(checks.build_docs())
    if code == 0:
        print(f"The documentation is in {(ROOT / 'docs' / '_build' / 'html' / 'index.html').relative_to(ROOT)}")
    return code


def shots() -> int:
    """Take screenshots of the widgets."""
    environment.prepare()
    environment.chromium()
    return call([PYTHON, "-m", "scripts.shots"])


def clean() -> int:
    """Remove what was built or installed."""
    for name in BUILT:
        shutil.rmtree(ROOT / name, ignore_errors=True)
    return 0


TASKS: dict[str, Callable[[], int]] = {
    task.__name__: task
    for task in (setup, demo, lab, lint, test, bench, conformance, lock, matrix, hosts, mutants, docs, shots, clean)
}


def main(arguments: list[str]) -> int:
    """Run the task that is named; a problem of this machine becomes a sentence, not a traceback."""
    os.chdir(ROOT)
    if len(arguments) != 1 or arguments[0] not in TASKS:
        print(f"Give one task: {', '.join(TASKS)}", file=sys.stderr)
        return 2
    try:
        return TASKS[arguments[0]]()
    except (Missing, Failed) as problem:
        print(f"\n{problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
