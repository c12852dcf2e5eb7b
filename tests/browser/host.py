"""A Jupyter server of its own for the tests: nothing of the user's settings reaches it, nor the other way round."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

TOKEN = "for-tests-only"
STARTUP = 120.0  # seconds; generous, as it only bounds a failure

# `expose_app_in_browser` gives the tests `window.jupyterapp`, to know when a notebook is really ready.
OPTIONS = {
    "lab": ["--LabApp.expose_app_in_browser=True", "--LabApp.news_url=None"],
    "notebook": ["--JupyterNotebookApp.expose_app_in_browser=True"],
}
MODULE = {"lab": "jupyterlab", "notebook": "notebook"}


@dataclass(frozen=True)
class Host:
    """A running server: JupyterLab or Notebook 7."""

    kind: str
    url: str
    folder: Path

    def address(self, name: str) -> str:
        """Return the page on which this host shows a notebook of its folder."""
        view = "lab/tree" if self.kind == "lab" else "notebooks"
        return f"{self.url}/{view}/{name}?{'reset&' if self.kind == 'lab' else ''}token={TOKEN}"


@contextmanager
def running_host(kind: str, folder: Path, env: Mapping[str, str]) -> Iterator[Host]:
    """Start a server that shows `folder`, with `env` added to its kernels' environment; stop it in the end."""
    home = folder / ".home"
    log = folder / ".home" / "server.log"
    environment = {**os.environ, **own_folders(home), **env}
    command = [
        *(sys.executable, "-m", MODULE[kind], "--no-browser", "--allow-root", "--ServerApp.port=0"),
        *(f"--IdentityProvider.token={TOKEN}", f"--ServerApp.root_dir={folder}", "--ServerApp.terminals_enabled=False"),
        *OPTIONS[kind],
    ]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env=environment, cwd=folder, stdout=output, stderr=output, start_new_session=True
        )
    try:
        yield Host(kind, _url_when_up(process, Path(environment["JUPYTER_RUNTIME_DIR"]), log), folder)
    finally:
        stop(process)


def own_folders(home: Path) -> dict[str, str]:
    """Make the folders of settings and of data that Jupyter would keep for the user; return what names them to it."""
    names = {
        "JUPYTER_CONFIG_DIR": "config",
        "JUPYTER_DATA_DIR": "data",
        "JUPYTER_RUNTIME_DIR": "runtime",
        "IPYTHONDIR": "ipython",
        "JUPYTERLAB_SETTINGS_DIR": "settings",
        "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
    }
    for name in names.values():
        (home / name).mkdir(parents=True)
    news = home / "settings" / "@jupyterlab" / "apputils-extension" / "notification.jupyterlab-settings"
    news.parent.mkdir(parents=True)
    news.write_text(json.dumps({"fetchNews": "false", "checkForUpdates": False, "doNotDisturbMode": True}))
    return {variable: str(home / name) for variable, name in names.items()}


def _url_when_up(process: subprocess.Popen[bytes], runtime: Path, log: Path) -> str:
    """Wait until the server answers, and return the address that it wrote down itself: no port is guessed."""
    end = time.monotonic() + STARTUP
    while time.monotonic() < end and process.poll() is None:
        written = runtime / f"jpserver-{process.pid}.json"
        try:
            url = str(json.loads(written.read_text())["url"]).rstrip("/").replace("localhost", "127.0.0.1")
            with urllib.request.urlopen(f"{url}/api/status?token={TOKEN}", timeout=5):
                return url
        except (OSError, ValueError):
            time.sleep(0.05)
    raise RuntimeError(f"The Jupyter server did not start:\n{log.read_text(errors='replace')[-4000:]}")


def stop(process: subprocess.Popen[bytes]) -> None:
    """End the server and its kernels, which are all of its process group."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
