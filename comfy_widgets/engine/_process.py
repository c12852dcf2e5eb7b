"""The engine as a process of its own, so that the sampler never holds up the notebook."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
import weakref
from collections import deque
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import IO

from ._command import HANDSHAKE, install_hint, missing_modules
from ._run.wire import NEWEST

_LOG_LINES = 200
_CLOSE_SECONDS = 5.0


class EngineError(RuntimeError):
    """The engine could not be started; the message says why and what to do.

    Examples
    --------
    >>> try:
    ...     Engine(custom_nodes=["no_such_file.py"])
    ... except EngineError as error:
    ...     print(error)
    The embedded engine could not start. It said:
    The custom node file ...no_such_file.py is not a Python file that exists.
    """


class Engine:
    """A running embedded engine.

    It lives in a process of its own and ends with `close`, with the ``with`` block, or with the process that started
    it, however that one ends.

    Parameters
    ----------
    port : int
        Port on 127.0.0.1; 0 takes a free one.
    custom_nodes : iterable of str or os.PathLike
        Python files with NODE_CLASS_MAPPINGS in ComfyUI's classic node API. Images are numpy arrays of shape
        (batch, height, width, 3), float32 from 0 to 1.
    output_dir : str or os.PathLike[str], optional
        Where results are kept. None: in a temporary folder that goes away with the engine.
    preview_method : {"none", "auto", "latent2rgb", "taesd"}, optional
        Whether samplers send previews when a prompt does not say; as ComfyUI's option. All but "none" do the same here.
        By default none, and with the editor "auto".
    version : {"0.33.0", "0.8.0"}
        Which ComfyUI it answers like.
    stand_in : bool
        Take models of any name: the engine's own one stands in for them, which the results say. Else they are refused.
    editor : bool
        Serve ComfyUI's own editor at `url` too, for a browser; needs the extra ``[editor]``. It implies `stand_in`.
    start_timeout : float
        Seconds to wait for the server to answer.

    Attributes
    ----------
    url : str
        Where it answers, such as ``"http://127.0.0.1:41234"``.

    Raises
    ------
    EngineError
        When it cannot be started: missing packages, a taken port, a custom node file with an error.

    Examples
    --------
    >>> with Engine() as engine:                      # doctest: +SKIP
    ...     client = ComfyClient(engine.url)
    """

    def __init__(
        self,
        port: int = 0,
        custom_nodes: Iterable[str | os.PathLike[str]] = (),
        output_dir: str | os.PathLike[str] | None = None,
        *,
        preview_method: str | None = None,
        version: str = NEWEST,
        stand_in: bool = False,
        editor: bool = False,
        start_timeout: float = 60.0,
    ) -> None:
        missing = missing_modules()
        if missing:
            raise EngineError(install_hint(missing))
        command = [sys.executable, "-m", "comfy_widgets.engine", "--child", "--port", str(port)]
        for path in custom_nodes:
            command += ["--custom-nodes", str(Path(path).resolve())]
        command += ["--comfyui-version", version]
        if preview_method is not None:
            command += ["--preview-method", preview_method]
        if editor:
            command.append("--editor")
        if stand_in:
            command.append("--stand-in")
        if output_dir is not None:
            command += ["--output-directory", str(Path(output_dir).resolve())]
        self._log: deque[str] = deque(maxlen=_LOG_LINES)
        self._ready = threading.Event()
        self.url: str = ""
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            env=_environment(),
            # Ctrl-C in a terminal, or Interrupt in a notebook, is meant for the caller's code, not for the server.
            start_new_session=True,
        )
        # Also at the end of this Python, and when nobody holds the engine any more.
        self._end = weakref.finalize(self, _end, self._process, os.getpid())
        threading.Thread(target=_read, args=(self._process, weakref.ref(self)), daemon=True).start()
        answered = self._ready.wait(start_timeout)
        if not answered or not self.url:
            self.close()
            what = "could not start" if answered else "did not start in time"
            raise EngineError(f"The embedded engine {what}. It said:\n{self.log or '(nothing)'}")

    def _heard(self, line: str | None) -> None:
        """Take a line of the process's output; None is its end."""
        if line is None:
            self._ready.set()
        elif line.startswith(HANDSHAKE):
            self.url = json.loads(line[len(HANDSHAKE) :])["url"]
            self._ready.set()
        else:
            self._log.append(line.rstrip("\n"))

    @property
    def log(self) -> str:
        """The last lines that the engine printed."""
        return "\n".join(self._log)

    @property
    def pid(self) -> int:
        """The id of its process."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether its process is alive."""
        return self._process.poll() is None

    def close(self) -> None:
        """Stop the engine and wait until it is gone. May be called again.

        Examples
        --------
        >>> engine = Engine()  # doctest: +SKIP
        >>> engine.close()  # doctest: +SKIP
        """
        self._end()

    def kill(self) -> None:
        """End it at once and without a farewell (SIGKILL), to see what a client does then.

        Examples
        --------
        >>> engine = Engine()  # doctest: +SKIP
        >>> engine.kill()  # doctest: +SKIP
        """
        self._process.kill()
        self._process.wait()

    def __enter__(self) -> Engine:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Engine {self.url} {'running' if self.running else 'stopped'}>"


def _environment() -> dict[str, str]:
    """Return the child's environment, in which it finds this very package also when it is not installed."""
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    home = Path(__file__).resolve().parents[2]
    if home.name not in ("site-packages", "dist-packages"):
        path = os.environ.get("PYTHONPATH")
        environment["PYTHONPATH"] = str(home) + (os.pathsep + path if path else "")
    return environment


def _read(process: subprocess.Popen[str], engine: weakref.ref[Engine]) -> None:
    """Hand the process's lines to the engine; holds no reference to it, so that it can be collected."""
    assert process.stdout is not None
    for line in process.stdout:
        _hand_over(engine, line)
    _hand_over(engine, None)
    process.stdout.close()


def _hand_over(engine: weakref.ref[Engine], line: str | None) -> None:
    target = engine()
    if target is not None:
        target._heard(line)


def _end(process: subprocess.Popen[str], owner: int) -> None:
    """Close its stdin, which asks it to stop; insist if it does not."""
    if os.getpid() != owner:
        return  # A fork of the process that started it: the engine is not ours.
    stdin: IO[str] | None = process.stdin
    if stdin is not None:
        with contextlib.suppress(OSError):
            stdin.close()
    process.terminate()
    try:
        process.wait(_CLOSE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
