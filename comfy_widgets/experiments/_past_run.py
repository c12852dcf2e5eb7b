"""A run of a panel as a folder keeps it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..client import FileGone, JobStatus, Result
from ..protocol import ComfyError, File
from ._errors import ExperimentError
from ._store import Store

if TYPE_CHECKING:
    from PIL.Image import Image

STREAMED = " [websocket]"
"""Ends the name of an image that came over the websocket alone."""


@dataclass(frozen=True, repr=False)
class PastRun:
    """A run of a panel that is kept in a folder.

    Attributes
    ----------
    number : int
        Counts the runs of the folder, from 1; never used again.
    title : str
        The heading of the panel.
    status : str
        "completed", "failed" or "cancelled".
    error : str
        Why it failed.
    started, finished : float
        In seconds since 1970.
    seconds : float or None
        How long the server worked.
    server : str
        What the panel called the server.
    values : dict
        The values of the form by name.
    details : tuple of (str, str, str)
        Label, value and group of each, as the panel shows them.
    count : int
        How many images, videos and audio files it gave.
    starred : tuple of int
        Which of them have a star, from 0.
    prompt_id : str
    cover_sha256 : str or None
        The hash of the file of its first image.
    store : Store
        The folder.

    Examples
    --------
    >>> history = RunHistory("lighthouses")
    >>> number = history.add(result, title="A lighthouse", started=0.0, finished=1.0, values={"cfg": 7.0})
    >>> history[0].values["cfg"], history[0].images[0].size
    (7.0, (64, 64))
    >>> history.close()
    """

    number: int
    title: str
    status: str
    error: str
    started: float
    finished: float
    seconds: float | None
    server: str
    values: Mapping[str, Any] = field(hash=False)
    details: tuple[tuple[str, str, str], ...]
    count: int
    starred: tuple[int, ...]
    prompt_id: str
    cover_sha256: str | None
    store: Store = field(compare=False)

    @property
    def result(self) -> Result:
        """What it left; its files are read from the folder when they are asked for.

        Raises
        ------
        ExperimentError
            The run is not in the folder any more.
        """
        with told(self.store, "read"):
            found = self.store.database.rows(
                "SELECT prompt, outputs FROM history JOIN result USING (key) WHERE id = ?", (self.number,)
            )
            if not found:
                raise ExperimentError(f"Run {self.number} is not in {self.store.folder} any more.")
            files = self.store.files_of(self.prompt_id)
        prompt, outputs = (json.loads(text) for text in found[0])
        kept = _KeptFiles({file.name: file.path for file in files if not file.name.endswith(STREAMED)})
        streamed = [file.path for file in files if file.name.endswith(STREAMED)]
        return Result(
            self.prompt_id,
            prompt,
            JobStatus(self.status),
            outputs,
            self.seconds,
            (),
            kept,
            tuple(path.read_bytes() for path in streamed if path.is_file()),
        )

    @property
    def images(self) -> list[Image]:
        """Its images as PIL images."""
        return self.result.images

    def __repr__(self) -> str:
        words = [f"{value!r:.60}" for label, value, _ in self.details[:1]]
        what = [self.status, f"{self.count} image{'s' * (self.count != 1)}", *words]
        return f"<PastRun {self.number} of {self.title}: {', '.join(what)}>"

    def _repr_mimebundle_(self, **options: object) -> dict[str, Any]:
        return self.result._repr_mimebundle_(**options)

    @property
    def cover(self) -> bytes | None:
        """A small WebP of its first image; None where it has none."""
        found = self.store.thumbnails([self.cover_sha256]) if self.cover_sha256 is not None else {}
        return next((webp for _, _, webp in found.values()), None)


@dataclass(frozen=True)
class _KeptFiles:
    """Reads the files of a kept run, by their names on the server."""

    paths: Mapping[str, Path]

    def __call__(self, file: File) -> bytes:
        path = self.paths.get(kept_name(file))
        try:
            if path is not None:
                return path.read_bytes()
        except OSError:
            pass
        raise FileGone(f"{file.filename} is not in the folder of the history any more.", file=file)


def kept_name(file: File) -> str:
    """Return the whole name of a file, with its type as ComfyUI writes it: ``cats/cat.png [temp]``."""
    name = f"{file.subfolder}/{file.filename}" if file.subfolder else file.filename
    return name if file.type == "output" else f"{name} [{file.type}]"


@contextmanager
def told(store: Store, what: str) -> Iterator[None]:
    """Say in words that the folder cannot be read or written."""
    try:
        yield
    except ComfyError:
        raise
    except (OSError, sqlite3.Error) as error:
        why = str(getattr(error, "strerror", None) or error).rstrip(".")
        raise ExperimentError(f"The history in {store.folder} cannot be {what}: {why}.") from error
