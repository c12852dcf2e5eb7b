"""A JupyterHub behind a path prefix, for one person who logs in with any password."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from .host import OPTIONS, STARTUP, own_folders, stop

PREFIX = "/course/2026/"
PERSON = "student"
CONFIG = """
c = get_config()
c.JupyterHub.bind_url = {public!r}
c.JupyterHub.hub_port = {hub}
c.JupyterHub.db_url = "sqlite:///hub.sqlite"
c.JupyterHub.authenticator_class = "dummy"
c.JupyterHub.spawner_class = "simple"
c.JupyterHub.cookie_secret_file = "cookie_secret"
c.ConfigurableHTTPProxy.command = [{proxy!r}]
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{api}"
c.Authenticator.allow_all = True
c.Spawner.cmd = {command!r}
c.Spawner.notebook_dir = {folder!r}
c.Spawner.default_url = "/lab"
c.Spawner.environment = {environment!r}
c.Spawner.args = {arguments!r}
"""


def proxy() -> str | None:
    """Find the proxy that JupyterHub needs, which is a package of Node.js; ``$CONFIGURABLE_HTTP_PROXY`` may name it."""
    return os.environ.get("CONFIGURABLE_HTTP_PROXY") or shutil.which("configurable-http-proxy")


@contextmanager
def running_hub(folder: Path, env: Mapping[str, str]) -> Iterator[str]:
    """Start a hub whose people see `folder`, with `env` in their kernels; yield its address, prefix included."""
    home = folder / ".home"
    own = own_folders(home)
    public, hub, api = _free_ports(3)
    url = f"http://127.0.0.1:{public}{PREFIX}"
    (home / "config.py").write_text(
        CONFIG.format(
            public=url,
            hub=hub,
            api=api,
            proxy=proxy(),
            command=[sys.executable, "-m", "jupyterhub.singleuser"],
            folder=str(folder),
            environment={**own, **env},
            arguments=[*OPTIONS["lab"], "--allow-root", "--ServerApp.terminals_enabled=False"],
        )
    )
    log = home / "hub.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "jupyterhub", "-f", "config.py"],
            env={**os.environ, **own},
            cwd=home,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        end = time.monotonic() + STARTUP
        while True:
            try:
                urllib.request.urlopen(f"{url}hub/health", timeout=5).close()
                break
            except OSError:
                if process.poll() is not None or time.monotonic() > end:
                    raise RuntimeError(f"JupyterHub did not start:\n{log.read_text()[-4000:]}") from None
                time.sleep(0.1)
        yield url
    finally:
        stop(process)


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports
