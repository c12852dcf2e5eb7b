"""What all groups of routes share: calls that come back as JSON, or as an error in words."""

from __future__ import annotations

from typing import Any

from ..protocol import requests as calls
from ._errors import NotAComfyServer, ServerError
from ._transport import Transport


class Calls:
    """Calls to one server."""

    _transport: Transport

    def features(self) -> dict[str, Any]:
        """``GET /features``: the server's feature flags; empty where it is too old to have any."""
        reply = self._transport.call(calls.get("/features"))
        if reply.status in (404, 405):
            return {}
        body = self._transport.check(reply, "Reading the features").json()
        return body if isinstance(body, dict) else {}

    def _upload_limit(self) -> str:
        try:
            limit = self.features().get("max_upload_size")
        except ServerError:
            limit = None
        return f"; the server takes {limit} at most" if limit else ""

    def _json(self, request: calls.Request, what: str) -> Any:
        return self._transport.check(self._transport.call(request), what).json()

    def _object(self, request: calls.Request, what: str) -> dict[str, Any]:
        body = self._json(request, what)
        if not isinstance(body, dict):
            raise NotAComfyServer(
                f"{what}: {self._transport.address.base} answers, but not as ComfyUI does.",
                url=self._transport.address.base,
            )
        return body

    def _post(self, route: str, body: object, what: str) -> None:
        """A POST whose success has an empty body."""
        self._transport.check(self._transport.call(calls.post(route, body)), what)
