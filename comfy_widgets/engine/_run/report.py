"""The messages of one run: what is sent, to whom, in which order, and what history remembers."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from .. import _context as context
from .._model.names import PREVIEW_METHODS
from .expansion import Place
from .promptqueue import Item
from .wire import Wire

if TYPE_CHECKING:
    from PIL.Image import Image

PREVIEW_SIZE = 512
_PROGRESS_INTERVAL, _PROGRESS_SHARE = 0.1, 0.005
_JPEG_QUALITY = 90


class Hub(Protocol):
    """Where messages go; the sockets of the server, or a test's list."""

    def send(self, event: str, data: dict[str, Any], client_id: str | None = None) -> None: ...
    def send_preview(self, jpeg: bytes, metadata: dict[str, Any], client_id: str | None) -> None: ...
    def send_text(self, node_id: str, text: str, client_id: str | None) -> None: ...
    def listens(self, client_id: str | None) -> bool: ...
    def wants_metadata(self, client_id: str | None) -> bool: ...


class Report:
    """Tells about one prompt.

    Messages go to the submitter's socket. A prompt without a client id is different: ComfyUI tells everybody its
    progress, previews and interruption, and nobody the rest.

    Parameters
    ----------
    hub, item : Hub, Item
        Where messages go, and the prompt.
    wire : Wire
        Which ComfyUI to tell it like.
    preview_method : str
        One of `PREVIEW_METHODS`; what samplers do where the prompt's ``extra_data`` does not say.
    """

    def __init__(self, hub: Hub, item: Item, wire: Wire, preview_method: str) -> None:
        self._hub = hub
        self._client_id = item.client_id
        self._prompt_id = item.prompt_id
        self._states: dict[str, dict[str, Any]] = {}
        wanted = item.extra_data.get("preview_method")
        self.wants_previews = (wanted if wanted in PREVIEW_METHODS else preview_method) != "none"
        """Whether samplers send previews; other nodes do in any case."""
        self._thins = wire.is_newest
        self._sent: dict[str, tuple[float, float]] = {}
        self.place_of: Callable[[str], Place] = lambda node_id: Place(node_id, None, node_id)
        """Gives where a node belongs."""
        self.messages: list[tuple[str, dict[str, Any]]] = []
        self.node: str | None = None

    @property
    def client_id(self) -> str | None:
        """The client of the running prompt."""
        return self._client_id

    def _tell(self, event: str, data: dict[str, Any], *, everybody: bool = False) -> None:
        if self._client_id is not None or everybody:
            self._hub.send(event, data, self._client_id)

    def status(self, event: str, data: dict[str, Any], *, everybody: bool = False) -> None:
        """Send one of the execution_* messages and remember it for the history."""
        data = {**data, "prompt_id": self._prompt_id, "timestamp": int(time.time() * 1000)}
        self.messages.append((event, data))
        self._tell(event, data, everybody=everybody)

    def _send_states(self) -> None:
        if not self._hub.listens(self._client_id):
            return  # It names every node so far, which is much for nobody.
        states = {node_id: dict(state) for node_id, state in self._states.items()}
        self._tell("progress_state", {"prompt_id": self._prompt_id, "nodes": states}, everybody=True)

    def _state(self, node_id: str, value: float, maximum: float, state: str) -> None:
        self._states[node_id] = {"value": value, "max": maximum, "state": state, **self._identity(node_id)}
        self._send_states()

    def _identity(self, node_id: str) -> dict[str, Any]:
        place = self.place_of(node_id)
        return {
            "node_id": node_id,
            "prompt_id": self._prompt_id,
            "display_node_id": place.display,
            "parent_node_id": place.parent,
            "real_node_id": place.real,
        }

    def start_node(self, node_id: str) -> None:
        """A node begins."""
        self.node = node_id
        self._sent.pop(node_id, None)
        self._state(node_id, 0.0, 1.0, "running")
        shown = self.place_of(node_id).display
        self._tell("executing", {"node": node_id, "display_node": shown, "prompt_id": self._prompt_id})

    def executed(self, node_id: str, output: dict[str, Any]) -> None:
        """A node showed something."""
        shown = self.place_of(node_id).display
        data = {"node": node_id, "display_node": shown, "output": output, "prompt_id": self._prompt_id}
        self._tell("executed", data)

    def finish_node(self, node_id: str) -> None:
        """A node ended; a cached one is finished without having begun."""
        known = self._states.get(node_id)
        if known is None:
            self._state(node_id, 1, 1, "finished")
        else:
            self._state(node_id, known["max"], known["max"], "finished")

    def blocked(self, node_id: str, node_type: str, message: str, executed: list[str]) -> None:
        """A branch was blocked with a message. Not the end of the run, and not in its history."""
        self._tell(
            "execution_error",
            {
                "prompt_id": self._prompt_id,
                "node_id": node_id,
                "node_type": node_type,
                "executed": executed,
                "exception_message": f"Execution Blocked: {message}",
                "exception_type": "ExecutionBlocked",
                "traceback": [],
                "current_inputs": [],
                "current_outputs": [],
            },
        )

    def progress(self, value: float, maximum: float, preview: Image | Callable[[], Image] | None) -> None:
        """A node reports a step: the one that calls, or the one that began last.

        The newest ComfyUI leaves out steps that come fast: all but the first, the last and those with a preview.
        """
        node_id = context.node_of_task() or self.node
        if node_id is None or (self._thins and preview is None and not self._is_due(node_id, value, maximum)):
            return
        self._sent[node_id] = time.monotonic(), value
        self._state(node_id, value, maximum, "running")
        jpeg = self._preview(preview)
        metadata = {**self._identity(node_id), "image_type": "image/jpeg"}
        with_metadata = self._hub.wants_metadata(self._client_id)
        if jpeg is not None and with_metadata:
            self._hub.send_preview(jpeg, metadata, self._client_id)
        step = {"value": value, "max": maximum, "prompt_id": self._prompt_id, "node": node_id}
        self._tell("progress", step, everybody=True)
        if jpeg is not None and not with_metadata:
            self._hub.send_preview(jpeg, metadata, self._client_id)

    def _is_due(self, node_id: str, value: float, maximum: float) -> bool:
        if node_id not in self._sent or value >= maximum:
            return True
        when, before = self._sent[node_id]
        return time.monotonic() - when >= _PROGRESS_INTERVAL and value - before >= maximum * _PROGRESS_SHARE

    def _preview(self, preview: Image | Callable[[], Image] | None) -> bytes | None:
        """Return a preview as JPEG; it is made only if somebody sees it."""
        if preview is None or not self._hub.listens(self._client_id):
            return None
        picture = preview() if callable(preview) else preview
        if max(picture.size) > PREVIEW_SIZE:
            picture = picture.copy()
            picture.thumbnail((PREVIEW_SIZE, PREVIEW_SIZE))
        buffer = io.BytesIO()
        picture.convert("RGB").save(buffer, "JPEG", quality=_JPEG_QUALITY)
        return buffer.getvalue()

    def progress_text(self, text: str) -> None:
        """A node has something to say."""
        node_id = context.node_of_task() or self.node
        if node_id is not None:
            self._hub.send_text(node_id, text, self._client_id)

    def end(self) -> None:
        """The last message, after history was written."""
        self.node = None
        self._tell("executing", {"node": None, "prompt_id": self._prompt_id})
