"""A server's address: what a person types, and the HTTP and websocket addresses that follow from it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from ._errors import ComfyError

_THIS_MACHINE = ("localhost", "127.0.0.1", "::1", "0.0.0.0")


@dataclass(frozen=True)
class Address:
    """Where a server is.

    Attributes
    ----------
    base : str
        ``scheme://host[:port][/prefix]`` without credentials, trailing slash or ``/api``.
    auth : tuple of (str, str) or None, default None
        User and password that stood in the URL; never shown.
    query : tuple of (str, str) pairs, default ()
        What stood behind a question mark, such as a token; goes with every call and the handshake, and is never shown.
    name : str, default ""
        What people are told in place of the address.

    Examples
    --------
    >>> Address.parse("https://me:secret@gpu.example.org/comfy/?token=abc")
    Address(base='https://gpu.example.org/comfy')
    """

    base: str
    auth: tuple[str, str] | None = field(default=None, repr=False)
    query: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    name: str = field(default="", repr=False, compare=False)

    @classmethod
    def parse(cls, url: str) -> Address:
        """Read a URL as a person types it.

        Parameters
        ----------
        url : str
            With scheme and host; a path prefix, a user and a query may be in it, and an /api at its end is dropped.

        Returns
        -------
        Address
            With the credentials and the query taken out of ``base``.

        Raises
        ------
        ComfyError
            The URL has no scheme or host, or a scheme other than http and https.

        Examples
        --------
        >>> Address.parse("http://127.0.0.1:8188/api/").base
        'http://127.0.0.1:8188'
        """
        if not isinstance(url, str):
            port = url if isinstance(url, int) and not isinstance(url, bool) else 8188
            raise ComfyError(f"The server is given as {url!r}; give its address, such as 'http://127.0.0.1:{port}'.")
        text = url.strip()
        if "://" not in text:
            raise ComfyError(
                f"The address {_hidden(text)!r} has no scheme. Write it with http:// or https://, for example "
                f"'http://{_hidden(text).lstrip('/') or '127.0.0.1:8188'}'."
            )
        try:
            parts = urlsplit(text)
            host, port = parts.hostname, parts.port
        except ValueError:
            # The reason is not shown, as it may quote a password with a special character in it.
            raise ComfyError(
                f"The address {_hidden(text)!r} cannot be read; write it as 'http://127.0.0.1:8188'. Special "
                "characters in a user name or password must be percent-encoded, or given as auth=(user, password)."
            ) from None
        if parts.scheme not in ("http", "https"):
            raise ComfyError(
                f"The address {_hidden(text)!r} starts with {parts.scheme}://. Give the http:// or https:// address of "
                "the server; the websocket address follows from it."
            )
        if not host:
            raise ComfyError(f"The address {_hidden(text)!r} names no host, as in 'http://127.0.0.1:8188'.")
        path = parts.path.rstrip("/")
        path = path[: -len("/api")].rstrip("/") if path.endswith("/api") else path
        netloc = f"[{host}]" if ":" in host else host
        netloc += f":{port}" if port is not None else ""
        auth = (unquote(parts.username), unquote(parts.password or "")) if parts.username is not None else None
        return cls(f"{parts.scheme}://{netloc}{path}", auth, tuple(parse_qsl(parts.query)))

    @property
    def identity(self) -> str:
        """The same text for all spellings of a server's address.

        Examples
        --------
        >>> Address.parse("http://LOCALHOST:8188/api").identity == Address.parse("http://127.0.0.1:8188/").identity
        True
        """
        parts = urlsplit(self.base)
        host = _canonical((parts.hostname or "").rstrip("."))
        port = parts.port or (443 if parts.scheme == "https" else 80)
        return f"{'localhost' if host in _THIS_MACHINE else host}:{port}{parts.path}"

    def http(self, route: str) -> str:
        """The address of a route; most are served under /api too, some only there, some never.

        Parameters
        ----------
        route : str
            Such as "/prompt".

        Returns
        -------
        str
            The whole URL, without the query of the address.

        Examples
        --------
        >>> Address.parse("http://127.0.0.1:8188").http("/prompt")
        'http://127.0.0.1:8188/api/prompt'
        """
        if route.startswith(("/internal/", "/templates/")):
            return self.base + route
        return f"{self.base}/api{route}"

    def websocket(self, client_id: str) -> str:
        """The address of the websocket.

        Parameters
        ----------
        client_id : str
            The server sends to it what belongs to this client's prompts.

        Returns
        -------
        str
            ws or wss, with the query of the address.

        Examples
        --------
        >>> Address.parse("https://gpu.example.org?token=abc").websocket("me")
        'wss://gpu.example.org/ws?clientId=me&token=abc'
        """
        query = urlencode([("clientId", client_id), *self.query], quote_via=quote)
        return f"ws{self.base[len('http') :]}/ws?{query}"

    @property
    def shown(self) -> str:
        """The name, or else the address.

        Examples
        --------
        >>> from dataclasses import replace
        >>> replace(Address.parse("http://10.0.0.7:8188"), name="the server of the class").shown
        'the server of the class'
        """
        return self.name or self.base

    def told(self, url: str) -> str:
        """A URL of this server as people are told it.

        Parameters
        ----------
        url : str
            Begins with ``base``.

        Returns
        -------
        str
            With the name in place of ``base``, where there is one.

        Examples
        --------
        >>> from dataclasses import replace
        >>> replace(Address.parse("http://10.0.0.7:8188"), name="gpu").told("http://10.0.0.7:8188/api/prompt")
        'gpu/api/prompt'
        """
        return url.replace(self.base, self.name) if self.name else url

    @property
    def host(self) -> str:
        """Host and port."""
        return urlsplit(self.base).netloc

    @property
    def loopback(self) -> bool:
        """Whether the server is on this machine."""
        name = urlsplit(self.base).hostname or ""
        return name in ("localhost", "::1", "0.0.0.0", "::") or name.startswith("127.")


def _hidden(url: str) -> str:
    """The URL without credentials and tokens, for messages."""
    scheme, mark, rest = url.partition("://") if "://" in url else ("", "", url)
    place = re.split("[?#]", rest.rpartition("@")[2])[0]
    # What is no host and port may be a user and a password, of which the rest is missing.
    known = not place or re.fullmatch(r"/{0,2}(\[[0-9a-fA-F:.]+\]|[\w.-]+)(:\d+)?(/[^@]*)?", place)
    return f"{scheme}{mark}{place if known else '...'}"


def _canonical(host: str) -> str:
    """Return an IP address in its usual form, also where it was written as ``0:0:0:0:0:0:0:1``."""
    from ipaddress import IPv6Address, ip_address

    try:
        found = ip_address(host)
    except ValueError:
        return host
    return str((found.ipv4_mapped if isinstance(found, IPv6Address) else None) or found)
