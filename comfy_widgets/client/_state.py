"""Small files that outlive a process, where the user's platform keeps state.

``COMFY_WIDGETS_STATE`` names another directory, or "off" to keep nothing. None of the files holds prompts, images or
credentials, and none is ever fatal: one that cannot be read is set aside, and that is told once.
"""

from __future__ import annotations

import json
import math
import os
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from .._writing import replace_file

try:
    import fcntl
except ImportError:
    # On Windows, appending and renaming are as far as it goes.
    fcntl = None  # type: ignore[assignment]

_PATIENCE = 1.0
_MAX_BYTES = 32 << 20


def state_directory() -> Path | None:
    """The folder in which clients keep what they note of submitted prompts and of a server's speed.

    The environment variable ``COMFY_WIDGETS_STATE`` names another one; "off" keeps nothing.

    Returns
    -------
    Path or None
        None where nothing is kept. The folder is made when something is first written.

    Examples
    --------
    >>> state_directory().is_absolute()
    True
    """
    named = os.environ.get("COMFY_WIDGETS_STATE", "").strip()
    if named.lower() in ("off", "0", "none"):
        return None
    if named:
        return Path(named).expanduser()
    from platformdirs import user_state_path

    return user_state_path("comfy_widgets", appauthor=False)


class StateFile:
    """A file that several processes read and write.

    Parameters
    ----------
    path : Path
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextmanager
    def locked(self) -> Iterator[bool]:
        """Keep other processes out meanwhile; False where that is not possible within a second."""
        with suppress(OSError):
            self.path.parent.mkdir(parents=True, exist_ok=True)
        try:
            handle = os.open(self.path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        except OSError:
            yield False
            return
        try:
            yield _lock(handle)
        finally:
            # The lock goes with the handle.
            os.close(handle)

    def read(self) -> bytes:
        """The content; empty where there is none, or far more than this package ever writes.

        Raises
        ------
        OSError
        """
        try:
            if self.path.stat().st_size > _MAX_BYTES:
                self.set_aside("is too large")
                return b""
            return self.path.read_bytes()
        except FileNotFoundError:
            return b""

    def append(self, line: bytes) -> None:
        """Add a line; whatever else is added at the same time, each stays whole.

        Raises
        ------
        OSError
        """
        handle = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            size = os.lseek(handle, 0, os.SEEK_END)
            if size:
                # A process that died while it wrote leaves half a line.
                os.lseek(handle, size - 1, os.SEEK_SET)
                line = line if os.read(handle, 1) == b"\n" else b"\n" + line
            os.write(handle, line + b"\n")
        finally:
            os.close(handle)

    def replace(self, content: bytes) -> None:
        """Write it anew.

        Raises
        ------
        OSError
        """
        replace_file(self.path, content)

    def set_aside(self, why: str) -> None:
        """Put the damaged file out of the way, and say so."""
        aside = self.path.with_name(f"{self.path.stem}.damaged{self.path.suffix}")
        with suppress(OSError):
            self.path.replace(aside)
            tell(f"{self.path} {why}. It was set aside as {aside.name}, and a new one is begun.")


def _lock(handle: int) -> bool:
    if fcntl is None:
        return False
    end = time.monotonic() + _PATIENCE
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            if time.monotonic() > end:
                return False
            time.sleep(0.005)
        except OSError:
            # Some network file systems have no locks.
            return False


def tell(text: str) -> None:
    """Warn, but never raise, whatever the filters say: state is kept for convenience."""
    with suppress(Warning):
        warnings.warn(text, stacklevel=2)


def parse(content: bytes) -> Any:
    """The JSON of a state file.

    Raises
    ------
    ValueError
        It is damaged.
    """
    try:
        return json.loads(content)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def seconds(value: object) -> float | None:
    """A number of seconds; None where a damaged file has something else in its place."""
    try:
        number = float(value) if type(value) in (int, float) else math.nan  # type: ignore[arg-type]  # just checked
    except OverflowError:
        return None
    return number if math.isfinite(number) and number >= 0 else None
