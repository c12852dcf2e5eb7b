"""Images that a workflow brings along, to be uploaded when it is sent."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

from ..protocol import WorkflowError

_FORMATS = (
    (b"\x89PNG", 0, "png"),
    (b"\xff\xd8\xff", 0, "jpg"),
    (b"WEBP", 8, "webp"),
    (b"GIF8", 0, "gif"),
    (b"BM", 0, "bmp"),
    (b"ftyp", 4, "avif"),
    (b"II*\0", 0, "tiff"),
    (b"MM\0*", 0, "tiff"),
)


def is_image(value: Any) -> bool:
    """Tell whether a value is meant as the content of an image.

    Parameters
    ----------
    value : object

    Returns
    -------
    bool
        True for a PIL image, a path object or bytes. A str is a name on the server.

    Examples
    --------
    >>> is_image(b"..."), is_image("example.png")
    (True, False)
    """
    return isinstance(value, (bytes, bytearray, memoryview, os.PathLike)) or hasattr(value, "getexif")


def image_upload(image: Any) -> tuple[str, bytes]:
    """Return a file name and the bytes of an image.

    The name is made of the content, so the same image is uploaded under the same name, and the server's cache holds.

    Parameters
    ----------
    image : PIL image, path object or bytes
        Bytes and files are taken as they are, not encoded anew.

    Returns
    -------
    name : str
        A hash and the extension of the format.
    data : bytes
        The content of the file.

    Raises
    ------
    WorkflowError
        If it is no image that ComfyUI reads.

    Examples
    --------
    >>> from PIL import Image
    >>> name, data = image_upload(Image.new("RGB", (8, 8)))
    >>> name.endswith(".png")
    True
    """
    if isinstance(image, os.PathLike):
        try:
            data = Path(image).expanduser().read_bytes()
        except OSError as error:
            raise WorkflowError(f"The image {str(image)!r} cannot be read: {error.strerror}.") from None
    elif isinstance(image, (bytes, bytearray, memoryview)):
        data = bytes(image)
    elif hasattr(image, "save"):
        buffer = io.BytesIO()
        image.save(buffer, "PNG")
        data = buffer.getvalue()
    else:
        raise WorkflowError(f"An image is given as a PIL image, a path or bytes, not as a {type(image).__name__}.")
    extension = next((name for mark, at, name in _FORMATS if data[at : at + len(mark)] == mark), None)
    if extension is None:
        raise WorkflowError("The data for the image is in no image format that ComfyUI reads.")
    # Loads OpenSSL, which a widget that is given no image does without.
    import hashlib

    return f"{hashlib.sha256(data).hexdigest()[:20]}.{extension}", data
