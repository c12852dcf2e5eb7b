"""The lock: the exact version and the hashes of every package that ``make`` installs, for each Python that it names.

``locks/python.txt`` holds all of `pyproject.toml` that the tasks use, ``locks/node.txt`` the Node.js for machines
without one. ``make lock`` writes both anew; what they say is installed by `environment`.
"""

from __future__ import annotations

import re
from pathlib import Path

from .frontend import NODE_FROM_PYPI
from .shell import ROOT, quietly

EXTRAS = ("engine", "digits", "dask", "editor")
GROUPS = ("tools", "test", "lint", "notebook", "browser", "docs")
PROJECT = ROOT / "pyproject.toml"
PYTHON_LOCK = ROOT / "locks" / "python.txt"
NODE_LOCK = ROOT / "locks" / "node.txt"
# No index is named: everybody's own is asked, and the hashes say whether what it gives is the right thing.
OPTIONS = (
    *("--universal", "--generate-hashes", "--no-emit-index-url", "--no-emit-find-links", "--no-annotate"),
    *("--custom-compile-command", "make lock", "--quiet"),
)


def supported_pythons() -> list[str]:
    """Return the Python versions that the classifiers name, oldest first; the lock is made for these."""
    classifiers = re.findall(r'"Programming Language :: Python :: (3\.\d+)"', (ROOT / "pyproject.toml").read_text())
    return sorted(classifiers, key=lambda version: int(version.partition(".")[2]))


def write(uv: Path, upgrade: bool = True) -> None:
    """Resolve everything anew and write both locks.

    Parameters
    ----------
    uv : Path
        The uv to ask.
    upgrade : bool, default True
        Take the newest versions, rather than those in the lock where they still fit.
    """
    words = (*OPTIONS, *(["--upgrade"] if upgrade else []), "--python-version", supported_pythons()[0])
    wanted = [word for extra in EXTRAS for word in ("--extra", extra)]
    wanted += [word for group in GROUPS for word in ("--group", group)]
    quietly([uv, "pip", "compile", "pyproject.toml", *wanted, *words, "--output-file", PYTHON_LOCK])
    request = ROOT / "locks" / "node.in"
    request.write_text(f"{NODE_FROM_PYPI}\n")
    try:
        quietly([uv, "pip", "compile", request, *words, "--output-file", NODE_LOCK])
    finally:
        request.unlink()


def block_of(name: str, lock: Path = PYTHON_LOCK) -> str:
    """Return the lines of a lock about one package, hashes included; empty where it has none."""
    found = re.search(rf"^{re.escape(name)}==.*(?:\n[ ]+--hash=.*)*", lock.read_text(encoding="utf-8"), re.MULTILINE)
    return found[0] if found else ""
