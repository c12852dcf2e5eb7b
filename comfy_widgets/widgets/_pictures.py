"""The pictures of a result on their way to the page, and as one small sheet for the saved notebook."""

from __future__ import annotations

import base64
import io
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .._grid import make_grid
from ..errors import ComfyError
from ._wire import size_words

if TYPE_CHECKING:
    from PIL.Image import Image

    from ..client import Result
    from ..protocol import File

logger = logging.getLogger("comfy_widgets")

WHOLE = 8 << 20
"""Bytes of a picture that goes to the page as it is; of a larger one only a smaller stand-in goes."""
TOGETHER = 48 << 20
"""Bytes of all pictures of one run."""
_STAND_IN = 1280
_SHEET = 1000
_MARK = b"comfy-widgets-record"
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
"""Films and sounds that browsers play, by the ends of their names."""
_MIMES = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
)


@dataclass(frozen=True)
class Picture:
    """An encoded picture, film or sound as the page gets it.

    Attributes
    ----------
    whole : bool
        Whether these are the server's own bytes, and not a smaller stand-in.
    size : (width, height) or None
        Pixels of the picture itself; None for films and sounds.
    label : str
        A caption in place of the name and the size.
    """

    content: bytes
    mime: str
    name: str
    whole: bool
    size: tuple[int, int] | None
    label: str = ""

    @property
    def caption(self) -> str:
        """What stands with it: the label, else the file's name and the size."""
        if self.label:
            return self.label
        return f"{self.name} · {size_words(*self.size)}" if self.size else self.name


def sources(result: Result) -> list[tuple[str, bytes]]:
    """Name and bytes of each picture that can be had, in the order of `Result.images`."""
    fetched = ((file.filename, _fetched(result, file)) for file in result.image_files)
    found = [(name, content) for name, content in fetched if content is not None]
    found.extend((f"streamed_{index:05}.png", content) for index, content in enumerate(result.streamed))
    return found


def _fetched(result: Result, file: File) -> bytes | None:
    try:
        return result.bytes(file)
    except ComfyError as error:
        logger.warning("a file is gone: %s", error)
        return None


def for_page(result: Result) -> list[Picture]:
    """The pictures, films and sounds as the page gets them: the server's own bytes, as long as they are not too many.

    A picture that is too large has a stand-in; a film that is too large is left out.
    """
    pictures, room = [], TOGETHER
    for name, content in sources(result):
        mime = mime_of(content)
        fits = mime is not None and len(content) <= min(WHOLE, room)
        picture = Picture(content, mime or "", name, True, _size(content)) if fits else _stand_in(name, content)
        if picture is not None:
            room -= len(picture.content)
            pictures.append(picture)
    for file in result.files:
        mime = _PLAYERS.get(file.filename.rpartition(".")[2].lower())
        film = _fetched(result, file) if mime is not None else None
        if mime is not None and film is not None and len(film) <= room:
            room -= len(film)
            pictures.append(Picture(film, mime, file.filename, True, None))
    return pictures


def encode(image: Image) -> Picture:
    """A PIL image as the page gets it."""
    # Quick rather than small: it goes no further than the page.
    content = _encode(image, "PNG", compress_level=1)
    return Picture(content, "image/png", "picture.png", True, image.size)


def original(result: Result, index: int) -> Picture | None:
    """One picture at its full size, for a page that has only a stand-in."""
    found = sources(result)
    if not 0 <= index < len(found):
        return None
    name, content = found[index]
    mime = mime_of(content)
    return Picture(content, mime, name, True, _size(content)) if mime is not None else None


def mime_of(content: bytes) -> str | None:
    """The type of an encoded picture, if it is one that every browser shows."""
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    return next((mime for magic, mime in _MIMES if content.startswith(magic)), None)


def thumbnail(content: bytes, size: int) -> bytes | None:
    """A small WebP of a picture; None if Pillow cannot read it."""
    image = _small(content, size)
    return _encode(image, "WEBP", quality=82, method=2) if image is not None else None


def sheet(result: Result) -> tuple[str, tuple[int, int]] | None:
    """All pictures on one small JPEG, as base64, and its size.

    A comment in the file says what it is: by it the page finds the record beside a live widget.
    """
    contents = [content for _, content in sources(result)]
    cols = _columns(len(contents))
    small = [image for content in contents if (image := _small(content, max(_SHEET // max(cols, 1), 64))) is not None]
    if not small:
        return None
    grid = make_grid(small, cols=min(cols, len(small)), gap=8, background="white")
    grid.thumbnail((_SHEET, 4 * _SHEET))
    content = _encode(grid, "JPEG", quality=85, comment=_MARK)
    return base64.b64encode(content).decode("ascii"), grid.size


def _columns(count: int) -> int:
    return count if count <= 3 else 2 if count == 4 else 3 if count <= 9 else 4 if count <= 16 else 6


def _small(content: bytes, size: int) -> Image | None:
    from PIL import Image as Pillow

    try:
        image = Pillow.open(io.BytesIO(content))
        # A JPEG is decoded at an eighth of the cost this way.
        image.draft("RGB", (size, size))
        image.thumbnail((size, size))
    except Exception as error:
        logger.warning("a picture cannot be made small: %s", error)
        return None
    return image.convert("RGBA") if "A" in image.getbands() or "transparency" in image.info else image.convert("RGB")


def _stand_in(name: str, content: bytes) -> Picture | None:
    small = thumbnail(content, _STAND_IN)
    return Picture(small, "image/webp", name, False, _size(content)) if small is not None else None


def _size(content: bytes) -> tuple[int, int] | None:
    from PIL import Image as Pillow

    try:
        with Pillow.open(io.BytesIO(content)) as image:
            return image.width, image.height
    except Exception:
        return None


def _encode(image: Image, form: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, form, **options)
    return stream.getvalue()


def messages(pictures: list[Picture], run: int) -> Iterator[tuple[dict[str, object], bytes]]:
    """One message and its bytes for each picture."""
    for index, picture in enumerate(pictures):
        content = {
            "kind": "picture",
            "run": run,
            "index": index,
            "total": len(pictures),
            "mime": picture.mime,
            "name": picture.name,
            "caption": picture.caption,
            "whole": picture.whole,
        }
        yield content, picture.content
