"""The last log lines, for /internal/logs and for diagnosis."""

from __future__ import annotations

import logging
from collections import deque
from datetime import datetime

_LINES = 300


class LogBuffer(logging.Handler):
    """Keeps the last 300 log records as ComfyUI's ``{"t": time, "m": text}``."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(logging.Formatter("%(message)s"))
        self.entries: deque[dict[str, str]] = deque(maxlen=_LINES)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one record."""
        time = datetime.fromtimestamp(record.created).isoformat()
        self.entries.append({"t": time, "m": self.format(record) + "\n"})
