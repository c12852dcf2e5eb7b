"""The base of all widgets as type checkers see it: ipywidgets has no types, and so none of ours would be known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import traitlets

    class AnyWidget(traitlets.HasTraits):
        """What is used of `anywidget.AnyWidget`, by this package and by people."""

        comm: Any
        layout: Any

        def __init__(self, **traits: Any) -> None: ...

        @property
        def model_id(self) -> str:
            """The id under which the browser knows the widget."""

        def send(self, content: Any, buffers: Sequence[bytes] | None = None) -> None:
            """Send a message to the browser."""

        def get_state(self, key: Any = None, drop_defaults: bool = False) -> dict[str, Any]:
            """The traits as the browser gets them."""

        def on_msg(self, callback: Callable[..., object], remove: bool = False) -> None:
            """Call `callback` with each message from the browser."""

        def _repr_mimebundle_(self, **options: Any) -> Any: ...

        def close(self) -> None:
            """End the widget in the browser."""

else:
    from anywidget import AnyWidget

__all__ = ["AnyWidget"]
