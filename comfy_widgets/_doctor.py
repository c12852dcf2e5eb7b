"""``comfy-widgets doctor``: what this installation has, what it lacks, and whether a server answers."""

from __future__ import annotations

import platform
import re
import sys
from collections.abc import Callable
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from .client import ComfyClient
from .errors import ComfyError
from .protocol import SERVER_VERSIONS

_NEEDED = ["ipywidgets", "anywidget", "traitlets", "requests", "websocket-client", "pillow"]
_WANTED = {
    "jupyterlab": "to open notebooks: pip install jupyterlab",
    "aiohttp": "for the embedded engine: pip install 'comfy_widgets[engine]'",
    "numpy": "for the embedded engine: pip install 'comfy_widgets[engine]'",
}


def examine(url: str | None, say: Callable[[str], object]) -> int:
    """Say line by line what is there and what is not.

    Parameters
    ----------
    url : str or None
        The server to look at; found as `ComfyClient` finds it by default.
    say : callable
        Takes one line at a time.

    Returns
    -------
    int
        How many things are wrong.
    """
    wrong = 0
    say(f"ok       Python {platform.python_version()} ({sys.executable})")
    for name in _NEEDED:
        version = _version(name)
        wrong += version is None
        say(f"ok       {name} {version}" if version else f"MISSING  {name}: pip install {name}")
    for name, use in _WANTED.items():
        version = _version(name)
        say(f"ok       {name} {version}" if version else f"absent   {name}, {use}")
    bundle = Path(__file__).parent / "static" / "panel.js"
    wrong += not bundle.is_file()
    say("ok       the front end is built" if bundle.is_file() else "MISSING  the front end: run 'make setup'")
    try:
        with ComfyClient(url, timeout=10.0) as client:
            wrong += _server(client, say)
    except ComfyError as error:
        wrong += 1
        say(f"WRONG    {error}")
    say("All is well." if not wrong else "1 thing is wrong." if wrong == 1 else f"{wrong} things are wrong.")
    return wrong


def _server(client: ComfyClient, say: Callable[[str], object]) -> int:
    stats = client.system_stats()
    say(f"ok       {client.description}")
    if _is_newer(stats.system.comfyui_version):
        say(f"newer    than ComfyUI {SERVER_VERSIONS[-1]}, the newest that this package was tried with")
    for device in stats.devices:
        memory = f", {device.vram_total / 2**30:.1f} GiB" if device.vram_total else ""
        say(f"ok       device {device.name}{memory}")
    say(f"ok       {len(client.object_info())} node classes")
    if client.wait_connected(10.0):
        say("ok       the websocket connects")
        return 0
    say("WRONG    the websocket does not connect; jobs work by polling, without live previews. A proxy may block it")
    return 1


def _is_newer(version: str | None) -> bool:
    numbers = re.match(r"v?(\d+)\.(\d+)\.(\d+)", str(version))
    tried = tuple(map(int, SERVER_VERSIONS[-1].split(".")))
    return numbers is not None and tuple(int(number[:9]) for number in numbers.groups()) > tried


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "(version unknown)" if find_spec(name.replace("-", "_")) is not None else None
