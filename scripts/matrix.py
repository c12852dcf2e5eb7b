"""``make matrix``: the tests on every Python that is here, and on the oldest packages that the project allows.

An environment for each stands in ``.matrix/``; what drives a browser is left out. ``PYTHONS="3.10 3.13"`` chooses
versions, ``lowest`` among them; ``TESTS=tests/client`` chooses tests. Where a few fail, these run once more, alone.
"""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from . import environment, lock
from .checks import ONCE_MORE, SIDE_BY_SIDE, Check, run
from .shell import ROOT, Failed, Missing, call, output_of, quietly, step

FOLDER = ROOT / ".matrix"
NEWEST = 15
"""The last minor version of Python 3 that is looked for; those past the classifiers are tried when they are here."""
LOWEST = "lowest"
NO_BROWSER = ("--ignore=tests/browser",)
# What needs the tools of today beside the packages of yesterday.
NOT_WITH_LOWEST = tuple(
    f"--ignore=tests/test_{name}.py" for name in ("notebooks", "demo", "packaging", "lock", "house", "cli")
)


@dataclass(frozen=True)
class Row:
    """A line of the matrix: its name, and the interpreter that its environment is made of."""

    name: str
    python: Path


def versions() -> list[str]:
    """Return all versions that are asked for, from the oldest that the project allows."""
    oldest = int(lock.supported_pythons()[0].partition(".")[2])
    return [f"3.{minor}" for minor in range(oldest, NEWEST + 1)]


def find(version: str, uv: Path) -> Path | None:
    """Find a Python of a version: on the PATH, among pyenv's, or one that uv has or can install.

    Parameters
    ----------
    version : str
        Such as ``"3.12"``.
    uv : Path
        The uv to ask.

    Returns
    -------
    Path or None
        An interpreter that runs and is of this version.
    """
    on_path = shutil.which(f"python{version}")
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    candidates = [Path(on_path)] if on_path else []
    candidates += sorted(pyenv.glob(f"{version}.*/bin/python"), reverse=True)
    for candidate in candidates:
        if _is(candidate, version):
            return candidate
    if version in lock.supported_pythons():
        output_of([uv, "python", "install", "--quiet", version])
    managed = output_of([uv, "python", "find", "--managed-python", "--no-python-downloads", version])
    return Path(managed) if managed and _is(Path(managed), version) else None


def _is(python: Path, version: str) -> bool:
    return output_of([python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]) == version


def _lowest(uv: Path, version: str) -> list[str]:
    """Return the oldest allowed version of each package that the project names itself."""
    words = ("--resolution", "lowest-direct", "--python-version", version, "--no-annotate", "--no-header", "--quiet")
    extras = [word for extra in lock.EXTRAS for word in ("--extra", extra)]
    resolved = output_of([uv, "pip", "compile", "pyproject.toml", *extras, *words])
    if resolved is None:
        raise Failed("uv found no set of the oldest versions in pyproject.toml that fit together.")
    project = lock.PROJECT.read_text(encoding="utf-8").partition("[project.scripts]")[0]
    direct = set(re.findall(r'"([a-z][\w.-]*)>=', project))
    return [line for line in resolved.splitlines() if line.partition("==")[0] in direct]


def _prepare(row: Row, uv: Path) -> Path:
    """Make the environment of a row and install everything; return its Python."""
    place = FOLDER / row.name
    python = place / "bin" / "python"
    with step(f"Preparing {row.name}"):
        quietly([uv, "venv", "--quiet", "--clear", "--python", row.python, place])
        if row.name != LOWEST:
            environment.install_all(python)
            return python
        pins = FOLDER / "lowest.txt"
        version = lock.supported_pythons()[0]
        pins.write_text("\n".join(_lowest(uv, version)) + "\n", encoding="utf-8")
        extras = f".[{','.join(lock.EXTRAS)}]"
        wanted = ("-e", extras, "--group", "test", "nbclient", "ipykernel")
        environment.pip("install", *wanted, "--constraint", str(pins), python=python)
    return python


def rows(uv: Path) -> tuple[list[Row], list[str]]:
    """Return what can be tried here, and the versions that are absent."""
    chosen = os.environ.get("PYTHONS", "").split()
    found, absent = [], []
    for version in versions():
        if chosen and version not in chosen:
            continue
        python = find(version, uv)
        if python is None:
            absent.append(version)
        else:
            found.append(Row(version, python))
    oldest = find(lock.supported_pythons()[0], uv)
    if oldest is not None and (not chosen or LOWEST in chosen):
        # The oldest packages have wheels for the oldest Python only.
        found.append(Row(LOWEST, oldest))
    return found, absent


def main() -> int:
    """Try each row; print one line for each in the end. Return an exit code."""
    uv = environment.find_uv()
    if uv is None:
        raise Missing("uv is missing, and PyPI has none for this machine; the matrix is installed by it.")
    found, absent = rows(uv)
    if not found:
        raise Missing("None of the Pythons that were asked for is on this machine.")
    FOLDER.mkdir(exist_ok=True)
    tests = os.environ.get("TESTS", "tests").split()

    def trying(row: Row) -> Check:
        left_out = (*NO_BROWSER, *(NOT_WITH_LOWEST if row.name == LOWEST else ()))

        def pytest(python: Path, report: Path, *words: str) -> int:
            return call([python, "-m", "pytest", *words, *left_out, f"--junit-xml={report}", *tests])

        def first(report: Path) -> int:
            return pytest(_prepare(row, uv), report, "-q", f"--numprocesses={SIDE_BY_SIDE}")

        def again(report: Path) -> int:
            return pytest(FOLDER / row.name / "bin" / "python", report, *ONCE_MORE)

        return Check(f"Python {row.name}", first, again=again)

    code = run([trying(row) for row in found])
    if absent:
        print(f"Not on this machine: Python {', '.join(absent)}.")
    return code
