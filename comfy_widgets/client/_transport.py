"""HTTP to one server: pooled keep-alive connections, a total deadline for each exchange, errors in words.

Credentials go only to the server they were given for: redirects are followed here, because requests would carry
custom headers to another host. No ``Origin`` or ``Sec-Fetch-*`` header is ever sent; ComfyUI answers those with 403.
"""

from __future__ import annotations

import base64
import http.client
import logging
import os
import re
import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
import requests.adapters
import requests.utils
import urllib3.exceptions

from ..protocol import Address
from ..protocol.requests import Request
from ._adapter import CuttableAdapter, under
from ._deadlines import Deadlines, Limit
from ._errors import ComfyError, ServerUnreachable
from ._failures import Failure, Failures, Redactor, Reply, never_connected, ran_out_of_time, reason_of

logger = logging.getLogger(__name__)

_REDIRECTS = 5
_CHUNK = 1 << 16
_FILES = ("/view", "/upload", "/assets", "/templates", "/userdata", "/v2/userdata", "/experiment")
"""Routes that carry files: they may be large, and take longer for that."""
_MAX_JSON = 64 << 20
"""The largest reply in bytes of the other routes; an /object_info with many node packs has 25 MB."""
_SLOWEST_FILE = 32 << 10
"""Bytes a second that a file must come or go with at least, on average."""
_TLS_PROBE = 3.0
"""Seconds to find out whether a server that hung up wants TLS."""


@dataclass(frozen=True)
class Options:
    """How to reach a server.

    Attributes
    ----------
    headers : dict
        Sent with every call and with the websocket's handshake; never shown.
    verify : bool or str
        TLS: True checks against the system's authorities, a path names a file of own ones, False checks nothing.
    connect_timeout, read_timeout : float
        Seconds for a connection, and for a whole answer. A busy server may be silent for long (it loads models in the
        same process), hence a generous timeout. A file may take longer, as long as it comes.
    max_body, max_frame : int
        The largest reply and the largest websocket frame in bytes that are taken.
    """

    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    verify: bool | str = True
    connect_timeout: float = 5.0
    read_timeout: float = 60.0
    max_body: int = 4 << 30
    max_frame: int = 1 << 30

    def __post_init__(self) -> None:
        for name, value in self.headers.items():
            if not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name) or re.search(r"[\x00-\x1f\x7f]|^\s", value):
                # Said here, as the library's own error would show the value.
                raise ComfyError(
                    f"The header {name!r} cannot be sent: a name is letters and dashes, and a value has no line break "
                    "and no space in front. A token that was read from a file often ends with a line break; .strip() "
                    "takes it away."
                )
        if isinstance(self.verify, str) and not Path(self.verify).exists():
            raise ComfyError(f"There is no file {self.verify!r}, which verify names for the authorities to trust.")


class Transport:
    """Calls to one server. Any number of threads may use it at once."""

    def __init__(self, address: Address, options: Options, *, pool_size: int = 32) -> None:
        self._process = os.getpid()
        self.address = address
        self.options = options
        self.deadlines: Deadlines = Deadlines()
        self._closed = False
        self._answered = False
        self._redact = Redactor(address, options.headers)
        self._failures = Failures(address, self._redact.text)
        self._session = requests.Session()
        # On loopback no proxy and no .netrc is ever wanted, and looking for them costs a third of the call.
        self._session.trust_env = not address.loopback
        adapter = CuttableAdapter(pool_connections=4, pool_maxsize=pool_size)
        self._session.mount("http://", adapter)
        self._session.mount("https://", adapter)
        self._session.headers.clear()
        self._session.headers.update({"User-Agent": "comfy_widgets", "Accept": "*/*", "Accept-Encoding": "gzip"})

    def close(self) -> None:
        """End all exchanges that are under way, and close all connections."""
        self._closed = True
        self.deadlines.cut_all()
        self._session.close()

    @property
    def closed(self) -> bool:
        """Whether it makes no more calls but those that are made after the end of the client, too."""
        return self._closed

    def check_process(self) -> None:
        """Raise where this is a fork: two processes that share connections would read each other's answers."""
        if os.getpid() != self._process:
            raise ComfyError(
                "This client was made before the process forked, and its connections and threads stayed behind. Make a "
                "new ComfyClient in each process."
            )

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must not be shown or stored, longest first."""
        return self._redact.secrets

    def handshake_headers(self) -> dict[str, str]:
        """The headers, credentials included, for the websocket's handshake with the same server."""
        headers = dict(self.options.headers)
        if self.address.auth is not None and not self._authorized_by_header:
            token = base64.b64encode(":".join(self.address.auth).encode()).decode()
            headers["Authorization"] = f"Basic {token}"
        return headers

    @property
    def _authorized_by_header(self) -> bool:
        """Whether a header of the caller's own goes before user and password, in HTTP as in the handshake."""
        return any(name.lower() == "authorization" for name in self.options.headers)

    def handshake_verify(self) -> bool | str:
        """What the websocket's handshake checks certificates against: the same as HTTP."""
        if self.options.verify is not True:
            return self.options.verify
        found = self._session.merge_environment_settings(self.address.base, {}, None, True, None)["verify"]
        return found if isinstance(found, str) else str(requests.utils.DEFAULT_CA_BUNDLE_PATH)

    def call(
        self,
        request: Request,
        *,
        seconds: float | None = None,
        headers: Mapping[str, str] = {},
        after_close: bool = False,
    ) -> Reply:
        """Make a call and read the whole answer, whatever its status.

        Parameters
        ----------
        request : Request
        seconds : float, optional
            For the whole exchange; the client's own timeout by default.
        headers : dict
            That go with this call alone.
        after_close : bool
            Whether the call is made although the client is closed, as for a file of a result that it gave.

        Raises
        ------
        ServerUnreachable, ServerTimeout
            There was no whole answer.
        NotAComfyServer
            The answer is larger than is taken.
        """
        if self._closed and not after_close:
            raise ComfyError("This client is closed. Make a new ComfyClient.")
        with self._sent(request, seconds, headers) as (response, limit):
            url, largest = self.address.http(request.route), self._largest(request)
            content = bytearray()
            for part in _pieces(response, limit):
                content += part
                if len(content) > largest:
                    raise self._failures.too_large(url, response.status_code, largest)
            body = bytes(content)
            if response.status_code >= 400:
                body = self._redact.bytes(body)
            return Reply(response.status_code, response.headers, body, url, self.address.told(url))

    @contextmanager
    def stream(
        self, request: Request, headers: Mapping[str, str] = {}
    ) -> Iterator[tuple[int, Mapping[str, str], Iterator[bytes]]]:
        """Make a call and read its answer in pieces: status, headers, an iterator over the body."""
        if self._closed:
            raise ComfyError("This client is closed. Make a new ComfyClient.")
        with self._sent(request, None, headers) as (response, limit):
            yield response.status_code, response.headers, _pieces(response, limit)

    def check(self, reply: Reply, what: str, path: str = "") -> Reply:
        """Raise where the status means failure; ``what`` names the call for people, ``path`` a file of it."""
        if reply.status < 300:
            return reply
        raise self.failure(reply, what, path)

    def failure(self, reply: Reply, what: str, path: str = "") -> Failure:
        """The error that a failing status stands for."""
        return self._failures.of_status(reply, what, path)

    def _largest(self, request: Request) -> int:
        if request.route.startswith(_FILES):
            return self.options.max_body
        return min(self.options.max_body, _MAX_JSON)

    @contextmanager
    def _sent(
        self, request: Request, seconds: float | None, headers: Mapping[str, str]
    ) -> Iterator[tuple[requests.Response, Limit]]:
        """Send, with errors in words; an idempotent call over a kept-alive connection that died is sent again."""
        self.check_process()
        seconds = seconds if seconds is not None else self.options.read_timeout
        rate = _SLOWEST_FILE if request.route.startswith(_FILES) else None
        begun = False
        with self.deadlines.limit(seconds, rate) as limit:
            try:
                with under(limit):
                    response = self._tried(request, limit, headers)
                begun = self._answered = True
                with response:
                    yield response, limit
            except (requests.exceptions.RequestException, urllib3.exceptions.HTTPError) as error:
                if limit.expired or ran_out_of_time(error):
                    raise self._failures.timed_out(request, seconds, begun=begun) from None
                if limit.cut:
                    raise ServerUnreachable(
                        f"The client was closed during {request.method} {request.route}.",
                        url=self.address.base,
                        sent=True,
                    ) from None
                if self._hung_up_on(error) and _answers_tls(self.address, min(_TLS_PROBE, limit.seconds_left)):
                    raise self._failures.speaks_tls() from None
                raise self._failures.of_exception(error, request, self.options.connect_timeout) from None

    def _hung_up_on(self, error: Exception) -> bool:
        """Whether a server that has never said a word closed the connection: ComfyUI with TLS does so over HTTP."""
        broke = isinstance(error, requests.exceptions.ConnectionError) and not never_connected(error)
        return broke and not self._answered and self.address.base.startswith("http:")

    def _tried(self, request: Request, limit: Limit, headers: Mapping[str, str]) -> requests.Response:
        try:
            try:
                return self._follow(request, limit, headers)
            except requests.exceptions.ConnectTimeout:
                raise
            except requests.exceptions.ConnectionError as error:
                if not request.idempotent or limit.cut or never_connected(error):
                    raise
                logger.debug("%s %s sent again: %s", request.method, request.route, reason_of(error))
                return self._follow(request, limit, headers)
        except (requests.exceptions.RequestException, ComfyError):
            raise
        except ValueError as error:
            # Where a redirect leads to no address.
            raise requests.exceptions.InvalidURL(str(error)) from error

    def _follow(self, request: Request, limit: Limit, headers: Mapping[str, str]) -> requests.Response:
        url = self.address.http(request.route)
        own: dict[str, str | bytes] = {name: value.encode() for name, value in self.options.headers.items()}
        own.update(headers)
        auth: Any = _as_it_is
        if self.address.auth is not None and not self._authorized_by_header:
            # As bytes: requests would write text as Latin-1, and the handshake is UTF-8, as servers expect.
            auth = tuple(part.encode() for part in self.address.auth)
        kwargs: dict[str, Any] = {"params": {**dict(self.address.query), **request.query}, "headers": own, "auth": auth}
        payload = request.payload
        if request.upload is not None:
            part = request.upload
            kwargs.update(data=dict(request.form), files={part.part: (part.filename, part.content, part.mime)})
        elif payload is not None:
            kwargs.update(data=payload)
            own["Content-Type"] = "application/json"
        method = request.method
        for _ in range(_REDIRECTS):
            # Each read waits at most for the rest of the time; that all of them together do is the limit's to see.
            timeout = (min(self.options.connect_timeout, limit.seconds_left or 0.001), limit.seconds_left or 0.001)
            response = self._session.request(
                method, url, timeout=timeout, stream=True, verify=self.options.verify, allow_redirects=False, **kwargs
            )
            # A body that breaks off must not pass for a whole one, as it did in older versions of urllib3.
            response.raw.enforce_content_length = True
            encoding = response.headers.get("Content-Encoding", "").strip().lower()
            if encoding not in ("", "identity", "gzip"):
                # Not asked for; and in layers a few bytes could become gigabytes at once.
                response.close()
                raise requests.exceptions.ContentDecodingError(f"an encoding that was not asked for: {encoding[:40]}")
            target = response.headers.get("Location")
            if response.status_code not in (301, 302, 303, 307, 308) or not target or method != "GET":
                return response
            response.close()
            there = urljoin(url, target)
            kwargs["params"] = {}
            if urlsplit(there)[:2] != urlsplit(url)[:2]:
                kwargs["headers"], kwargs["auth"] = {}, _as_it_is
            url = there
        raise requests.exceptions.TooManyRedirects(f"more than {_REDIRECTS} redirects")


def _answers_tls(address: Address, seconds: float) -> bool:
    """Whether a server goes along with the beginning of a TLS handshake; nothing of ours is sent to it."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    place = urlsplit(address.base)
    try:
        with (
            socket.create_connection((place.hostname, place.port or 80), timeout=seconds) as connection,
            context.wrap_socket(connection, server_hostname=place.hostname),
        ):
            return True
    except (OSError, ValueError):
        return False


def _pieces(response: requests.Response, limit: Limit) -> Iterator[bytes]:
    """The body, piece by piece."""
    try:
        for part in response.iter_content(_CHUNK):
            limit.moved(len(part))
            yield part
    except (OSError, ValueError, http.client.HTTPException) as error:
        if response.raw.chunk_left == 0:
            # The last chunk has come. What may stand after it is a trailer, and no part of the body.
            return
        if isinstance(error, requests.exceptions.RequestException):
            raise
        # What a connection gives that was cut in the middle.
        raise requests.exceptions.ChunkedEncodingError(str(error)) from error


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """No credentials but the given ones: left alone, requests would replace them by those of a .netrc."""
    return request
