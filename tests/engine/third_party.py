"""Third-party programs from PyPI, each in an environment of its own, because their dependencies clash with ours."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from scripts import environment
from scripts.shell import Failed, Missing

TIMEOUT = 60
FOLDER = Path(sys.prefix) / "third_party"
OFFLINE = re.compile(
    r"dns error|error sending request|failed to lookup address|failed to establish a new connection"
    r"|temporary failure in name resolution|name or service not known|network is unreachable|connection refused",
    re.IGNORECASE,
)
"""How uv and pip say that they reached no package index."""


def programs(name: str, *packages: str) -> Path:
    """Return the folder of programs of an environment with these packages; it is made once.

    Where the package index cannot be reached, the test is skipped; any other failure is one of the test.
    """
    place, wanted = FOLDER / name, " ".join(packages)
    stamp = place / "installed"
    if not stamp.is_file() or stamp.read_text(encoding="utf-8") != wanted:
        try:
            environment.make(place, Path(sys.executable))
            environment.pip("install", *packages, python=place / "bin" / "python")
        except Missing as error:
            pytest.skip(f"{name} is not installed: {error}")
        except Failed as error:
            if OFFLINE.search(str(error)):
                pytest.skip(f"{name} is not installed, and the package index cannot be reached")
            raise
        stamp.write_text(wanted, encoding="utf-8")
    return place / "bin"


def environ(home: Path, **more: str) -> dict[str, str]:
    """Return the variables for a third-party program: it finds no settings of the user, and leaves none."""
    return {
        **os.environ,
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / ".config"),
        "DO_NOT_TRACK": "1",
        "NO_PROXY": "*",
        **more,
    }


def call(home: Path, *command: str | Path, **more: str) -> str:
    """Run a third-party program in a folder; it must succeed. Returns what it printed."""
    words = [str(word) for word in command]
    done = subprocess.run(words, cwd=home, env=environ(home, **more), capture_output=True, text=True, timeout=TIMEOUT)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
