"""One bounded download of a URL that somebody gave: no cookies, no retries, limits on its time and its size."""

from __future__ import annotations

import base64
import http.client
import io
import socket
import ssl
import time
import urllib.request
from functools import partial
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

_SILENCE = 30.0
"""Seconds that may pass without a byte."""


def shown_url(url: str) -> str:
    """Return a URL for people: without user, password and query, which may be secrets.

    Parameters
    ----------
    url : str
        Any text.

    Returns
    -------
    str

    Examples
    --------
    >>> shown_url("https://user:secret@example.org/flow.json?token=abc")
    'https://example.org/flow.json?...'
    """
    try:
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")[2]
    except ValueError:
        return f"{url.partition('://')[0]}://..."
    plain = urlunsplit((parts.scheme, host, parts.path, "", ""))
    return f"{plain}?..." if parts.query or parts.fragment else plain


def download(url: str, *, seconds: float, limit: int) -> bytes:
    """Return what a URL gives.

    Parameters
    ----------
    url : str
        http or https; may name a user and a password.
    seconds : float
        For all of it, however slowly it comes.
    limit : int
        The most bytes that are taken.

    Returns
    -------
    bytes

    Raises
    ------
    TimeoutError
        It did not arrive in time.
    ValueError
        It is larger.
    OSError, http.client.HTTPException
        It could not be fetched.
    """
    end = time.monotonic() + seconds
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    address = urlunsplit((parts.scheme, host, parts.path, parts.query, ""))
    request = urllib.request.Request(address, headers={"User-Agent": "comfy-widgets", "Accept": "*/*"})
    if parts.username is not None:
        credentials = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        # Not for the hosts that this one may lead to.
        request.add_unredirected_header("Authorization", f"Basic {base64.b64encode(credentials.encode()).decode()}")
    opener = urllib.request.build_opener(_Http(end), _Https(end))
    data = bytearray()
    with opener.open(request, timeout=min(seconds, _SILENCE)) as response:
        while block := response.read1(1 << 16):
            data += block
            if len(data) > limit:
                raise ValueError(f"It is larger than {limit} bytes.")
    return bytes(data)


class _Timed(io.RawIOBase):
    """Reads a socket until the time is up, however many bytes drip from it."""

    def __init__(self, source: socket.socket, end: float) -> None:
        self._source = source
        self._end = end

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._source.settimeout(min(left, _SILENCE))
        return self._source.recv_into(buffer)


class _Response(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, end: float, **options: Any) -> None:
        super().__init__(sock, *args, **options)
        # The connection is closed with the last file that reads it, so the first one is kept.
        self._kept = self.fp
        self.fp = io.BufferedReader(_Timed(sock, end))

    def close(self) -> None:
        super().close()
        self._kept.close()


class _Http(urllib.request.HTTPHandler):
    def __init__(self, end: float) -> None:
        super().__init__()
        self._end = end

    def http_open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(_timed(http.client.HTTPConnection, self._end), request)


class _Https(urllib.request.HTTPSHandler):
    def __init__(self, end: float) -> None:
        super().__init__()
        self._end = end

    def https_open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
        connection = _timed(http.client.HTTPSConnection, self._end)
        return self.do_open(connection, request, context=ssl.create_default_context())


def _timed(connection: type[http.client.HTTPConnection], end: float) -> Any:
    """Return a class of connections whose responses end in time."""
    return type("Timed", (connection,), {"response_class": partial(_Response, end=end)})
