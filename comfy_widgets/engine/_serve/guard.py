"""Keeps web pages of other origins out, as ComfyUI does, and answers what cannot be read.

A server on the loopback address is reachable from every page that the user's browser shows. A page announces itself
with an ``Origin`` (or ``Sec-Fetch-Site: cross-site``) header; a program in Python sends neither. A page whose own name
was made to lead to this machine (DNS rebinding) is of the same origin, but names itself in the ``Host`` header.
"""

from __future__ import annotations

import errno
import ipaddress
import logging
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler

from .state import state_of

_log = logging.getLogger(__name__)
_NO_PLACE = (errno.ENAMETOOLONG, errno.EINVAL, errno.ENOTDIR, errno.EEXIST)
_TROUBLE = "500 Internal Server Error\n\nServer got itself in trouble"


@web.middleware
async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer 403 to other origins and to foreign names of this machine, and 200 to OPTIONS."""
    host = request.headers.get("Host")
    if state_of(request).is_local and is_foreign_name(host):
        message = (
            f"403: Forbidden. This engine answers to this machine alone, as 127.0.0.1, localhost or [::1], and not to "
            f"the name {host!r}. It is reached from elsewhere when it is started with --listen."
        )
        return web.Response(status=403, text=message)
    if request.headers.get("Sec-Fetch-Site") == "cross-site" or foreign_origin(host, request.headers.get("Origin")):
        return web.Response(status=403)
    if "\0" in request.path or any("\0" in value for value in request.query.values()):
        return web.Response(status=400, text="400: Bad Request. A name cannot have a null character in it.")
    if request.method == "OPTIONS":
        return web.Response()
    return await handler(request)


@web.middleware
async def answer_what_cannot_be_read(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer 500, as ComfyUI does, to a body that is no JSON or has other types than it should, and log one line.

    A name that no file can have is answered with 400: that it is too long, only the file system knows.
    """
    try:
        return await handler(request)
    except (AttributeError, KeyError, OSError, RecursionError, TypeError, ValueError) as error:
        if isinstance(error, ConnectionError):
            raise
        if isinstance(error, OSError) and error.errno in _NO_PLACE:
            return web.Response(status=400, text=f"400: Bad Request. No file can be there: {error.strerror}.")
        _log.warning("%s %s could not be answered: %s: %s", request.method, request.path, type(error).__name__, error)
        _log.debug("Where it happened:", exc_info=True)
        return web.Response(status=500, text=_TROUBLE)


def is_foreign_name(host: str | None) -> bool:
    """Tell whether a ``Host`` header names something else than this machine."""
    if not host:
        return False
    try:
        name = urlsplit(f"//{host}").hostname
    except ValueError:
        return True
    return not _is_loopback(name) and not (name or "").endswith(".localhost")


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
