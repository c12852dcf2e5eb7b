"""A folder of images as cells: the live grid shows them as it shows those of an experiment."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from ..client import JobStatus
from ..errors import ComfyError
from ..experiments import FoundImage, ImageIndex, Rating, Store, StoredFile, short
from ._small import thumbnail

if TYPE_CHECKING:
    from PIL.Image import Image

    from ..client import Job

MOST = 5000
"""Images that are shown, the newest of a folder."""
_SIDE = 128
_MOST_ON_SHEET = 100
_KINDS = {".mp4": "video", ".webm": "video", ".mkv": "video", ".flac": "audio", ".mp3": "audio"}
_UNKNOWN = "unknown"
_AXES = ("model", "lora", "sampler", "scheduler", "steps", "cfg", "denoise", "size", "seed", "positive", "negative")


class ShownCell(Protocol):
    """One image of a grid: a cell of an experiment, or a file."""

    @property
    def number(self) -> int: ...

    @property
    def key(self) -> str: ...

    @property
    def indices(self) -> tuple[int, ...]: ...

    @property
    def labels(self) -> dict[str, str]: ...

    @property
    def status(self) -> JobStatus: ...

    @property
    def error(self) -> str: ...

    @property
    def seconds(self) -> float | None: ...

    @property
    def from_cache(self) -> bool: ...

    @property
    def files(self) -> tuple[StoredFile, ...]: ...

    @property
    def job(self) -> Job | None: ...

    @property
    def image(self) -> Image | None: ...

    def rate(self, stars: int) -> None: ...

    def reject(self) -> None: ...


class Shown(Protocol):
    """All that a grid shows: an experiment, or a folder."""

    @property
    def cells(self) -> Sequence[ShownCell]: ...

    @property
    def store(self) -> Store: ...

    @property
    def status(self) -> str: ...

    @property
    def counts(self) -> dict[str, int]: ...

    def done(self) -> bool: ...

    def start(self) -> Any: ...

    def pause(self) -> Any: ...

    def cancel(self) -> Any: ...

    def on_change(self, callback: Callable[[Any], object]) -> Callable[[], None]: ...

    def snapshot(self, left: str = "") -> dict[str, Any]: ...

    def grid(self) -> Image: ...


class FoundCell:
    """One file of a folder.

    Attributes
    ----------
    number : int
        Its place in the grid, from 0; the oldest is first.
    found : FoundImage
        The file, and what made it.
    labels : dict of str
        Its values as texts.
    """

    status = JobStatus.COMPLETED
    error = ""
    seconds: float | None = None
    from_cache = False
    job = None

    def __init__(self, number: int, key: str, found: FoundImage, store: Store) -> None:
        self.number = number
        self.key = key
        self.found = found
        self.indices: tuple[int, ...] = ()
        self.labels = _labels(found)
        self._store = store

    @property
    def files(self) -> tuple[StoredFile, ...]:
        """The file; its hash is that of its place and time, for thousands are not read only to be shown small."""
        path = self.found.path
        digest = hashlib.sha256(self.key.encode()).hexdigest()
        return (StoredFile(_KINDS.get(path.suffix.lower(), "image"), path.name, digest, path),)

    @property
    def image(self) -> Image | None:
        """The image as a PIL image; None for a video or a sound."""
        return self.found.image if self.files[0].kind == "image" else None

    def rate(self, stars: int) -> None:
        """Give it stars, 1 to 5; 0 takes them back."""
        self._store.rate(self.key, Rating(stars))

    def reject(self) -> None:
        """Mark it as not wanted; the file stays."""
        self._store.rate(self.key, Rating(rejected=True))

    def __repr__(self) -> str:
        return f"<FoundCell {self.number}: {self.found.path.name}>"


class FoundCells:
    """The newest files of an index as cells.

    Parameters
    ----------
    index : ImageIndex
    """

    status = "found"

    def __init__(self, index: ImageIndex) -> None:
        self.store = Store(index.database.parent)
        self.name = index.folder.name or str(index.folder)
        self._total = len(index)
        self._callbacks: list[Callable[[Any], object]] = []
        files = index.newest(MOST)
        self.cells = [FoundCell(number, key, found, self.store) for number, (key, found) in enumerate(reversed(files))]
        self.labels = self._order()

    def _order(self) -> dict[str, list[str]]:
        """Make an axis of each kind of value that any file has, and tell each cell its places."""
        axes: dict[str, list[str]] = {"file": [cell.labels["file"] for cell in self.cells]}
        for name in _AXES:
            values = {cell.labels[name] for cell in self.cells}
            if values - {_UNKNOWN}:
                axes[name] = sorted(values, key=_as_people_sort)
        places = {name: {label: place for place, label in enumerate(labels)} for name, labels in axes.items()}
        for cell in self.cells:
            cell.indices = (cell.number, *(places[name][cell.labels[name]] for name in axes if name != "file"))
        return axes

    @property
    def counts(self) -> dict[str, int]:
        """Cells by state: all are complete."""
        return {"completed": len(self.cells)}

    def done(self) -> bool:
        """Whether nothing will change any more: so it is."""
        return True

    def start(self) -> None:
        """Do nothing: there is nothing to run."""

    def pause(self) -> None:
        """Do nothing."""

    def cancel(self) -> None:
        """Do nothing."""

    def on_change(self, callback: Callable[[Any], object]) -> Callable[[], None]:
        """Call back with each cell that has got a small image, until the returned function is called."""
        self._callbacks.append(callback)
        return lambda: self._callbacks.remove(callback) if callback in self._callbacks else None

    def snapshot(self, left: str = "") -> dict[str, Any]:
        """Return what a view has to know beside the cells, as `Experiment.snapshot` does."""
        shown = len(self.cells)
        more = "" if shown == self._total else f"The newest {shown:,} of {self._total:,} files."
        axes = [{"name": name, "labels": [short(label) for label in labels]} for name, labels in self.labels.items()]
        return {
            "title": self.name,
            "status": self.status,
            "axes": axes,
            "total": shown,
            "price": more,
            "error": "",
            "left": left,
        }

    def make_thumbnails(self, cells: Iterable[FoundCell]) -> None:
        """Make small images, keep them, and call back for each; what is no image has none."""
        made = {}
        for cell in cells:
            small = _small(cell)
            if small is not None:
                made[cell.files[0].sha256] = (cell, small)
        self.store.save_thumbnails({digest: small for digest, (_, small) in made.items()})
        for cell, _ in made.values():
            for callback in list(self._callbacks):
                callback(cell)

    def grid(self) -> Image:
        """Draw the newest of them on one PIL image, with their names."""
        from .._grid import make_grid

        images, names = [], []
        for cell in reversed(self.cells):
            try:
                image = cell.image
            except ComfyError:
                continue
            if image is None:
                continue
            image.thumbnail((192, 192))
            images.append(image)
            names.append(cell.found.path.stem)
            if len(images) == _MOST_ON_SHEET:
                break
        if not images:
            return make_grid([_blank()], labels=["no image"])
        return make_grid(images, labels=names, cell=(192, 192))

    def close(self) -> None:
        """Close the store."""
        self.store.close()

    def __repr__(self) -> str:
        return f"<{len(self.cells):,} files of {self.name}>"


def _small(cell: FoundCell) -> tuple[int, int, bytes] | None:
    from PIL import Image as Pillow

    if cell.files[0].kind != "image":
        return None
    try:
        content = thumbnail(cell.found.path.read_bytes(), _SIDE)
    except OSError:
        return None
    if content is None:
        return None
    with Pillow.open(io.BytesIO(content)) as image:
        return image.width, image.height, content


def _blank() -> Image:
    from PIL import Image as Pillow

    return Pillow.new("RGB", (192, 192), "white")


def _labels(found: FoundImage) -> dict[str, str]:
    values = found.values
    told = {name: _text(values.get(name)) for name in _AXES}
    if "width" in values and "height" in values:
        told["size"] = f"{_text(values['width'])} x {_text(values['height'])}"
    if found.loras:
        told["lora"] = ", ".join(f"{name} {_text(strength)}" for name, strength in sorted(found.loras.items()))
    return {"file": found.name, **told}


def _text(value: Any) -> str:
    if value is None or value == "":
        return _UNKNOWN
    return f"{value:g}" if isinstance(value, float) else str(value)


def _as_people_sort(label: str) -> tuple[bool, float, str]:
    """Numbers by their size, then words, then what is not known."""
    try:
        return False, float(label), ""
    except ValueError:
        return True, float(label == _UNKNOWN), label.casefold()
