"""One connection to a store's database, shared by the threads of a process."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from ._schema import open_database

_CHUNK = 500


class Database:
    """A connection that threads take turns with.

    Parameters
    ----------
    path : Path
        The file; made where there is none.

    Raises
    ------
    ExperimentError
        The file is damaged, or another program's.
    """

    def __init__(self, path: Path) -> None:
        self._lock = threading.RLock()
        self._connection = open_database(path)

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Do all of what is inside, or nothing; one inside of another belongs to it."""
        with self._lock:
            if self._connection.in_transaction:
                yield self._connection
                return
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                # After a full disk SQLite may have rolled back by itself.
                with suppress(sqlite3.Error):
                    self._connection.execute("ROLLBACK")
                raise

    def rows(self, query: str, values: Sequence[Any] = ()) -> list[Any]:
        """Return all rows of an answer."""
        with self._lock:
            return self._connection.execute(query, values).fetchall()

    def rows_of(self, query: str, keys: Iterable[str]) -> Iterator[Any]:
        """Ask for many keys, some hundred at a time; ``{keys}`` in the query stands for them."""
        listed = list(keys)
        for start in range(0, len(listed), _CHUNK):
            part = listed[start : start + _CHUNK]
            yield from self.rows(query.replace("{keys}", ",".join("?" * len(part))), part)
