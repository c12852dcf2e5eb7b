"""What the tasks stand on: a virtual environment, the packages in it, the front end, and a browser."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from . import frontend, lock
from .frontend import Node
from .shell import ROOT, Failed, Missing, is_root, output_of, quietly, step

VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / "installed"
TAMPERED = ("hash mismatch", "do not match the hashes")  # how uv and pip say that a file is not the one of the lock
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MAC_BROWSER = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")

NO_CHROMIUM = """Chromium is missing; the tests drive notebooks in it. On Debian install it with
    sudo apt-get install --no-install-recommends chromium fonts-dejavu-core
or name one that you have: CHROMIUM=/path/to/chromium make test"""


def prepare() -> Node:
    """Bring the environment and the front end up to date; quick when they are. Return the Node.js to use."""
    _make_venv()
    node = find_node()
    if not frontend.is_current(ROOT):
        with step("Building the front end"):
            frontend.build(ROOT, node)
    _install_packages()
    return node


def _make_venv() -> None:
    version = output_of([PYTHON, "-c", "import sys; print(sys.version_info >= (3, 10))"])
    if version == "True":
        return
    with step("Making a virtual environment in .venv"):
        shutil.rmtree(VENV, ignore_errors=True)
        made = subprocess.run([sys.executable, "-m", "venv", str(VENV)], capture_output=True, text=True)
        if made.returncode == 0:
            return
        shutil.rmtree(VENV, ignore_errors=True)
        said = made.stdout + made.stderr
        if "ensurepip" in said or "No module named venv" in said:
            raise Missing(
                "Python's venv module is missing or incomplete. On Debian and Ubuntu install it with\n"
                "    apt-get install python3-venv"
            )
        raise Failed(f"{sys.executable} -m venv failed:\n{said}")


def find_node() -> Node:
    """Find a Node.js with npm; where there is none that is new enough, install it into the environment."""
    node = frontend.node_on_machine() or frontend.node_from_pypi(PYTHON)
    if node is None:
        with step("Fetching Node.js from PyPI, as this machine has none that is new enough"):
            pip("install", *_hashed(lock.NODE_LOCK))
        node = frontend.node_from_pypi(PYTHON)
    if node is None:
        raise Missing(
            "Node.js 20.19 or newer with npm is missing, and PyPI has none for this machine. "
            "Install it from https://nodejs.org/en/download"
        )
    return node


def _install_packages() -> None:
    """Install everything that development needs, as the lock says, and the project, editable."""
    # The place counts too: an editable install points to it, and a clone may be moved.
    files = (ROOT / "pyproject.toml").read_bytes() + lock.PYTHON_LOCK.read_bytes()
    wanted = hashlib.sha256(files + os.fsencode(ROOT)).hexdigest()
    if STAMP.is_file() and STAMP.read_text() == wanted:
        return
    with step("Installing the Python packages"):
        install_all(PYTHON)
    STAMP.write_text(wanted)


def install_all(python: Path) -> None:
    """Install what the tasks need into the environment of a Python: the locked versions where the lock is for it.

    Parameters
    ----------
    python : Path
        The environment's interpreter. For a version that no classifier names, the newest of everything is taken.
    """
    version = output_of([python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"])
    if version in lock.supported_pythons():
        try:
            pip("install", *_hashed(lock.PYTHON_LOCK), python=python)
        except Failed as error:
            if any(words in str(error).lower() for words in TAMPERED):
                raise
            print(f"{error}\n\nThis machine's index lacks what the lock names; the newest packages are taken.")
        else:
            # hatchling is there by now, in the version of the lock.
            pip("install", "--no-deps", "--no-build-isolation", "-e", ".", python=python)
            return
    else:
        known = ", ".join(lock.supported_pythons())
        print(f"The lock is for Python {known}; for {version} the newest packages are taken.")
    groups = [word for group in lock.GROUPS for word in ("--group", group)]
    pip("install", "-e", f".[{','.join(lock.EXTRAS)}]", *groups, python=python)


def _hashed(file: Path) -> tuple[str, ...]:
    return ("--require-hashes", "-r", str(file))


def add_group(name: str) -> None:
    """Install a dependency group that only one task needs."""
    with step(f"Installing what make {name} needs"):
        pip("install", "--group", name)


def pip(*arguments: str, python: Path = PYTHON) -> None:
    """Run uv, which is several times faster, or else pip with the same arguments, for the environment of `python`."""
    uv = find_uv()
    if uv is not None:
        try:
            # Compiling now pays: where PYTHONDONTWRITEBYTECODE is set, each start would else compile all of Jupyter.
            quietly([uv, "pip", *arguments, "--compile-bytecode", "--python", python], env={"UV_NO_PROGRESS": "1"})
            return
        except Failed as error:
            print(f"{error}\n\nTrying again with pip, which may know this machine's settings better.")
    _with_pip()
    quietly([PYTHON, "-m", "pip", "install", "--quiet", "pip>=25.1"])  # the first that knows --group
    quietly([PYTHON, "-m", "pip", "--python", python, *arguments, "--quiet"])


def make(place: Path, like: Path) -> None:
    """Make an empty environment for packages that clash with ours; one that is there is replaced.

    Parameters
    ----------
    place : Path
        Its folder.
    like : Path
        The interpreter that it is for.

    Raises
    ------
    Missing
        There is no uv for this machine.
    Failed
        uv could not make it.
    """
    uv = find_uv()
    if uv is None:
        raise Missing("uv is missing, and PyPI has none for this machine; it makes the environments.")
    quietly([uv, "venv", "--quiet", "--clear", "--python", like, place])


def find_uv() -> Path | None:
    """Find uv, or fetch the one of the lock into the environment; None where there is none for this machine."""
    own = VENV / "bin" / "uv"
    if own.is_file():
        return own
    found = shutil.which("uv")
    if found is not None:
        return Path(found)
    with tempfile.TemporaryDirectory() as folder:
        request = Path(folder) / "uv.txt"
        request.write_text(lock.block_of("uv"), encoding="utf-8")
        try:
            _with_pip()
            quietly([PYTHON, "-m", "pip", "install", "--quiet", *_hashed(request)])
        except Failed:
            return None
    return own


def _with_pip() -> None:
    """Make sure that the environment has pip: one that uv made has none."""
    if output_of([PYTHON, "-m", "pip", "--version"]) is None:
        quietly([PYTHON, "-m", "ensurepip"])


def chromium() -> str:
    """Find a Chromium; where this process may install Debian packages, install it.

    Raises
    ------
    Missing
        There is none, and it is not for us to install one.
    """
    found = find_chromium()
    if found is None and is_root() and shutil.which("apt-get"):
        with step("Installing Chromium with apt-get"):
            debian = {"DEBIAN_FRONTEND": "noninteractive"}
            quietly(["apt-get", "update", "-q"], env=debian)
            wanted = ["chromium", "fonts-dejavu-core"]
            quietly(["apt-get", "install", "-y", "-q", "--no-install-recommends", *wanted], env=debian)
        found = find_chromium()
    if found is None:
        raise Missing(NO_CHROMIUM)
    return found


def find_chromium() -> str | None:
    """Find the Chromium that ``$CHROMIUM`` names, or else one on this machine.

    Raises
    ------
    Missing
        ``$CHROMIUM`` names something that does not run.
    """
    named = os.environ.get("CHROMIUM")
    if named is not None:
        if output_of([named, "--version"]) is None:
            raise Missing(f"CHROMIUM={named} does not run. Let it name a Chromium or Chrome, or unset it.")
        return named
    candidates = [path for path in map(shutil.which, BROWSERS) if path is not None]
    candidates += [str(MAC_BROWSER)] if MAC_BROWSER.exists() else []
    # Asked for its version, because Ubuntu's chromium-browser may be a mere hint to install a snap.
    return next((path for path in candidates if output_of([path, "--version"]) is not None), None)
