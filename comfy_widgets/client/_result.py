"""What a job left: images and other files, text, and how it came about."""

from __future__ import annotations

import builtins
import copy
import inspect
import io
import math
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .._names import safe_path
from ..protocol import File, cut, files_of, plain, texts_of
from ._decoding import MAX_PIXELS, decode
from ._destination import Destination
from ._errors import ComfyError, FileGone, HTTPError, ServerTimeout, ServerUnreachable
from ._status import JobStatus

if TYPE_CHECKING:
    from PIL.Image import Image

_SHEET_WIDTH = 1024
_MAX_SHOWN = 64
_MAX_NAMED = 8
_BUSY = (408, 429, 502, 503, 504)


@dataclass(frozen=True)
class Result(Sequence["Image"]):
    """What a job left; a sequence of its images, and a value: it can be copied, compared and pickled.

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
        What people should know: outputs that the server left out, files that cannot be shown or saved.
    fetch : callable
        Gives the bytes of a `File`.
    streamed : tuple of bytes
        Images that came over the websocket alone (SaveImageWebsocket), encoded.
    drawn : dict
        What was decided for this run alone, by names of parameters: a random seed, a choice in a text.

    Examples
    --------
    >>> result = client.run("workflow.json")                      # doctest: +SKIP
    >>> result.images[0].size, result.save("lighthouses")         # doctest: +SKIP
    """

    prompt_id: str
    prompt: Mapping[str, Any] = field(repr=False, compare=False)
    status: JobStatus
    outputs: Mapping[str, Any] = field(repr=False)
    elapsed: float | None
    warnings: tuple[str, ...] = field(compare=False)
    fetch: Callable[[File], builtins.bytes] = field(repr=False, compare=False)
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
        """The image files that `images` shows: the saved ones; where nothing was saved, the previewed ones."""
        images = [file for file in self.files if file.kind == "image" and not file.filename.lower().endswith(".svg")]
        saved = tuple(file for file in images if file.type == "output")
        return saved or tuple(file for file in images if file.type == "temp")

    @cached_property
    def images(self) -> list[Image]:
        """The images as PIL images, in batch order.

        One that is gone from the server, or that cannot be opened, is left out; a warning names it. Their own ``save``
        writes the pixels alone: `save` of the result keeps the files with the workflow inside.

        Raises
        ------
        ServerError
            One could not be fetched now: the server does not answer, or is overloaded. Ask again.
        ComfyError
            There are images, but none of them can be had: why the first one cannot.
        """
        return [image for _, image in self._opened]

    @cached_property
    def _opened(self) -> list[tuple[int, Image]]:
        """Each image that can be had, and its place among all."""
        found: list[tuple[int, Image]] = []
        problems: list[tuple[str, Exception]] = []
        room = MAX_PIXELS
        for index, (name, content) in enumerate(self._sources):
            try:
                image = decode(content(), name, room=room)
            except ComfyError as error:
                if _passing(error):
                    raise
                problems.append((name, error))
                continue
            room -= image.width * image.height
            found.append((index, image))
        self._report("opened", problems, found)
        return found

    @property
    def _sources(self) -> list[tuple[str, Callable[[], builtins.bytes]]]:
        """Name of each image, and how to get at its bytes."""
        files = [(file.filename, _later(self.fetch, file)) for file in self.image_files]
        return files + [(f"streamed_{n:05}.png", _later(_same, held)) for n, held in enumerate(self.streamed)]

    def bytes(self, file: File | int = 0) -> builtins.bytes:
        """The bytes of a file as the server has them, never re-encoded.

        Parameters
        ----------
        file : File or int
            One of `files`, or the index of one in `image_files`; the first image by default.

        Returns
        -------
        bytes

        Raises
        ------
        FileGone, ServerError

        Examples
        --------
        >>> result.bytes()[1:4]
        b'PNG'
        """
        return self.fetch(self._file(file))

    def open(self, file: File | int = 0) -> Image:
        """An image file as a PIL image.

        Parameters
        ----------
        file : File or int
            As for `bytes`.

        Returns
        -------
        PIL.Image.Image

        Raises
        ------
        ComfyError
            The file is no image, or one that is dangerously large.

        Examples
        --------
        >>> result.open().size
        (64, 64)
        """
        file = self._file(file)
        return decode(self.fetch(file), file.filename)

    def grid(self, cols: int | None = None, labels: Sequence[str] | None = None, **options: Any) -> Image:
        """All images on one PIL image; see `comfy_widgets.make_grid` for the options.

        Parameters
        ----------
        cols : int, optional
            Images in a row; the default makes the sheet about as wide as high.
        labels : sequence of str, optional
            One for each image of the job. The label of one that cannot be opened is left out with it.
        **options
            ``gap, background, color, cell`` of `make_grid`.

        Returns
        -------
        PIL.Image.Image

        Raises
        ------
        ComfyError
            There are no images.

        Examples
        --------
        >>> result.grid().mode
        'RGB'
        """
        from .._grid import make_grid

        if not self.images:
            others = f"{_count(self.files, 'file')} in .files, {_count(self.texts, 'text')} in .texts"
            raise ComfyError(f"The job left no images; {others}.")
        if labels is not None and len(labels) == len(self._sources):
            labels = [labels[index] for index, _ in self._opened]
        return make_grid(self.images, cols=cols, labels=labels, **options)

    def save(
        self, directory: str | Path = "output", *, everything: bool = False, overwrite: bool = False
    ) -> list[Path]:
        """Write the files to a directory, byte for byte; the server's subfolders are kept below it.

        Parameters
        ----------
        directory : str or Path
            Made where it does not exist; "output" by default. No file name from the server leads out of it or begins
            with a dot, and long names are shortened.
        everything : bool
            Write also files that are no images, videos, audio, 3D models or texts by their names. A server may call
            a file ``numpy.py``.
        overwrite : bool
            Replace files of the same name; otherwise a number is added to the name.

        Returns
        -------
        list of Path
            A file that cannot be had or written is left out; a warning names it.

        Raises
        ------
        ServerError
            One could not be fetched now: the server does not answer, or is overloaded. The others are saved; save
            again, and only what is missing is written.
        ComfyError, OSError
            None of the files could be had or written: why the first one could not.

        Examples
        --------
        >>> len(result.save(folder / "saved"))
        1
        """
        destination = Destination(Path(directory), overwrite=overwrite)
        wanted = [file for file in self.files if everything or file.is_media]
        sources = [
            (file.filename, safe_path(file.subfolder, file.filename), _later(self.fetch, file)) for file in wanted
        ]
        sources += [(name, Path(name), content) for name, content in self._sources[len(self.image_files) :]]
        saved: list[Path] = []
        problems: list[tuple[str, Exception]] = []
        for name, path, content in sources:
            try:
                saved.append(destination.add(path, content()))
            except (ComfyError, OSError) as error:
                problems.append((name, error))
        self._report("saved", problems, saved)
        left = [file.filename for file in self.files if not (everything or file.is_media)]
        if left:
            self._warn(f"Not saved, as no media: {_listed(left)}. With everything=True such files are saved too.")
        return saved

    def _report(self, done: str, problems: Sequence[tuple[str, Exception]], good: Sequence[object]) -> None:
        """Raise where nothing went well or asking again may help, warn where something did not."""
        passing = [error for _, error in problems if _passing(error)]
        if passing or (problems and not good):
            raise passing[0] if passing else problems[0][1]
        if problems:
            names = _listed([name for name, _ in problems])
            self._warn(f"{names} could not be {done}: {cut(str(problems[0][1]), 300)}")

    def _warn(self, text: str) -> None:
        if text not in self.warnings:
            object.__setattr__(self, "warnings", (*self.warnings, text))
        warnings.warn(text, stacklevel=_callers_level())

    def _file(self, file: File | int) -> File:
        return self.image_files[file] if isinstance(file, int) else file

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: Any) -> Any:
        return self.images[index]

    def __iter__(self) -> Iterator[Image]:
        return iter(self.images)

    def __hash__(self) -> int:
        return hash(self.prompt_id)

    def __copy__(self) -> Result:
        return replace(self)

    def __deepcopy__(self, memo: dict[int, Any]) -> Result:
        # The bytes cannot change, so the copy may get them from the same place.
        prompt, outputs, drawn = copy.deepcopy((dict(self.prompt), dict(self.outputs), dict(self.drawn)), memo)
        return replace(self, prompt=prompt, outputs=outputs, drawn=drawn)

    def __reduce__(self) -> tuple[Any, ...]:
        # In another process there is no client: what the files hold goes along.
        mine = (self.prompt_id, dict(self.prompt), self.status, dict(self.outputs), self.elapsed, self.warnings)
        return Result, (*mine, self._taken_along(), self.streamed, dict(self.drawn))

    def _taken_along(self) -> _Contents:
        found: dict[File, builtins.bytes] = {}
        for file in self.files:
            try:
                found[file] = self.fetch(file)
            except (ServerUnreachable, ServerTimeout):
                # The others would have to wait as long for the same.
                break
            except ComfyError:
                continue
        return _Contents(found)

    def __repr__(self) -> str:
        others = [file for file in self.files if file.kind != "image"]
        what = [_count(self._sources, "image")]
        what += [_count(others, "other file")] if others else []
        what += [_count(self.texts, "text")] if self.texts else []
        took = f" in {self.elapsed:.1f} s" if self.elapsed is not None else ""
        return f"<Result of {self.prompt_id[:8]}: {self.status}{took}, {', '.join(what)}>"

    def _repr_mimebundle_(self, **_: object) -> dict[str, Any]:
        """The images as one small JPEG, so that a saved notebook stays small and shows them everywhere."""
        from .._grid import make_grid

        lines = [repr(self), *map(plain, self.texts[:_MAX_SHOWN])]
        sources = self._sources[:_MAX_SHOWN]
        cols = math.ceil(math.sqrt(len(sources)))
        small: list[Image] = []
        for name, content in sources:
            try:
                # One at a time: only the small one is kept.
                small.append(decode(content(), name, fit=_SHEET_WIDTH // cols))
            except ComfyError as error:
                lines.append(cut(str(error), 300))
        if len(self._sources) > len(sources):
            lines.append(f"The first {len(sources)} of {len(self._sources)} images are shown.")
        bundle: dict[str, Any] = {"text/plain": cut("\n".join(lines), 2 * _MAX_SHOWN * _SHEET_WIDTH)}
        if small:
            sheet = make_grid(small, cols=cols)
            sheet.thumbnail((_SHEET_WIDTH, 4 * _SHEET_WIDTH))
            stream = io.BytesIO()
            sheet.save(stream, "JPEG", quality=88)
            bundle["image/jpeg"] = stream.getvalue()
        return bundle


@dataclass(frozen=True)
class _Contents:
    """What the files of a copied result hold."""

    held: Mapping[File, builtins.bytes] = field(repr=False)

    def __call__(self, file: File) -> builtins.bytes:
        if file not in self.held:
            raise FileGone(f"{file.filename} could not be had when the result was copied.", file=file)
        return self.held[file]


def _passing(error: Exception) -> bool:
    """Whether the same may go well in a moment."""
    busy = isinstance(error, HTTPError) and error.status in _BUSY
    return busy or isinstance(error, (ServerUnreachable, ServerTimeout))


def _callers_level() -> int:
    """The ``stacklevel`` of a warning that names the line of whoever called this package."""
    level, frame = 0, inspect.currentframe()
    while frame is not None and frame.f_globals.get("__name__", "").partition(".")[0] in ("comfy_widgets", "functools"):
        level, frame = level + 1, frame.f_back
    return level


def _later(get: Callable[[Any], builtins.bytes], what: Any) -> Callable[[], builtins.bytes]:
    return lambda: get(what)


def _same(content: bytes) -> bytes:
    return content


def _count(things: Sequence[object], word: str) -> str:
    return f"{len(things)} {word}{'s' * (len(things) != 1)}"


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(cut(name, 80) for name in names[:_MAX_NAMED])
    return shown if len(names) <= _MAX_NAMED else f"{shown} and {len(names) - _MAX_NAMED} more"
