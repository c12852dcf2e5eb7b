"""The other end of a widget: a comm that keeps what was really sent, and can answer as a page does."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from comm.base_comm import BaseComm

T = TypeVar("T")


@dataclass(frozen=True)
class Sent:
    """One message to the page, with its bytes and the name of the thread that sent it."""

    type: str
    data: dict[str, Any]
    buffers: tuple[bytes, ...]
    thread: str


class Page(BaseComm):
    """A page with one widget."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.sent: list[Sent] = []
        self._changed = threading.Condition()
        super().__init__(*args, **kwargs)

    def publish_msg(
        self, msg_type: str, data: Any = None, metadata: Any = None, buffers: Any = None, **keys: Any
    ) -> None:
        """Take what would go over the wire, as it is now."""
        sent = Sent(msg_type, dict(data or {}), tuple(map(bytes, buffers or ())), threading.current_thread().name)
        with self._changed:
            self.sent.append(sent)
            self._changed.notify_all()

    # What the page got

    @property
    def state(self) -> dict[str, Any]:
        """The traits as the page has them."""
        state: dict[str, Any] = {}
        for sent in list(self.sent):
            state.update(sent.data.get("state", {}))
        return state

    @property
    def run(self) -> dict[str, Any]:
        run: dict[str, Any] = self.state["_run"]
        return run

    def custom(self, kind: str) -> list[tuple[dict[str, Any], tuple[bytes, ...]]]:
        """All custom messages of a kind."""
        return [
            (sent.data["content"], sent.buffers)
            for sent in list(self.sent)
            if sent.data.get("method") == "custom" and sent.data["content"]["kind"] == kind
        ]

    def images(self) -> list[tuple[dict[str, Any], bytes]]:
        """All images that came, however many in a message."""
        return [
            ({"run": message["run"], "total": message["total"], **item}, content)
            for message, buffers in self.custom("images")
            for item, content in zip(message["items"], buffers, strict=True)
        ]

    def updates(self, trait: str) -> list[Any]:
        """All values of a trait after the first."""
        return [
            sent.data["state"][trait]
            for sent in list(self.sent)
            if sent.data.get("method") == "update" and trait in sent.data["state"]
        ]

    def wait_for(self, look: Callable[[], T], timeout: float = 60.0) -> T:
        """Wait until `look` gives something, and return it."""
        found: list[T] = []

        def seen() -> bool:
            value = look()
            if value:
                found[:] = [value]
            return bool(value)

        with self._changed:
            if not self._changed.wait_for(seen, timeout):
                raise TimeoutError(
                    f"the page was not told in {timeout:g} s; the last state is {self.state.get('_run')}"
                )
        return found[0]

    def wait_phase(self, *phases: str) -> dict[str, Any]:
        """Wait until the run is in one of these phases."""
        return self.wait_for(lambda: self.run if self.run["phase"] in phases else None)

    # What the page says

    def say(self, kind: str, buffers: tuple[bytes, ...] = (), **content: Any) -> None:
        """Send a custom message to Python, as the front end does."""
        message = {"method": "custom", "content": {"kind": kind, **content}}
        self.handle_msg(
            {"content": {"comm_id": self.comm_id, "data": message}, "buffers": list(map(memoryview, buffers))}
        )

    def edit(self, n: int = 1, page: str = "here", modes: dict[str, str] | None = None, **values: Any) -> None:
        """Type into the form."""
        self.say("edit", page=page, n=n, values=values, modes=modes or {})

    def press_run(
        self, n: int = 1, page: str = "here", modes: dict[str, str] | None = None, count: int = 1, **values: Any
    ) -> None:
        """Press Run."""
        edit = {"kind": "edit", "page": page, "n": n, "values": values, "modes": modes or {}}
        self.say("run", edit=edit, count=count)
