"""What can go wrong in an HTTP call, in words: exceptions of the library and failing statuses as errors for people."""

from __future__ import annotations

import base64
import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlsplit

import requests
import urllib3.exceptions

from ..protocol import Address, plain
from ..protocol.requests import Request
from ._errors import (
    Forbidden,
    HTTPError,
    NotAComfyServer,
    PayloadTooLarge,
    ServerError,
    ServerTimeout,
    ServerUnreachable,
)

Failure = HTTPError | Forbidden | PayloadTooLarge | NotAComfyServer

_SHOWN = 300
"""So many characters of a server's own words are shown."""


@dataclass(frozen=True)
class Reply:
    """Status, headers and body of an answer; ``source`` is the URL as people are told it."""

    status: int
    headers: Mapping[str, str]
    content: bytes = field(repr=False)
    url: str = ""
    source: str = ""

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
            if "json" in kind:
                what = "something that is called JSON and is none"
            raise NotAComfyServer(
                f"{self.source or self.url} answered with {what}, not as ComfyUI does. Check address and port; the "
                "login page of a proxy may stand in between.",
                url=self.url,
                status=self.status,
            ) from None


class Redactor:
    """Takes the secrets of a client out of what others say: some proxies echo the headers of a call.

    Parameters
    ----------
    address : Address
        With its credentials and its query.
    headers : dict
        Of one's own.
    """

    def __init__(self, address: Address, headers: Mapping[str, str]) -> None:
        secrets = [value for _, value in address.query]
        if address.auth is not None:
            secrets += [*address.auth, base64.b64encode(":".join(address.auth).encode()).decode()]
        for value in headers.values():
            secrets += [value, *value.split(" ")]
        spellings = {spelling for secret in secrets for spelling in (secret, quote(secret, safe=""))}
        # Shorter ones would take the words out of harmless sentences.
        self.secrets = tuple(sorted((s for s in spellings if len(s) >= 4), key=lambda s: (-len(s), s)))

    def bytes(self, content: bytes) -> bytes:
        """A body without them."""
        for secret in self.secrets:
            content = content.replace(secret.encode(), b"***")
        return content

    def text(self, text: str) -> str:
        """A text without them."""
        for secret in self.secrets:
            text = text.replace(secret, "***")
        return text


class Failures:
    """Errors about one server.

    Parameters
    ----------
    address : Address
    redact : callable
        Takes secrets out of a text.
    """

    def __init__(self, address: Address, redact: Callable[[str], str]) -> None:
        self._address = address
        self._redact = redact

    # Statuses

    def of_status(self, reply: Reply, what: str, path: str = "") -> Failure:
        """The error that a failing status stands for; ``what`` names the call for people, ``path`` a file of it."""
        status, url, base = reply.status, reply.url, self._address.shown
        if status in (400, 403) and (".." in path or path.startswith("/")):
            return Forbidden(
                f"{what}: {path!r} leads out of the server's folder, which ComfyUI allows nobody ({status}). Give a "
                'path inside it, without ".." and without a slash at its start.',
                url=url,
                status=status,
            )
        if status < 400:
            return self._redirect(reply, what)
        text = _words(reply.content)
        if status == 400 and re.search(r"plain HTTP request|HTTP request to an HTTPS", text):
            return HTTPError(f"{what}: {self._speaks_tls()}", url=url, status=status)
        if status == 401:
            return Forbidden(f"{what}: the server at {base} asks for credentials (401).", url=url, status=401)
        if status == 403:
            reason = (
                "ComfyUI's origin guard refuses calls that come with a foreign Origin or Host header: a proxy in "
                "between probably adds one. Let the proxy pass the Host header on, or start ComfyUI with "
                "--enable-cors-header."
                if not reply.content
                else "The server, or a proxy before it, does not let this client in."
            )
            return Forbidden(f"{what}: forbidden (403) at {base}. {reason}", url=url, status=403)
        if status == 413:
            return PayloadTooLarge(f"{what}: it is larger than the server takes (413).", url=url, status=413)
        page = "html" in reply.headers.get("Content-Type", "")
        if page and status in (404, 405, 501):
            return NotAComfyServer(
                f"{what}: {base} answers, but not as ComfyUI does ({status}). Check address and port.",
                url=url,
                status=status,
            )
        text = "a web page, probably of a proxy in between" if page else self._redact(text)
        return HTTPError(f"{what}: the server answered {status}{': ' + text if text else ''}.", url=url, status=status)

    def _redirect(self, reply: Reply, what: str) -> HTTPError:
        base = self._address.base
        target = urlsplit(reply.headers.get("Location", ""))
        route = urlsplit(reply.url).path.removeprefix(urlsplit(base).path)
        there = f"{target.scheme}://{target.netloc.rpartition('@')[2]}{target.path.removesuffix(route)}"
        return HTTPError(
            f"{what}: {self._address.shown} sends callers on to another address ({reply.status}). Give "
            f"{'that one' if self._address.name else there} as the address of the server.",
            url=reply.url,
            status=reply.status,
        )

    def too_large(self, url: str, status: int, limit: int) -> NotAComfyServer:
        """The error for a reply that is larger than is taken."""
        return NotAComfyServer(
            f"{self._address.told(url)} gave more than {size_in_words(limit)}; that is not taken.",
            url=url,
            status=status,
        )

    # Exceptions

    def speaks_tls(self) -> NotAComfyServer:
        """The error for a server that wants https."""
        return NotAComfyServer(self._speaks_tls(), url=self._address.base)

    def of_exception(self, error: Exception, request: Request, connect_timeout: float) -> ServerError:
        """The error that an exception of the library stands for."""
        url, base, call = self._address.base, self._address.shown, f"{request.method} {request.route}"
        reason = self._redact(reason_of(error))
        if isinstance(error, requests.exceptions.SSLError):
            if re.search(r"wrong.version.number|record.layer|http.request|packet.length", str(error).lower()):
                return ServerUnreachable(
                    f"{base} does not speak TLS. Give the address with http://: {self._with_scheme('http')}.", url=url
                )
            return ServerUnreachable(
                f"The TLS certificate of {base} is not trusted: {reason}. Give verify='ca.pem' with your own "
                "authority, or verify=False to check nothing.",
                url=url,
            )
        if isinstance(error, requests.exceptions.ProxyError):
            return ServerUnreachable(
                f"The proxy on the way to {base} cannot be used ({reason}). HTTP_PROXY and HTTPS_PROXY name it; to go "
                f"without, set NO_PROXY={self._host()}.",
                url=url,
            )
        if isinstance(error, requests.exceptions.InvalidSchema) and "SOCKS" in str(error):
            return ServerUnreachable(
                f"The environment names a SOCKS proxy for {base} (ALL_PROXY or the like), which needs PySocks: pip "
                f"install 'requests[socks]'. To go without the proxy, set "
                f"NO_PROXY={self._host()}.",
                url=url,
            )
        if isinstance(error, requests.exceptions.ConnectTimeout):
            return ServerUnreachable(
                f"No server answers at {base} (no connection within {connect_timeout:g} s). Is ComfyUI running there, "
                "and are host and port right?",
                url=url,
            )
        if never_connected(error):
            return ServerUnreachable(
                f"No server answers at {base} ({reason}). Is ComfyUI running there, and are host and port right?",
                url=url,
            )
        if url.startswith("http:") and "\\x15\\x03" in str(error):
            return self.speaks_tls()
        if isinstance(error, (requests.exceptions.ConnectionError, requests.exceptions.ChunkedEncodingError)):
            unsure = "" if request.idempotent else " It may have been carried out all the same."
            return ServerUnreachable(
                f"The connection to {base} broke during {call} ({reason}).{unsure}", url=url, sent=True
            )
        return NotAComfyServer(
            f"What answers at {base} does not speak HTTP as ComfyUI does ({reason}). Check address and port.", url=url
        )

    def timed_out(self, request: Request, seconds: float, *, begun: bool) -> ServerTimeout:
        """The error for an answer that did not come, or not whole, in time."""
        unsure = "" if request.idempotent else " It may have been carried out all the same."
        gave = "did not finish its" if begun else "gave no"
        return ServerTimeout(
            f"The server at {self._address.shown} {gave} answer to {request.method} {request.route} within "
            f"{seconds:g} s.{unsure}",
            url=self._address.base,
        )

    def _speaks_tls(self) -> str:
        return f"{self._address.shown} speaks TLS. Give the address with https://: {self._with_scheme('https')}."

    def _with_scheme(self, scheme: str) -> str:
        return f"{scheme}://{'...' if self._address.name else self._address.base.partition('://')[2]}"

    def _host(self) -> str:
        return "its host" if self._address.name else self._address.host.partition(":")[0]


def size_in_words(size: float) -> str:
    """A number of bytes as people write it: "100 MiB (104857600 bytes)"."""
    if size < 1024:
        return f"{size:.0f} bytes"
    power = min(int(math.log(size, 1024)), 3)
    return f"{size / 1024**power:.4g} {('KiB', 'MiB', 'GiB')[power - 1]} ({size:.0f} bytes)"


def _words(content: bytes) -> str:
    """What the body of a failed call says: the message of a JSON error, or the beginning of a text."""
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        body = None
    error = body.get("error") if isinstance(body, dict) else None
    message = error.get("message") if isinstance(error, dict) else error
    text = message if isinstance(message, str) else content[: 4 * _SHOWN].decode("utf-8", "replace")
    return plain(text.strip(" .\r\n"), _SHOWN)


def ran_out_of_time(error: Exception) -> bool:
    """Whether a wait for the server took longer than it may."""
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return False
    kinds = (requests.exceptions.Timeout, TimeoutError, urllib3.exceptions.ReadTimeoutError)
    return any(isinstance(cause, kinds) for cause in causes(error))


def never_connected(error: Exception) -> bool:
    """Whether there never was a connection, so that nothing can have been sent."""
    return any(isinstance(cause, urllib3.exceptions.NewConnectionError) for cause in causes(error))


def causes(error: BaseException) -> list[BaseException]:
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


def reason_of(error: BaseException) -> str:
    """The innermost cause in few words; the outer ones are pages of pool and retry talk."""
    error = causes(error)[-1]
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return str(error).rpartition(": ")[2][:120] or type(error).__name__
