"""Keeps web pages of other origins out, as ComfyUI does.

A server on the loopback address is reachable from every page that the user's browser shows. A page announces itself
with an ``Origin`` (or ``Sec-Fetch-Site: cross-site``) header; a program in Python sends neither.
"""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler


@web.middleware
async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer 403 with an empty body to other origins, and 200 to OPTIONS."""
    if request.headers.get("Sec-Fetch-Site") == "cross-site" or foreign_origin(
        request.headers.get("Host"), request.headers.get("Origin")
    ):
        return web.Response(status=403)
    if request.method == "OPTIONS":
        return web.Response()
    return await handler(request)


def foreign_origin(host: str | None, origin: str | None) -> bool:
    """Tell whether a request to a loopback `host` comes from a page of another host or port.

    The port counts only when both sides name one.
    """
    if not host or not origin:
        return False
    try:
        here, there = urlsplit(f"//{host}"), urlsplit(origin)
        ports = here.port, there.port
    except ValueError:
        # Headers that make no sense come from nobody we know.
        return True
    if there.hostname is None or not _is_loopback(here.hostname):
        return False
    return here.hostname != there.hostname or (None not in ports and ports[0] != ports[1])


def _is_loopback(hostname: str | None) -> bool:
    if hostname == "localhost":
        return True
    try:
        return ipaddress.ip_address(hostname or "").is_loopback
    except ValueError:
        return False
