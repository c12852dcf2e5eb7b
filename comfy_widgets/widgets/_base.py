"""What all widgets share: the code of the front end, and the table of messages that each takes from the browser."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import traitlets

from ._assets import part_files, start_module
from ._sendable import sendable
from ._typed import AnyWidget

if TYPE_CHECKING:
    from ._schema import Code, WantCode

logger = logging.getLogger(__name__)

Handler = Callable[[Any, list[memoryview]], None]
"""Takes a message of `comfy_widgets.widgets._schema.FromBrowser`, and its buffers."""


class Widget(AnyWidget):
    """A widget of this package.

    Synced traits are dicts that are replaced whole, each written by Python alone; what a person does comes back as
    messages. Those of this package derive from it.

    Parameters
    ----------
    layout : ipywidgets.Layout, optional
        Its size and place, as for every widget of ipywidgets.
    **traits : object
        Values of its traits.

    Examples
    --------
    >>> from comfy_widgets import ImageGrid
    >>> issubclass(ImageGrid, Widget)
    True
    """

    _bundle: ClassVar[str]

    _esm = traitlets.Unicode().tag(sync=True)
    _entry = traitlets.Unicode().tag(sync=True)

    @traitlets.default("_esm")
    def _read_start_module(self) -> str:
        return start_module()

    @traitlets.default("_entry")
    def _name_entry(self) -> str:
        return self._bundle

    def __init__(self, *, layout: Any = None, **traits: Any) -> None:
        super().__init__(**traits, **({} if layout is None else {"layout": layout}))
        self._has_own_layout = layout is None or isinstance(layout, dict)
        self._handlers = dict(self._message_handlers())
        self.on_msg(_dispatch)
        # Unasked, as a cell that goes on to wait for a run would not answer before its end.
        self._send_code(part_files(self._bundle))

    def send(self, content: Any, buffers: Sequence[bytes] | None = None) -> None:
        """Send a message to the browser, also where a text in it has half an emoji.

        Parameters
        ----------
        content : dict
            The message.
        buffers : sequence of bytes, optional
            What goes with it.

        Examples
        --------
        >>> ImageGrid(result).send({"kind": "welcome"})
        """
        super().send(sendable(content), buffers)

    def get_state(self, key: Any = None, drop_defaults: bool = False) -> dict[str, Any]:
        """Return the traits as the browser gets them.

        Parameters
        ----------
        key : str or iterable of str, optional
            Names of traits; all by default.
        drop_defaults : bool
            Leave out those that have their default values.

        Returns
        -------
        dict
            By name.

        Examples
        --------
        >>> list(ImageGrid(result).get_state("_marks"))
        ['_marks']
        """
        state: dict[str, Any] = sendable(super().get_state(key, drop_defaults))
        return state

    def close(self) -> None:
        """End the widget in the browser, and free what it holds.

        Examples
        --------
        >>> grid = ImageGrid(result)
        >>> grid.close()
        """
        super().close()
        # ipywidgets would keep it for ever. A layout that was given may belong to other widgets, too.
        if getattr(self, "_has_own_layout", False):
            self.layout.close()

    def __repr__(self) -> str:
        # GitHub and nbconvert show it where the widget stood.
        about = self._about()
        return f"<{type(self).__name__}{about and ' '}{about}>"

    def _about(self) -> str:
        """Say in a few words what it shows; also of a widget whose constructor has failed."""
        return ""

    def _message_handlers(self) -> Mapping[str, Handler]:
        """Return what handles each kind of message from the browser."""
        return {"code": self._on_code, "hello": self._on_hello}

    def _send_code(self, files: dict[str, bytes]) -> None:
        message: Code = {"kind": "code", "files": list(files)}
        self.send(message, list(files.values()))

    def _on_code(self, message: WantCode, buffers: list[memoryview]) -> None:
        """The browser needs the widget's own part, as after a reload, or a feature that somebody opens."""
        part = message["part"]
        self._send_code(part_files(part, present=self._bundle if part != self._bundle else None))

    def _on_hello(self, message: Any, buffers: list[memoryview]) -> None:
        self.send({"kind": "welcome"})


def _dispatch(widget: Widget, message: Any, buffers: list[memoryview]) -> None:
    kind = message.get("kind") if isinstance(message, dict) else None
    handler = widget._handlers.get(kind) if isinstance(kind, str) else None
    if handler is None:
        logger.warning("the browser sent a message of unknown kind %r", kind)
        return
    try:
        handler(message, buffers)
    except Exception:
        # The kernel would print it into whatever cell runs at the moment.
        logger.exception("a message of kind %r from the browser could not be handled", kind)
