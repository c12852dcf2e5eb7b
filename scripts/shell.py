"""Running programs, and saying so in a way a person can follow."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


class Missing(Exception):
    """Something this machine lacks; the message names it and the command that installs it."""


class Failed(Exception):
    """A program ended with an error; its output has been shown."""


@contextmanager
def step(what: str) -> Iterator[None]:
    """Announce a piece of work, and how long it took."""
    started = time.monotonic()
    print(f"{what} ...", flush=True)
    yield
    print(f"{what}: done in {time.monotonic() - started:.1f} s", flush=True)


def call(command: Sequence[str | Path], *, cwd: Path = ROOT, env: Mapping[str, str] | None = None) -> int:
    """Run a program in the foreground and return its exit code; `env` comes on top of this process's own."""
    sys.stdout.flush()
    plain = {} if sys.stdout.isatty() else {"NO_COLOR": "1"}
    environment = {**os.environ, **plain, **(env or {})}
    return subprocess.run([str(part) for part in command], cwd=cwd, env=environment).returncode


def quietly(command: Sequence[str | Path], *, cwd: Path = ROOT, env: Mapping[str, str] | None = None) -> None:
    """Run a program whose output matters only when it fails.

    Raises
    ------
    Failed
        The program ended with an error, or could not be started.
    """
    words = [str(part) for part in command]
    try:
        done = subprocess.run(
            words,
            cwd=cwd,
            env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
    except OSError as error:
        raise Failed(f"{words[0]} could not be started: {error}") from error
    if done.returncode:
        raise Failed(f"{done.stdout.rstrip()}\n\nThis failed (exit code {done.returncode}): {' '.join(words)}")


def output_of(command: Sequence[str | Path]) -> str | None:
    """Return what a program prints, or None where it is absent or fails."""
    try:
        done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def is_root() -> bool:
    """Whether this process may install system packages (never on Windows)."""
    return getattr(os, "geteuid", lambda: 1)() == 0
