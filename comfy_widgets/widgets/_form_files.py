"""Files that a browser brings to a form, and the images that its fields name."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from ..errors import ComfyError
from ..workflow import image_upload
from . import _masks as masks
from ._offers import offer
from ._parts import Parts
from ._small import thumbnail

if TYPE_CHECKING:
    from ..client import ComfyClient
    from ..workflow import Params
    from ._schema import Dropped, InputImage, Mask, Offer, Thumbnail, Upload, WantThumbnail
    from ._values import ParamValues

logger = logging.getLogger(__name__)

_THUMBNAIL_SIZE = 192


class Form(Protocol):
    """What files need of the form."""

    client: ComfyClient
    params: ParamValues

    @property
    def definitions(self) -> Params:
        """The parameters by name."""

    def put(self, name: str, make: Callable[[], Any], edit: tuple[str, int] | None = None) -> None:
        """Set a field; `edit` is the page and the number of what is answered by it."""

    def use(self, values: Mapping[str, Any]) -> None:
        """Take over values, as far as they fit."""


class FormFiles:
    """What a form does with files.

    Parameters
    ----------
    form : Form
    """

    def __init__(self, form: Form) -> None:
        self._form = form
        self._parts = Parts()
        self._offered: tuple[str, dict[str, Any]] = ("", {})

    def to_server(self, name: str, content: bytes) -> str:
        """Put a file on the server, and return its name there."""
        file = self._form.client.upload_image(content, filename=name)
        return f"{file.subfolder}/{file.filename}" if file.subfolder else file.filename

    def upload(self, message: Upload, content: bytes) -> None:
        """Take a part of a file; with the last one the file goes to the server."""
        key = (message["page"], message["n"])
        whole = self._parts.add(key, content, message["parts"])
        if whole is None:
            return
        name = message["field"]

        def uploaded() -> str:
            if self._form.definitions[name].kind == "image":
                image_upload(whole)  # raises where it is none
            return self.to_server(message["name"], whole)

        self._form.put(name, uploaded, key)

    def input_image(self, field: str) -> tuple[InputImage, list[bytes]]:
        """Return the image that a field names, and its mask."""
        value = str(self._form.params[field])
        answer: InputImage = {"kind": "input_image", "field": field, "value": value, "mime": "", "error": ""}
        try:
            shown, answer["mime"], mask = masks.parts(self._form.client.view(masks.input_file(value)))
        except (ComfyError, OSError) as error:
            answer["error"] = f"{value} cannot be shown: {error}"
            return answer, [b"", b""]
        return answer, [shown, mask]

    def mask(self, message: Mask, content: bytes) -> None:
        """Take a part of a mask; with the last one the image gets it."""
        whole = self._parts.add((message["page"], -1), content, message["parts"])
        field = message["field"]
        if whole is not None and field in self._form.definitions:
            self._form.put(field, lambda: masks.upload(self._form.client, message["value"], whole, message["feather"]))

    def offer(self, message: Dropped, content: bytes) -> Offer | None:
        """Take a part of a dropped file; with the last one, tell of the values that it has."""
        whole = self._parts.add((message["page"], -2), content, message["parts"])
        if whole is None:
            return None
        form = self._form
        told, values = offer(message["page"], whole, form.client, form.definitions, form.params.to_dict())
        self._offered = (message["page"], values)
        return told

    def use_offer(self, page: str) -> None:
        """Take over the values of the file that was dropped last."""
        if self._offered[0] == page:
            self._form.use(self._offered[1])

    def use_image(self, field: str, name: str, content: bytes) -> None:
        """Put an image on the server, as an upload would, and set a field to it."""
        if field in self._form.definitions:
            self._form.put(field, lambda: self.to_server(name, content))

    def thumbnail(self, message: WantThumbnail) -> tuple[Thumbnail, bytes] | None:
        """Return a small version of the image that a field names."""
        name = message["field"]
        value = self._form.params[name]
        if self._form.definitions[name].kind != "image" or not isinstance(value, str) or not value:
            return None
        try:
            content = self._form.client.view(masks.input_file(value))
        except ComfyError as error:
            logger.info("no thumbnail of %r: %s", value, error)
            return None
        small = thumbnail(content, _THUMBNAIL_SIZE)
        return ({"kind": "thumbnail", "field": name, "value": value, "mime": "image/webp"}, small) if small else None
