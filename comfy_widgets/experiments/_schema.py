"""The schema of a store, and how a database that an older version made becomes one of today.

`experiment.db` is plain SQLite and meant to be read by other programs:

* ``run``: what was asked for, as JSON: name, workflow, axes.
* ``cell``: the combinations of a run in the order in which they were asked for, each with the hash of its prompt.
* ``result``: what a prompt gave, by that hash: state, error, seconds, the prompt itself.
* ``file``: the files of a result; their bytes are in ``files/<sha256>.<extension>``.
* ``claim``: a prompt that was sent, or is about to be, and has no result yet.
* ``image`` and ``image_lora``: files of a folder that was indexed, and what made them.
* ``history``: runs of panels, each with its values, and its `result` by the id of its prompt.
* ``thumbnail``: small WebP images by the hash of the file; ``rating``: what a person thinks of a result.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from .._writing import utf8_bytes
from ._errors import ExperimentError

APPLICATION = 0x636F6D66
"""Marks the file as ours, in the header of the database ("comf")."""

_VERSIONS = (
    """
    CREATE TABLE run (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL,
        shape TEXT NOT NULL,
        created_at REAL NOT NULL,
        definition TEXT NOT NULL
    );
    CREATE TABLE cell (
        run INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
        number INTEGER NOT NULL,
        key TEXT NOT NULL,
        indices TEXT NOT NULL,
        labels TEXT NOT NULL,
        PRIMARY KEY (run, number)
    ) WITHOUT ROWID;
    CREATE INDEX cell_by_key ON cell(key);
    CREATE TABLE result (
        key TEXT PRIMARY KEY,
        status TEXT NOT NULL,
        error TEXT NOT NULL DEFAULT '',
        prompt_id TEXT NOT NULL,
        server TEXT NOT NULL,
        finished_at REAL NOT NULL,
        seconds REAL,
        loading REAL NOT NULL DEFAULT 0,
        cached TEXT NOT NULL DEFAULT '[]',
        texts TEXT NOT NULL DEFAULT '[]',
        prompt TEXT NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE file (
        key TEXT NOT NULL REFERENCES result(key) ON DELETE CASCADE,
        position INTEGER NOT NULL,
        kind TEXT NOT NULL,
        name TEXT NOT NULL,
        sha256 TEXT NOT NULL,
        extension TEXT NOT NULL,
        bytes INTEGER NOT NULL,
        width INTEGER,
        height INTEGER,
        PRIMARY KEY (key, position)
    ) WITHOUT ROWID;
    CREATE TABLE claim (
        key TEXT PRIMARY KEY,
        prompt_id TEXT NOT NULL,
        server TEXT NOT NULL,
        claimed_at REAL NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE thumbnail (
        sha256 TEXT PRIMARY KEY,
        width INTEGER NOT NULL,
        height INTEGER NOT NULL,
        webp BLOB NOT NULL
    ) WITHOUT ROWID;
    """,
    """
    CREATE TABLE rating (
        key TEXT PRIMARY KEY,
        stars INTEGER NOT NULL DEFAULT 0,
        rejected INTEGER NOT NULL DEFAULT 0,
        note TEXT NOT NULL DEFAULT '',
        rated_at REAL NOT NULL
    ) WITHOUT ROWID;
    """,
    """
    CREATE TABLE image (
        path TEXT PRIMARY KEY,
        modified INTEGER NOT NULL,
        bytes INTEGER NOT NULL,
        positive TEXT COLLATE NOCASE,
        negative TEXT COLLATE NOCASE,
        model TEXT COLLATE NOCASE,
        sampler TEXT COLLATE NOCASE,
        scheduler TEXT COLLATE NOCASE,
        seed,
        steps REAL,
        cfg REAL,
        denoise REAL,
        width INTEGER,
        height INTEGER
    ) WITHOUT ROWID;
    CREATE TABLE image_lora (
        path TEXT NOT NULL REFERENCES image(path) ON DELETE CASCADE,
        lora TEXT NOT NULL COLLATE NOCASE,
        strength REAL NOT NULL,
        PRIMARY KEY (path, lora)
    ) WITHOUT ROWID;
    """,
    """
    CREATE TABLE history (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        key TEXT NOT NULL,
        title TEXT NOT NULL,
        started_at REAL NOT NULL,
        vals TEXT NOT NULL,
        details TEXT NOT NULL,
        words TEXT NOT NULL,
        outputs TEXT NOT NULL,
        images INTEGER NOT NULL,
        cover TEXT,
        starred TEXT NOT NULL DEFAULT '[]'
    );
    CREATE UNIQUE INDEX history_by_key ON history(key);
    CREATE INDEX history_by_start ON history(started_at, id);
    CREATE INDEX file_by_sha256 ON file(sha256);
    """,
)
VERSION = len(_VERSIONS)


class Connection(sqlite3.Connection):
    """A connection that takes any text: SQLite keeps UTF-8, and half an emoji is none."""

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
        """Run a statement with a sequence of values."""
        return super().execute(sql, _storable(parameters))

    def executemany(self, sql: str, parameters: Iterable[Any], /) -> sqlite3.Cursor:
        """Run a statement for each of many sequences of values."""
        return super().executemany(sql, map(_storable, parameters))


def _storable(values: Iterable[Any]) -> tuple[Any, ...]:
    return tuple(utf8_bytes(value).decode() if isinstance(value, str) else value for value in values)


def open_database(path: Path) -> Connection:
    """Open a database, make it where there is none, and bring an older one up to date.

    Raises
    ------
    ExperimentError
        The file is damaged, another program's, or of a newer version; it stays as it is.
    """
    existed = path.exists() and path.stat().st_size > 0
    try:
        connection = sqlite3.connect(
            path, timeout=20.0, isolation_level=None, check_same_thread=False, factory=Connection
        )
    except sqlite3.Error as error:
        raise ExperimentError(f"{path} cannot be opened: {error}.") from error
    try:
        if existed:
            _recognise(connection, path)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA foreign_keys = ON")
        _migrate(connection)
    except ExperimentError:
        connection.close()
        raise
    except sqlite3.DatabaseError as error:
        connection.close()
        raise ExperimentError(
            f"{path} cannot be used as the store of an experiment ({error}). It was left as it is; choose another "
            "folder, or move the file away."
        ) from error
    return connection


def _recognise(connection: sqlite3.Connection, path: Path) -> None:
    """Make sure that a file is ours and whole, before anything is written to it."""
    (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if found != "ok":
        raise ExperimentError(
            f"{path} is damaged ({found}). It was left as it is; the files beside it are whole. Choose another folder, "
            "or restore the file from a copy."
        )
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if application != APPLICATION:
        raise ExperimentError(
            f"{path} belongs to another program. It was left as it is; choose another folder for the experiment."
        )
    if version > VERSION:
        raise ExperimentError(
            f"{path} was written by a newer version of comfy_widgets (schema {version}; this one knows {VERSION}). "
            "Update comfy_widgets, or choose another folder."
        )


def _migrate(connection: sqlite3.Connection) -> None:
    # Two kernels may open a new store at once: who comes second finds it made.
    connection.execute("BEGIN IMMEDIATE")
    try:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        for script in _VERSIONS[version:]:
            for statement in script.split(";"):
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.execute(f"PRAGMA application_id = {APPLICATION}")
        connection.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise
