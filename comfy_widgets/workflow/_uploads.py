"""Pictures that a workflow brings along, to be uploaded when it is sent."""

from __future__ import annotations

import hashlib
import io
import os
from pathlib import Path
from typing import Any

from ..protocol import WorkflowError

_KINDS = (
    (b"\x89PNG", 0, "png"),
    (b"\xff\xd8\xff", 0, "jpg"),
    (b"WEBP", 8, "webp"),
    (b"GIF8", 0, "gif"),
    (b"BM", 0, "bmp"),
    (b"ftyp", 4, "avif"),
    (b"II*\0", 0, "tiff"),
    (b"MM\0*", 0, "tiff"),
)


def is_picture(value: Any) -> bool:
    """Tell whether a value is meant as a picture: PIL image, path object or bytes. Text is a name on the server."""
    return isinstance(value, (bytes, bytearray, memoryview, os.PathLike)) or hasattr(value, "getexif")


def picture_upload(picture: Any) -> tuple[str, bytes]:
    """Return a file name and the bytes of a picture.

    The name is made of the content, so the same picture is uploaded under the same name, and the server's cache holds.

    Parameters
    ----------
    picture : PIL image, path object or bytes
        Bytes and files are taken as they are, not encoded anew.

    Raises
    ------
    WorkflowError
        If it is no picture.
    """
    if isinstance(picture, os.PathLike):
        try:
            data = Path(picture).expanduser().read_bytes()
        except OSError as error:
            raise WorkflowError(f"The picture {str(picture)!r} cannot be read: {error.strerror}.") from None
    elif isinstance(picture, (bytes, bytearray, memoryview)):
        data = bytes(picture)
    elif hasattr(picture, "save"):
        buffer = io.BytesIO()
        picture.save(buffer, "PNG")
        data = buffer.getvalue()
    else:
        raise WorkflowError(f"A picture is given as a PIL image, a path or bytes, not as a {type(picture).__name__}.")
    kind = next((kind for mark, at, kind in _KINDS if data[at : at + len(mark)] == mark), None)
    if kind is None:
        raise WorkflowError("The data for the picture is in no picture format that ComfyUI reads.")
    return f"{hashlib.sha256(data).hexdigest()[:20]}.{kind}", data
