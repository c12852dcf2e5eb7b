"""What the widgets that teach share: one state, named pictures, and changes that come back from the browser."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import traitlets

from ..widgets import Handler, Widget

if TYPE_CHECKING:
    from PIL.Image import Image

_BATCH = 1 << 20
"""Bytes of pictures in one message: small enough that what somebody does is heard in between."""


class TeachingWidget(Widget):
    """A widget with a state, which Python alone writes, and pictures by name."""

    _state = traitlets.Dict().tag(sync=True)

    def __init__(self, state: Mapping[str, Any], *, layout: Any = None) -> None:
        self._pictures: dict[str, bytes] = {}
        super().__init__(_state=dict(state), layout=layout)

    def _set_state(self, **changes: Any) -> None:
        """Replace parts of the state."""
        self.set_trait("_state", {**self._state, **changes})

    def _put_pictures(self, pictures: Mapping[str, bytes]) -> None:
        """Send pictures, encoded, to every browser that shows the widget, now and after a reload."""
        self._pictures.update(pictures)
        self._send_pictures(pictures)

    def _send_pictures(self, pictures: Mapping[str, bytes]) -> None:
        names: list[str] = []
        size = 0
        for name, content in pictures.items():
            if names and size + len(content) > _BATCH:
                self._send_batch(names, pictures)
                names, size = [], 0
            names.append(name)
            size += len(content)
        if names:
            self._send_batch(names, pictures)

    def _send_batch(self, names: Sequence[str], pictures: Mapping[str, bytes]) -> None:
        mime = "image/png" if pictures[names[0]].startswith(b"\x89PNG") else "image/webp"
        message = {"kind": "pictures", "names": list(names), "mime": mime}
        self.send(message, [pictures[name] for name in names])

    def _message_handlers(self) -> Mapping[str, Handler]:
        return {**super()._message_handlers(), "changed": self._on_changed}

    def _on_hello(self, message: Any, buffers: list[memoryview]) -> None:
        super()._on_hello(message, buffers)
        self._send_pictures(self._pictures)

    def _on_changed(self, message: Any, buffers: list[memoryview]) -> None:
        take = self._changes().get(str(message["name"]))
        if take is not None:
            take(message["value"])

    def _changes(self) -> Mapping[str, Callable[[Any], object]]:
        """Return what takes each change that the browser may tell of."""
        return {}


def webp(image: Image, side: int | None = None, quality: int = 85) -> bytes:
    """Return an image as WebP, at most `side` pixels wide and high."""
    copy = image.convert("RGB")
    if side is not None:
        copy.thumbnail((side, side))
    stream = io.BytesIO()
    copy.save(stream, "WEBP", quality=quality, method=2)
    return stream.getvalue()


def number(value: Any, low: float, high: float) -> float:
    """Return a number from the browser, within its bounds.

    Raises
    ------
    ValueError
        It is none.
    """
    found = float(value)
    if found != found:
        raise ValueError("not a number")
    return min(max(found, low), high)
