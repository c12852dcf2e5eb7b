"""Which server, where nobody named one: ``$COMFYUI_URL``, a ComfyUI on this machine, else the embedded engine."""

from __future__ import annotations

import atexit
import os
import socket
import sys
import threading
from typing import TYPE_CHECKING, TypeVar

from ..protocol import Address
from ._errors import ComfyError

if TYPE_CHECKING:
    from ..engine import Engine

LOCAL = "http://127.0.0.1:8188"
DESKTOP = "http://127.0.0.1:8000"
"""Where ComfyUI's desktop application serves."""

_C = TypeVar("_C")
_lock = threading.Lock()
_engine: Engine | None = None


def find_server() -> tuple[str, str, Engine | None]:
    """Find a server, and say on standard output which.

    Returns
    -------
    url : str
    how : str
        Why this one, in a few words.
    engine : Engine or None
        The embedded engine, where it is that; all clients of a process share one.
    """
    named = os.environ.get("COMFYUI_URL", "").strip()
    if named:
        return _say(named, "named by COMFYUI_URL", None)
    for url in (LOCAL, DESKTOP):
        if _answers(url):
            return _say(url, "found on this machine", None)
    engine = shared_engine()
    return _say(engine.url, "embedded engine, small procedural model; no other ComfyUI was found", engine)


def checked_client(client: _C) -> _C:
    """Return what was given as a client, where it is one, or nothing.

    Parameters
    ----------
    client : ComfyClient, Fleet or None

    Returns
    -------
    ComfyClient, Fleet or None

    Raises
    ------
    ComfyError
        It is something else, such as an address.

    Examples
    --------
    >>> from comfy_widgets.client import checked_client
    >>> checked_client(client) is client
    True
    """
    if client is None or hasattr(client, "object_info"):
        return client
    if isinstance(client, str):
        # It is not repeated, as it may have a token in it.
        raise ComfyError("The client is given as an address. Make a client of it: client=ComfyClient(url).")
    raise ComfyError(f"{type(client).__name__!r} is no client. Make one: client=ComfyClient().")


def open_cassette(url: str) -> str | None:
    """Return the URL of a server that plays the cassette that an address names; None where it names none.

    Raises
    ------
    CassetteError
        There is no such cassette.
    """
    if not isinstance(url, str) or not url.strip().startswith("cassette:"):
        # What is no text is refused where addresses are read.
        return None
    from ..cassettes import play

    return play(url.strip())


def shared_engine() -> Engine:
    """The embedded engine of this process, started when it is first wanted.

    Returns
    -------
    Engine
        The same one for all who ask; it ends with the process.

    Raises
    ------
    ComfyError
        The engine is not installed.

    Examples
    --------
    >>> shared_engine() is shared_engine()
    True
    """
    global _engine
    with _lock:
        if _engine is None or not _engine.running:
            try:
                from ..engine import Engine
            except ImportError as error:
                raise ComfyError(
                    f"No ComfyUI answers at {LOCAL} or {DESKTOP}, and the embedded engine is not installed ({error}). "
                    "Start ComfyUI there, name another address, or pip install 'comfy_widgets[engine]'."
                ) from error
            _engine = Engine()
            atexit.register(_engine.close)
        return _engine


def _answers(url: str) -> bool:
    address = Address.parse(url)
    host, _, port = address.host.partition(":")
    try:
        # A closed port on loopback refuses within a millisecond; HTTP is tried only where something listens.
        socket.create_connection((host, int(port)), timeout=0.5).close()
    except OSError:
        return False
    from ..protocol.requests import get
    from ._transport import Options, Transport

    transport = Transport(address, Options(connect_timeout=0.5, read_timeout=5.0))
    try:
        body = transport.call(get("/system_stats")).json()
    except ComfyError:
        return False
    finally:
        transport.close()
    return isinstance(body, dict) and isinstance(body.get("system"), dict)


def _say(url: str, how: str, engine: Engine | None) -> tuple[str, str, Engine | None]:
    # Without the credentials that may stand in the address: notebooks keep what is printed.
    shown = url if url.startswith("cassette:") else Address.parse(url).base
    sys.stdout.write(f"ComfyUI server: {shown} ({how})\n")
    return url, how, engine
