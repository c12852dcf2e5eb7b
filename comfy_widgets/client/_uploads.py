"""Anything that a person may want to upload, as the file of a multipart call."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol, TypeAlias

from ..protocol.requests import Upload
from ._errors import WorkflowError

if TYPE_CHECKING:
    from PIL.Image import Image


class Array(Protocol):
    """A numpy array, or what says of itself that it looks like one."""

    @property
    def __array_interface__(self) -> dict[str, Any]: ...


Source: TypeAlias = "str | Path | bytes | bytearray | memoryview | BinaryIO | Image | Array"


def part_of(source: Source, filename: str | None = None) -> Upload:
    """The file to upload.

    Parameters
    ----------
    source : path, bytes, binary file, PIL image or array
    filename : str, optional
        Its name on the server; the path's own by default.

    Returns
    -------
    Upload
        Its name and its bytes: those of the file as they are, of an image or an array as PNG.

    Raises
    ------
    WorkflowError
        It cannot be read, or is nothing of these.

    Examples
    --------
    >>> from PIL import Image
    >>> part_of(Image.new("RGB", (8, 8)), "black.png").filename
    'black.png'
    """
    name, content = _read(source)
    # The server keeps directories in a file name apart in ``subfolder``.
    name = Path(filename).name if filename else name
    try:
        name.encode()
    except UnicodeEncodeError:
        raise WorkflowError(f"The file name {name!r} holds half a character; give another: filename=...") from None
    return Upload("image", name, content)


def _read(source: Any) -> tuple[str, bytes]:
    if isinstance(source, (str, Path)):
        path = Path(source)
        try:
            return path.name, path.read_bytes()
        except OSError as error:
            raise WorkflowError(f"{path} cannot be read for the upload: {error.strerror}.") from error
    if isinstance(source, (bytes, bytearray, memoryview)):
        return "image.png", bytes(source)
    if hasattr(source, "read"):
        content = source.read()
        if not isinstance(content, bytes):
            raise WorkflowError("The file to upload was opened as text. Open it in binary mode: open(path, 'rb').")
        return Path(str(getattr(source, "name", "image.png"))).name, content
    if hasattr(source, "save") and hasattr(source, "mode"):
        name = Path(str(getattr(source, "filename", "") or "image.png")).with_suffix(".png").name
        return name, _png(source)
    if hasattr(source, "__array_interface__"):
        return "image.png", _png(_from_array(source))
    raise WorkflowError(
        f"A {type(source).__name__} cannot be uploaded. Give a path, bytes, a file opened in binary mode, a PIL image "
        "or an array."
    )


def _png(image: Image) -> bytes:
    stream = io.BytesIO()
    if image.mode not in ("1", "L", "LA", "P", "RGB", "RGBA", "I", "I;16"):
        image = image.convert("RGB")
    image.save(stream, "PNG", compress_level=1)
    return stream.getvalue()


def _from_array(array: Any) -> Image:
    from PIL import Image as Pillow

    while array.ndim > 2 and (array.shape[0] == 1 or (array.ndim == 3 and array.shape[-1] == 1)):
        # ComfyUI's own images are batches of one, its masks have one channel or none.
        array = array[0] if array.shape[0] == 1 else array[..., 0]
    if array.ndim != 2 and not (array.ndim == 3 and array.shape[-1] in (3, 4)):
        raise WorkflowError(
            f"An array of shape {tuple(array.shape)} is no image: it must be (height, width) or (height, width, 3 or "
            "4). Upload the images of a batch one by one."
        )
    if array.dtype.kind == "f":
        array = (array.clip(0, 1) * 255).round()
    return Pillow.fromarray(array.astype("uint8"))
