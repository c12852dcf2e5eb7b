"""What all widgets share: the code of the front end, messages from the browser, and an end that really ends."""

from __future__ import annotations

import logging
from typing import Any, ClassVar

import anywidget
import traitlets

from ._assets import part_files, start_module
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
    _entry = traitlets.Unicode().tag(sync=True)
    _run = traitlets.Dict().tag(sync=True)

    @traitlets.default("_esm")
    def _read_start_module(self) -> str:
        return start_module()

    @traitlets.default("_entry")
    def _name_entry(self) -> str:
        return self._bundle

    @traitlets.default("_run")
    def _not_run(self) -> Json:
        return idle()

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.on_msg(_dispatch)
        # Unasked, as a cell that goes on to wait for a run would not answer before its end.
        self._send_code(part_files(self._bundle))

    def _tell(self, state: Json) -> None:
        self._run = state

    def _to_page(self, message: Json, buffers: list[bytes]) -> None:
        if self.comm is not None:
            self.send(message, buffers)

    def _send_code(self, files: dict[str, bytes]) -> None:
        self._to_page({"kind": "code", "files": list(files)}, list(files.values()))

    def _on_code(self, message: Json, buffers: list[memoryview]) -> None:
        """The browser needs the widget's own part, as after a reload, or a feature that somebody opens."""
        part = message["part"]
        self._send_code(part_files(part, present=self._bundle if part != self._bundle else None))

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
