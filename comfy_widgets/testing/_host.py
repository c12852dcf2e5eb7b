"""What the routes and the stage of a scripted server need of it."""

from __future__ import annotations

from typing import Any, Literal, Protocol

from ._catalog import Prompt
from ._http_server import Reply
from ._state import Files, State


class Host(Protocol):
    """A scripted server; `ScriptedServer` says what each of these is."""

    features: dict[str, Any] | None
    jobs_api: Literal["read", "cancel"] | None
    version: str
    object_info: dict[str, Any]
    files: Files
    state: State

    def accept(
        self,
        prompt_id: str,
        number: float,
        prompt: Prompt,
        extra_data: dict[str, Any],
        outputs: list[str],
        node_errors: dict[str, Any] | None = None,
    ) -> Reply:
        """Queue a prompt."""
        ...

    def forget(self, prompt_id: str) -> None:
        """Remove a prompt from history."""
        ...

    def send(self, client_id: str, message: Any) -> None:
        """Send to one client."""
        ...

    def broadcast(self, message: Any) -> None:
        """Send to every client."""
        ...

    def send_status(self) -> None:
        """Tell everybody how long the queue is."""
        ...

    def takes_metadata(self, client_id: str) -> bool:
        """Whether this client's socket asked for previews that say whose they are."""
        ...
