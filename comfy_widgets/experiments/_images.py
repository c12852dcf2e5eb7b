"""A folder of images that ComfyUI made, found again by what made them."""

from __future__ import annotations

import hashlib
import logging
import os
import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..client import state_directory
from ..protocol import ComfyError, WorkflowError
from ..workflow import Workflow, did_you_mean
from ._display import make_view
from ._errors import ExperimentError
from ._store import DATABASE, Store

if TYPE_CHECKING:
    from PIL.Image import Image

logger = logging.getLogger(__name__)

_SUFFIXES = frozenset({".png", ".webp", ".jpg", ".jpeg", ".avif", ".gif", ".mp4", ".webm", ".mkv", ".flac", ".mp3"})
_COLUMNS: tuple[str, ...] = (
    *("path", "positive", "negative", "model", "sampler", "scheduler", "seed", "steps", "cfg", "denoise"),
    *("width", "height", "modified", "bytes"),
)
_LORA = ("lora", "strength")
_RATED = ("stars", "rejected")
_ROLES = {"positive": "positive", "negative": "negative", "sampler_name": "sampler", "scheduler": "scheduler"}
_ROLES |= {name: name for name in ("seed", "steps", "cfg", "denoise", "width", "height")}
_MODELS = ("ckpt_name", "unet_name", "model_name")
_LARGEST_INTEGER = 2**63 - 1
_HIDDEN = ".comfy_widgets"
_KNOWN = """(
    SELECT image.*, COALESCE(rating.stars, 0) AS stars, COALESCE(rating.rejected, 0) AS rejected
    FROM image LEFT JOIN rating ON rating.key = image.path || '@' || image.modified
)"""
_ALLOWED = (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION)


@dataclass(frozen=True)
class FoundImage:
    """One file, and what made it.

    Attributes
    ----------
    path : Path
    values : dict
        ``positive, negative, model, sampler, scheduler, seed, steps, cfg, denoise, width, height``, as far as they are
        known.
    loras : dict of float
        LoRAs and their strengths.
    name : str
        The path in the folder that was indexed, with slashes.

    Examples
    --------
    >>> saved = result.save("output")
    >>> found = images("output")[0]
    >>> found.values["steps"], found.image.size
    (1.0, (64, 64))
    """

    path: Path
    values: Mapping[str, Any] = field(hash=False)
    loras: Mapping[str, float] = field(default_factory=dict, hash=False)
    name: str = ""

    @property
    def image(self) -> Image:
        """The image as a PIL image.

        Raises
        ------
        ComfyError
            It cannot be opened as one.
        """
        from PIL import Image as Pillow

        try:
            image: Image = Pillow.open(self.path)
            image.load()
        except Exception as error:
            raise ComfyError(f"{self.path} cannot be opened as an image: {error}.") from error
        return image

    @property
    def workflow(self) -> Workflow:
        """The workflow that made it."""
        return Workflow.load(self.path)


class ImageIndex(Sequence[FoundImage]):
    """Files of a folder with what made them; made by `images`. In a notebook it shows itself as a live grid.

    Parameters
    ----------
    folder : Path
        The folder that was indexed.
    database : Path
        Where the index is kept.
    paths : sequence of str
        The files, relative to the folder.

    Attributes
    ----------
    folder, database : Path
        As given.

    Examples
    --------
    >>> saved = result.save("output")
    >>> found = images("output").where("steps < 5 and width = 64")
    >>> found[0].image.size
    (64, 64)
    """

    def __init__(self, folder: Path, database: Path, paths: Sequence[str]) -> None:
        self.folder = folder
        self.database = database
        self._paths = list(paths)
        self._view: Any = None

    def __len__(self) -> int:
        return len(self._paths)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return ImageIndex(self.folder, self.database, self._paths[index])
        return self._load([self._paths[index]])[0]

    def __iter__(self) -> Iterator[FoundImage]:
        return iter(self._load(self._paths))

    def where(self, condition: str) -> ImageIndex:
        """Choose files.

        Parameters
        ----------
        condition : str
            As SQLite writes conditions: ``"cfg > 5 and lora = 'ink'"``, ``"positive like '%cat%' and seed between 1 and
            9"``. Models and LoRAs are named without folder and extension; ``stars`` and ``rejected`` are what was said
            in the grid; `columns` lists all names.

        Returns
        -------
        ImageIndex

        Raises
        ------
        ExperimentError
            It is no condition, or names what is not there.

        Examples
        --------
        >>> saved = result.save("output")
        >>> len(images("output").where("positive like '%cat%' and seed between 1 and 9"))
        0
        """
        query = (
            f"SELECT DISTINCT path FROM {_KNOWN} LEFT JOIN image_lora USING (path) WHERE ({condition}\n) ORDER BY path"
        )
        with closing(_reading(self.database)) as connection:
            connection.set_authorizer(
                lambda action, *_: sqlite3.SQLITE_OK if action in _ALLOWED else sqlite3.SQLITE_DENY
            )
            try:
                found = {path for (path,) in connection.execute(query)}
            except (sqlite3.Error, sqlite3.Warning, ValueError) as error:
                raise ExperimentError(f"{condition!r} cannot be looked up: {_told(error)}") from error
        return ImageIndex(self.folder, self.database, [path for path in self._paths if path in found])

    @property
    def columns(self) -> tuple[str, ...]:
        """The names that a condition may use."""
        return (*_COLUMNS, *_LORA, *_RATED)

    def sheet(self, *, cols: int | None = None, cell: int = 256) -> Image:
        """Draw all images on one PIL image, with their names.

        Parameters
        ----------
        cols : int, optional
            Images in a row; the default makes the sheet about as wide as high.
        cell : int
            The longest side of each image in pixels.

        Returns
        -------
        PIL.Image.Image
            RGB.

        Raises
        ------
        ComfyError
            There are none, or more than 400.

        Examples
        --------
        >>> saved = result.save("output")
        >>> images("output").sheet(cell=128).mode
        'RGB'
        """
        from .._grid import make_grid

        if not 0 < len(self) <= 400:
            raise ComfyError(f"A sheet is of 1 to 400 images, not of {len(self)}; choose some with where() or [:100].")
        images = []
        for one in self:
            image = one.image
            image.thumbnail((cell, cell))
            images.append(image)
        return make_grid(images, cols=cols, labels=[Path(path).stem for path in self._paths], cell=(cell, cell))

    def _load(self, paths: Sequence[str]) -> list[FoundImage]:
        known: dict[str, Any] = {}
        loras: dict[str, dict[str, float]] = {}
        with closing(_reading(self.database)) as connection:
            for start in range(0, len(paths), 500):
                part = paths[start : start + 500]
                marks = ",".join("?" * len(part))
                names = ", ".join(_COLUMNS)
                for row in connection.execute(f"SELECT {names} FROM image WHERE path IN ({marks})", part):
                    known[row[0]] = dict(zip(_COLUMNS[1:], row[1:], strict=True))
                for path, lora, strength in connection.execute(
                    f"SELECT path, lora, strength FROM image_lora WHERE path IN ({marks})", part
                ):
                    loras.setdefault(path, {})[lora] = strength
        return [
            FoundImage(
                self.folder / path,
                {name: value for name, value in known.get(path, {}).items() if value is not None},
                loras.get(path, {}),
                path,
            )
            for path in paths
        ]

    def newest(self, count: int) -> list[tuple[str, FoundImage]]:
        """Return the files that were changed last, the newest first, each with the key by which it is rated.

        Parameters
        ----------
        count : int
            How many at most.

        Returns
        -------
        list of (str, FoundImage)
            The key holds the time of the last change: another file of the same name is another image.

        Examples
        --------
        >>> saved = result.save("output")
        >>> [(_, found)] = images("output").newest(1)
        >>> found.name == saved[0].name
        True
        """
        with closing(_reading(self.database)) as connection:
            times = dict(connection.execute("SELECT path, modified FROM image"))
        paths = sorted(self._paths, key=lambda path: (times.get(path, 0), path), reverse=True)[:count]
        return [(f"{found.name}@{times.get(found.name, 0)}", found) for found in self._load(paths)]

    def __repr__(self) -> str:
        return f"<ImageIndex of {len(self):,} file{'s' * (len(self) != 1)} in {self.folder}>"

    def _ipython_display_(self, **kwargs: Any) -> None:
        from IPython.display import display

        # One for all its displays, as for an experiment.
        self._view = self._view or make_view(self, "images")
        shown = self._view if self._view is not None else {"text/plain": repr(self)}
        display(shown, raw=self._view is None)  # type: ignore[no-untyped-call]


def images(folder: str | os.PathLike[str]) -> ImageIndex:
    """Index a folder of images, videos and sounds that ComfyUI made, by what is written in them.

    Files that have not changed since the last time are not read again. The index is kept in the folder, or, where that
    cannot be written, where the platform keeps state.

    Parameters
    ----------
    folder : str or path
        Its subfolders belong to it.

    Returns
    -------
    ImageIndex
        Files without a workflow are among them.

    Raises
    ------
    ExperimentError
        There is no such folder.

    Examples
    --------
    >>> saved = result.save(folder / "index")
    >>> len(images(folder / "index"))
    1
    """
    root = Path(folder).expanduser().absolute()
    if not root.is_dir():
        raise ExperimentError(f"There is no folder {root}.")
    store = _store_of(root)
    try:
        seen = {path: (modified, size) for path, modified, size in _files(root)}
        known = store.known_images()
        fresh = [path for path, stamp in seen.items() if known.get(path) != stamp]
        store.save_images(
            [path for path in known if path not in seen],
            (
                ({"path": path, "modified": seen[path][0], "bytes": seen[path][1]} | facts, loras)
                for path in fresh
                for facts, loras in [_facts(root / path)]
            ),
        )
        return ImageIndex(root, store.folder / DATABASE, sorted(seen))
    finally:
        store.close()


def _store_of(root: Path) -> Store:
    try:
        return Store(root / _HIDDEN)
    except ExperimentError:
        state = state_directory()
        if state is None or (root / _HIDDEN / DATABASE).exists():
            raise
        return Store(state / f"images-{hashlib.sha256(str(root).encode()).hexdigest()[:16]}")


def _files(folder: Path, below: str = "") -> Iterator[tuple[str, int, int]]:
    """Yield path, time of change and size of each file that may hold a workflow."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if not _is_text(entry.name):
                logger.warning("%r is left out: its name is no text that an index could keep", entry.path)
                continue
            if entry.is_dir(follow_symlinks=False):
                yield from _files(Path(entry.path), f"{below}{entry.name}/")
            elif Path(entry.name).suffix.lower() in _SUFFIXES:
                stat = entry.stat()
                yield f"{below}{entry.name}", stat.st_mtime_ns, stat.st_size


def _is_text(name: str) -> bool:
    """Tell whether a name can be written in UTF-8; Linux allows others."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _facts(path: Path) -> tuple[dict[str, Any], list[tuple[str, float]]]:
    """What made a file; nothing where it does not say."""
    try:
        workflow = Workflow.load(path)
        if workflow.prompt is not None:
            workflow = workflow.reproduce()
        params = list(workflow.params().values())
    except (WorkflowError, OSError):
        return {}, []
    facts = {_ROLES[param.name]: _storable(param.value) for param in params if param.name in _ROLES}
    model = next((param.value for param in params if param.input_name in _MODELS), None)
    if isinstance(model, str):
        facts["model"] = _stem(model)
    strengths = {p.node_id: p.value for p in params if p.input_name in ("strength_model", "strength")}
    loras = [
        (_stem(param.value), float(strengths.get(param.node_id, 1.0)))
        for param in params
        if param.input_name == "lora_name" and isinstance(param.value, str)
    ]
    return facts, loras


def _storable(value: Any) -> Any:
    if isinstance(value, int) and not -_LARGEST_INTEGER <= value <= _LARGEST_INTEGER:
        # A seed beyond what SQLite counts with is kept as text, exactly.
        return str(value)
    return value if isinstance(value, (str, int, float)) else None


def _stem(name: str) -> str:
    return re.sub(r"\.(safetensors|sft|ckpt|pth?|bin|gguf)$", "", re.split(r"[\\/]", name)[-1])


def _reading(database: Path) -> sqlite3.Connection:
    """A connection that cannot change anything."""
    return sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)


def _told(error: Exception) -> str:
    text = str(error)
    found = re.fullmatch(r"no such column: (\S+)", text)
    if found:
        names = (*_COLUMNS, *_LORA, *_RATED)
        return f"there is no {found[1]!r}.{did_you_mean(found[1], names)} There are: {', '.join(names)}."
    if "not authorized" in text or "prohibited" in text:
        return "it is more than a condition."
    return f"{text}. Write it as in \"cfg > 5 and lora = 'ink'\"."
