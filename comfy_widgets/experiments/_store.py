"""The store: a folder with a database and files named by their content, which survives any crash."""

from __future__ import annotations

import hashlib
import json
import os
import re
import sqlite3
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from ._database import Database
from ._errors import ExperimentError

DATABASE = "experiment.db"
_RESULT = ("key", "status", "error", "prompt_id", "server", "finished_at", "seconds", "loading", "cached", "texts")


@dataclass(frozen=True)
class StoredFile:
    """A file of a result.

    Attributes
    ----------
    kind : str
        "image", "video", "audio", ...
    name : str
        Its name on the server.
    sha256 : str
        The hash of its bytes, in hexadecimal.
    path : Path
        Where it is now.
    width, height : int or None
        Of an image, in pixels.

    Examples
    --------
    >>> file = run.cells[0].files[0]
    >>> file.kind, file.width
    ('image', 64)
    """

    kind: str
    name: str
    sha256: str
    path: Path
    width: int | None = None
    height: int | None = None


@dataclass(frozen=True)
class StoredResult:
    """What a prompt gave.

    Attributes
    ----------
    key : str
        The hash of the prompt.
    status : str
        "completed" or "failed".
    error : str
        Why it failed.
    seconds : float or None
        On the server.
    loading : float
        Seconds of these that went into loading models.
    cached : tuple of str
        Nodes that the server had the results of.
    prompt : Mapping
        What ran; given to be kept, and read again with `Store.prompt`, for many of them would fill the memory.
    """

    key: str
    status: str
    error: str = ""
    prompt_id: str = ""
    server: str = ""
    finished_at: float = 0.0
    seconds: float | None = None
    loading: float = 0.0
    cached: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    prompt: Mapping[str, Any] = field(default_factory=dict, repr=False)
    files: tuple[StoredFile, ...] = ()


@dataclass(frozen=True)
class Claim:
    """A prompt that was sent to a server, or is about to be."""

    key: str
    prompt_id: str
    server: str


@dataclass(frozen=True)
class Rating:
    """What a person thinks of a result.

    Attributes
    ----------
    stars : int
        1 to 5; 0 is none.
    rejected : bool
        Whether it is not wanted.
    note : str
        Why.

    Examples
    --------
    >>> run.cells[0].rate(5)
    >>> run.cells[0].rating
    Rating(stars=5, rejected=False, note='')
    """

    stars: int = 0
    rejected: bool = False
    note: str = ""


class Store:
    """A folder that keeps an experiment.

    Parameters
    ----------
    folder : str or Path
        The folder that is the store; ``~`` is the home directory.
    create : bool
        Make it where there is none.

    Raises
    ------
    ExperimentError
        The folder cannot be written, or what is in it is damaged or another program's.

    Attributes
    ----------
    folder : Path
        Absolute.
    database : Database
        Its connection.

    Examples
    --------
    >>> store = Store("sunsets")
    >>> store.put_file(b"...", "sunset.png").path.parent == store.files
    True
    >>> store.close()
    """

    def __init__(self, folder: str | os.PathLike[str], *, create: bool = True) -> None:
        self.folder: Path = Path(folder).expanduser().absolute()
        if not create and not (self.folder / DATABASE).is_file():
            raise ExperimentError(f"There is no experiment in {self.folder}.")
        try:
            self.files.mkdir(parents=True, exist_ok=True)
        except (OSError, ValueError) as error:
            # A name that no file can have is a ValueError.
            why = error.strerror if isinstance(error, OSError) else error
            raise ExperimentError(f"The folder {self.folder} cannot be written ({why}). Name another one.") from error
        self.database: Database = Database(self.folder / DATABASE)

    @property
    def files(self) -> Path:
        """Where the bytes of results are."""
        return self.folder / "files"

    def close(self) -> None:
        """Close the database.

        Examples
        --------
        >>> store = Store("sunsets")
        >>> store.close()
        """
        self.database.close()

    # -- runs and their cells ------------------------------------------------------------------------------------------

    def shapes(self) -> dict[str, str]:
        """Return which shapes of workflows the store has seen, and the name of a run of each.

        Returns
        -------
        dict of str
            The hash of a shape (nodes and links without values), and the name of the last run of it.

        Examples
        --------
        >>> list(run.store.shapes().values()) == [run.name]
        True
        """
        return dict(self.database.rows("SELECT shape, name FROM run ORDER BY id"))

    def save_run(
        self,
        name: str,
        shape: str,
        definition: Mapping[str, Any],
        cells: Sequence[tuple[str, Sequence[int], Mapping[str, str]]],
        number: int | None = None,
    ) -> int:
        """Keep what is asked for.

        Parameters
        ----------
        name, shape : str
            What people call it, and the hash of the nodes and links of its workflow.
        definition : Mapping
            Workflow and axes, as JSON.
        cells : sequence
            Key, indices and labels of each.
        number : int, optional
            The run to replace; a new one by default, or the last one where that is the same.

        Returns
        -------
        int
            The run's number.

        Examples
        --------
        >>> store = Store("sunsets")
        >>> store.save_run("sunsets", "a-shape", {"axes": {}}, [("a-key", (0,), {"seed": "7"})])
        1
        >>> store.close()
        """
        text = json.dumps(definition, ensure_ascii=False)
        with self.database.transaction() as connection:
            if number is None:
                same = connection.execute(
                    "SELECT id FROM run WHERE definition = ? AND name = ?", (text, name)
                ).fetchone()
                number = same[0] if same else None
            if number is None:
                cursor = connection.execute(
                    "INSERT INTO run (name, shape, created_at, definition) VALUES (?, ?, ?, ?)",
                    (name, shape, time.time(), text),
                )
                number = int(cursor.lastrowid or 0)
            else:
                connection.execute(
                    "UPDATE run SET name = ?, shape = ?, created_at = ?, definition = ? WHERE id = ?",
                    (name, shape, time.time(), text, number),
                )
                connection.execute("DELETE FROM cell WHERE run = ?", (number,))
            connection.executemany(
                "INSERT INTO cell (run, number, key, indices, labels) VALUES (?, ?, ?, ?, ?)",
                (
                    (number, at, key, json.dumps(list(indices)), json.dumps(labels, ensure_ascii=False))
                    for at, (key, indices, labels) in enumerate(cells)
                ),
            )
        return number

    def last_run(self) -> tuple[int, str, dict[str, Any], list[tuple[int, ...]]]:
        """Return the run that was asked for last.

        Returns
        -------
        number : int
            The run's number, from 1.
        name : str
            What people call it.
        definition : dict
            Workflow and axes, as JSON.
        cells : list of tuple of int
            The indices of each cell.

        Raises
        ------
        ExperimentError
            There is none.

        Examples
        --------
        >>> number, name, definition, cells = run.store.last_run()
        >>> cells[:2]
        [(0,), (1,)]
        """
        found = self.database.rows("SELECT id, name, definition FROM run ORDER BY created_at DESC, id DESC LIMIT 1")
        if not found:
            raise ExperimentError(f"The store in {self.folder} holds no sweep that could be resumed.")
        number, name, definition = found[0]
        rows = self.database.rows("SELECT indices FROM cell WHERE run = ? ORDER BY number", (number,))
        return number, name, json.loads(definition), [tuple(json.loads(indices)) for (indices,) in rows]

    # -- claims --------------------------------------------------------------------------------------------------------

    def claims(self, keys: Iterable[str]) -> dict[str, Claim]:
        """Return what was sent and has no result yet.

        Parameters
        ----------
        keys : iterable of str
            Hashes of prompts.

        Returns
        -------
        dict of Claim
            By key: the ``prompt_id`` and the ``server``.

        Examples
        --------
        >>> run.store.claims(cell.key for cell in run.cells)
        {}
        """
        query = "SELECT key, prompt_id, server FROM claim WHERE key IN ({keys})"
        return {row[0]: Claim(*row) for row in self.database.rows_of(query, keys)}

    def claim(self, key: str, prompt_id: str, server: str) -> None:
        """Note that a prompt is about to be sent.

        Parameters
        ----------
        key : str
            The hash of the prompt.
        prompt_id : str
            The id under which it is sent.
        server : str
            The server's address.

        Examples
        --------
        >>> store = Store("sunsets")
        >>> store.claim("a-key", "a-prompt-id", "http://127.0.0.1:8188")
        >>> store.claims(["a-key"])["a-key"].prompt_id
        'a-prompt-id'
        >>> store.close()
        """
        with self.database.transaction() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO claim VALUES (?, ?, ?, ?)", (key, prompt_id, server, time.time())
            )

    def release(self, key: str) -> None:
        """Take a claim back: the prompt was not run, or is gone.

        Parameters
        ----------
        key : str
            The hash of the prompt.

        Examples
        --------
        >>> store = Store("sunsets")
        >>> store.claim("a-key", "a-prompt-id", "http://127.0.0.1:8188")
        >>> store.release("a-key")
        >>> store.claims(["a-key"])
        {}
        >>> store.close()
        """
        with self.database.transaction() as connection:
            connection.execute("DELETE FROM claim WHERE key = ?", (key,))

    # -- results -------------------------------------------------------------------------------------------------------

    def put_file(
        self, content: bytes, name: str, kind: str = "image", size: tuple[int, int] | None = None
    ) -> StoredFile:
        """Keep the bytes of a file under their hash; written beside and renamed, so that no half file is ever there.

        Parameters
        ----------
        content : bytes
            The whole file.
        name : str
            Its name on the server; the extension is kept.
        kind : str
            "image", "video", "audio", ...
        size : (int, int), optional
            Width and height of an image in pixels.

        Returns
        -------
        StoredFile
            Where it is now; `save` notes to which result it belongs.

        Examples
        --------
        >>> store = Store("sunsets")
        >>> store.put_file(b"...", "sunset.png", size=(64, 48)).path.suffix
        '.png'
        >>> store.close()
        """
        digest = hashlib.sha256(content).hexdigest()
        suffix = PurePosixPath(name).suffix.lstrip(".").lower()
        path = self.files / f"{digest}.{suffix if re.fullmatch('[a-z0-9]{1,8}', suffix) else 'bin'}"
        if not path.exists() or path.stat().st_size != len(content):
            beside = path.with_name(f"{digest}.{os.getpid()}.{threading.get_ident()}.part")
            try:
                beside.write_bytes(content)
                beside.replace(path)
            finally:
                beside.unlink(missing_ok=True)
        width, height = size if size is not None else (None, None)
        return StoredFile(kind, name, digest, path, width, height)

    def save(self, result: StoredResult, thumbnails: Mapping[str, tuple[int, int, bytes]]) -> None:
        """Keep a result whose files are kept already, and end its claim: all at once, or not at all.

        Parameters
        ----------
        result : StoredResult
            Replaces an earlier one with the same key.
        thumbnails : Mapping
            Width and height in pixels and the WebP bytes of small images, by the hash of the file.

        Examples
        --------
        >>> from dataclasses import replace as changed
        >>> cell = run.cells[0]
        >>> result = run.store.results([cell.key])[cell.key]
        >>> store = Store("sunsets")
        >>> store.save(changed(result, files=()), {})
        >>> store.results([cell.key])[cell.key].status
        'completed'
        >>> store.close()
        """
        with self.database.transaction() as connection:
            connection.execute("DELETE FROM file WHERE key = ?", (result.key,))
            connection.execute(
                "INSERT OR REPLACE INTO result VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    result.key,
                    result.status,
                    result.error,
                    result.prompt_id,
                    result.server,
                    result.finished_at,
                    result.seconds,
                    result.loading,
                    json.dumps(result.cached),
                    json.dumps(result.texts, ensure_ascii=False),
                    json.dumps(result.prompt, ensure_ascii=False, sort_keys=True),
                ),
            )
            connection.executemany(
                "INSERT INTO file VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    (
                        *(result.key, position, file.kind, file.name, file.sha256, file.path.suffix.lstrip(".")),
                        *(file.path.stat().st_size, file.width, file.height),
                    )
                    for position, file in enumerate(result.files)
                ),
            )
            _insert_thumbnails(connection, thumbnails)
            connection.execute("DELETE FROM claim WHERE key = ?", (result.key,))

    def results(self, keys: Iterable[str]) -> dict[str, StoredResult]:
        """Return the results of prompts, those whose files are all there and whole.

        Parameters
        ----------
        keys : iterable of str
            Hashes of prompts.

        Returns
        -------
        dict of StoredResult
            By key; prompts without a result are left out.

        Examples
        --------
        >>> found = run.store.results(cell.key for cell in run.cells)
        >>> found[run.cells[0].key].status
        'completed'
        """
        listed = list(dict.fromkeys(keys))
        files: dict[str, list[StoredFile] | None] = {}
        query = (
            "SELECT key, kind, name, sha256, extension, bytes, width, height FROM file WHERE key IN ({keys}) "
            "ORDER BY key, position"
        )
        for key, kind, name, digest, extension, size, width, height in self.database.rows_of(query, listed):
            path = self.files / f"{digest}.{extension}"
            kept = files.setdefault(key, [])
            if not path.is_file() or path.stat().st_size != size:
                files[key] = None
            elif kept is not None:
                kept.append(StoredFile(kind, name, digest, path, width, height))
        found: dict[str, StoredResult] = {}
        query = f"SELECT {', '.join(_RESULT)} FROM result WHERE key IN ({{keys}})"
        for row in self.database.rows_of(query, listed):
            of_key = files.get(row[0], [])
            if of_key is not None:
                values = dict(zip(_RESULT, row, strict=True))
                lists = {name: tuple(json.loads(values[name])) for name in ("cached", "texts")}
                found[row[0]] = StoredResult(**{**values, **lists, "files": tuple(of_key)})
        return found

    def files_of(self, key: str) -> list[StoredFile]:
        """Return the files of a result, also those that are gone.

        Parameters
        ----------
        key : str
            The hash of the prompt.

        Returns
        -------
        list of StoredFile

        Examples
        --------
        >>> [file.kind for file in run.store.files_of(run.cells[0].key)]
        ['image']
        """
        query = "SELECT kind, name, sha256, extension, width, height FROM file WHERE key = ? ORDER BY position"
        return [
            StoredFile(kind, name, digest, self.files / f"{digest}.{extension}", width, height)
            for kind, name, digest, extension, width, height in self.database.rows(query, (key,))
        ]

    def prompt(self, key: str) -> dict[str, Any] | None:
        """Return the prompt of a result.

        Parameters
        ----------
        key : str
            The hash of the prompt.

        Returns
        -------
        dict or None
            API format; None where there is no result.

        Examples
        --------
        >>> run.store.prompt("no-such-key") is None
        True
        """
        found = self.database.rows("SELECT prompt FROM result WHERE key = ?", (key,))
        return json.loads(found[0][0]) if found else None

    def forget(self, key: str) -> None:
        """Forget a result, so that its prompt runs again; files stay, others may share them.

        Parameters
        ----------
        key : str
            The hash of the prompt.

        Examples
        --------
        >>> run.store.forget("no-such-key")
        """
        with self.database.transaction() as connection:
            connection.execute("DELETE FROM result WHERE key = ?", (key,))

    # -- what people see and say ---------------------------------------------------------------------------------------

    def thumbnails(self, digests: Iterable[str]) -> dict[str, tuple[int, int, bytes]]:
        """Return small images by the hash of the file.

        Parameters
        ----------
        digests : iterable of str
            SHA-256 of files, as in `StoredFile`.

        Returns
        -------
        dict of (int, int, bytes)
            Width and height in pixels, and the bytes as WebP.

        Examples
        --------
        >>> digest = run.cells[0].files[0].sha256
        >>> width, height, webp = run.store.thumbnails([digest])[digest]
        >>> webp[:4]
        b'RIFF'
        """
        query = "SELECT sha256, width, height, webp FROM thumbnail WHERE sha256 IN ({keys})"
        return {digest: (width, height, webp) for digest, width, height, webp in self.database.rows_of(query, digests)}

    def save_thumbnails(self, thumbnails: Mapping[str, tuple[int, int, bytes]]) -> None:
        """Keep small images of files that are not the store's own.

        Parameters
        ----------
        thumbnails : Mapping
            As in `save`.

        Examples
        --------
        >>> store = Store("sunsets")
        >>> store.save_thumbnails({"a-hash": (96, 64, b"RIFF")})
        >>> store.thumbnails(["a-hash"])
        {'a-hash': (96, 64, b'RIFF')}
        >>> store.close()
        """
        with self.database.transaction() as connection:
            _insert_thumbnails(connection, thumbnails)

    def rate(self, key: str, rating: Rating) -> None:
        """Keep a rating.

        Parameters
        ----------
        key : str
            The hash of the prompt.
        rating : Rating
            One without stars, note or rejection takes the last one back.

        Examples
        --------
        >>> store = Store("sunsets")
        >>> store.rate("a-key", Rating(3))
        >>> store.ratings(["a-key"])["a-key"].stars
        3
        >>> store.close()
        """
        with self.database.transaction() as connection:
            if rating == Rating():
                connection.execute("DELETE FROM rating WHERE key = ?", (key,))
            else:
                connection.execute(
                    "INSERT OR REPLACE INTO rating VALUES (?, ?, ?, ?, ?)",
                    (key, rating.stars, rating.rejected, rating.note, time.time()),
                )

    def ratings(self, keys: Iterable[str]) -> dict[str, Rating]:
        """Return what people think of results.

        Parameters
        ----------
        keys : iterable of str
            Hashes of prompts.

        Returns
        -------
        dict of Rating
            By key; what was not rated is left out.

        Examples
        --------
        >>> run.store.ratings(["no-such-key"])
        {}
        """
        query = "SELECT key, stars, rejected, note FROM rating WHERE key IN ({keys})"
        return {key: Rating(stars, bool(no), note) for key, stars, no, note in self.database.rows_of(query, keys)}

    # -- a folder of images --------------------------------------------------------------------------------------------

    def known_images(self) -> dict[str, tuple[int, int]]:
        """Return the files of a folder that are indexed.

        Returns
        -------
        dict of (int, int)
            The time of the last change in nanoseconds since 1970 and the size in bytes, by path.

        Examples
        --------
        >>> run.store.known_images()
        {}
        """
        rows = self.database.rows("SELECT path, modified, bytes FROM image")
        return {path: (modified, size) for path, modified, size in rows}

    def save_images(
        self, gone: Iterable[str], fresh: Iterable[tuple[Mapping[str, Any], Sequence[tuple[str, float]]]]
    ) -> None:
        """Forget files of the index, and keep what made others.

        Parameters
        ----------
        gone : iterable of str
            Paths of files to be forgotten.
        fresh : iterable of (Mapping, sequence of (str, float))
            For each file: the columns of the table, at least ``path``, ``modified`` and ``bytes``, and LoRAs with their
            strengths.

        Examples
        --------
        >>> store = Store("index")
        >>> cat = {"path": "cat.png", "modified": 1, "bytes": 2048, "positive": "a cat", "seed": 7}
        >>> store.save_images([], [(cat, [("ink", 0.8)])])
        >>> store.known_images()
        {'cat.png': (1, 2048)}
        >>> store.close()
        """
        with self.database.transaction() as connection:
            connection.executemany("DELETE FROM image WHERE path = ?", ((path,) for path in gone))
            for columns, loras in fresh:
                names, marks = ", ".join(columns), ", ".join("?" * len(columns))
                connection.execute("DELETE FROM image WHERE path = ?", (columns["path"],))
                connection.execute(f"INSERT INTO image ({names}) VALUES ({marks})", tuple(columns.values()))
                connection.executemany(
                    "INSERT OR REPLACE INTO image_lora VALUES (?, ?, ?)",
                    ((columns["path"], lora, strength) for lora, strength in loras),
                )

    def __repr__(self) -> str:
        return f"<Store in {self.folder}>"


def _insert_thumbnails(connection: sqlite3.Connection, thumbnails: Mapping[str, tuple[int, int, bytes]]) -> None:
    connection.executemany(
        "INSERT OR IGNORE INTO thumbnail VALUES (?, ?, ?, ?)",
        ((digest, *thumbnail) for digest, thumbnail in thumbnails.items()),
    )
