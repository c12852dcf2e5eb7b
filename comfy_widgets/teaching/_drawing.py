"""`DrawingCanvas`: a sketch with the pointer, for image to image."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, ClassVar

import traitlets

from ._base import TeachingWidget

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_SIDE = 1024
COLOURS = ("#1b1e23", "#ffffff", "#f2a65a", "#fff2b0", "#c0392b", "#5b3f6b", "#2a6f6f", "#4a90d9", "#4c8c4a", "#8a5a3b")
_MAX_BYTES = 16 << 20


class DrawingCanvas(TeachingWidget):
    """A canvas to draw a sketch on: colours, brush size, undo; what is drawn is a PIL image.

    Parameters
    ----------
    image : PIL image, optional
        What is drawn over; an empty sheet by default. One that is larger than 1024 pixels is made smaller.
    width, height : int, default 256
        Of an empty sheet, in pixels, 16 to 1024.
    background : str, default "#ffffff"
        Colour of an empty sheet, as Pillow names it.
    layout : ipywidgets.Layout, optional
        Its size and place, as for every widget of ipywidgets.

    Attributes
    ----------
    image : PIL image
        What is drawn so far; may be set, which begins anew, and observed. It follows each stroke.

    Raises
    ------
    ValueError
        The size is out of range, or there is no such colour.

    Examples
    --------
    >>> from comfy_widgets import DrawingCanvas
    >>> canvas = DrawingCanvas(width=128, height=64, background="orange")
    >>> canvas.image.size
    (128, 64)
    >>> file = client.upload_image(canvas.image, filename="sketch.png")
    """

    _bundle: ClassVar[str] = "drawing"

    image: traitlets.Any = traitlets.Any(help="What is drawn so far, a PIL image; may be set.")

    def __init__(
        self,
        image: Image | None = None,
        *,
        width: int = 256,
        height: int = 256,
        background: str = "#ffffff",
        layout: Any = None,
    ) -> None:
        from PIL import Image as Pillow

        if not (16 <= width <= MAX_SIDE and 16 <= height <= MAX_SIDE):
            raise ValueError(f"The sheet is {width!r} by {height!r} pixels, but must be 16 to {MAX_SIDE} on each side.")
        begin = image if image is not None else Pillow.new("RGB", (width, height), background)
        self._is_drawing = False
        super().__init__({"width": 1, "height": 1, "version": 0, "colours": list(COLOURS)}, layout=layout)
        self.image = begin

    @traitlets.validate("image")
    def _validate(self, proposal: Any) -> Any:
        value = proposal["value"]
        if not hasattr(value, "convert"):
            raise traitlets.TraitError(f"image is {type(value).__name__}, but must be a PIL image.")
        if self._is_drawing:
            return value
        fitted = value.convert("RGB")
        fitted.thumbnail((MAX_SIDE, MAX_SIDE))
        return fitted

    @traitlets.observe("image")
    def _on_image(self, _: object) -> None:
        if self._is_drawing:
            return
        stream = io.BytesIO()
        self.image.save(stream, "PNG")
        self._put_pictures({"image": stream.getvalue()})
        width, height = self.image.size
        self._set_state(width=width, height=height, version=self._state["version"] + 1)

    def _on_hello(self, message: Any, buffers: list[memoryview]) -> None:
        if self.image is not None:
            stream = io.BytesIO()
            self.image.save(stream, "PNG")
            # What was drawn since; a browser that is loaded anew goes on from there.
            self._pictures["image"] = stream.getvalue()
        super()._on_hello(message, buffers)

    def _on_changed(self, message: Any, buffers: list[memoryview]) -> None:
        from PIL import Image as Pillow

        if message["name"] != "drawn" or not buffers or len(buffers[0]) > _MAX_BYTES:
            return
        with Pillow.open(io.BytesIO(bytes(buffers[0])), formats=("PNG",)) as drawn:
            if drawn.size != self.image.size or message["value"] != self._state["version"]:
                # Of a sheet that was replaced meanwhile.
                return
            image = drawn.convert("RGB")
        self._is_drawing = True
        try:
            self.image = image
        finally:
            self._is_drawing = False
