"""The last log lines, for /internal/logs and for diagnosis."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from datetime import datetime

_LINES = 300


class LogBuffer(logging.Handler):
    """Keeps the last 300 log records as ComfyUI's ``{"t": time, "m": text}``."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(logging.Formatter("%(message)s"))
        self._tell: Callable[[dict[str, str]], None] = lambda entry: None
        self.entries: deque[dict[str, str]] = deque(maxlen=_LINES)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one record."""
        time = datetime.fromtimestamp(record.created).isoformat()
        entry = {"t": time, "m": self.format(record) + "\n"}
        self.entries.append(entry)
        self._tell(entry)

    def listen(self, tell: Callable[[dict[str, str]], None]) -> None:
        """Call `tell` with every new entry."""
        self._tell = tell
