"""The images, videos and audio of a result on their way to the browser."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..client import Result
from ..errors import ComfyError, FileGone
from ._small import encode, encode_quickly, has_alpha, header_of, quick_thumbnail, shrunk, size_of, thumbnail

if TYPE_CHECKING:
    from PIL.Image import Image

    from ..protocol import File
    from ._schema import ImageItem, Original, WantOriginal

logger = logging.getLogger(__name__)

MAX_IMAGE_BYTES = 8 << 20
"""Bytes of an image that goes to the browser as it is; of a larger one only a smaller stand-in goes."""
MAX_TOTAL_BYTES = 12 << 20
"""Bytes of the images of one run that go to the browser as they are; of further ones only stand-ins go."""
MAX_PLAYER_BYTES = 48 << 20
"""Bytes of the videos and audio of one run that go to the browser."""
_MAX_SINGLE = 32 << 20
"""Bytes of an image that is shown alone; of a larger one only a smaller stand-in goes."""
_LARGE_SIZE = 4096
"""Pixels of that stand-in."""
FIRST = 64
"""Images of a run that are seen at once; of the others, small ones are made when somebody scrolls there."""
_MANY = 36
"""Images of which each is shown as a small tile."""
_TILE_SIZE = 288
"""Pixels of such a tile, on a screen with two pixels for each of CSS."""
_PLAYERS = {
    "mp4": "video/mp4",
    "mov": "video/mp4",
    "webm": "video/webm",
    "mp3": "audio/mpeg",
    "m4a": "audio/mp4",
    "flac": "audio/flac",
    "wav": "audio/wav",
    "ogg": "audio/ogg",
    "opus": "audio/ogg",
}
"""What browsers play, by the ends of file names."""
_MIMES = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
)


def size_words(width: int, height: int) -> str:
    """A size for people, with a real multiplication sign."""
    return f"{width} \N{MULTIPLICATION SIGN} {height}"


@dataclass(frozen=True)
class Shown:
    """An encoded image, video or audio as the browser gets it.

    Attributes
    ----------
    load : callable
        Gives the encoded file. The bytes themselves are held by the client alone, which puts them on disk when they
        are many: else two hundred runs would fill the kernel's memory.
    length : int
        How many bytes it has.
    mime, name : str
        Its type, and the name of the file on the server.
    whole : bool
        Whether these are the server's own bytes, and not a smaller stand-in.
    size : (width, height) or None
        Pixels of the image itself; None for videos and audio.
    label : str
        A caption in place of the name and the size.
    place : str
        The same, where heads of rows and columns say it already.
    source : int
        Which image of the result it is, counted over all of them.
    later : bool
        Whether it is made small only when somebody scrolls there: of very many, few are looked at.
    """

    load: Callable[[], bytes]
    length: int
    mime: str
    name: str
    whole: bool
    size: tuple[int, int] | None
    label: str = ""
    place: str = ""
    source: int = 0
    later: bool = False

    @property
    def content(self) -> bytes:
        """The encoded file; empty where it is not to be had any more."""
        try:
            return self.load()
        except ComfyError as error:
            logger.warning("%s cannot be sent: %s", self.name, error)
            return b""

    @property
    def caption(self) -> str:
        """What stands with it: the label, else the file's name and the size."""
        if self.label or self.place:
            return self.label or self.place
        return f"{self.name} · {size_words(*self.size)}" if self.size else self.name

    def item(self, index: int) -> ImageItem:
        """Describe it for the browser."""
        return {
            "index": index,
            "mime": self.mime,
            "name": self.name,
            "caption": self.caption,
            "label": self.label,
            "whole": self.whole,
        }


@dataclass(frozen=True)
class Missing:
    """A file of a result that cannot be shown, and why not."""

    name: str
    reason: str


def chosen(result: Result, nodes: Collection[str]) -> Result:
    """Return what some nodes gave of a result: all of it where none is chosen, or where the chosen ones gave nothing.

    Parameters
    ----------
    result : Result
    nodes : collection of str
        Ids of nodes.
    """
    # What a node becomes while it runs has its id and a dot in front.
    outputs = {node: output for node, output in result.outputs.items() if node.partition(".")[0] in nodes}
    # Streamed images do not say which node sent them.
    streams = any(result.prompt.get(node, {}).get("class_type") == "SaveImageWebsocket" for node in nodes)
    streamed = result.streamed if streams else ()
    everything = len(outputs) == len(result.outputs) and streamed == result.streamed
    if everything or not (outputs or streamed):
        return result
    return replace(result, outputs=outputs, streamed=streamed)


def shown(result: Result, *, later: bool = False) -> Iterator[Shown | Missing]:
    """Yield the images, videos and audio of a result as the browser gets them, one by one: each may take a while.

    They are the server's own bytes, as long as they are not too many; an image that is too large has a stand-in. With
    `later`, those of images that are not seen at once are made when they are asked for.
    """
    count = len(result.image_files) + len(result.streamed)
    budget = MAX_TOTAL_BYTES
    for source, (name, content) in enumerate(_contents(result)):
        if isinstance(content, Missing):
            yield content
            continue
        is_far = later and FIRST <= source < len(result.image_files)
        far = _later(result, result.image_files[source], content, budget) if is_far else None
        image = far or _image(name, content, budget, count)
        if isinstance(image, Shown):
            budget -= image.length if image.whole else 0
            image = replace(image, source=source)
            if image.whole and source < len(result.image_files):
                image = replace(image, load=partial(result.bytes, result.image_files[source]))
        yield image
    budget = MAX_PLAYER_BYTES
    for file in result.files:
        mime = _PLAYERS.get(file.filename.rpartition(".")[2].lower())
        if mime is None:
            continue
        content = _fetched(result, file)
        if isinstance(content, bytes) and len(content) <= budget:
            budget -= len(content)
            yield Shown(partial(result.bytes, file), len(content), mime, file.filename, True, None)
        elif isinstance(content, Missing):
            yield content


def original(result: Result, index: int) -> Shown | None:
    """Return one image at its full size, for a browser that has only a stand-in."""
    files = result.image_files
    if 0 <= index < len(files):
        name, content = files[index].filename, _fetched(result, files[index])
    elif 0 <= index - len(files) < len(result.streamed):
        name, content = _streamed_name(index - len(files)), result.streamed[index - len(files)]
    else:
        return None
    mime = mime_of(content) if isinstance(content, bytes) else None
    if not isinstance(content, bytes) or mime is None:
        return None
    return _held(content, mime, name, True, size_of(content))


def original_message(message: WantOriginal, image: Shown) -> Original:
    """Return the answer to a browser that wants an image at its full size."""
    return {**message, "mime": image.mime, "name": image.name, "caption": image.caption}


def marked(indices: Iterable[object], count: int) -> list[int]:
    """Return which of so many images a browser has marked, each once; what is none of them is left out."""
    found = (index for index in indices if type(index) is int and 0 <= index < count)
    return list(dict.fromkeys(found))


def encoded(image: Image, name: str = "image.png") -> Shown:
    """Return a PIL image as the browser gets it."""
    # Quick rather than small: it goes no further than the browser.
    return _held(encode(image, "PNG", compress_level=1), "image/png", name, True, image.size)


def all_encoded(images: Sequence[Image]) -> Iterator[Shown]:
    """Yield PIL images as the browser gets them: whole, as long as they are not too many, then small.

    Those that are not seen at once are made small when they are asked for.
    """
    budget = MAX_TOTAL_BYTES
    for index, image in enumerate(images):
        if budget > 0 or len(images) == 1:
            whole = encoded(image)
            budget -= whole.length
            yield whole
            continue
        size = _TILE_SIZE if len(images) > _MANY else 640
        if index < FIRST:
            content, mime = encode_quickly(shrunk(image, size, quick=True))
            yield _held(content, mime, "image.png", False, image.size)
        else:
            # As `encode_quickly` will make it.
            mime = "image/webp" if has_alpha(image) else "image/jpeg"
            yield Shown(partial(_small_of, image, size), 0, mime, "image.png", False, image.size, later=True)


def _small_of(image: Image, size: int) -> bytes:
    return encode_quickly(shrunk(image, size, quick=True))[0]


def single(value: Any) -> tuple[Shown, Any]:
    """Return an image of any kind as the browser gets it, and what its workflow can be read from.

    Parameters
    ----------
    value : PIL image, str, Path, bytes, binary file, array or Result
        Of a result its first image is taken.

    Raises
    ------
    ValueError
        It is none of these.
    ComfyError
        It cannot be read.
    """
    if isinstance(value, Result):
        first = next((one for one in shown(value) if isinstance(one, Shown) and one.size is not None), None)
        if first is None:
            raise ValueError("this result has no image.")
        return original(value, first.source) or first, first.content
    if not (isinstance(value, (str, Path, bytes, bytearray, memoryview)) or hasattr(value, "__array_interface__")):
        kinds = "a PIL image, a path, bytes, an array or a Result"
        if not any(hasattr(value, name) for name in ("read", "getexif")):
            raise ValueError(f"a {type(value).__name__} is no image; give {kinds}.")
    from ..client import part_of

    part = part_of(value)
    content, mime, size = part.content, mime_of(part.content), size_of(part.content)
    if size is None:
        raise ValueError(f"{part.filename} is no image that Pillow can read.")
    if mime is None or len(content) > _MAX_SINGLE:
        content, mime = thumbnail(content, _LARGE_SIZE) or b"", "image/webp"
    source = value if hasattr(value, "getexif") else part.content
    return _held(content, mime, part.filename, True, size), source


def _held(content: bytes, mime: str, name: str, whole: bool, size: tuple[int, int] | None) -> Shown:
    return Shown(lambda: content, len(content), mime, name, whole, size)


def image_contents(result: Result, most: int | None = None) -> list[bytes]:
    """Return the bytes of each image that can be had, in the order of `Result.images`; of very many the first few."""
    found = (content for _, content in _contents(result) if isinstance(content, bytes))
    return list(islice(found, most))


def mime_of(content: bytes) -> str | None:
    """Return the type of an encoded image, if it is one that every browser shows."""
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    return next((mime for magic, mime in _MIMES if content.startswith(magic)), None)


def _contents(result: Result) -> Iterator[tuple[str, bytes | Missing]]:
    yield from ((file.filename, _fetched(result, file)) for file in result.image_files)
    yield from ((_streamed_name(index), content) for index, content in enumerate(result.streamed))


def _streamed_name(index: int) -> str:
    return f"streamed_{index:05}.png"


def _fetched(result: Result, file: File) -> bytes | Missing:
    try:
        content = result.bytes(file)
    except FileGone:
        return Missing(file.filename, "the server does not have it any more")
    except ComfyError as error:
        return Missing(file.filename, str(error))
    return content or Missing(file.filename, "the server sent an empty file")


def _image(name: str, content: bytes, budget: int, count: int) -> Shown | Missing:
    mime, size = mime_of(content), size_of(content)
    if mime is not None and size is not None and len(content) <= min(MAX_IMAGE_BYTES, budget):
        return _held(content, mime, name, True, size)
    if count > _MANY:
        quick = quick_thumbnail(content, _TILE_SIZE)
    else:
        small = thumbnail(content, 1280 if count <= 4 else 640)
        quick = (small, "image/webp") if small is not None else None
    if quick is None:
        return Missing(name, "what the server sent is no image")
    return _held(quick[0], quick[1], name, False, size)


def _later(result: Result, file: File, content: bytes, budget: int) -> Shown | None:
    """Return an image that is made small when it is asked for; None for what goes whole, or cannot be read."""
    found = header_of(content)
    if found is None or (mime_of(content) is not None and len(content) <= min(MAX_IMAGE_BYTES, budget)):
        return None
    size, has_alpha = found
    mime = "image/webp" if has_alpha else "image/jpeg"

    def load() -> bytes:
        quick = quick_thumbnail(result.bytes(file), _TILE_SIZE)
        if quick is None:
            raise ComfyError("what the server sent is no image")
        return quick[0]

    return Shown(load, 0, mime, file.filename, False, size, later=True)


def words_of(missing: Iterable[Missing]) -> list[str]:
    """Return warnings about files that cannot be shown, those with the same reason in one."""
    reasons: dict[str, list[str]] = {}
    for one in missing:
        reasons.setdefault(one.reason.rstrip("."), []).append(one.name)
    return [f"{_names(names)} cannot be shown: {reason}." for reason, names in reasons.items()]


def _names(names: list[str]) -> str:
    if len(names) <= 3:
        return ", ".join(names)
    return f"{', '.join(names[:2])} and {len(names) - 2} more files"
