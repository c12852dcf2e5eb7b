"""Calls that come back as JSON, or as an error in words: what all groups of routes stand on."""

from __future__ import annotations

from typing import Any

from ..protocol import Address
from ..protocol.requests import Request, get, post
from ..workflow import NodeClasses
from ._errors import ComfyError, NotAComfyServer, PayloadTooLarge, ServerError
from ._failures import Reply, size_in_words
from ._transport import Transport


class Calls:
    """Calls to one server.

    Parameters
    ----------
    transport : Transport
    client_id : str
        Goes with every prompt.
    seconds : float, optional
        For each call; the transport's own timeout by default.
    after_close : bool
        Whether calls go out although the client is closed.
    """

    def __init__(
        self, transport: Transport, client_id: str = "", *, seconds: float | None = None, after_close: bool = False
    ) -> None:
        self.transport = transport
        self.client_id = client_id
        self._seconds = seconds
        self._after_close = after_close
        self.node_classes: dict[str, Any] | None = None
        """What ``/object_info`` gave, as soon as it was asked for."""
        self.has_cancel_route: bool | None = None
        """Whether the server has ``/api/jobs/{prompt_id}/cancel``; None until it was tried."""

    @property
    def address(self) -> Address:
        """Where the server is."""
        return self.transport.address

    def call(self, request: Request) -> Reply:
        """The answer, whatever its status."""
        return self.transport.call(request, seconds=self._seconds, after_close=self._after_close)

    def checked(self, reply: Reply, what: str, path: str = "") -> Reply:
        """The same answer; raises where its status means failure; ``what`` and ``path`` as in `Transport.check`."""
        return self.transport.check(reply, what, path)

    def json(self, request: Request, what: str) -> Any:
        """The JSON of an answer."""
        return self.checked(self.call(request), what).json()

    def json_object(self, request: Request, what: str) -> dict[str, Any]:
        """The JSON object of an answer."""
        body = self.json(request, what)
        if not isinstance(body, dict):
            raise self.foreign(what)
        return body

    def objects(self, request: Request, what: str) -> list[dict[str, Any]]:
        """The JSON list of an answer, as objects; what is none is left out."""
        body = self.json(request, what)
        return [item for item in body if isinstance(item, dict)] if isinstance(body, list) else []

    def json_or_none(self, request: Request, what: str) -> Any:
        """The JSON of an answer; None where the server does not have what was asked for."""
        reply = self.call(request)
        return None if reply.status == 404 else self.checked(reply, what).json()

    def strings(self, request: Request, what: str) -> list[str]:
        """The JSON list of an answer, as texts."""
        body = self.json(request, what)
        return [str(item) for item in body] if isinstance(body, list) else []

    def post(self, route: str, body: object, what: str, *, repeatable: bool = False) -> None:
        """A POST whose success has an empty body; ``repeatable`` as in `Request`."""
        reply = self.checked(self.call(post(route, body, repeatable=repeatable)), what)
        if "html" in reply.headers.get("Content-Type", "") and reply.content:
            # A login page of a proxy: the server itself was not reached.
            reply.json()

    def features(self) -> dict[str, Any]:
        """The server's feature flags; empty where it is too old to have any."""
        reply = self.call(get("/features"))
        if reply.status in (404, 405):
            return {}
        body = self.checked(reply, "Reading the features").json()
        return body if isinstance(body, dict) else {}

    def object_info(self, *, refresh: bool = False) -> dict[str, Any]:
        """Every node class with its inputs; asked for once, then kept."""
        if self.node_classes is None or refresh:
            found = self.json_object(get("/object_info"), "Reading the node classes")
            self.node_classes = NodeClasses(found, self.node_replacements)
        return self.node_classes

    def node_replacements(self) -> dict[str, Any]:
        """Which node classes took the place of older ones; empty where the server does not say."""
        try:
            found = self.json_or_none(get("/node_replacements"), "Reading the node replacements")
        except ComfyError:
            # A workflow is only read worse without; whatever is wrong with the server is told by the next call.
            return {}
        return found if isinstance(found, dict) else {}

    def too_large(self, reply: Reply, what: str) -> PayloadTooLarge:
        """The error for what the server does not take, with the limit that it names; ``what`` tells the size."""
        try:
            limit = self.features().get("max_upload_size")
        except ServerError:
            limit = None
        known = ""
        if isinstance(limit, (int, float)) and limit > 0:
            known = f" Its limit is {size_in_words(limit)}."
        return PayloadTooLarge(f"{what}, more than the server takes (413).{known}", url=reply.url, status=413)

    def foreign(self, what: str) -> NotAComfyServer:
        """The error for an answer that no ComfyUI gives."""
        return NotAComfyServer(
            f"{what}: {self.address.shown} answers, but not as ComfyUI does. Check address and port.",
            url=self.address.base,
        )


class RouteGroup:
    """Some of a server's routes as methods. Each group stands alone; `ComfyClient` has all of them."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
