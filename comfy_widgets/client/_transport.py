"""HTTP to one server: pooled keep-alive connections, time-outs on every wait, errors in words.

Credentials go only to the server they were given for: redirects are followed here, because requests would carry
custom headers to another host. No ``Origin`` or ``Sec-Fetch-*`` header is ever sent; ComfyUI answers those with 403.
"""

from __future__ import annotations

import base64
import json
import logging
import os
import re
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

from ..protocol import Address, plain
from ..protocol.requests import Request
from ._errors import (
    ComfyError,
    Forbidden,
    HTTPError,
    NotAComfyServer,
    PayloadTooLarge,
    ServerTimeout,
    ServerUnreachable,
)

logger = logging.getLogger(__name__)

_REDIRECTS = 5
_CHUNK = 1 << 16


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
        Seconds. A busy server may be silent for long (it loads models in the same process), hence a generous read
        time-out.
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


@dataclass(frozen=True)
class Reply:
    """Status, headers and body of an answer."""

    status: int
    headers: Mapping[str, str]
    content: bytes = field(repr=False)
    url: str = ""

    def json(self) -> Any:
        """The JSON body.

        Raises
        ------
        NotAComfyServer
            The body is no JSON: a login page, a proxy's error page, another program.
        """
        try:
            return json.loads(self.content)
        except (ValueError, RecursionError):
            kind = self.headers.get("Content-Type", "nothing").partition(";")[0]
            what = "a web page" if "html" in kind else f"{kind or 'nothing'} instead of JSON"
            raise NotAComfyServer(
                f"{self.url} answered with {what}, not as ComfyUI does. Check address and port; the login page of a "
                "proxy may stand in between.",
                url=self.url,
                status=self.status,
            ) from None


class Transport:
    """Calls to one server. Any number of threads may use it at once."""

    def __init__(self, address: Address, options: Options, *, pool_size: int = 16) -> None:
        self._process = os.getpid()
        self.address = address
        self.options = options
        self._session = requests.Session()
        # On loopback no proxy and no .netrc is ever wanted, and looking for them costs a third of the call.
        self._session.trust_env = not address.loopback
        adapter = requests.adapters.HTTPAdapter(pool_connections=4, pool_maxsize=pool_size)
        self._session.mount("http://", adapter)
        self._session.mount("https://", adapter)
        self._session.headers.clear()
        self._session.headers.update({"User-Agent": "comfy_widgets", "Accept": "*/*", "Accept-Encoding": "gzip"})

    def close(self) -> None:
        """Close all connections."""
        self._session.close()

    def check_process(self) -> None:
        """Raise where this is a fork: two processes that share connections would read each other's answers."""
        if os.getpid() != self._process:
            raise ComfyError(
                "This client was made before the process forked, and its connections and threads stayed behind. Make a "
                "new ComfyClient in each process."
            )

    def handshake_headers(self) -> dict[str, str]:
        """The headers, credentials included, for the websocket's handshake with the same server."""
        headers = dict(self.options.headers)
        if self.address.auth is not None:
            token = base64.b64encode(":".join(self.address.auth).encode()).decode()
            headers.setdefault("Authorization", f"Basic {token}")
        return headers

    def handshake_verify(self) -> bool | str:
        """What the websocket's handshake checks certificates against: the same as HTTP."""
        if self.options.verify is not True:
            return self.options.verify
        found = self._session.merge_environment_settings(self.address.base, {}, None, True, None)["verify"]
        return found if isinstance(found, str) else str(requests.utils.DEFAULT_CA_BUNDLE_PATH)

    def call(self, request: Request, *, read_timeout: float | None = None, headers: Mapping[str, str] = {}) -> Reply:
        """Make a call and read the whole answer, whatever its status.

        Raises
        ------
        ServerUnreachable, ServerTimeout
            There was no whole answer.
        NotAComfyServer
            The answer is larger than ``max_body``.
        """
        with self._sent(request, read_timeout, headers) as response:
            parts, size = [], 0
            for part in response.iter_content(_CHUNK):
                size += len(part)
                if size > self.options.max_body:
                    raise NotAComfyServer(
                        f"{self._shown(request)} gave more than {self.options.max_body} bytes; larger replies are "
                        "not taken.",
                        url=self._shown(request),
                        status=response.status_code,
                    )
                parts.append(part)
            content = parts[0] if len(parts) == 1 else b"".join(parts)
            return Reply(response.status_code, response.headers, content, self._shown(request))

    @contextmanager
    def stream(
        self, request: Request, headers: Mapping[str, str] = {}
    ) -> Iterator[tuple[int, Mapping[str, str], Iterator[bytes]]]:
        """Make a call and read its answer in pieces: status, headers, an iterator over the body."""
        with self._sent(request, None, headers) as response:
            yield response.status_code, response.headers, response.iter_content(_CHUNK)

    def check(self, reply: Reply, what: str) -> Reply:
        """Raise where the status means failure; ``what`` names the call for people."""
        if reply.status < 300:
            return reply
        raise self.failure(reply, what)

    def failure(self, reply: Reply, what: str) -> HTTPError | Forbidden | PayloadTooLarge | NotAComfyServer:
        """The error that a failing status stands for."""
        status, url = reply.status, reply.url
        if status < 400:
            target = urlsplit(reply.headers.get("Location", ""))
            route = urlsplit(url).path.removeprefix(urlsplit(self.address.base).path)
            there = f"{target.scheme}://{target.netloc.rpartition('@')[2]}{target.path.removesuffix(route)}"
            return HTTPError(
                f"{what}: {self.address.base} sends callers on to another address ({status}). Give {there} as the "
                "address of the server.",
                url=url,
                status=status,
            )
        if status == 401:
            return Forbidden(
                f"{what}: the server at {self.address.base} asks for credentials (401).", url=url, status=401
            )
        if status == 403:
            reason = (
                "ComfyUI's origin guard refuses calls that come with a foreign Origin or Host header: a proxy in "
                "between probably adds one. Let the proxy pass the Host header on, or start ComfyUI with "
                "--enable-cors-header."
                if not reply.content
                else "The server, or a proxy before it, does not let this client in."
            )
            return Forbidden(f"{what}: forbidden (403) at {self.address.base}. {reason}", url=url, status=403)
        if status == 413:
            return PayloadTooLarge(f"{what}: it is larger than the server takes (413).", url=url, status=413)
        page = "html" in reply.headers.get("Content-Type", "")
        if page and status in (404, 405, 501):
            return NotAComfyServer(
                f"{what}: {self.address.base} answers, but not as ComfyUI does ({status}). Check address and port.",
                url=url,
                status=status,
            )
        text = "a web page, probably of a proxy in between" if page else _text(reply.content)
        return HTTPError(f"{what}: the server answered {status}{': ' + text if text else ''}.", url=url, status=status)

    @contextmanager
    def _sent(
        self, request: Request, read_timeout: float | None, headers: Mapping[str, str]
    ) -> Iterator[requests.Response]:
        """Send, with errors in words; an idempotent call over a kept-alive connection that died is sent again."""
        self.check_process()
        timeout = (self.options.connect_timeout, read_timeout or self.options.read_timeout)
        try:
            try:
                response = self._follow(request, timeout, headers)
            except requests.exceptions.ConnectTimeout:
                raise
            except requests.exceptions.ConnectionError as error:
                if not request.idempotent or _refused(error):
                    raise
                logger.debug("%s %s sent again: %s", request.method, request.route, _reason(error))
                response = self._follow(request, timeout, headers)
            with response:
                yield response
        except requests.exceptions.SSLError as error:
            raise ServerUnreachable(
                f"The TLS certificate of {self.address.base} is not trusted: {_reason(error)}. Give verify='ca.pem' "
                "with your own authority, or verify=False to check nothing.",
                url=self.address.base,
            ) from None
        except requests.exceptions.ProxyError as error:
            raise ServerUnreachable(
                f"The proxy on the way to {self.address.base} cannot be used ({_reason(error)}). HTTP_PROXY and "
                f"HTTPS_PROXY name it; to go without, set NO_PROXY={self.address.host.partition(':')[0]}.",
                url=self.address.base,
            ) from None
        except requests.exceptions.ConnectTimeout:
            raise ServerUnreachable(
                f"No server answers at {self.address.base} (no connection within {timeout[0]:g} s). Is ComfyUI running "
                "there, and are host and port right?",
                url=self.address.base,
            ) from None
        except requests.exceptions.Timeout:
            raise ServerTimeout(
                f"The server at {self.address.base} gave no answer to {request.method} {request.route} within "
                f"{timeout[1]:g} s.",
                url=self.address.base,
            ) from None
        except (requests.exceptions.ConnectionError, requests.exceptions.ChunkedEncodingError) as error:
            if _refused(error):
                message = (
                    f"No server answers at {self.address.base} ({_reason(error)}). Is ComfyUI running there, and are "
                    "host and port right?"
                )
            elif "timed out" in str(error).lower():
                raise ServerTimeout(
                    f"The server at {self.address.base} stopped in the middle of its answer to {request.route}.",
                    url=self.address.base,
                ) from None
            else:
                call = f"{request.method} {request.route}"
                message = f"The connection to {self.address.base} broke during {call} ({_reason(error)})."
            raise ServerUnreachable(message, url=self.address.base, sent=not _refused(error)) from None
        except requests.exceptions.RequestException as error:
            raise NotAComfyServer(
                f"What answers at {self.address.base} does not speak HTTP as ComfyUI does ({_reason(error)}). Check "
                "address and port.",
                url=self.address.base,
            ) from None

    def _follow(self, request: Request, timeout: tuple[float, float], headers: Mapping[str, str]) -> requests.Response:
        url = self.address.http(request.route)
        own: dict[str, str | bytes] = {name: value.encode() for name, value in self.options.headers.items()}
        own.update(headers)
        # As bytes: requests would write text as Latin-1, and the handshake is UTF-8, as servers expect.
        auth = tuple(part.encode() for part in self.address.auth) if self.address.auth is not None else _as_it_is
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
            response = self._session.request(
                method, url, timeout=timeout, stream=True, verify=self.options.verify, allow_redirects=False, **kwargs
            )
            # A body that breaks off must not pass for a whole one, as it did in older versions of urllib3.
            response.raw.enforce_content_length = True
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

    def _shown(self, request: Request) -> str:
        return self.address.http(request.route)


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """No credentials but the given ones: left alone, requests would replace them by those of a .netrc."""
    return request


def _text(content: bytes) -> str:
    """What the body of a failed call says: the message of a JSON error, or the beginning of a text."""
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        body = None
    error = body.get("error") if isinstance(body, dict) else None
    message = error.get("message") if isinstance(error, dict) else error
    text = message if isinstance(message, str) else content[:1000].decode("utf-8", "replace")
    return plain(text.strip(" .\r\n"), 200)


def _refused(error: Exception) -> bool:
    """Whether there never was a connection, so that nothing can have been sent."""
    return any(isinstance(cause, urllib3.exceptions.NewConnectionError) for cause in _causes(error))


def _causes(error: BaseException) -> list[BaseException]:
    """The error and what caused it, the innermost last."""
    found = [error]
    while True:
        error = found[-1]
        inner = error.__cause__ or error.__context__ or getattr(error, "reason", None)
        if not isinstance(inner, BaseException):
            inner = next((arg for arg in error.args if isinstance(arg, BaseException)), None)
        if inner is None or any(inner is known for known in found):
            return found
        found.append(inner)


def _reason(error: BaseException) -> str:
    """The innermost cause in few words; the outer ones are pages of pool and retry talk."""
    error = _causes(error)[-1]
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return str(error).rpartition(": ")[2][:120] or type(error).__name__
