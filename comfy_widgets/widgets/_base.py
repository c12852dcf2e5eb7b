"""What all widgets share: the module, messages from the page, and an end that really ends."""

from __future__ import annotations

import logging
from typing import Any, ClassVar

import anywidget
import traitlets

from ._assets import module
from ._run import idle

logger = logging.getLogger("comfy_widgets")

Json = dict[str, Any]


class Widget(anywidget.AnyWidget):
    """A widget of this package.

    Synced traits are dicts that are replaced whole, each with one writer on the Python side; what a person does comes
    back as messages, each handled by the method ``_on_<kind>``.
    """

    _bundle: ClassVar[str]

    _esm = traitlets.Unicode().tag(sync=True)
    _run = traitlets.Dict().tag(sync=True)

    @traitlets.default("_esm")
    def _read_module(self) -> str:
        return module(self._bundle)

    @traitlets.default("_run")
    def _not_run(self) -> Json:
        return idle()

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.on_msg(_dispatch)

    def _tell(self, state: Json) -> None:
        self._run = state

    def _to_page(self, message: Json, buffers: list[bytes]) -> None:
        if self.comm is not None:
            self.send(message, buffers)

    def _on_hello(self, message: Json, buffers: list[memoryview]) -> None:
        """A page was loaded, and has missed what was sent before."""
        self._to_page({"kind": "welcome"}, [])


def _dispatch(widget: Widget, message: Any, buffers: list[memoryview]) -> None:
    kind = message.get("kind") if isinstance(message, dict) else None
    handler = getattr(widget, f"_on_{kind}", None)
    if handler is None:
        logger.warning("a page sent a message of unknown kind %r", kind)
        return
    try:
        handler(message, buffers)
    except Exception:
        # The kernel would print it into whatever cell runs at the moment.
        logger.exception("a message from the page could not be handled: %r", kind)
