"""Files to and from a server: results and uploads."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from .._names import safe_path
from ..protocol import File, as_file, requests
from ._calls import RouteGroup
from ._decoding import decode
from ._downloads import Download
from ._errors import FileGone, HTTPError, NotAComfyServer
from ._failures import size_in_words
from ._uploads import Source, part_of

if TYPE_CHECKING:
    from PIL.Image import Image


class FileRoutes(RouteGroup):
    """The routes that carry files."""

    def view(self, file: File | Mapping[str, Any], *, preview: str | None = None, channel: str | None = None) -> bytes:
        """``GET /view``: the bytes of a file.

        Parameters
        ----------
        file : File or dict
            As an output names it: filename, subfolder, type.
        preview : str, optional
            "webp;90" or "jpeg;80": re-encoded by the server, at full size.
        channel : str, optional
            "rgb", "a" or "rgba".

        Returns
        -------
        bytes
            The whole file, or its ``preview``.

        Raises
        ------
        FileGone
            The server does not have it (any more).

        Examples
        --------
        >>> client.view(result.files[0])[1:4]
        b'PNG'
        """
        item = _item(file)
        reply = self._calls.call(requests.view(item, preview=preview, channel=channel))
        if reply.status == 404:
            raise _gone(item, reply.url)
        path = f"{item.subfolder}/{item.filename}" if item.subfolder else item.filename
        return self._calls.checked(reply, f"Fetching {item.filename}", path).content

    def open(self, file: File | Mapping[str, Any]) -> Image:
        """An image on the server as a PIL image.

        Parameters
        ----------
        file : File or dict

        Returns
        -------
        PIL.Image.Image
            Whole and decoded.

        Raises
        ------
        FileGone, ServerError
        ComfyError
            It is no image that Pillow reads, or one that is dangerously large.

        Examples
        --------
        >>> client.open(result.files[0]).size
        (64, 64)
        """
        return decode(self.view(file), _item(file).filename)

    def download(self, file: File | Mapping[str, Any], target: str | Path, *, overwrite: bool = False) -> Path:
        """A file straight to disk, in pieces; where the connection breaks, the rest is asked for.

        Parameters
        ----------
        file : File or dict
        target : str or Path
            A file, or a directory, where the file then gets its own name.
        overwrite : bool
            Replace a file that is there, once the new one is whole. Otherwise a number is added to the name where it
            is taken by other content.

        Returns
        -------
        Path
            It appears only when it is whole.

        Raises
        ------
        FileGone, ServerError
            What has arrived is kept beside the target under a hidden name, and the next download goes on from there.

        Examples
        --------
        >>> client.download(result.files[0], folder).name == result.files[0].filename
        True
        """
        item = _item(file)
        path = Path(target)
        if path.is_dir():
            path = path / safe_path("", item.filename)
        return Download(self._calls, item, _gone).to(path, overwrite=overwrite)

    def upload_image(
        self,
        image: Source,
        filename: str | None = None,
        *,
        subfolder: str = "",
        type: Literal["input", "temp", "output"] = "input",
        overwrite: bool = False,
    ) -> File:
        """``POST /upload/image``: put an image (or any file) where loader nodes find it.

        Parameters
        ----------
        image : path, bytes, binary file, PIL image or array
            An array is (height, width) or (height, width, 3 or 4): bytes, or floats from 0 to 1 as ComfyUI has them.
        filename : str, optional
            Its name on the server; the path's own by default.
        subfolder : str
            A folder below that of ``type``; made where it is not there.
        type : str
            "input" (the default), "temp" or "output".
        overwrite : bool
            Replace an image of this name; otherwise the server adds a number.

        Returns
        -------
        File
            Under the name that the server gave it: where another image has the name, the server adds a number.

        Raises
        ------
        WorkflowError
            It cannot be read, or is no image.
        PayloadTooLarge, ServerError

        Examples
        --------
        >>> from PIL import Image
        >>> client.upload_image(Image.new("RGB", (8, 8)), "black.png", overwrite=True).filename
        'black.png'
        """
        part = part_of(image, filename)
        request = requests.upload("/upload/image", part, type=type, subfolder=subfolder, overwrite=overwrite)
        return self._uploaded(request, part.filename, len(part.content))

    def upload_mask(
        self,
        mask: Source,
        original: File,
        filename: str | None = None,
        *,
        subfolder: str = "",
        type: Literal["input", "temp", "output"] = "input",
        overwrite: bool = False,
    ) -> File:
        """``POST /upload/mask``: the original with the alpha of ``mask``, under a new name.

        Parameters
        ----------
        mask : path, bytes, binary file, PIL image or array
            An image with an alpha channel; shape (height, width, 4) where it is an array.
        original : File
            The image that gets the mask; it is on the server.
        filename : str, optional
            Its name on the server; the path's own by default.
        subfolder : str
            As for `upload_image`.
        type : str
            As for `upload_image`.
        overwrite : bool
            As for `upload_image`.

        Returns
        -------
        File
            Under the name that the server gave it.

        Raises
        ------
        FileGone
            The server does not have the original; it then answers as if all were well, but writes nothing.

        Examples
        --------
        >>> from PIL import Image
        >>> original = client.upload_image(Image.new("RGB", (8, 8)), "black.png", overwrite=True)
        >>> client.upload_mask(Image.new("RGBA", (8, 8)), original, "masked.png", overwrite=True).filename
        'masked.png'
        """
        self.view(original, channel="a")
        part = part_of(mask, filename)
        request = requests.upload(
            "/upload/mask", part, type=type, subfolder=subfolder, overwrite=overwrite, original_ref=original
        )
        return self._uploaded(request, part.filename, len(part.content))

    def _uploaded(self, request: requests.Request, name: str, size: int) -> File:
        reply = self._calls.call(request)
        if reply.status == 413:
            raise self._calls.too_large(reply, f"{name} has {size_in_words(size)}")
        if reply.status == 400 and "html" not in reply.headers.get("Content-Type", ""):
            raise HTTPError(
                f"The server refused the upload of {name}: it takes no empty name and no path out of its folder.",
                url=reply.url,
                status=400,
            )
        body = self._calls.checked(reply, f"Uploading {name}").json()
        file = as_file({"filename": body.get("name"), **body}) if isinstance(body, dict) else None
        if file is None:
            raise NotAComfyServer(f"The server took {name} but did not say under which name.", url=reply.url)
        return File(file.filename, file.subfolder, file.type)


def _item(file: File | Mapping[str, Any]) -> File:
    item = as_file(file)
    if item is None:
        raise ValueError(f"{file!r} is no file: it needs a filename, and may have subfolder and type.")
    return item


def _gone(item: File, url: str) -> FileGone:
    where = f"{item.type}/{item.subfolder}".rstrip("/")
    why = (
        "temporary images are wiped when ComfyUI starts; run the workflow again"
        if item.type == "temp"
        else "it was deleted or moved since; with a changed seed the server computes it again"
    )
    return FileGone(
        f"{item.filename} is not in the server's {where} folder any more: {why}.", file=item, url=url, status=404
    )
