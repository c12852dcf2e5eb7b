"""The file: a zip with one JSON document and the images of all runs, each named by its hash."""

from __future__ import annotations

import hashlib
import json
import math
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..protocol import ComfyError
from ._matching import Difference, key_of, nearest_run, varied

FORMAT = "comfy-widgets-cassette"
VERSION = 1
DOCUMENT = "cassette.json"
MAX_BYTES = 20_000_000
"""Bytes of a cassette: as much as a class downloads in a moment, and a repository keeps."""
_MAX_READ = 400 << 20
_MAX_DOCUMENT = 64 << 20
_MAX_MEMBERS = 20_000
_MORE = {"cached": 1, "executing": 1, "progress": 3, "preview": 2, "text": 2, "executed": 1}
"""What follows the seconds and the kind in an entry of a timeline, at least."""


class CassetteError(ComfyError):
    """A cassette cannot be read, or cannot be written.

    Examples
    --------
    >>> Cassette("missing.cassette")
    Traceback (most recent call last):
    comfy_widgets.cassettes._cassette.CassetteError: There is no file 'missing.cassette'.
    """


@dataclass(frozen=True)
class RecordedRun:
    """One run of a cassette.

    Attributes
    ----------
    prompt : dict
        The API prompt, without secrets.
    outputs : dict
        As in the server's history.
    timeline : list
        What happened when: entries of seconds, a kind, and what belongs to it.
    error : dict or None
        How it failed; None for a run that was completed.

    Examples
    --------
    >>> RecordedRun({}, {}, [[0.5, "executing", "3"]]).seconds
    0.5
    """

    prompt: Mapping[str, Any] = field(repr=False)
    outputs: Mapping[str, Any] = field(repr=False)
    timeline: list[Any] = field(repr=False)
    error: Mapping[str, Any] | None = None

    @property
    def seconds(self) -> float:
        """How long it took when it was recorded."""
        return float(self.timeline[-1][0]) if self.timeline else 0.0


class Cassette:
    """A recorded lesson: runs with their images, and the node classes that they need.

    Parameters
    ----------
    path : str or Path
        The file.

    Attributes
    ----------
    path : Path
        The file.
    title : str
        What it is about.
    version : str
        The version of ComfyUI that it was recorded with.
    runs : tuple of RecordedRun
        In the order in which they were recorded.
    object_info : dict
        The node classes that the runs use.

    Raises
    ------
    CassetteError
        There is no such file, or it is no cassette, or it is damaged.

    Examples
    --------
    >>> from comfy_widgets import record
    >>> with record("seeds.cassette", client, title="Two seeds"):
    ...     for seed in (1, 2):
    ...         _ = client.run(example(), width=64, height=64, steps=1, seed=seed)
    >>> cassette = Cassette("seeds.cassette")
    >>> len(cassette.runs), cassette.varied()
    (2, {('3', 'seed'): [1, 2]})
    """

    def __init__(self, path: str | Path) -> None:
        self.path: Path = Path(path)
        document = self._read_document()
        try:
            self.title: str = str(document.get("title", ""))
            self.version: str = str(document["comfyui_version"])
            self.object_info: dict[str, Any] = dict(document["object_info"])
            self.runs: tuple[RecordedRun, ...] = tuple(map(_run, document["runs"]))
            self._files = {
                (str(f["filename"]), str(f["subfolder"]), str(f["type"])): str(f["sha"]) for f in document["files"]
            }
            self._by_key = {key_of(run.prompt): run for run in self.runs}
        except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
            raise self._damaged(f"its {DOCUMENT} lacks or mixes up something ({error})") from None

    def find(self, prompt: Mapping[str, Any]) -> RecordedRun | None:
        """Return the run of a prompt.

        Parameters
        ----------
        prompt : dict
            In API format.

        Returns
        -------
        RecordedRun or None
            None where no run has these values.

        Examples
        --------
        >>> from comfy_widgets import record
        >>> small = example().with_params(width=64, height=64, steps=1)
        >>> with record("one.cassette", client):
        ...     _ = client.run(small)
        >>> Cassette("one.cassette").find(small.to_prompt()) is not None
        True
        """
        return self._by_key.get(key_of(prompt))

    def nearest(self, prompt: Mapping[str, Any]) -> list[Difference] | None:
        """Return what the nearest run of the same workflow has otherwise.

        Parameters
        ----------
        prompt : dict
            In API format.

        Returns
        -------
        list of Difference or None
            None where no run is of this workflow.

        Examples
        --------
        >>> from comfy_widgets import record
        >>> small = example().with_params(width=64, height=64, steps=1)
        >>> with record("one.cassette", client):
        ...     _ = client.run(small, cfg=5)
        >>> [one.words() for one in Cassette("one.cassette").nearest(small.with_params(cfg=6).to_prompt())]
        ['cfg 6 was not recorded; nearest is 5 (recorded: 5)']
        """
        return nearest_run(prompt, [run.prompt for run in self.runs])

    def varied(self) -> dict[tuple[str, str], list[Any]]:
        """Return the inputs that differ between the runs.

        Returns
        -------
        dict
            ``(node id, input name)`` to all its values: numbers in order, others as they were recorded.

        Examples
        --------
        >>> from comfy_widgets import record
        >>> with record("one.cassette", client):
        ...     _ = client.run(example(), width=64, height=64, steps=1)
        >>> Cassette("one.cassette").varied()
        {}
        """
        return varied([run.prompt for run in self.runs])

    def files(self) -> dict[tuple[str, str, str], bytes]:
        """Return all files: ``(filename, subfolder, type)`` to their bytes.

        Returns
        -------
        dict

        Raises
        ------
        CassetteError
            One of them is missing or damaged.

        Examples
        --------
        >>> from comfy_widgets import record
        >>> with record("one.cassette", client):
        ...     _ = client.run(example(), width=64, height=64, steps=1)
        >>> [name.split("_")[0] for name, _, _ in Cassette("one.cassette").files()]
        ['ComfyUI']
        """
        return {place: self.content(sha) for place, sha in self._files.items()}

    def images(self, run: RecordedRun) -> list[bytes]:
        """Return the images of a run, encoded.

        Parameters
        ----------
        run : RecordedRun
            One of `runs`.

        Returns
        -------
        list of bytes

        Raises
        ------
        CassetteError
            One of them is missing or damaged.

        Examples
        --------
        >>> from comfy_widgets import record
        >>> with record("one.cassette", client):
        ...     _ = client.run(example(), width=64, height=64, steps=1)
        >>> cassette = Cassette("one.cassette")
        >>> len(cassette.images(cassette.runs[0]))
        1
        """
        found = []
        for output in run.outputs.values():
            items = output.get("images") if isinstance(output, Mapping) else None
            for item in items if isinstance(items, list) else ():
                if not isinstance(item, Mapping):
                    continue
                place = tuple(str(item.get(key, "")) for key in ("filename", "subfolder", "type"))
                sha = self._files.get(place) if len(place) == 3 else None
                if sha is not None:
                    found.append(self.content(sha))
        return found

    def content(self, sha: str) -> bytes:
        """Return a file by its hash.

        Parameters
        ----------
        sha : str
            As the document names it.

        Returns
        -------
        bytes

        Raises
        ------
        CassetteError
            It is missing or damaged.

        Examples
        --------
        >>> from comfy_widgets import record
        >>> with record("one.cassette", client):
        ...     _ = client.run(example(), width=64, height=64, steps=1)
        >>> Cassette("one.cassette").content("nothing")
        Traceback (most recent call last):
        comfy_widgets.cassettes._cassette.CassetteError: 'one.cassette' is damaged: it lacks the file nothing. ...
        """
        try:
            with zipfile.ZipFile(self.path) as archive:
                content = archive.read(f"files/{sha}")
        except KeyError:
            raise self._damaged(f"it lacks the file {sha[:12]}") from None
        except (OSError, zipfile.BadZipFile, EOFError, ValueError, NotImplementedError, RuntimeError) as error:
            raise self._damaged(f"a file in it cannot be read ({error})") from None
        except zlib.error as error:
            raise self._damaged(f"a file in it cannot be read ({error})") from None
        if hashlib.sha256(content).hexdigest() != sha:
            raise self._damaged(f"the file {sha[:12]} is not what was recorded")
        return content

    def _read_document(self) -> dict[str, Any]:
        name = str(self.path)
        if self.path.is_dir():
            raise CassetteError(f"{name!r} is a folder; name a cassette in it.")
        if not self.path.exists():
            raise CassetteError(f"There is no file {name!r}.")
        try:
            with zipfile.ZipFile(self.path) as archive:
                members = archive.infolist()
                if len(members) > _MAX_MEMBERS or sum(member.file_size for member in members) > _MAX_READ:
                    raise CassetteError(f"{name!r} unpacks to more than a cassette may hold; it was not opened.")
                member = archive.getinfo(DOCUMENT)
                if member.file_size > _MAX_DOCUMENT:
                    raise CassetteError(f"{name!r} unpacks to more than a cassette may hold; it was not opened.")
                document = json.loads(archive.read(member))
        except KeyError:
            raise CassetteError(f"{name!r} is no cassette: it is a zip file without {DOCUMENT}.") from None
        except (zipfile.BadZipFile, EOFError) as error:
            if zipfile.is_zipfile(self.path):
                raise self._damaged(str(error)) from None
            raise CassetteError(
                f"{name!r} is no cassette, or only a part of one: it is no zip file. record() writes cassettes."
            ) from None
        except OSError as error:
            raise CassetteError(f"{name!r} cannot be read: {error.strerror or error}.") from None
        except (ValueError, RecursionError, NotImplementedError, RuntimeError, zlib.error) as error:
            raise self._damaged(f"its {DOCUMENT} cannot be read ({type(error).__name__})") from None
        if not isinstance(document, dict) or document.get("format") != FORMAT:
            raise CassetteError(f"{name!r} is no cassette: its {DOCUMENT} is of another kind.")
        if document.get("version") != VERSION:
            raise CassetteError(
                f"{name!r} is a cassette of version {document.get('version')!r}, and this comfy_widgets reads version "
                f"{VERSION}. A newer comfy_widgets may read it."
            )
        return document

    def _damaged(self, how: str) -> CassetteError:
        return CassetteError(f"{str(self.path)!r} is damaged: {how}. Get the file again, or record it anew.")

    def __repr__(self) -> str:
        count = len(self.runs)
        return f"<Cassette {str(self.path)!r}: {count} run{'s' if count != 1 else ''}>"


def _run(document: Any) -> RecordedRun:
    """Return a run of a document; raises one of Python's own errors where something in it is of another kind."""
    error = document.get("error")
    if error is not None and not isinstance(error, Mapping):
        raise TypeError(f"the error of a run is {error!r}")
    timeline = list(document["timeline"])
    for entry in timeline:
        _check_entry(entry)
    return RecordedRun(dict(document["prompt"]), dict(document["outputs"]), timeline, error)


def _check_entry(entry: Any) -> None:
    """Raise a ValueError where the player could not play an entry of a timeline."""
    if not isinstance(entry, list) or len(entry) < 2 or not _is_finite(entry[0]) or not isinstance(entry[1], str):
        raise ValueError(f"an entry of a timeline is {entry!r:.100}")
    kind, more = entry[1], entry[2:]
    fits = len(more) >= _MORE.get(kind, 0)
    fits = fits and (kind != "cached" or isinstance(more[0], list))
    fits = fits and (kind != "progress" or (_is_finite(more[1]) and _is_finite(more[2])))
    if not fits:
        raise ValueError(f"an entry of a timeline is {entry!r:.100}")


def _is_finite(value: Any) -> bool:
    return isinstance(value, (int, float)) and math.isfinite(value)
