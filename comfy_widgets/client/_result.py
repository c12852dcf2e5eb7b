"""What a job left: pictures and other files, text, and how it came about."""

from __future__ import annotations

import builtins
import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PureWindowsPath
from typing import TYPE_CHECKING, Any

from ..protocol import File, files_of, texts_of
from ._errors import ComfyError, FileGone
from ._status import JobStatus

if TYPE_CHECKING:
    from PIL.Image import Image

_DISPLAY_WIDTH = 1024
_DEVICE = re.compile(r"con|prn|aux|nul|(com|lpt)[0-9¹²³]", re.IGNORECASE)


@dataclass(frozen=True, eq=False)
class Result(Sequence["Image"]):
    """What a job left; a sequence of its pictures.

    Attributes
    ----------
    prompt_id : str
    prompt : dict
        The API prompt that ran.
    status : JobStatus
        "completed"; or how the job ended, where this is what a failed job left.
    outputs : dict
        ``{node id: {key: list}}`` as in the server's history.
    elapsed : float or None
        Seconds from the start of the work to its end.
    warnings : tuple of str
        What people should know, such as outputs that the server left out.
    streamed : tuple of bytes
        Pictures that came over the websocket alone (SaveImageWebsocket), encoded.
    drawn : dict
        What was decided for this run alone, by names of parameters: a random seed, a choice in a text.
    """

    prompt_id: str
    prompt: Mapping[str, Any] = field(repr=False)
    status: JobStatus
    outputs: Mapping[str, Any] = field(repr=False)
    elapsed: float | None
    warnings: tuple[str, ...]
    fetch: Callable[[File], builtins.bytes] = field(repr=False)
    streamed: tuple[builtins.bytes, ...] = field(default=(), repr=False)
    drawn: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def files(self) -> tuple[File, ...]:
        """All files that the job wrote, each once, in the order of its nodes."""
        return files_of(self.outputs)

    @cached_property
    def texts(self) -> tuple[str, ...]:
        """All text that output nodes gave."""
        return texts_of(self.outputs)

    @cached_property
    def image_files(self) -> tuple[File, ...]:
        """The picture files that `images` shows: the saved ones; where nothing was saved, the previewed ones."""
        pictures = [file for file in self.files if file.kind == "image" and not file.filename.lower().endswith(".svg")]
        saved = tuple(file for file in pictures if file.type == "output")
        return saved or tuple(file for file in pictures if file.type == "temp")

    @cached_property
    def images(self) -> list[Image]:
        """The pictures as PIL images, in batch order. A picture that is gone from the server is left out.

        Raises
        ------
        ServerError
            A picture is there but could not be fetched now, or all of them are gone.
        """
        found, errors = [], []
        for file in self.image_files:
            try:
                found.append(self.open(file))
            except FileGone as error:
                errors.append(error)
        found.extend(decode(content, "streamed picture") for content in self.streamed)
        if errors and not found:
            raise errors[0]
        return found

    def bytes(self, file: File | int = 0) -> builtins.bytes:
        """The bytes of a file as the server has them, never re-encoded.

        Parameters
        ----------
        file : File or int
            One of `files`, or the index of a picture.
        """
        return self.fetch(self._file(file))

    def open(self, file: File | int = 0) -> Image:
        """A picture file as a PIL image.

        Raises
        ------
        ComfyError
            The file is no picture, or one that is dangerously large.
        """
        file = self._file(file)
        return decode(self.fetch(file), file.filename)

    def grid(self, cols: int | None = None, labels: Sequence[str] | None = None, **options: Any) -> Image:
        """All pictures on one PIL image; see `comfy_widgets.make_grid` for the options.

        Raises
        ------
        ComfyError
            There are no pictures.
        """
        from .._grid import make_grid

        if not self.images:
            others = f"{len(self.files)} files are in .files, {len(self.texts)} texts in .texts"
            raise ComfyError(f"The job left no pictures; {others}.")
        return make_grid(self.images, cols=cols, labels=labels, **options)

    def save(self, directory: str | Path = ".", *, overwrite: bool = False) -> list[Path]:
        """Write all files to a directory, byte for byte; the server's subfolders are kept below it.

        Parameters
        ----------
        directory : str or Path
            Made where it does not exist. No file name from the server leads out of it.
        overwrite : bool
            Replace files of the same name; otherwise a number is added to the name.

        Returns
        -------
        list of Path
            A file that is gone from the server is left out.

        Raises
        ------
        ServerError
            A file is there but could not be fetched now, or all of them are gone.
        """
        root = Path(directory)
        saved, errors = [], []
        for file in self.files:
            target = root / safe_path(file.subfolder, file.filename)
            try:
                content = self.fetch(file)
            except FileGone as error:
                errors.append(error)
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            saved.append(_write(target, content, overwrite))
        if errors and not saved and not self.streamed:
            raise errors[0]
        for index, content in enumerate(self.streamed):
            root.mkdir(parents=True, exist_ok=True)
            saved.append(_write(root / f"streamed_{index:05}.png", content, overwrite))
        return saved

    def _file(self, file: File | int) -> File:
        return self.image_files[file] if isinstance(file, int) else file

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: Any) -> Any:
        return self.images[index]

    def __iter__(self) -> Iterator[Image]:
        return iter(self.images)

    def __repr__(self) -> str:
        what = [f"{len(self.image_files) + len(self.streamed)} images"]
        others = len([file for file in self.files if file.kind != "image"])
        what += [f"{others} other files"] if others else []
        what += [f"{len(self.texts)} texts"] if self.texts else []
        took = f" in {self.elapsed:.1f} s" if self.elapsed is not None else ""
        return f"<Result of {self.prompt_id[:8]}: {self.status}{took}, {', '.join(what)}>"

    def _repr_mimebundle_(self, **_: object) -> dict[str, Any]:
        """The grid as a small JPEG, so that a saved notebook stays small and shows it everywhere."""
        bundle: dict[str, Any] = {"text/plain": "\n".join([repr(self), *self.texts])}
        if self.image_files or self.streamed:
            try:
                sheet = self.grid().convert("RGB")
            except ComfyError as error:
                bundle["text/plain"] += f"\n{error}"
                return bundle
            sheet.thumbnail((_DISPLAY_WIDTH, 4 * _DISPLAY_WIDTH))
            stream = io.BytesIO()
            sheet.save(stream, "JPEG", quality=88)
            bundle["image/jpeg"] = stream.getvalue()
        return bundle


def decode(content: bytes, name: str) -> Image:
    """The bytes of a picture as a PIL image, with Pillow's limit on its size."""
    from PIL import Image as Pillow

    try:
        image = Pillow.open(io.BytesIO(content))
        image.load()
    except Pillow.DecompressionBombError as error:
        raise ComfyError(
            f"{name} is too large a picture to open safely ({error}). Raise PIL.Image.MAX_IMAGE_PIXELS if you trust "
            "the server; .bytes() gives the file as it is."
        ) from error
    except Exception as error:
        raise ComfyError(f"{name} cannot be opened as a picture: {error}. .bytes() gives the file as it is.") from error
    return image


def safe_path(subfolder: str, filename: str) -> Path:
    """A relative path that stays below its root and that every platform can hold, whatever a server names its files."""
    parts = [*PureWindowsPath(subfolder).parts, PureWindowsPath(filename).name]
    kept = [name for part in parts if not part.endswith(("/", "\\")) and (name := _safe_name(part))]
    return Path(*kept) if kept else Path("file")


def _safe_name(name: str) -> str:
    # Windows takes no dots and spaces at the end, and for devices what is called like one, whatever its suffix.
    name = re.sub(r'[<>:"|?*\\/\x00-\x1f]', "_", name).rstrip(". ")
    return f"_{name}" if _DEVICE.fullmatch(name.partition(".")[0].strip()) else name


def _write(target: Path, content: bytes, overwrite: bool) -> Path:
    path, count = target, 1
    while path.is_dir() or (not overwrite and path.exists() and path.read_bytes() != content):
        path = target.with_name(f"{target.stem} ({count}){target.suffix}")
        count += 1
    path.write_bytes(content)
    return path
