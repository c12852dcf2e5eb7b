"""The runs of panels, kept in a folder so that they are there again in another kernel."""

from __future__ import annotations

import json
import os
import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, overload

from ..client import FileGone, Result
from ._keep import MAX_ERROR, Source, Thumbnail, sources_of, thumbnail
from ._past_run import PastRun, told
from ._store import Store, StoredFile, StoredResult

_WORDS = re.compile(r'"([^"]*)"|([^\s"]+)')
_COLUMNS = (
    "history.id, history.key, title, started_at, result.finished_at, vals, details, images, cover, starred, "
    "result.status, result.error, result.server, result.seconds"
)
_KNOWN = "history JOIN result ON result.key = history.key"


class RunHistory(Sequence[PastRun]):
    """The runs of panels in a folder, the newest first. Several panels and kernels may share the folder.

    Parameters
    ----------
    folder : str or Path
        Made where there is none; also the store of a sweep. ``~`` is the home directory.

    Raises
    ------
    ExperimentError
        The folder cannot be written, or what is in it is damaged or another program's.

    Attributes
    ----------
    folder : Path
        Absolute.
    store : Store
        The database and the files in it.

    Examples
    --------
    >>> history = RunHistory("harbours")
    >>> number = history.add(result, title="A harbour", started=0.0, finished=1.0)
    >>> len(history), len(history.search("harbour")), len(history.search("submarine"))
    (1, 1, 0)
    >>> history.close()
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.store: Store = Store(folder)
        self.folder: Path = self.store.folder

    def close(self) -> None:
        """Close the folder's database.

        Examples
        --------
        >>> history = RunHistory("runs")
        >>> history.close()
        """
        self.store.close()

    # Reading

    def __len__(self) -> int:
        return self.count()

    @overload
    def __getitem__(self, index: int) -> PastRun: ...
    @overload
    def __getitem__(self, index: slice) -> list[PastRun]: ...
    def __getitem__(self, index: int | slice) -> PastRun | list[PastRun]:
        count = len(self)
        places = range(count)[index]
        if isinstance(places, int):
            return self.page(places, 1)[0]
        if not places:
            return []
        first, last = min(places), max(places)
        found = self.page(first, last - first + 1)
        return [found[place - first] for place in places]

    def __iter__(self) -> Iterator[PastRun]:
        return iter(self.page(0, -1))

    def search(self, text: str = "", *, starred: bool = False) -> list[PastRun]:
        """Return the runs in which all of some words stand: in a prompt, a model's name, a value with its label.

        Parameters
        ----------
        text : str
            Words, in upper or lower case; those that stand in quotation marks are one.
        starred : bool
            Only runs with a star.

        Returns
        -------
        list of PastRun
            The newest first.

        Examples
        --------
        >>> history = RunHistory("nothing yet")
        >>> history.search('lighthouse "cfg 7"', starred=True)
        []
        >>> history.close()
        """
        return self.page(0, -1, text, starred=starred)

    def count(self, text: str = "", *, starred: bool = False) -> int:
        """Return how many runs `search` would find.

        Parameters
        ----------
        text, starred
            As for `search`.

        Returns
        -------
        int

        Examples
        --------
        >>> history = RunHistory("nothing yet")
        >>> history.count()
        0
        >>> history.close()
        """
        where, given = _condition(text, starred)
        with told(self.store, "read"):
            return int(self.store.database.rows(f"SELECT count(*) FROM history {where}", given)[0][0])

    def page(self, start: int, count: int, text: str = "", *, starred: bool = False) -> list[PastRun]:
        """Return some of the runs that `search` would find.

        Parameters
        ----------
        start : int
            The first, from 0.
        count : int
            How many; -1 for all that follow.
        text, starred
            As for `search`.

        Returns
        -------
        list of PastRun

        Examples
        --------
        >>> history = RunHistory("nothing yet")
        >>> history.page(0, 60)
        []
        >>> history.close()
        """
        where, given = _condition(text, starred)
        query = f"SELECT {_COLUMNS} FROM {_KNOWN} {where} ORDER BY started_at DESC, history.id DESC LIMIT ? OFFSET ?"
        with told(self.store, "read"):
            return [self._run(row) for row in self.store.database.rows(query, (*given, count, start))]

    def find(self, number: int) -> PastRun | None:
        """Return the run of this number.

        Parameters
        ----------
        number : int

        Returns
        -------
        PastRun or None

        Examples
        --------
        >>> history = RunHistory("nothing yet")
        >>> history.find(1) is None
        True
        >>> history.close()
        """
        with told(self.store, "read"):
            rows = self.store.database.rows(f"SELECT {_COLUMNS} FROM {_KNOWN} WHERE history.id = ?", (number,))
        return self._run(rows[0]) if rows else None

    def covers(self, runs: Sequence[PastRun]) -> dict[int, bytes]:
        """Return small WebP images of the first image of runs.

        Parameters
        ----------
        runs : sequence of PastRun

        Returns
        -------
        dict of bytes
            By the runs' numbers; a run without an image is left out.

        Examples
        --------
        >>> history = RunHistory("runs")
        >>> history.covers([])
        {}
        >>> history.close()
        """
        names = {run.number: run.cover_sha256 for run in runs if run.cover_sha256 is not None}
        with told(self.store, "read"):
            found = self.store.thumbnails(dict.fromkeys(names.values()))
        return {number: found[name][2] for number, name in names.items() if name in found}

    def _run(self, row: Sequence[Any]) -> PastRun:
        number, key, title, started, finished, values, details, count, cover, starred, status, error, server, took = row
        return PastRun(
            number,
            title,
            status,
            error,
            started,
            finished,
            took,
            server,
            json.loads(values),
            tuple(tuple(item) for item in json.loads(details)),
            count,
            tuple(json.loads(starred)),
            key,
            cover,
            self.store,
        )

    # Changing

    def add(
        self,
        result: Result,
        *,
        title: str,
        started: float,
        finished: float,
        values: Mapping[str, Any] | None = None,
        details: Sequence[tuple[str, str, str]] = (),
        count: int = 0,
        error: str = "",
        server: str = "",
    ) -> int:
        """Keep a run with the files that it left; one that is kept already stays as it is.

        Parameters
        ----------
        result : Result
            What the run left.
        title, started, finished, values, details, count, error, server
            As in `PastRun`.

        Returns
        -------
        int
            The run's number.

        Raises
        ------
        ExperimentError
            The folder cannot be written.
        ServerError
            A file cannot be fetched now.

        Examples
        --------
        >>> history = RunHistory("runs")
        >>> number = history.add(result, title="A lighthouse", started=0.0, finished=1.0, values={"seed": 7})
        >>> history[0].values, len(history[0].images)
        ({'seed': 7}, 1)
        >>> history.close()
        """
        words = [title, error, *(f"{label} {value}" for label, value, _ in details)]
        covers: dict[str, Thumbnail] = {}
        kept: list[tuple[Source, StoredFile]] = []
        with told(self.store, "written"):
            # One at a time: five hundred images would fill the memory.
            for source in sources_of(result):
                try:
                    content = source.load()
                except FileGone:
                    continue
                small = thumbnail(content) if source.kind == "image" and not covers else None
                file = self.store.put_file(content, source.name, source.kind, small[0] if small is not None else None)
                kept.append((source, replace(file, name=source.whole_name)))
                if small is not None:
                    covers[file.sha256] = small[1]
        with told(self.store, "written"), self.store.database.transaction() as connection:
            for source, file in kept:
                # Another kernel may have forgotten the last run that had this file; from here on it has to wait.
                if not file.path.is_file():
                    self.store.put_file(source.load(), source.name)
            self.store.save(
                StoredResult(
                    result.prompt_id,
                    str(result.status),
                    error=error[:MAX_ERROR],
                    prompt_id=result.prompt_id,
                    server=server,
                    finished_at=finished,
                    seconds=result.elapsed,
                    texts=result.texts,
                    prompt=result.prompt,
                    files=tuple(file for _, file in kept),
                ),
                covers,
            )
            connection.execute(
                "INSERT INTO history (key, title, started_at, vals, details, words, outputs, images, cover) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                (
                    result.prompt_id,
                    title,
                    started,
                    _json(dict(values or {})),
                    _json([list(item) for item in details]),
                    "\n".join(words).casefold(),
                    _json(dict(result.outputs)),
                    count,
                    next(iter(covers), None),
                ),
            )
            found = connection.execute("SELECT id FROM history WHERE key = ?", (result.prompt_id,)).fetchone()
            return int(found[0])

    def star(self, number: int, indices: Sequence[int]) -> None:
        """Give a star to these images of a run, in place of those that have one.

        Parameters
        ----------
        number : int
            The run's.
        indices : sequence of int
            From 0.

        Raises
        ------
        ExperimentError
            The folder cannot be written.

        Examples
        --------
        >>> history = RunHistory("runs")
        >>> number = history.add(result, title="A lighthouse", started=0.0, finished=1.0, count=1)
        >>> history.star(number, [0])
        >>> history[0].starred
        (0,)
        >>> history.close()
        """
        with told(self.store, "written"), self.store.database.transaction() as connection:
            connection.execute("UPDATE history SET starred = ? WHERE id = ?", (json.dumps([*indices]), number))

    def remove(self, number: int) -> None:
        """Forget a run, and remove those of its files that nothing else in the folder needs.

        Parameters
        ----------
        number : int
            The run's; nothing happens where there is none.

        Raises
        ------
        ExperimentError
            The folder cannot be written.

        Examples
        --------
        >>> history = RunHistory("to forget")
        >>> history.remove(history.add(result, title="A lighthouse", started=0.0, finished=1.0))
        >>> len(history)
        0
        >>> history.close()
        """
        with told(self.store, "written"), self.store.database.transaction() as connection:
            found = connection.execute("SELECT key FROM history WHERE id = ?", (number,)).fetchone()
            if found is None:
                return
            (key,) = found
            files = self.store.files_of(key)
            connection.execute("DELETE FROM history WHERE id = ?", (number,))
            if connection.execute("SELECT 1 FROM cell WHERE key = ? LIMIT 1", (key,)).fetchone() is None:
                connection.execute("DELETE FROM result WHERE key = ?", (key,))
            for file in files:
                if not self._is_needed(connection, file):
                    file.path.unlink(missing_ok=True)
                    connection.execute("DELETE FROM thumbnail WHERE sha256 = ?", (file.sha256,))

    def _is_needed(self, connection: sqlite3.Connection, file: StoredFile) -> bool:
        """Tell whether a result has the file, or a sweep takes it as its input."""
        queries = (
            ("SELECT 1 FROM file WHERE sha256 = ? LIMIT 1", file.sha256),
            ("SELECT 1 FROM run WHERE instr(definition, ?) LIMIT 1", file.path.name),
        )
        return any(connection.execute(query, (value,)).fetchone() is not None for query, value in queries)

    def __repr__(self) -> str:
        count = len(self)
        return f"<RunHistory of {count:,} run{'s' * (count != 1)} in {self.folder}>"


def _condition(text: str, starred: bool) -> tuple[str, tuple[str, ...]]:
    """Return the condition of a search, and its values."""
    words = [quoted or word for quoted, word in _WORDS.findall(text.casefold()) if quoted or word]
    conditions = ["instr(words, ?)"] * len(words) + ["starred != '[]'"] * starred
    return (f"WHERE {' AND '.join(conditions)}" if conditions else "", tuple(words))


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
