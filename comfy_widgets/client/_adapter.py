"""Connections for requests that can be cut at any moment of an exchange, from any thread."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests.adapters
import urllib3.connection
import urllib3.connectionpool

from ._deadlines import Limit

_SLICE = 1 << 16

_current = threading.local()


@contextmanager
def under(limit: Limit) -> Iterator[None]:
    """What this thread sends meanwhile goes under the limit."""
    _current.limit = limit
    try:
        yield
    finally:
        del _current.limit


class _Cuttable(urllib3.connection.HTTPConnection):
    """Tells the limit of an exchange over which socket it goes, from the first moment on."""

    _tcp: socket.socket | None = None

    def _new_conn(self) -> socket.socket:
        sock = super()._new_conn()
        # TLS takes the socket over; a copy still shuts the same connection, in the middle of the handshake too.
        self._tcp = sock.dup()
        self._join_limit()
        return sock

    def request(self, *args: Any, **kwargs: Any) -> None:
        self._join_limit()
        super().request(*args, **kwargs)

    def send(self, data: Any) -> None:
        limit: Limit | None = getattr(_current, "limit", None)
        if limit is None or not isinstance(data, (bytes, bytearray, memoryview)):
            super().send(data)
            return
        # In slices: to a socket's timeout all of `sendall` is one wait, and a large file may take long.
        view = memoryview(data)
        for start in range(0, len(view), _SLICE):
            part = view[start : start + _SLICE]
            if self.sock is not None:
                # Without this the time for connecting would hold for sending too.
                self.sock.settimeout(max(0.1, limit.seconds_left))
            super().send(part)
            limit.moved(len(part))

    def close(self) -> None:
        super().close()
        tcp, self._tcp = self._tcp, None
        if tcp is not None:
            tcp.close()

    def _join_limit(self) -> None:
        limit: Limit | None = getattr(_current, "limit", None)
        if limit is not None and self._tcp is not None:
            limit.attach(self._tcp)


class _CuttableTls(_Cuttable, urllib3.connection.HTTPSConnection):
    """The same over TLS."""


class _Pool(urllib3.connectionpool.HTTPConnectionPool):
    ConnectionCls = _Cuttable


class _TlsPool(urllib3.connectionpool.HTTPSConnectionPool):
    ConnectionCls = _CuttableTls


class CuttableAdapter(requests.adapters.HTTPAdapter):
    """An adapter whose connections can be cut."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Make the pools, with connections that can be cut."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        """The same for the connections to a proxy; those to a SOCKS proxy have only their sockets' own timeouts."""
        manager = super().proxy_manager_for(proxy, **kwargs)
        if not proxy.lower().startswith("socks"):
            manager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}
        return manager
